"""What is typed to confirm: it arrives, it stays, and it confirms only what was read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from fake_acts import FakeActs, becomes, running, shows, type_fast
from textual import events
from textual.pilot import Pilot

from fleettui.actions.plan import Refusal
from fleettui.audit import Journal
from fleettui.tui.screens.confirm import ConfirmScreen
from fleettui.tui.screens.picker import Picker
from fleettui.tui.screens.progress import ProgressScreen
from fleettui.tui.screens.text import TextScreen

WORDS = ("pause", "resync", "delete", "approve")
TYPED = "mgmt-eu/prod-00"


@pytest.fixture
def acts(tmp_path: Path) -> FakeActs:
    return FakeActs(Journal(tmp_path), typed=TYPED)


@asynccontextmanager
async def confirming(fleet: Any, acts: FakeActs, verb: str = "delete") -> AsyncIterator[Pilot[int]]:
    """The program with a plan on the screen."""
    async with running(fleet, acts) as pilot:
        ref = next(row.ref for row in fleet.index.rows() if row.ref.name == "prod-00")
        pilot.app.acting.begin(verb, [ref])
        await in_front(pilot, ConfirmScreen)
        yield pilot


async def in_front(pilot: Pilot[int], sort: type) -> None:
    await becomes(
        pilot,
        lambda: isinstance(pilot.app.screen, sort) and pilot.app.screen.is_mounted,
        sort.__name__,
    )


def fields(pilot: Pilot[int]) -> tuple[str, str]:
    return pilot.app.screen.reason.value, pilot.app.screen.typed.value


@pytest.mark.parametrize("verb", WORDS)
async def test_confirm_typed_while_the_plan_is_made_is_the_confirmations(small_fleet, acts, verb):
    """Reading the objects takes a moment; fingers do not wait, and the tree is not meant."""
    acts.asking = asyncio.Event()
    async with running(small_fleet, acts) as pilot:
        ref = next(row.ref for row in small_fleet.index.rows() if row.ref.name == "prod-00")
        before = pilot.app.main.tree_pane.cursor
        pilot.app.acting.begin(verb, [ref])
        if verb == "approve":
            await shows(pilot, "which plan do you approve?")
            type_fast(pilot, "plan-main-1\r")
        tabs = "\t\t" if verb == "pause" else "\t"
        type_fast(pilot, f"disk rs{tabs}{TYPED}")
        await becomes(pilot, lambda: bool(acts.asked))
        assert not isinstance(pilot.app.screen, ConfirmScreen)
        acts.asking.set()
        await in_front(pilot, ConfirmScreen)
        await becomes(pilot, lambda: fields(pilot) == ("disk rs", TYPED))
        assert pilot.app.main.tree_pane.cursor == before
        await pilot.press("enter")
        await in_front(pilot, ProgressScreen)
    assert {asked[0] for asked in acts.asked} == {verb}
    assert [plan.verb for plan, _, _ in acts.executed] == [verb]


async def test_approval_by_keys_in_one_breath_carries_what_was_typed(small_fleet, acts):
    """Choose, plan id, reason, name: none of it may get lost between two screens."""
    acts.asking = asyncio.Event()
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j")
        type_fast(pilot, f"aapprove\rplan-main-1\rread it\t{TYPED}")
        acts.asking.set()
        await in_front(pilot, ConfirmScreen)
        await becomes(pilot, lambda: fields(pilot) == ("read it", TYPED))
        await pilot.press("enter")
        await in_front(pilot, ProgressScreen)
    ((verb, _, options),) = acts.asked
    assert (verb, options.plan_id) == ("approve", "plan-main-1")
    ((plan, why, _),) = acts.executed
    assert (plan.verb, why) == ("approve", "read it")


async def test_confirm_enter_before_the_plan_was_read_confirms_nothing(small_fleet, acts):
    """Two enters too many must not carry out what nobody has seen."""
    acts.typed = ""
    acts.asking = asyncio.Event()
    async with running(small_fleet, acts) as pilot:
        ref = next(small_fleet.index.rows()).ref
        pilot.app.acting.begin("pause", [ref])
        type_fast(pilot, "a\r\rb")
        acts.asking.set()
        await in_front(pilot, ConfirmScreen)
        await becomes(pilot, lambda: pilot.app.screen.reason.value == "ab")
        assert not acts.executed
        await shows(pilot, "read it first")
        await pilot.press("enter")
        await in_front(pilot, ProgressScreen)


async def test_confirm_given_up_while_the_plan_is_made_asks_nothing(small_fleet, acts):
    """A server that does not answer must not hold a person."""
    acts.asking = asyncio.Event()
    async with running(small_fleet, acts) as pilot:
        pilot.app.acting.begin("delete", [next(small_fleet.index.rows()).ref])
        await shows(pilot, "reading the objects")
        cursor = pilot.app.main.tree_pane.cursor
        await pilot.press("x", "x", "escape", "j")
        await becomes(pilot, lambda: pilot.app.main.tree_pane.cursor == cursor + 1)
        acts.asking.set()
        await pilot.pause(0.05)
        assert pilot.app.screen is pilot.app.main
    assert not acts.executed


async def test_confirm_keys_typed_before_a_refusal_act_on_nothing(small_fleet, acts):
    """What was meant for a confirmation must not press keys of another screen."""
    acts.refusal = Refusal(target="x", reason="a topology owns it")
    acts.asking = asyncio.Event()
    async with running(small_fleet, acts) as pilot:
        pilot.app.acting.begin("delete", [next(small_fleet.index.rows()).ref])
        type_fast(pilot, "qqs")
        acts.asking.set()
        await in_front(pilot, TextScreen)
        await shows(pilot, "a topology owns it")
        await becomes(pilot, lambda: pilot.app.typed_ahead == 0)
        assert isinstance(pilot.app.screen, TextScreen)
    assert len(acts.asked) == 1


async def test_choice_of_an_action_takes_what_is_typed_before_it_is_there(small_fleet, acts):
    """Rights are asked for first; `as` typed at once must not pause what is under the cursor."""
    acts.asking = asyncio.Event()
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j")
        type_fast(pilot, "ascale")
        await pilot.pause(0.05)
        acts.asking.set()
        await in_front(pilot, Picker)
        await becomes(pilot, lambda: pilot.app.screen._typed == "scale")
    assert not acts.asked


async def test_confirm_text_stays_when_one_goes_back_to_it(small_fleet, acts):
    """Going back to a field to mend it must not wipe it at the next key."""
    async with confirming(small_fleet, acts) as pilot:
        await pilot.press(*"why", "tab", *TYPED[:-1], "tab", "tab", TYPED[-1])
        assert fields(pilot) == ("why", TYPED)


@pytest.mark.parametrize("loss", ["blur", "click"])
async def test_confirm_text_arrives_when_no_field_has_the_focus(small_fleet, acts, loss):
    """A terminal that lost the focus for a moment, or a click on the plan, loses no key."""
    async with confirming(small_fleet, acts) as pilot:
        await pilot.press("tab", *TYPED[:4])
        if loss == "blur":
            pilot.app.post_message(events.AppBlur())
        else:
            await pilot.click("#confirm-plan", offset=(3, 3))
        await pilot.pause()
        await pilot.press(*TYPED[4:])
        assert fields(pilot) == ("", TYPED)
        await pilot.press("enter")
        await in_front(pilot, ProgressScreen)


async def test_confirm_text_stays_while_the_fleet_changes(small_fleet, acts, record_of):
    """Boards behind the question are painted anew all the time."""
    async with confirming(small_fleet, acts) as pilot:
        await pilot.press("tab", *TYPED[:6])
        small_fleet.put(record_of("Cluster", "newcomer"))
        small_fleet.drop("Cluster", "prod-05")
        pilot.app.tick()
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        await pilot.press(*TYPED[6:])
        assert fields(pilot) == ("", TYPED)


async def test_confirm_asked_again_keeps_the_reason_and_wants_the_name_anew(small_fleet, acts):
    """Objects that changed meanwhile are confirmed anew; the reason is still the same."""
    async with confirming(small_fleet, acts, "pause") as pilot:
        acts.others = True
        await pilot.press(*"disk", "tab", *"2h", "tab", *TYPED, "enter")
        await becomes(
            pilot,
            lambda: (
                isinstance(pilot.app.screen, ConfirmScreen)
                and pilot.app.screen.is_mounted
                and fields(pilot) == ("disk", "")
            ),
        )
        assert pilot.app.screen.until.value == "2h"
        await shows(pilot, "changed")
        await pilot.press("enter")
        assert not acts.executed
        await pilot.press(*TYPED, "enter")
        await in_front(pilot, ProgressScreen)
    ((plan, why, _),) = acts.executed
    assert (why, len(plan.targets)) == ("disk", 1)
    assert acts.asked[-1][2].expires_s == 7200


async def test_confirm_pasted_text_follows_the_keys_before_it(small_fleet, acts):
    """A name is pasted rather than typed; it belongs to the field that tab went to."""
    async with confirming(small_fleet, acts) as pilot:
        type_fast(pilot, "why\t")
        pilot.app.post_message(events.Paste(TYPED))
        await becomes(pilot, lambda: fields(pilot) == ("why", TYPED))
