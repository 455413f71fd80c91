"""Acts in memory, and the program on top of them, for tests of screens."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import msgspec
from textual import events
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

PATIENCE_S = 20.0


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
    asking: asyncio.Event | None = None
    """Until it is set, the server answers neither plans nor rights."""
    denied: dict[str, str] = field(default_factory=dict)
    kept: Plan | None = None
    gaps: tuple[str, ...] = ()
    told: bool = False
    others: bool = False
    """Every plan is about other objects than the first."""

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
            offer("approve", "Approve plan", asks_for=("plan_id",)),
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
        if self.asking is not None:
            await self.asking.wait()
        return self.denied

    async def plan(self, verb_id, refs, options=None, *, scope_gaps=()):
        self.asked.append((verb_id, tuple(refs), options))
        self.gaps = tuple(scope_gaps)
        if self.asking is not None:
            await self.asking.wait()
        plan = make_plan(tuple(refs), verb=verb_id, typed=self.typed)
        if self.others and len(self.asked) > 1:
            elsewhere = tuple(msgspec.structs.replace(t, version="v1beta1") for t in plan.targets)
            plan = msgspec.structs.replace(plan, targets=elsewhere)
        return self.refusal or plan

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
    await becomes(pilot, lambda: words in shown(pilot), words)


async def becomes(pilot: Pilot[int], is_so: Callable[[], bool], words: str = "") -> None:
    """Returns once it is so; fails with the screen when it never is."""
    until = time.monotonic() + PATIENCE_S
    while not is_so():
        await pilot.pause(0.01)
        assert time.monotonic() < until, f"never so: {words}\n{shown(pilot)}"


def type_fast(pilot: Pilot[int], text: str) -> None:
    """Keys as a terminal hands them over, without waiting for what they bring about."""
    names = {"\r": "enter", "\t": "tab", "\x1b": "escape", " ": "space"}
    for character in text:
        name = names.get(character, character)
        pilot.app.post_message(events.Key(name, character if character != "\x1b" else None))
