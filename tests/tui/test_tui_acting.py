"""Keys that write: plan first, asked with exact patches, carried out, refused calmly."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot

from fleettui.actions.bulk import ResumeToken
from fleettui.actions.options import Options
from fleettui.actions.plan import (
    Danger,
    Impact,
    Patch,
    Plan,
    Preconditions,
    Refusal,
    Step,
    Target,
    Warning,
)
from fleettui.audit import Journal
from fleettui.errors import UsageError
from fleettui.fleet.outcome import Outcome, Report, StepState
from fleettui.index.view import TreeView
from fleettui.tui.acting import with_answer
from fleettui.tui.app import FleetApp
from fleettui.tui.plan_text import plan_lines
from fleettui.tui.screens.confirm import ConfirmScreen
from fleettui.tui.screens.progress import ProgressScreen


def make_plan(refs, *, verb="pause", typed="", danger=Danger.ORDINARY) -> Plan:
    """A plan that pauses the objects."""
    targets = tuple(
        Target(r.context, r.group, "v1beta2", r.kind, f"{r.kind.lower()}s", r.namespace, r.name)
        for r in refs
    )
    steps = tuple(
        Step(
            id=place,
            title="pause",
            unit=place,
            patch=Patch(
                target=target,
                body={"spec": {"paused": True}},
                preconditions=Preconditions(uid=f"uid-{place}"),
            ),
        )
        for place, target in enumerate(targets)
    )
    return Plan(
        id="p1",
        verb=verb,
        created_at="2026-01-01T00:00:00Z",
        targets=targets,
        steps=steps,
        waves=(tuple(step.id for step in steps),),
        warnings=(Warning("git owns this field", str(targets[0]), ("fleettui pause ks/apps",)),),
        blast_radius=(Impact(str(targets[0]), "stops being reconciled", "prod-00"),),
        typed_confirmation=typed,
        danger=danger,
    )


@dataclass
class FakeActs:
    """Plans and carries out in memory."""

    journal: Journal
    typed: str = ""
    refusal: Refusal | None = None
    gate: asyncio.Event | None = None
    denied: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.asked: list[tuple[str, tuple, Options]] = []
        self.executed: list[tuple[Plan, str, bool]] = []

    def verbs(self, ref, *, is_paused, is_deleting):
        def offer(verb, label, asks_for=(), why_not=""):
            return SimpleNamespace(
                verb=SimpleNamespace(id=verb, label=label, asks_for=asks_for), why_not=why_not
            )

        return (
            offer("pause", "Pause", why_not="it is paused already" if is_paused else ""),
            offer("scale", "Scale", asks_for=("replicas",)),
            offer("upgrade", "Upgrade", why_not="off in this context"),
        )

    async def rights(self, ref):
        return self.denied

    async def plan(self, verb_id, refs, options=None, *, scope_gaps=()):
        self.asked.append((verb_id, tuple(refs), options))
        return self.refusal or make_plan(tuple(refs), verb=verb_id, typed=self.typed)

    async def execute(
        self, plan, *, who, why="", servers=None, dry_run=False, progress=None, cancel=None
    ):
        self.executed.append((plan, why, dry_run))
        progress(Report(0, StepState.SENDING))
        if self.gate is not None:
            waits = [asyncio.create_task(e.wait()) for e in (self.gate, cancel)]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in waits:
                task.cancel()
        state = StepState.CANCELLED if cancel.is_set() else StepState.DONE
        reports = tuple(Report(step.id, state, "seen") for step in plan.steps)
        return Outcome(plan.id, reports, "", ResumeToken(plan_id=plan.id, done=()))


@pytest.fixture
def acts(tmp_path) -> FakeActs:
    return FakeActs(Journal(tmp_path))


@asynccontextmanager
async def running(fleet, acts) -> AsyncIterator[Pilot[int]]:
    app = FleetApp(fleet, fleet.index, TreeView(fleet.index), acts=acts)
    async with app.run_test(size=(140, 40), notifications=True) as pilot:
        await pilot.pause()
        yield pilot


def shown(pilot: Pilot[int]) -> str:
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def shows(pilot: Pilot[int], words: str) -> None:
    """Returns once the words are on the screen."""
    for _ in range(200):
        await pilot.pause(0.02)
        if words in shown(pilot):
            return
    raise AssertionError(f"never shown: {words}\n{shown(pilot)}")


async def test_pause_shows_the_exact_patch_then_carries_it_out(small_fleet, acts):
    """Nothing may be sent that was not read first, and the reason goes to the journal."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "s")
        await pilot.pause(0.1)
        assert isinstance(pilot.app.screen, ConfirmScreen)
        text = shown(pilot)
        for words in (
            "PATCH /apis/cluster.x-k8s.io/v1beta2/namespaces/fleet/clusters/prod-00",
            '"paused": true',
            "uid-0",
            "git owns this field",
            "stops being reconciled",
            "cannot be undone",
        ):
            assert words in text
        await pilot.press(*"why", "enter")
        await pilot.pause(0.1)
        assert isinstance(pilot.app.screen, ProgressScreen)
        assert "done" in shown(pilot)
        await pilot.press("escape")
        assert pilot.app.screen is pilot.app.main
    plan, why, dry_run = acts.executed[0]
    assert (plan.verb, why, dry_run) == ("pause", "why", False)
    assert acts.asked[-1][2].reason == "why"


