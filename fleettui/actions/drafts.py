"""From what each verb wants of one object to one plan for all.

Knows guards that every verb shares (gone, deleting, forbidden, unknown kind),
how a patch is undone, and how steps are numbered; knows no verb.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from fleettui.actions import bulk
from fleettui.actions.documents import (
    apply_merge,
    inverse_merge,
    is_deleting,
    leaves,
    seconds_text,
    text_at,
    uid_of,
    value_at,
)
from fleettui.actions.facts import (
    AccessRequest,
    Document,
    FactRequest,
    Facts,
    access_to_patch,
    refuse,
)
from fleettui.actions.managed import Reverter, appliers_of, cluster_ref, is_stopped, reverter_of
from fleettui.actions.options import Options
from fleettui.actions.plan import (
    Acknowledgement,
    ContentType,
    Danger,
    FieldTest,
    Impact,
    Patch,
    Plan,
    Preconditions,
    Refusal,
    Step,
    Target,
    Warning,
)
from fleettui.kinds.record import ObjectRef


@dataclass(frozen=True, slots=True, eq=False)
class DraftStep:
    """One patch before it has a number."""

    patch: Patch
    title: str
    after: tuple["DraftStep", ...] = ()
    undo: Patch | None = None
    key: str = ""
    """Two drafts with the same key share one step; empty: never shared."""
    is_cleanup: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """All that a verb wants of one target."""

    target: Target
    steps: tuple[DraftStep, ...]
    """The last one does what was asked for."""
    warnings: tuple[Warning, ...] = ()
    impacts: tuple[Impact, ...] = ()
    danger: Danger = Danger.ORDINARY
    depends_on: tuple[ObjectRef, ...] = ()
    """Objects that must go first when they are in the same selection."""
    waits_for_dependencies: bool = False
    """Those must be acknowledged, not just sent, before this one starts."""


_Told = TypeVar("_Told", Warning, Impact)

PlanOne = Callable[[ObjectRef, Document, Target], Draft | Refusal]


def target_needs(
    facts: Facts,
    bodies: Iterable[ObjectRef | None] = (),
    *,
    subresource: str = "",
    access: Iterable[AccessRequest] = (),
) -> FactRequest:
    """What every verb needs: the targets, who applies them, their clusters, the right to patch."""
    wishes: list[ObjectRef | None] = [*facts.refs, *bodies]
    for ref in facts.refs:
        body = facts.body(ref)
        if body is not None:
            wishes += appliers_of(body, ref.context)
            wishes.append(cluster_ref(body, ref.context))
    rights = [access_to_patch(facts, ref, subresource) for ref in facts.refs]
    return facts.missing(wishes, access=[*(right for right in rights if right), *access])


def guarded(
    facts: Facts, ref: ObjectRef, rights: Sequence[AccessRequest | None] = ()
) -> tuple[Document, Target] | Refusal:
    """The object and its endpoint, or why nothing can be planned for it."""
    if ref.context in facts.read_only:
        return refuse(ref, "this context is read-only", hint="open it without --read-only")
    if facts.spec_of(ref.group, ref.kind) is None:
        return refuse(ref, f"no entry for the kind {ref.kind}.{ref.group}")
    body = facts.body(ref)
    target = facts.target(ref)
    if body is None or target is None:
        return refuse(ref, "it does not exist or may not be read", hint="refresh the view")
    if not uid_of(body):
        return refuse(ref, "it has no uid, so it cannot be told from one recreated since")
    denied = denied_right(facts, rights or (access_to_patch(facts, ref),))
    if denied is not None:
        return msgspec.structs.replace(
            refuse(ref, "you may not do this", hint="ask for the missing rule"),
            missing_rule=denied.rule,
        )
    return body, target


def denied_right(facts: Facts, rights: Iterable[AccessRequest | None]) -> AccessRequest | None:
    """The first right that the server denies, None when it denies none."""
    for right in rights:
        answer = facts.access.get(right) if right else None
        if right is not None and answer is not None and answer.allowed is False:
            return right
    return None


def deleting_refusal(ref: ObjectRef, body: Document) -> Refusal | None:
    """Why an object that is going away is left alone."""
    if not is_deleting(body):
        return None
    return refuse(ref, "it is being deleted", hint="look at its finalizers")


def merge_patch(
    target: Target,
    document: Document,
    body: Mapping[str, Any],
    *,
    relies_on: Iterable[FieldTest] = (),
    acknowledged_by: Acknowledgement | None = None,
    subresource: str = "",
    pin: bool = False,
) -> Patch:
    """A merge patch of a document that was just read."""
    return Patch(
        target=target,
        content_type=ContentType.MERGE,
        subresource=subresource,
        body=dict(body),
        preconditions=Preconditions(
            uid=uid_of(document),
            relies_on=tuple(relies_on),
            pin_resource_version=pin,
            resource_version=text_at(document, ("metadata", "resourceVersion")),
        ),
        acknowledged_by=acknowledged_by or Acknowledgement(),
    )


def undo_merge(patch: Patch, document: Document) -> Patch:
    """The patch that puts back what a merge patch changes, if nobody changed it since."""
    back = inverse_merge(document, patch.body)
    then = apply_merge(document, patch.body)
    tests = tuple(still(then, path) for path in leaves(back))
    return Patch(
        target=patch.target,
        content_type=ContentType.MERGE,
        subresource=patch.subresource,
        body=back,
        preconditions=Preconditions(uid=patch.preconditions.uid, relies_on=tests),
    )


def still(document: object, path: Sequence[str]) -> FieldTest:
    """The test that a field still is what it is in this document."""
    value = value_at(document, path)
    return FieldTest(tuple(path), value, absent=value is None)


def command(verb: str, ref: ObjectRef, *flags: str) -> str:
    """This program's command line for a verb, for offers."""
    path = "/".join(part for part in (ref.kind, ref.namespace, ref.name) if part)
    where = ("--context", ref.context) if ref.context else ()
    return " ".join(("fleettui", verb, path, *where, *flags))


