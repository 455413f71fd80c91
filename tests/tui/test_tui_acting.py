"""Keys that write: plan first, asked with exact patches, carried out, refused calmly."""

import asyncio

import msgspec
import pytest
from fake_acts import FakeActs, make_plan, running
from pilots import becomes, in_front, shows

from fleettui.actions.options import Options
from fleettui.actions.plan import (
    Refusal,
)
from fleettui.audit import Journal
from fleettui.errors import UsageError
from fleettui.fleet.context import ContextInfo
from fleettui.fleet.outcome import Report, StepState
from fleettui.tui.acting import with_answer
from fleettui.tui.plan_text import plan_lines
from fleettui.tui.screens.confirm import ConfirmScreen
from fleettui.tui.screens.progress import ProgressScreen
from fleettui.tui.status import banner_span, context_spans
from fleettui.tui.theme import DARK, MONO, Tone


@pytest.fixture
def acts(tmp_path) -> FakeActs:
    return FakeActs(Journal(tmp_path))


async def test_pause_shows_the_exact_patch_then_carries_it_out(small_fleet, acts):
    """Nothing may be sent that was not read first, and the reason goes to the journal."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "s")
        await in_front(pilot, ConfirmScreen)
        await shows(
            pilot,
            "PATCH /apis/cluster.x-k8s.io/v1beta2/namespaces/fleet/clusters/prod-00",
            '"paused": true',
            "uid-0",
            "git owns this field",
            "stops being reconciled",
            "cannot be undone",
        )
        await pilot.press(*"why", "enter")
        await in_front(pilot, ProgressScreen)
        await shows(pilot, "1 done", "close")
        await pilot.press("escape")
        await becomes(pilot, lambda: pilot.app.screen is pilot.app.main)
    plan, why, dry_run = acts.executed[0]
    assert (plan.verb, why, dry_run) == ("pause", "why", False)
    assert acts.asked[-1][2].reason == "why"


async def test_confirm_given_up_sends_nothing(small_fleet, acts):
    """esc must be a way out at every point before sending."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "R")
        await in_front(pilot, ConfirmScreen)
        await pilot.press("escape")
        await becomes(pilot, lambda: pilot.app.screen is pilot.app.main)
    assert not acts.executed


async def test_confirm_typed_text_must_match(small_fleet, acts):
    """Deleting needs more than one key too many."""
    acts.typed = "prod-00"
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "ctrl+d")
        await in_front(pilot, ConfirmScreen)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert not acts.executed
        await pilot.press(*"prod-01", "enter")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await pilot.press("backspace", "0", "enter")
        await in_front(pilot, ProgressScreen)
        await becomes(pilot, lambda: acts.executed)


async def test_confirm_shows_the_whole_text_that_has_to_be_typed(small_fleet, acts):
    """A name that is cut cannot be typed."""
    acts.typed = "production-eu-west-1-payments/prod-00-control-plane-xk2pq"
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "ctrl+d")
        await shows(pilot, f"type {acts.typed} ")


async def test_dry_run_is_asked_for_as_such(small_fleet, acts):
    """Asking the server only must not turn into the real thing."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "s")
        await in_front(pilot, ConfirmScreen)
        await pilot.press("ctrl+d")
        await shows(pilot, "only asked")
        await becomes(pilot, lambda: acts.executed)
    assert acts.executed[0][2] is True


async def test_marked_objects_are_acted_upon_together(small_fleet, acts):
    """Marks are what bulk actions are made of."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "space", "space", "R")
        await in_front(pilot, ConfirmScreen)
        await shows(pilot, "2 objects")
    assert {ref.name for ref in acts.asked[0][1]} == {"prod-00", "prod-01"}


async def test_refusal_tells_why_and_what_works(small_fleet, acts):
    """A refusal without a way on sends people to kubectl."""
    acts.refusal = Refusal(
        target="x",
        reason="a topology owns it",
        hint="suspend the owner",
        offer=("fleettui pause a",),
    )
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "s")
        await shows(pilot, "a topology owns it", "suspend the owner", "fleettui pause a")
    assert not acts.executed