async def test_confirm_given_up_sends_nothing(small_fleet, acts):
    """esc must be a way out at every point before sending."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "R")
        await pilot.pause(0.1)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert pilot.app.screen is pilot.app.main
    assert not acts.executed


async def test_confirm_typed_text_must_match(small_fleet, acts):
    """Deleting needs more than one key too many."""
    acts.typed = "prod-00"
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "ctrl+d")
        await pilot.pause(0.1)
        await pilot.press("enter")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert not acts.executed
        await pilot.press(*"prod-01", "enter")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        await pilot.press("backspace", "0", "enter")
        await pilot.pause(0.1)
        assert isinstance(pilot.app.screen, ProgressScreen)
    assert acts.executed


async def test_dry_run_is_asked_for_as_such(small_fleet, acts):
    """Asking the server only must not turn into the real thing."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "s")
        await pilot.pause(0.1)
        await pilot.press("ctrl+d")
        await pilot.pause(0.1)
        assert "only asked" in shown(pilot)
    assert acts.executed[0][2] is True


async def test_marked_objects_are_acted_upon_together(small_fleet, acts):
    """Marks are what bulk actions are made of."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "space", "space", "R")
        await pilot.pause(0.1)
        assert "2 objects" in shown(pilot)
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
        await pilot.pause(0.1)
        text = shown(pilot)
    for words in ("a topology owns it", "suspend the owner", "fleettui pause a"):
        assert words in text
    assert not acts.executed


async def test_action_picker_asks_for_what_a_verb_needs(small_fleet, acts):
    """A scale without a number is no plan, and what is off says why."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "a")
        await shows(pilot, "off in this context")
        await pilot.press(*"scale", "enter")
        await pilot.pause(0.1)
        await pilot.press("5", "enter")
        await pilot.pause(0.1)
        assert isinstance(pilot.app.screen, ConfirmScreen)
    assert acts.asked[0][2].replicas == 5


async def test_action_picker_names_the_missing_right(small_fleet, acts):
    """What a person may not do is greyed with the rule to ask for."""
    acts.denied = {"scale": "patch clusters/scale.cluster.x-k8s.io in namespace fleet"}
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "a")
        await shows(pilot, "missing right: patch")
        await pilot.press(*"scale", "enter")
        await shows(pilot, "clusters/scale.cluster.x-k8s.io")
    assert not acts.asked


async def test_pause_key_on_a_paused_object_resumes(small_fleet, acts):
    """s is a toggle, as in flux9s."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("G", "s")
        await pilot.pause(0.1)
    assert acts.asked[0][0] == "resume"


async def test_progress_escape_stops_first_and_closes_when_at_rest(small_fleet, acts):
    """Leaving the screen must not leave a bulk running unseen."""
    acts.gate = asyncio.Event()
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "s")
        await pilot.pause(0.1)
        await pilot.press("enter")
        await pilot.pause(0.1)
        assert isinstance(pilot.app.screen, ProgressScreen)
        await pilot.press("escape")
        await pilot.pause(0.1)
        assert isinstance(pilot.app.screen, ProgressScreen)
        assert "cancelled" in shown(pilot)
        await pilot.press("escape")
        assert pilot.app.screen is pilot.app.main


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
