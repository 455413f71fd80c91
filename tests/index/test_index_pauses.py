"""The pause board: what is paused, for how long, and what it stops."""

import pytest
from demo_truth import Planted, plant

from fleettui.fleet.pausers import pausing_entry
from fleettui.index.pauses import FORGOTTEN_S, Pause, order, pauses
from fleettui.kinds.record import ObjectRef

_INCIDENTS = [
    "forgotten-pause",
    "forgotten-suspend",
    "rollout-paused",
    "argo-frozen",
    "reconcile-policy-forgotten",
]
_NOW = 2_000_000_000


@pytest.fixture(scope="module")
def planted() -> Planted:
    """A fleet with pauses of five families."""
    return plant(_INCIDENTS, clusters=200)


def test_pauses_of_every_family_are_found_once(planted: Planted) -> None:
    """A forgotten pause that the board misses stays forgotten."""
    found = [str(p.ref) for p in pauses(planted.index, planted.now)]
    wanted = [f"demo:{t.root}" for t in planted.world.truths() if t.state == "paused"]
    assert sorted(found) == sorted(wanted)


def test_pauses_of_a_cluster_tell_what_they_stop(planted: Planted) -> None:
    """Nobody would know that one field holds fifteen objects still."""
    cluster = next(p for p in pauses(planted.index, planted.now) if p.ref.kind == "Cluster")
    assert cluster.stops > 3
    assert cluster.word == "spec.paused"


def _pause(name: str, since: int = 0, until: int = 0) -> Pause:
    return Pause(ObjectRef("c", "", "Kind", "ns", name), "spec.paused", since, until=until)


def test_pauses_past_their_end_come_first_then_the_oldest() -> None:
    """The pause that somebody promised to end is the one to ask about."""
    found = [
        _pause("unknown"),
        _pause("fresh", _NOW - 60),
        _pause("old", _NOW - FORGOTTEN_S - 60),
        _pause("expired", _NOW - 120, until=_NOW - 1),
        _pause("planned", _NOW - FORGOTTEN_S - 90, until=_NOW + 60),
    ]
    names = [p.ref.name for p in sorted(found, key=lambda p: order(p, _NOW))]
    assert names == ["expired", "old", "planned", "fresh", "unknown"]


def test_pausing_entry_is_the_newest_manager_of_the_very_field() -> None:
    """The board would blame whoever touched the object last for something else."""
    suspend = {"f:spec": {"f:suspend": {}}}
    entries = [
        {"manager": "kubectl-edit", "time": "2026-01-01T00:00:00Z", "fieldsV1": suspend},
        {"manager": "flux", "time": "2026-02-01T00:00:00Z", "fieldsV1": suspend},
        {"manager": "other", "time": "2026-03-01T00:00:00Z", "fieldsV1": {"f:spec": {}}},
    ]
    found = pausing_entry({"metadata": {"managedFields": entries}}, "spec.suspend")
    assert found is not None
    assert found["manager"] == "flux"
    assert pausing_entry({"metadata": {}}, "spec.suspend") is None
