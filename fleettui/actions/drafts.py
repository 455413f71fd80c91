"""What each verb wants of one object, before it is part of a plan.

Knows guards that every verb shares (gone, deleting, unknown kind), how a patch
is undone and who would revert it; knows no verb.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fleettui.actions.documents import (
    apply_merge,
    inverse_merge,
    is_deleting,
    leaves,
    text_at,
    uid_of,
    value_at,
)
from fleettui.actions.facts import (
    AccessRequest,
    Document,
    FactRequest,
    Facts,
    SchemaRequest,
    refuse,
    schema_request,
)
from fleettui.actions.managed import Reverter, appliers_of, cluster_ref, is_stopped, reverter_of
from fleettui.actions.options import Options
from fleettui.actions.plan import (
    Acknowledgement,
    ContentType,
    Danger,
    FieldTest,
    Impact,
    Method,
    Patch,
    Preconditions,
    Refusal,
    Target,
    Warning,
)
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import KindSpec


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


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One object of a selection, as a verb gets it."""

    ref: ObjectRef
    body: Document
    target: Target
    facts: Facts
    now: datetime
    options: Options

    @property
    def parts(self) -> tuple[Facts, ObjectRef, Document, Target]:
        """Facts, identity, document and endpoint, which every verb works with."""
        return self.facts, self.ref, self.body, self.target

    @property
    def spec(self) -> KindSpec:
        """The kind's entry; guards have seen that there is one."""
        spec = self.facts.spec_of(self.ref.group, self.ref.kind)
        assert spec is not None
        return spec


PlanOne = Callable[[Case], Draft | Refusal]


def target_needs(facts: Facts, bodies: Iterable[ObjectRef | None] = ()) -> FactRequest:
    """What every verb needs: the targets, who applies them, and their clusters.

    Rights are not among it: they follow from the steps (``rights_of``).
    """
    wishes: list[ObjectRef | None] = [*facts.refs, *bodies]
    for ref in facts.refs:
        wishes += _around(facts, ref)
    return facts.missing(wishes)


def with_schemas(facts: Facts, request: FactRequest) -> FactRequest:
    """The request, and which fields the targets and their clusters have on their server."""
    wanted: list[SchemaRequest] = []
    for ref in facts.refs:
        cluster = cluster_ref(facts.body(ref) or {}, ref.context)
        for one in (ref, cluster):
            target = facts.target(one) if one is not None else None
            wanted += [schema_request(target)] if target is not None else []
    return replace(request, schemas=facts.missing((), schemas=wanted).schemas)


def _around(facts: Facts, ref: ObjectRef) -> Iterator[ObjectRef]:
    """Appliers and Cluster of an object, and the Cluster's own appliers."""
    body = facts.body(ref)
    if body is None:
        return
    yield from appliers_of(body, ref.context)
    cluster = cluster_ref(body, ref.context)
    if cluster is not None and cluster != ref:
        yield cluster
        yield from _around(facts, cluster)


def guarded(facts: Facts, ref: ObjectRef) -> tuple[Document, Target] | Refusal:
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
    return body, target


def right_of(patch: Patch) -> AccessRequest:
    """The right that sending a patch takes."""
    target = patch.target
    verb = "delete" if patch.method is Method.DELETE else "patch"
    return AccessRequest(
        target.context, verb, target.group, target.plural, patch.subresource, target.namespace
    )


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


def written_paths(patch: Patch, *tail: str) -> list[tuple[str, ...]]:
    """Fields that a patch writes; of a list-index patch the entry's field ``tail``."""
    if patch.named_entry:
        return [(*patch.named_entry, *tail)]
    return list(leaves(patch.body))


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
    facts: Facts,
    ref: ObjectRef,
    paths: Iterable[Sequence[str]],
    again: str,
    *,
    above: str = "",
) -> tuple[Warning, ...]:
    """Warnings about fields that somebody will put back, with the order that works.

    Args:
        facts: with the bodies of the appliers.
        ref: the object that is written.
        paths: the fields that are written.
        again: this program's command line for what was asked.
        above: the one that asks the Cluster for it; a paused Cluster would do nothing at all.
    """
    body = facts.body(ref)
    if body is None:
        return ()
    found: dict[str, Warning] = {}
    for path in paths:
        reverter = reverter_of(body, path, context=ref.context)
        if reverter is None or is_stopped(facts.body(reverter.owner)):
            continue
        is_above = bool(above) and reverter.owner == cluster_ref(body, ref.context)
        command_lines = (above,) if is_above else _pausing(reverter.owner, again)
        found.setdefault(reverter.manager, _revert_warning(ref, path, reverter, command_lines))
    return tuple(found.values())


def _pausing(owner: ObjectRef | None, again: str) -> tuple[str, ...]:
    return (command("pause", owner), again) if owner else ()


def _revert_warning(
    ref: ObjectRef, path: Sequence[str], reverter: Reverter, sequence: tuple[str, ...]
) -> Warning:
    owner = reverter.owner
    who = f" ({owner})" if owner else ""
    text = f"{'.'.join(path)} will be put back: {reverter.words}{who}"
    return Warning(text=text, target=str(ref), sequence=sequence)