def revert_warnings(
    facts: Facts, ref: ObjectRef, paths: Iterable[Sequence[str]], again: str
) -> tuple[Warning, ...]:
    """Warnings about fields that somebody will put back, with the order that works.

    Args:
        facts: with the bodies of the appliers.
        ref: the object that is written.
        paths: the fields that are written.
        again: this program's command line for what was asked.
    """
    body = facts.body(ref)
    if body is None:
        return ()
    found: dict[str, Warning] = {}
    for path in paths:
        reverter = reverter_of(body, path, context=ref.context)
        if reverter is None or is_stopped(facts.body(reverter.owner)):
            continue
        found.setdefault(reverter.manager, _revert_warning(ref, path, reverter, again))
    return tuple(found.values())


def _revert_warning(ref: ObjectRef, path: Sequence[str], reverter: Reverter, again: str) -> Warning:
    owner = reverter.owner
    who = f" ({owner})" if owner else ""
    text = f"{'.'.join(path)} will be put back: {reverter.words}{who}"
    sequence = (command("pause", owner), again) if owner else ()
    return Warning(text=text, target=str(ref), sequence=sequence)


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


def compose(
    verb: str,
    facts: Facts,
    plan_one: PlanOne,
    *,
    now: datetime,
    options: Options,
    rights: Callable[[ObjectRef], Sequence[AccessRequest | None]] | None = None,
) -> Plan | Refusal:
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
        allowed = guarded(facts, ref, rights(ref) if rights else ())
        found = allowed if isinstance(allowed, Refusal) else plan_one(ref, *allowed)
        if isinstance(found, Draft):
            drafts.append(found)
        else:
            refused.append(found)
    if not drafts:
        return msgspec.structs.replace(refused[0], others=tuple(refused[1:]))
    return _assembled(verb, drafts, refused, now, options)


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
