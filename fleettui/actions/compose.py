"""One plan for a whole selection: numbers, waves, undo and what must be typed.

Knows drafts; knows no verb.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import msgspec

from fleettui.actions import bulk
from fleettui.actions.documents import seconds_text
from fleettui.actions.drafts import (
    Case,
    Draft,
    DraftStep,
    PlanOne,
    deleting_refusal,
    guarded,
    right_of,
    target_needs,
)
from fleettui.actions.facts import AccessRequest, FactRequest, Facts, refuse
from fleettui.actions.options import Options
from fleettui.actions.plan import Danger, Impact, Plan, Refusal, Step, Target, Warning
from fleettui.kinds.record import ObjectRef

_Told = TypeVar("_Told", Warning, Impact)


def rights_of(plan: Plan) -> tuple[AccessRequest, ...]:
    """The rights that a plan takes, without doubles."""
    return tuple(dict.fromkeys(right_of(step.patch) for step in plan.steps))


def _flat(steps: Iterable[DraftStep]) -> Iterator[DraftStep]:
    for step in steps:
        yield from _flat(step.after)
        yield step


def _with_rights(facts: Facts, ref: ObjectRef, draft: Draft) -> Draft | Refusal:
    """The draft, or the first right that the server says is missing for it."""
    for step in _flat(draft.steps):
        right = right_of(step.patch)
        answer = facts.access.get(right)
        if answer is not None and answer.allowed is False:
            return msgspec.structs.replace(
                refuse(ref, "you may not do this", hint="ask for the missing rule"),
                missing_rule=right.rule,
            )
    return draft


@dataclass(slots=True)
class _Numbering:
    """Steps in the order in which they were first needed."""

    steps: list[Step] = field(default_factory=list)
    ids: dict[object, int] = field(default_factory=dict)
    drafts: list[DraftStep] = field(default_factory=list)

    def add(self, draft: DraftStep, unit: int, extra: tuple[int, ...] = ()) -> int:
        """The number of the step, after all that it has to wait for."""
        key: object = draft.key or id(draft)
        if key in self.ids:
            return self.ids[key]
        after = [self.add(earlier, unit, extra) for earlier in draft.after]
        number = len(self.steps)
        self.ids[key] = number
        waits = tuple(dict.fromkeys([*after, *(extra if not after else ())]))
        self.steps.append(
            Step(
                id=number,
                patch=draft.patch,
                title=draft.title,
                after=waits,
                unit=unit,
                is_cleanup=draft.is_cleanup,
            )
        )
        self.drafts.append(draft)
        return number


@dataclass(frozen=True, slots=True)
class Recipe:
    """One verb: what has to be known of a selection, and what is done to each object."""

    verb: str
    plan_one: PlanOne
    """Gets objects that exist, have a uid and may be written to."""
    wishes: Callable[[Facts], FactRequest] = target_needs
    """Asked again with what was read until it asks for nothing."""
    is_for_deleting: bool = False
    """Whether objects that are being deleted are not refused."""

    def needs(self, facts: Facts, *, options: Options) -> FactRequest:
        """Facts still missing; empty when a plan can be made."""
        return self.wishes(facts)

    def plan(self, facts: Facts, *, now: datetime, options: Options) -> Plan | Refusal:
        """One plan for the whole selection, or why there is none; pure."""
        return compose(self, facts, now=now, options=options)

    def draft(self, case: Case) -> Draft | Refusal:
        """What is wanted of one object."""
        refusal = None if self.is_for_deleting else deleting_refusal(case.ref, case.body)
        return refusal or self.plan_one(case)


def compose(recipe: Recipe, facts: Facts, *, now: datetime, options: Options) -> Plan | Refusal:
    """One plan for the whole selection, or why there is none.

    Objects that are refused are listed in the plan; only if all are, the answer
    is a refusal.
    """
    refusal = bulk.selection_refusal(facts, options)
    if refusal is not None:
        return refusal
    drafts: list[Draft] = []
    refused: list[Refusal] = []
    for ref in facts.refs:
        allowed = guarded(facts, ref)
        if isinstance(allowed, Refusal):
            refused.append(allowed)
            continue
        found = recipe.draft(Case(ref, *allowed, facts, now, options))
        if isinstance(found, Draft):
            found = _with_rights(facts, ref, found)
        if isinstance(found, Draft):
            drafts.append(found)
        else:
            refused.append(found)
    if not drafts:
        return msgspec.structs.replace(refused[0], others=tuple(refused[1:]))
    return _assembled(recipe.verb, drafts, refused, now, options)


def _assembled(
    verb: str, drafts: list[Draft], refused: list[Refusal], now: datetime, options: Options
) -> Plan:
    order, circles = bulk.ordered(
        [draft.target.ref for draft in drafts],
        {draft.target.ref: draft.depends_on for draft in drafts},
    )
    by_ref = {draft.target.ref: draft for draft in drafts}
    ordered = [by_ref[ref] for ref in order]
    numbering = _Numbering()
    last: dict[ObjectRef, int] = {}
    for unit, draft in enumerate(ordered):
        extra = tuple(last[ref] for ref in draft.depends_on if ref in last)
        for step in draft.steps:
            number = numbering.add(step, unit, extra if draft.waits_for_dependencies else ())
        last[draft.target.ref] = number
    steps = tuple(numbering.steps)
    targets = tuple(draft.target for draft in ordered)
    danger = max((draft.danger for draft in ordered), key=list(Danger).index)
    return Plan(
        id=_fingerprint(verb, steps),
        verb=verb,
        created_at=seconds_text(now),
        targets=targets,
        steps=steps,
        waves=bulk.waves(steps, options.limits),
        warnings=(
            *_unique(warning for draft in ordered for warning in draft.warnings),
            *circles,
            *_left_out(refused),
            *_as_of(now, options),
        ),
        blast_radius=_unique(impact for draft in ordered for impact in draft.impacts),
        refused=tuple(refused),
        undo=_undo(verb, numbering.drafts, targets, now, options),
        typed_confirmation=bulk.typed_confirmation(targets, danger, options),
        danger=danger,
        in_flight=options.limits.in_flight,
        rate_per_s=options.limits.rate_per_s,
    )


def _unique(values: Iterable[_Told]) -> tuple[_Told, ...]:
    return tuple(dict.fromkeys(values))


def _left_out(refused: Sequence[Refusal]) -> tuple[Warning, ...]:
    if not refused:
        return ()
    return (Warning(text=f"{len(refused)} objects of the selection are left out"),)


def _as_of(now: datetime, options: Options) -> tuple[Warning, ...]:
    """A filter means what it found, not what it would find while the plan is read."""
    if not options.all_matching:
        return ()
    text = f"what the filter found at {seconds_text(now)}; what comes later is not among it"
    return (Warning(text=text),)


def _undo(
    verb: str,
    drafts: Sequence[DraftStep],
    targets: tuple[Target, ...],
    now: datetime,
    options: Options,
) -> Plan | None:
    """What puts the fields back, last first; None when a step cannot be undone."""
    undone = [draft for draft in drafts if not draft.is_cleanup]
    patches = [draft.undo for draft in reversed(undone)]
    if not patches or any(patch is None for patch in patches):
        return None
    steps = tuple(
        Step(id=number, patch=patch, title="put back", unit=number)
        for number, patch in enumerate(p for p in patches if p is not None)
    )
    return Plan(
        id=_fingerprint(f"undo {verb}", steps),
        verb=f"undo {verb}",
        created_at=seconds_text(now),
        targets=tuple(reversed(targets)),
        steps=steps,
        waves=bulk.waves(steps, options.limits),
        in_flight=options.limits.in_flight,
        rate_per_s=options.limits.rate_per_s,
    )


def _fingerprint(verb: str, steps: Sequence[Step]) -> str:
    text = msgspec.json.encode((verb, steps), order="deterministic")
    return hashlib.sha256(text).hexdigest()[:12]
