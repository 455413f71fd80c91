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
from fleettui.actions.ways import Way
from fleettui.audit import Entry, Journal, What
from fleettui.errors import UsageError
from fleettui.fleet.context import ContextInfo
from fleettui.fleet.outcome import Outcome, Report, StepState
from fleettui.index.view import TreeView
from fleettui.kinds.batch import Batch, Phase, Scope, ScopeStatus
from fleettui.tui.acting import with_answer
from fleettui.tui.app import FleetApp
from fleettui.tui.plan_text import plan_lines
from fleettui.tui.screens.confirm import ConfirmScreen
from fleettui.tui.screens.progress import ProgressScreen
from fleettui.tui.status import banner_span, context_spans
from fleettui.tui.theme import DARK, MONO, Tone


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
    kept: Plan | None = None
    gaps: tuple[str, ...] = ()
    told: bool = False

    def __post_init__(self) -> None:
        self.asked: list[tuple[str, tuple, Options]] = []
        self.executed: list[tuple[Plan, str, bool]] = []

    def verbs(self, ref, *, is_paused, is_deleting):
        def offer(verb, label, asks_for=(), why_not="", ways=()):
            return SimpleNamespace(
                verb=SimpleNamespace(id=verb, label=label, asks_for=asks_for),
                why_not=why_not,
                ways=ways or (Way(),),
            )

        first = (Way(), Way("source first", "and wait", {"with_source": True}))

        return (
            offer("pause", "Pause", why_not="it is paused already" if is_paused else ""),
            offer("scale", "Scale", asks_for=("replicas",)),
            offer("upgrade", "Upgrade", why_not="off in this context"),
            offer("resync", "Resync", ways=first),
        )

    def undo_of(self, plan_id):
        if self.kept is None:
            raise UsageError(f"no plan {plan_id!r} is kept")
        return self.kept

    def rest_of(self, plan_id):
        return self.refusal or self.undo_of(plan_id)

    async def rights(self, ref):
        return self.denied

    async def plan(self, verb_id, refs, options=None, *, scope_gaps=()):
        self.asked.append((verb_id, tuple(refs), options))
        self.gaps = tuple(scope_gaps)
        return self.refusal or make_plan(tuple(refs), verb=verb_id, typed=self.typed)

    async def execute(
        self,
        plan,
        *,
        who,
        why="",
        servers=None,
        dry_run=False,
        mirrors_events=False,
        progress=None,
        cancel=None,
    ):
        self.executed.append((plan, why, dry_run))
        self.told = mirrors_events
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


async def test_action_picker_offers_the_ways_of_a_verb(small_fleet, acts):
    """What takes an option on the command line must be within reach of keys as well."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "a")
        await shows(pilot, "Resync, source first")
        await pilot.press(*"source", "enter")
        await shows(pilot, "WHAT IS SENT")
    ((verb, _, options),) = acts.asked
    assert (verb, options.with_source, options.all_matching) == ("resync", True, False)


async def test_action_on_a_filter_means_all_it_finds_and_nothing_else(small_fleet, acts):
    """Three thousand rows are not marked one by one; a forgotten one is worse than none."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("slash", *"kind:cluster", "enter")
        await pilot.press("A")
        await shows(pilot, "act on 6 objects")
        await pilot.press(*"pause", "enter")
        await shows(pilot, "WHAT IS SENT")
    ((verb, refs, options),) = acts.asked
    assert (verb, options.all_matching) == ("pause", True)
    assert {ref.kind for ref in refs} == {"Cluster"}
    assert len(refs) == 6
    assert acts.gaps == ()


async def test_action_on_a_filter_by_word_carries_what_is_not_known(small_fleet, acts):
    """A kind that may not be read makes "all" a guess: the plan has to know."""
    scope = Scope("mgmt-eu", "kustomize.toolkit.fluxcd.io", "Kustomization", "")
    forbidden = ScopeStatus(Phase.FORBIDDEN, error="forbidden")
    small_fleet.index.apply(Batch(scope, [forbidden]), small_fleet.now())
    async with running(small_fleet, acts) as pilot:
        await pilot.press("slash", *"apps", "enter")
        await pilot.press("colon", *"all resync", "enter")
        await shows(pilot, "WHAT IS SENT")
    ((verb, _, options),) = acts.asked
    assert (verb, options.all_matching) == ("resync", True)
    assert any("Kustomization" in gap for gap in acts.gaps)


async def test_action_on_all_without_a_filter_is_not_the_whole_fleet(small_fleet, acts):
    """One key too many must not mean everything there is."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("A")
        await shows(pilot, "nothing narrows the tree")
        await pilot.press("slash", *"nosuchthing", "enter", "A")
        await shows(pilot, "nothing is found")
        await pilot.press("colon", *"all explode", "enter")
        await shows(pilot, "no verb")
    assert not acts.asked


async def test_pause_carries_when_it_ends_and_may_be_told_by_an_event(small_fleet, acts):
    """A pause that nobody ends is an incident of next week."""
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "s")
        await shows(pilot, "ends after")
        await pilot.press(*"disk", "tab", *"soon", "ctrl+e", "enter")
        await shows(pilot, "is no duration")
        await pilot.press(*["backspace"] * 4, *"2h", "enter")
        await shows(pilot, "1 done")
    assert acts.asked[-1][2].expires_s == 7200
    assert acts.asked[-1][2].reason == "disk"
    assert acts.told is True


async def test_journal_line_is_undone_and_gone_on_with(small_fleet, acts):
    """What was done in the night is taken back where it is seen."""
    ref = next(row.ref for row in small_fleet.index.rows() if row.kind == "Cluster")
    entry = Entry(
        what=What.INTENT, id="1", at="2026-01-01T00:00:00Z", plan="p1", step=0, verb="pause",
        context=ref.context, group=ref.group, kind=ref.kind, namespace=ref.namespace,
        name=ref.name,
    )  # fmt: skip
    acts.journal.append(entry)
    async with running(small_fleet, acts) as pilot:
        await pilot.press("z")
        await shows(pilot, "lines of the journal")
        await pilot.press("colon", *"journal", "enter")
        await shows(pilot, "no answer was r")
        await pilot.press("z")
        await shows(pilot, "is kept")
        acts.kept = make_plan([ref], verb="undo pause")
        await pilot.press("z")
        await shows(pilot, "undo pause")
        await pilot.press("enter")
        await shows(pilot, "1 done")
        await pilot.press("escape")
        acts.refusal = Refusal(target="", reason="nothing is left to do")
        await pilot.press("Z")
        await shows(pilot, "nothing is left to do")
    assert [plan.verb for plan, _, _ in acts.executed] == ["undo pause"]


async def test_pause_of_objects_that_changed_meanwhile_is_asked_again(small_fleet, acts):
    """What is carried out is what was read, not what it has become."""
    plans = [make_plan, lambda refs, **more: make_plan(refs[:1], **more)]

    async def plan(verb_id, refs, options=None, *, scope_gaps=()):
        acts.asked.append((verb_id, tuple(refs), options))
        make = plans[min(len(acts.asked), 2) - 1]
        return make(tuple(refs), verb=verb_id)

    acts.plan = plan
    async with running(small_fleet, acts) as pilot:
        await pilot.press("j", "j", "space", "space", "s")
        await shows(pilot, "2 objects")
        await pilot.press(*"why", "enter")
        await shows(pilot, "look again")
        assert isinstance(pilot.app.screen, ConfirmScreen)
        assert not acts.executed
        await pilot.press(*"why", "enter")
        await shows(pilot, "1 done")
    assert len(acts.executed) == 1


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
