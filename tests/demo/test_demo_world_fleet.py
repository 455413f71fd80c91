"""The planned fleet has the size, the variety and the versions of a real one."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from fleettui.demo.world import World, build_world
from fleettui.demo.world.catalogue import resource_of
from fleettui.demo.world.fleet import FLAVOURS, plan_fleet
from fleettui.kinds.support import SupportState, support_of

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CLUSTERS = 1500


@pytest.fixture(scope="module")
def large_world() -> World:
    return build_world(0, 1, clusters=CLUSTERS, seed=1, now=NOW)


def test_fleet_has_about_sixty_objects_per_cluster(large_world: World) -> None:
    """Figures at 10,000 clusters would be told of a fleet that is smaller than promised."""
    total = sum(len(large_world.keys(resource)) for resource in large_world.resources())
    assert 57 <= total / CLUSTERS <= 63


def test_fleet_keeps_most_objects_in_kinds_that_a_row_needs(large_world: World) -> None:
    """The average would be reached by padding with objects that nobody looks at."""
    counted = Counter(
        {
            resource.kind: len(large_world.keys(resource))
            for resource in large_world.resources()
            if resource.group
        }
    )
    assert counted["Machine"] / CLUSTERS > 6
    assert counted["MachineDeployment"] <= counted["MachineSet"] <= counted["Machine"]
    secrets = len(large_world.keys(resource_of("", "Secret")))
    assert secrets < sum(counted.values()) / 3


def test_fleet_versions_are_mostly_supported_with_a_tail_that_is_not() -> None:
    """Every row would cry for an upgrade, or none would show what such a row looks like."""
    plans = plan_fleet(CLUSTERS, contexts=1, seed=3)
    states: Counter[SupportState] = Counter()
    for plan in plans:
        support = support_of(plan.version, int(NOW.timestamp()))
        assert support is not None, plan.version
        states[support.state] += 1
    assert states[SupportState.SUPPORTED] / CLUSTERS > 0.75
    assert 0.02 < states[SupportState.ENDED] / CLUSTERS < 0.2
    assert len({plan.version.rsplit(".", 1)[0] for plan in plans}) >= 5


def test_fleet_first_clusters_show_every_flavour_once() -> None:
    """A small demo would hide ways of building clusters."""
    plans = plan_fleet(len(FLAVOURS), contexts=1, seed=5)
    assert [plan.flavour for plan in plans] == list(FLAVOURS)
