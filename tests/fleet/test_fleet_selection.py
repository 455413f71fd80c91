"""What a filter means while the watches go on: everything, as of the moment it is told."""

import asyncio

import pytest

from fleettui.fleet import selection
from fleettui.fleet.selection import found, matching
from fleettui.index.query import parse
from tests.tui.conftest import SmallFleet, fill, make_record

QUERY = parse("kind:machine prod")


async def test_filter_finds_what_comes_and_leaves_what_goes_while_it_searches(monkeypatch):
    """A bulk over "all" must not forget the machines that were made a moment ago."""
    fleet = SmallFleet()
    fill(fleet, clusters=8)
    before = set(matching(fleet, QUERY).refs)
    monkeypatch.setattr(selection, "SLICE_S", 0.0)  # between any two trees others get their turn
    searching = asyncio.ensure_future(found(fleet, QUERY))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not searching.done()
    fleet.put(
        make_record("Machine", "prod-00-new", owner=("MachineDeployment", "prod-00-md-0")),
        make_record("Cluster", "prod-99"),
        make_record("Machine", "prod-99-new", owner=("Cluster", "prod-99")),
    )
    fleet.drop("Machine", "prod-00-md-0-0")
    fleet.drop("Machine", "prod-07-md-0-0")
    found_refs = set((await searching).refs)
    assert found_refs == set(matching(fleet, QUERY).refs)
    names = {ref.name for ref in found_refs}
    assert {"prod-00-new", "prod-99-new"} <= names
    assert not {"prod-00-md-0-0", "prod-07-md-0-0"} & names
    assert before - found_refs


@pytest.mark.parametrize("text", ["prod-01", "kind:cluster", "nothing-like-it"])
async def test_filter_finds_the_same_at_once_and_in_slices(text):
    """The words and the screen must mean the same by a filter."""
    fleet = SmallFleet()
    fill(fleet)
    assert await found(fleet, parse(text)) == matching(fleet, parse(text))
