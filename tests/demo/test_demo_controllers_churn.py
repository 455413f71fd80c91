"""Churn keeps watches busy and heals what it shakes."""

from __future__ import annotations

from datetime import UTC, datetime

from fleettui.demo.apiserver.store import Store
from fleettui.demo.controllers import Pace
from fleettui.demo.controllers.churn import Churn
from fleettui.demo.world import build_world
from fleettui.demo.world.catalogue import resource_of
from fleettui.demo.world.conditions import find

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def _store() -> Store:
    return Store(build_world(0, 1, clusters=6, seed=5, now=NOW, incidents=()))


def test_churn_touch_writes_one_status() -> None:
    """`--churn` would produce no watch events."""
    store = _store()
    churn = Churn([store], rate=10, seed=1)
    before = store.revision
    for _ in range(20):
        churn.touch()
    assert before < store.revision <= before + 20


async def test_churn_flap_heals_by_itself() -> None:
    """A healthy fleet under churn would turn red for good."""
    store = _store()
    churn = Churn([store], rate=10, seed=2, pace=Pace(0))
    before = store.revision
    for _ in range(5):
        await churn.flap()
    assert store.revision > before
    for machine in store.list(resource_of("cluster.x-k8s.io", "Machine")):
        ready = find(machine["status"]["conditions"], "Ready")
        assert ready is not None
        assert ready["status"] == "True"
