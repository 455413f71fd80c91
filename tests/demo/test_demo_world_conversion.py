"""Both served versions of Cluster API's kinds carry the same facts."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from fleettui.demo.world import World, build_world
from fleettui.demo.world.catalogue import resource_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CORE = "cluster.x-k8s.io"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(0, 1, clusters=32, seed=2, now=NOW)


def _objects(world: World, group: str, kind: str) -> list[dict[str, Any]]:
    resource = resource_of(group, kind)
    return [json.loads(world.body(resource, i)) for i in range(len(world.keys(resource)))]


@pytest.mark.parametrize(
    ("group", "kind"),
    [
        (CORE, "Cluster"),
        (CORE, "Machine"),
        (CORE, "MachineDeployment"),
        (CORE, "MachineSet"),
        (CORE, "MachinePool"),
        (CORE, "MachineHealthCheck"),
        (CORE, "ClusterClass"),
        ("bootstrap.cluster.x-k8s.io", "KubeadmConfig"),
        ("bootstrap.cluster.x-k8s.io", "KubeadmConfigTemplate"),
        ("controlplane.cluster.x-k8s.io", "KubeadmControlPlane"),
    ],
)
def test_conversion_there_and_back_changes_nothing(world: World, group: str, kind: str) -> None:
    """A client of the old version that writes an object back would lose fields."""
    resource = resource_of(group, kind)
    objects = _objects(world, group, kind)
    assert objects
    for document in objects:
        old = world.convert(resource, document, "v1beta1")
        assert old["apiVersion"] == f"{group}/v1beta1"
        if kind == "Machine":  # the old version has no such field
            document["status"].pop("failureDomain", None)
        assert world.convert(resource, old, "v1beta2") == document


def test_conversion_places_conditions_where_the_old_version_has_them(world: World) -> None:
    """Clients of the old version would read new conditions as old ones."""
    resource = resource_of(CORE, "Machine")
    old = world.convert(resource, _objects(world, CORE, "Machine")[0], "v1beta1")
    kinds = {item["type"] for item in old["status"]["conditions"]}
    assert "BootstrapReady" in kinds
    new = {item["type"] for item in old["status"]["v1beta2"]["conditions"]}
    assert "BootstrapConfigReady" in new
    assert old["status"]["infrastructureReady"] is True
    assert old["spec"]["infrastructureRef"]["namespace"] == old["metadata"]["namespace"]
    assert old["spec"]["nodeDrainTimeout"] == "600s"


def test_conversion_leaves_other_projects_kinds_alone(world: World) -> None:
    """A provider's object would be bent by rules that are not its own."""
    resource = resource_of("controlplane.cluster.x-k8s.io", "RKE2ControlPlane")
    document = _objects(world, "controlplane.cluster.x-k8s.io", "RKE2ControlPlane")[0]
    old = world.convert(resource, document, "v1beta1")
    assert old["status"] == document["status"]
