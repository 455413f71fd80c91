"""Acts in memory, and the program on top of them, for tests of screens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

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
from fleettui.audit import Journal
from fleettui.errors import UsageError
from fleettui.fleet.outcome import Outcome, Report, StepState
from fleettui.index.view import TreeView
from fleettui.tui.app import FleetApp


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