async def test_pause_key_on_a_paused_object_resumes(small_fleet, acts):
    """s is a toggle, as in flux9s."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("G", "s")
        await becomes(pilot, lambda: acts.asked)
    assert acts.asked[0][0] == "resume"


async def test_progress_escape_stops_first_and_closes_when_at_rest(small_fleet, acts):
    """Leaving the screen must not leave a bulk running unseen."""
    acts.gate = asyncio.Event()
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "s")
        await in_front(pilot, ConfirmScreen)
        await pilot.press("enter")
        await in_front(pilot, ProgressScreen)
        await pilot.press("escape")
        await shows(pilot, "cancelled", "close")
        assert isinstance(pilot.app.screen, ProgressScreen)
        await pilot.press("escape")
        await becomes(pilot, lambda: pilot.app.screen is pilot.app.main)


async def test_read_only_run_ignores_acts_altogether(read_only_fleet, acts):
    """Even with acts at hand a read-only program binds no key that writes."""
    async with running(read_only_fleet, acts) as pilot:
        await pilot.press("j", "j", "s", "r", "R", "W", "a", "ctrl+d")
        await pilot.pause(0.1)
        assert pilot.app.screen is pilot.app.main
        assert pilot.app.acting is None
    assert not acts.asked


def test_plan_lines_of_a_large_plan_stay_readable(small_fleet):
    """Three thousand steps must not freeze the question."""
    refs = [next(small_fleet.index.rows()).ref] * 3000
    lines = plan_lines(make_plan(refs), 100)
    assert len(lines) < 3000
    assert any("2800 more" in line.text for line in lines)


def test_with_answer_reads_what_each_verb_asks_for():
    """Labels are set and removed the way kubectl does; a number must be one."""
    assert with_answer(Options(), "set", "a=b c- d=").set == {"a": "b", "c": None, "d": ""}
    assert with_answer(Options(), "version", "v1.33.2").version == "v1.33.2"
    assert with_answer(Options(), "plan_id", "main-1").plan_id == "main-1"
    for name, wrong in (("set", "a"), ("set", "=b"), ("set", "-"), ("replicas", "many")):
        with pytest.raises(UsageError):
            with_answer(Options(), name, wrong)


@pytest.mark.parametrize(("colour", "ground"), [("red", "#c4232e"), ("cyan", "#0a6c7d")])
def test_context_banner_has_the_colour_of_the_settings(colour, ground):
    """Production is red to whoever has said so, in the header and above every plan."""
    info = ContextInfo("prod", banner="PRODUCTION", colour=colour)
    spans = list(context_spans(info, 0))
    banner = next(span for span in spans if "PRODUCTION" in span.text)
    name = next(span for span in spans if span.text == "prod")
    assert DARK.style(banner.tone).bgcolor.name == ground
    assert DARK.style(name.tone).bgcolor.name == ground
    assert MONO.style(banner.tone).reverse is True
    assert banner_span(ContextInfo("x", banner="CARE", colour="mauve")).tone is Tone.ALARM


async def test_progress_of_a_bulk_tells_the_pace_and_every_step(small_fleet, acts):
    """Hundreds of steps at once: how long it still takes, and none is lost on the way."""
    refs = [row.ref for row in small_fleet.index.rows()]
    plan = msgspec.structs.replace(make_plan(refs), rate_per_s=0.5, in_flight=7)
    gate = asyncio.Event()

    async def execute(progress, cancel):
        for step in plan.steps[:-1]:
            for state in (StepState.CHECKING, StepState.SENDING, StepState.DONE):
                progress(Report(step.id, state))
        await gate.wait()
        raise UsageError("the end of the test")

    async with running(small_fleet, acts) as pilot:
        screen = ProgressScreen(plan, execute, dry_run=False)
        pilot.app.push_screen(screen)
        await shows(pilot, f"{len(refs) - 1} done")
        await shows(pilot, "at most 30 a minute, 7 at a time: 2s at least")
        gate.set()
        await shows(pilot, "the end of the test")
