"""What a screen offers is what it can do, and what it does not know it does not claim."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pilots import becomes, in_front, shows
from textual.pilot import Pilot

from fleettui.index.causes import CauseBoard
from fleettui.index.view import TreeView
from fleettui.tui.app import FleetApp
from fleettui.tui.cause_board import Causes
from fleettui.tui.cells import TREE_COLUMNS
from fleettui.tui.layout import fit_columns
from fleettui.tui.screens.board import BoardScreen
from fleettui.tui.screens.text import TextScreen
from fleettui.tui.triage_boards import LOOKING, ControllerBoard


@asynccontextmanager
async def running(fleet: Any) -> AsyncIterator[Pilot[int]]:
    """The program on this fleet."""
    app = FleetApp(fleet, fleet.index, TreeView(fleet.index))
    async with app.run_test(size=(120, 30), notifications=True) as pilot:
        await pilot.pause()
        yield pilot


async def test_filter_that_is_opened_again_is_replaced_by_what_is_typed(small_fleet: Any) -> None:
    """Whoever looks for something else would look for both words glued together."""
    async with running(small_fleet) as pilot:
        await pilot.press("slash", *"prod-04", "enter")
        await pilot.press("slash", *"prod-01", "enter")
        await becomes(pilot, lambda: pilot.app.main.state.expression == "prod-01")
        await pilot.press("slash", "right", *" health:bad", "enter")
        await becomes(pilot, lambda: pilot.app.main.state.expression == "prod-01 health:bad")
        await pilot.press("slash", "backspace", "enter")
        await becomes(pilot, lambda: not pilot.app.main.state.expression)


async def test_key_about_an_object_says_that_none_is_at_hand(small_fleet: Any) -> None:
    """A key that does nothing looks like a program that hangs."""
    async with running(small_fleet) as pilot:
        await pilot.press("g", "y")
        await becomes(pilot, lambda: len(pilot.app._notifications) == 1)
        (said,) = pilot.app._notifications
        assert said.message == "no object is under the cursor"


async def test_board_of_kinds_offers_no_key_about_an_object(small_fleet: Any) -> None:
    """Its rows are kinds: they have no YAML and cannot be explained."""
    async with running(small_fleet) as pilot:
        pilot.app.run_command("kinds")
        await in_front(pilot, BoardScreen)
        text = await shows(pilot, "KIND", "/ filter")
        assert "yaml" not in text.splitlines()[-1]


async def test_help_offers_only_what_changes_it(small_fleet: Any) -> None:
    """Fetching the help again, or wrapping it, does nothing."""
    async with running(small_fleet) as pilot:
        await pilot.press("question_mark")
        await in_front(pilot, TextScreen)
        footer = (await shows(pilot, "SIGNS", "/ search")).splitlines()[-1]
        assert "again" not in footer
        assert "wrap" not in footer


def test_causes_that_were_not_looked_for_are_not_denied(small_fleet: Any) -> None:
    """Nothing broken, said by somebody who has not looked yet, ends the search."""
    board = CauseBoard(small_fleet.index)
    assert "looking" in Causes(small_fleet, board, has_looked=lambda: False).empty
    assert "nothing is broken" in Causes(small_fleet, board).empty
    assert ControllerBoard(small_fleet).empty == LOOKING


def test_wide_terminal_leaves_room_for_kinds_beside_messages() -> None:
    """A message took all there was, and KubeadmControlPlane was cut on 200 columns."""
    widths = {slot.column.id: slot.width for slot in fit_columns(TREE_COLUMNS, 199)}
    assert widths["kind"] >= 18
    assert widths["message"] >= 40
