"""The demo shows an object of every kind that the product knows."""

from __future__ import annotations

from datetime import UTC, datetime

from demo_truth import load_table

from fleettui.cli.demo import DEFAULT_CLUSTERS
from fleettui.demo.arguments import Options
from fleettui.demo.world import build_world
from fleettui.demo.world.fleet import SHOWN

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def test_world_of_the_usual_size_has_objects_of_every_kind() -> None:
    """A kind could be added to the product that nobody ever sees in the demo."""
    world = build_world(0, 1, clusters=SHOWN, seed=11, now=NOW)
    shown = {(r.group, r.kind) for r in world.resources() if len(world.keys(r))}
    absent = {
        f"{spec.kind}.{spec.group}" for spec in load_table() if (spec.group, spec.kind) not in shown
    }
    assert absent == set()


def test_demo_shows_every_kind_unless_another_size_is_asked_for() -> None:
    """The first look at the program would leave out ways of building clusters."""
    assert DEFAULT_CLUSTERS == Options().clusters == SHOWN
