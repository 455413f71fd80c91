"""Healthy objects of the demo look as real controllers left them."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleettui.demo.world import build_world
from fleettui.demo.world.catalogue import resource_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CORE = "cluster.x-k8s.io"
KINDS = (
    (CORE, "Cluster"),
    (CORE, "Machine"),
    (CORE, "MachineDeployment"),
    (CORE, "MachineHealthCheck"),
    (CORE, "MachineSet"),
    ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
    ("bootstrap.cluster.x-k8s.io", "KubeadmConfig"),
    ("infrastructure.cluster.x-k8s.io", "DevCluster"),
    ("infrastructure.cluster.x-k8s.io", "DevMachine"),
)
EMPTY = {"NoReplicas", "NoWorkers"}
"""Reasons of owners without Machines: the recorded fleet has others of them than the demo."""
Document = dict[str, Any]


def _conditions(document: Document) -> set[tuple[str, ...]]:
    status = document.get("status", {})
    old = status.get("deprecated", {}).get("v1beta1", {})
    return {
        (scheme, item["type"], item["status"], item.get("reason", ""), item.get("message", ""))
        for scheme, part in (("now", status), ("before", old))
        for item in part.get("conditions", ())
        if item.get("reason") not in EMPTY
    }


def _told(documents: Iterable[Document]) -> set[tuple[str, ...]]:
    return {condition for document in documents for condition in _conditions(document)}


@pytest.fixture(scope="module")
def recorded(shared_folder: Path) -> dict[str, list[Document]]:
    found: dict[str, list[Document]] = defaultdict(list)
    folder = shared_folder / "recordings" / "capi" / "states" / "1-healthy" / "lists"
    for group, kind in KINDS:
        resource = resource_of(group, kind)
        path = folder / f"{group}_v1beta2_{resource.plural}.json.gz"
        found[kind] = json.loads(gzip.decompress(path.read_bytes()))["items"]
    return found


@pytest.fixture(scope="module")
def pretended() -> dict[str, list[Document]]:
    """Objects of clusters that the development provider backs; Clusters of classes too."""
    world = build_world(0, 1, clusters=220, seed=3, now=NOW, incidents=())
    own = {(p.namespace, p.name) for p in world.plans if p.flavour.name == "dev"}
    classed = {(p.namespace, p.name) for p in world.plans if p.flavour.is_topology}
    found: dict[str, list[Document]] = defaultdict(list)
    for group, kind in KINDS:
        resource = resource_of(group, kind)
        for index, (namespace, name) in enumerate(world.keys(resource)):
            document = json.loads(world.body(resource, index))
            labels = document["metadata"].get("labels", {})
            cluster = (namespace, labels.get("cluster.x-k8s.io/cluster-name", name))
            if cluster in own or (kind == "Cluster" and cluster in classed):
                found[kind].append(document)
    return found


@pytest.mark.parametrize("kind", [kind for _, kind in KINDS])
def test_world_conditions_are_those_of_real_controllers(
    recorded: dict[str, list[Document]], pretended: dict[str, list[Document]], kind: str
) -> None:
    """People would learn reasons and words from the demo that no real cluster shows."""
    assert pretended[kind]
    odd = _told(pretended[kind]) - _told(recorded[kind])
    missing = _told(recorded[kind]) - _told(pretended[kind])
    assert (odd, missing) == (set(), set())


@pytest.mark.parametrize("kind", ["Cluster", "Machine", "KubeadmControlPlane", "DevMachine"])
def test_world_conditions_stand_in_the_order_of_real_controllers(
    recorded: dict[str, list[Document]], pretended: dict[str, list[Document]], kind: str
) -> None:
    """`describe` of the demo would read differently."""

    def pairs(documents: Iterable[Document]) -> set[tuple[str, str]]:
        orders = [[item["type"] for item in d["status"]["conditions"]] for d in documents]
        return {
            (first, later)
            for order in orders
            for place, first in enumerate(order)
            for later in order[place + 1 :]
        }

    turned = {(later, first) for first, later in pairs(recorded[kind])}
    assert pairs(pretended[kind]) & turned == set()
