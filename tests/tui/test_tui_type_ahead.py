"""Keys faster than the program: each acts on what the one before it brought about."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from textual import events
from textual.pilot import Pilot

from fleettui.tui.app import FleetApp
from fleettui.tui.screens.board import BoardScreen
from fleettui.tui.screens.picker import Picker
from fleettui.tui.screens.text import TextScreen

NAMES = {"/": "slash", ":": "colon", "\r": "enter", "\x1b": "escape", "?": "question_mark"}
CHARACTERS = {"slash": "/", "colon": ":", "enter": "\r", "question_mark": "?"}
SETTLING_S = 60.0


def _key(name: str) -> events.Key:
    return events.Key(name, CHARACTERS.get(name, name if len(name) == 1 else None))


async def burst(pilot: Pilot[int], typed: str) -> None:
    """All keys at once, as a terminal hands over what was typed while it was busy."""
    for character in typed:
        pilot.app.post_message(_key(NAMES.get(character, character)))
    await pilot.pause()
    await becomes(pilot, lambda: pilot.app.typed_ahead == 0)  # type: ignore[attr-defined]  # ours
    await pilot.pause()


async def becomes(pilot: Pilot[int], is_so: Callable[[], bool]) -> bool:
    """Whether it becomes so within a generous time."""
    async with asyncio.timeout(SETTLING_S):
        while not is_so():
            await pilot.pause(0.01)
    return True


@asynccontextmanager
async def running(fleet: Any, view: Any) -> AsyncIterator[Pilot[int]]:
    """The program on this fleet."""
    app = FleetApp(fleet, fleet.index, view)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        yield pilot


def cursor_name(pilot: Pilot[int]) -> str:
    line = pilot.app.main.keys.line  # type: ignore[attr-defined]  # the app by its own type
    return line.label if line else ""


async def test_keys_after_enter_in_the_filter_act_on_what_was_found(
    small_fleet: Any, view_of: Any
) -> None:
    """`/name⏎d` in one go describes the found cluster, not another one."""
    async with running(small_fleet, view_of(small_fleet)) as pilot:
        await burst(pilot, "/prod-04\rd")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, TextScreen))
        assert pilot.app.screen.document.title.endswith("prod-04")
        assert pilot.app.main.state.expression == "prod-04"


async def test_keys_after_a_screen_opens_are_its_own(small_fleet: Any, view_of: Any) -> None:
    """`dGesc j`: the text scrolls and closes, then the tree's cursor moves once."""
    async with running(small_fleet, view_of(small_fleet)) as pilot:
        await burst(pilot, "/prod-01\rdGG\x1bj")
        await becomes(pilot, lambda: pilot.app.screen is pilot.app.main)
        await becomes(pilot, lambda: cursor_name(pilot) != "prod-01")
        assert pilot.app.main.tree_pane.cursor > 0


async def test_text_after_a_command_belongs_to_the_screen_it_opens(
    small_fleet: Any, view_of: Any
) -> None:
    """`:ns⏎fl⏎` narrows the choice of namespaces; in the tree `f` and `l` would fold."""
    async with running(small_fleet, view_of(small_fleet)) as pilot:
        await burst(pilot, ":ns\rfl\r")
        await becomes(pilot, lambda: pilot.app.main.state.namespace == "fleet")
        assert pilot.app.screen is pilot.app.main


async def test_picker_opened_by_a_key_takes_what_follows(small_fleet: Any, view_of: Any) -> None:
    """What is typed to narrow a choice must not act on the tree behind it."""
    async with running(small_fleet, view_of(small_fleet)) as pilot:
        before = pilot.app.main.tree_pane.cursor
        await burst(pilot, "Sag")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, Picker))
        await becomes(pilot, lambda: pilot.app.screen._typed == "ag")
        assert pilot.app.main.tree_pane.cursor == before


async def test_filter_of_a_board_opened_in_the_same_breath_is_the_boards(
    small_fleet: Any, view_of: Any
) -> None:
    """`:kinds⏎/mach⏎`: the filter line is that of the board."""
    async with running(small_fleet, view_of(small_fleet)) as pilot:
        await burst(pilot, ":kinds\r/mach\r")
        await becomes(pilot, lambda: isinstance(pilot.app.screen, BoardScreen))
        board = pilot.app.screen
        await becomes(pilot, lambda: board._needle == "mach" and not board.prompt.is_open)
        assert pilot.app.main.state.expression == ""


async def test_two_filters_in_one_breath_leave_the_second(small_fleet: Any, view_of: Any) -> None:
    """Typing on after enter must not end up in the first filter."""
    async with running(small_fleet, view_of(small_fleet)) as pilot:
        await burst(pilot, "/prod-01\r\x1b/prod-05\r")
        await becomes(pilot, lambda: pilot.app.main.state.expression == "prod-05")
        await becomes(pilot, lambda: not pilot.app.main.prompt.is_open)
        assert cursor_name(pilot) == "prod-05"


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    words=st.lists(
        st.sampled_from(
            ["j", "k", "G", "g", "l", "o", "d\x1b", "?\x1b", "/prod-0\r", "\x1b", "S\x1b"]
        ),
        min_size=1,
        max_size=12,
    )
)
async def test_keys_at_once_end_where_keys_one_by_one_end(words: list[str], record_of: Any) -> None:
    """Whatever is typed: how fast it comes makes no difference."""
    from fleettui.index.view import TreeView
    from tests.tui.conftest import SmallFleet, fill

    ends = []
    for at_once in (True, False):
        fleet = SmallFleet()
        fill(fleet)
        async with running(fleet, TreeView(fleet.index)) as pilot:
            typed = "".join(words)
            for part in [typed] if at_once else list(typed):
                await burst(pilot, part)
            ends.append(
                (
                    type(pilot.app.screen).__name__,
                    pilot.app.main.tree_pane.cursor,
                    pilot.app.main.state.expression,
                    pilot.app.main.prompt.is_open,
                )
            )
    assert ends[0] == ends[1]
