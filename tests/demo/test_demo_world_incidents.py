"""Every incident of the catalogue can be planted and is as its truth says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from demo_truth import hiding_incidents, outcomes, plant

from fleettui.demo.world import World, build_world
from fleettui.demo.world.catalogue import resource_of
from fleettui.demo.world.conditions import NEGATIVE, find
from fleettui.demo.world.incidents import Occurrence, all_incidents
from fleettui.demo.world.truth import Reference, Truth

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CORE = "cluster.x-k8s.io"


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(0, 1, clusters=360, seed=11, now=NOW, incidents=list(all_incidents()))


@pytest.fixture(scope="module")
def truths(world: World) -> dict[str, Truth]:
    return {truth.incident: truth for truth in world.truths()}


def _get(world: World, reference: Reference) -> dict[str, Any] | None:
    resource = resource_of(reference.group, reference.kind)
    keys = list(world.keys(resource))
    key = (reference.namespace, reference.name)
    return json.loads(world.body(resource, keys.index(key))) if key in keys else None


def _cluster(world: World, truth: Truth) -> dict[str, Any]:
    assert truth.cluster is not None
    cluster = _get(world, truth.cluster)
    assert cluster is not None
    return cluster


def test_catalogue_is_large_enough() -> None:
    """The bench of causes would prove little."""
    incidents = all_incidents().values()
    assert len(incidents) >= 50
    assert {incident.scope for incident in incidents} == {"cluster", "team", "platform"}


@pytest.mark.parametrize("name", sorted(all_incidents()))
def test_incident_root_and_consequences_exist(
    world: World, truths: dict[str, Truth], name: str
) -> None:
    """A bench would compare with objects that are not there."""
    truth = truths[name]
    root = _get(world, truth.root)
    is_missing = truth.root.kind == "Secret"
    assert (root is None) == is_missing
    for reference in truth.consequences:
        assert _get(world, reference) is not None, reference
    if truth.condition:
        assert truth.condition["status"] in ("True", "False", "Unknown")


def test_incident_text_is_readable_where_the_truth_says(
    world: World, truths: dict[str, Truth]
) -> None:
    """An explanation could not contain what nobody can read."""
    for truth in truths.values():
        if truth.readable_in in ("log", "reference") or truth.root.kind == "Secret":
            continue
        resources = [truth.root, *truth.also_right]
        bodies = [
            json.dumps(body)
            for item in resources
            if "*" not in str(item)
            for body in [_get(world, item)]
            if body
        ]
        events = resource_of("", "Event")
        bodies += [world.body(events, index).decode() for index in range(len(world.keys(events)))]
        assert any(truth.text.lower() in body.lower() for body in bodies), truth.incident


def test_quota_reaches_the_cluster_in_the_words_of_cluster_api(
    world: World, truths: dict[str, Truth]
) -> None:
    """Parents would not be red as real controllers make them."""
    cluster = _cluster(world, truths["cloud-quota"])
    available = find(cluster["status"]["conditions"], "Available")
    assert available is not None
    assert available["status"] == "False"
    name = cluster["metadata"]["name"]
    assert available["message"].startswith(
        f"* WorkersAvailable:\n  * MachineDeployment {name}"
    ) or available["message"].startswith("* WorkersAvailable: * MachineDeployment")
    ready = find(cluster["status"]["conditions"], "WorkerMachinesReady")
    assert ready is not None
    assert "QuotaExceeded" in ready["message"]


def test_lost_quorum_makes_the_control_plane_unavailable(
    world: World, truths: dict[str, Truth]
) -> None:
    """The worst incident would look like a detail."""
    cluster = _cluster(world, truths["etcd-quorum"])
    condition = find(cluster["status"]["conditions"], "ControlPlaneAvailable")
    assert condition is not None
    assert condition["status"] == "False"
    assert "required for etcd quorum" in condition["message"]


def test_silent_pool_leaves_the_cluster_available(world: World, truths: dict[str, Truth]) -> None:
    """The demo would hide what naive tools get wrong."""
    cluster = _cluster(world, truths["pool-silent"])
    condition = find(cluster["status"]["conditions"], "Available")
    assert condition is not None
    assert condition["status"] == "True"


def test_healthy_fleet_has_no_red_condition() -> None:
    """False alarms could not be told from the demo's own faults."""
    world = build_world(0, 1, clusters=46, seed=4, now=NOW, incidents=())
    assert world.truths() == []
    negative = (*NEGATIVE, "StateLocked", "ErrorOccurred")
    states = ("Running", "Progressing")
    for resource in world.resources():
        for index in range(len(world.keys(resource))):
            document = json.loads(world.body(resource, index))
            for condition in document.get("status", {}).get("conditions", ()):
                kind = condition["type"]
                is_busy = kind.endswith("ing") and not kind.endswith(states)
                expected = "False" if is_busy or kind in negative else "True"
                assert condition["status"] == expected, (document["kind"], condition)


def test_usual_share_breaks_about_three_percent() -> None:
    """A demo of a thousand clusters would look like a catastrophe or like nothing."""
    world = build_world(0, 1, clusters=1000, seed=9, now=NOW)
    broken = [truth for truth in world.truths() if truth.cluster]
    assert 30 <= len(broken) <= 40


def test_small_demo_has_a_handful_of_incidents() -> None:
    """The first look would show nothing to explain."""
    found = []
    for context in range(2):
        found += build_world(context, 2, clusters=24, seed=1, now=NOW).truths()
    assert len([truth for truth in found if truth.cluster]) >= 5
    assert len({truth.incident for truth in found}) >= 8


def test_unknown_incident_is_refused_with_the_known_ones() -> None:
    """A typing mistake would plant nothing without a word."""
    with pytest.raises(ValueError, match=r"unknown incident nope; known: .*cloud-quota"):
        build_world(0, 1, clusters=4, seed=1, now=NOW, incidents=["nope"])


def test_incidents_that_hinder_readers_are_planted_only_when_asked_for() -> None:
    """Every large demo would have a kind that nobody can list."""
    for seed in range(12):
        world = build_world(0, 1, clusters=600, seed=seed, now=NOW)
        planted = {truth.incident for truth in world.truths()}
        assert not {n for n in planted if all_incidents()[n].occurrence is Occurrence.ASKED}
        assert world.faults() == []
    asked = build_world(0, 1, clusters=4, seed=1, now=NOW, incidents=["conversion-webhook-down"])
    assert [fault["resource"] for fault in asked.faults()] == [
        "vspherevms.infrastructure.cluster.x-k8s.io"
    ]


@pytest.mark.parametrize("name", sorted(set(hiding_incidents()) - {"webhook-secret-expired"}))
def test_incident_that_hides_others_is_explained_when_it_is_alone(name: str) -> None:
    """What hits a whole controller would be told as the trouble of its objects."""
    found = list(outcomes(plant([name], clusters=40)))
    assert [(outcome.place, outcome.told) for outcome in found if outcome.place != 1] == []
    assert len(found) == 1
