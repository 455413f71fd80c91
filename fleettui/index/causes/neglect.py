"""What its controller has left undone about one object.

Knows empty statuses, generations and requests that nobody looked at, objects that were
looked at once and never again, and what somebody else is to manage. Conditions stay as
they are meanwhile, so none of this stands in one.
Source: Cluster API contract (``managed-by``, status of infrastructure objects); Flux
``requestedAt`` and ``lastHandledReconcileAt``.
"""

from collections.abc import Iterator
from typing import Final

from fleettui.index.causes.signal import CauseState, Signal
from fleettui.index.controllers import REQUESTED, is_unanswered, lacks_controller
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.waiting import waiting_since
from fleettui.kinds.moments import unix_seconds
from fleettui.kinds.record import Flag, Verdict
from fleettui.kinds.spec import Role

APPLIED: Final = "applied"
"""Fact of what is put into a workload cluster: whether each part is there."""
PATIENCE_S: Final = 60
"""How long a fresh object may be without status, or behind its generation, unremarked."""
SILENCE_S: Final = 300
"""How long after its first look a controller may say nothing about an object."""
_BOOKKEEPING: Final = frozenset({"Paused"})
"""Conditions that a controller sets before it does anything."""
_MADE: Final = frozenset(
    {Role.INFRA_CLUSTER, Role.INFRA_MACHINE, Role.INFRA_POOL, Role.CONTROL_PLANE, Role.BOOTSTRAP}
)
"""Roles whose controller tells of every step."""


def neglect_of(index: Index, row: Row, now: int) -> Iterator[Signal]:
    """Reasons that lie in what was not done about the object."""
    if row.is_deleting:
        return
    if "false" in row.fact(APPLIED).lower():
        yield Signal(
            CauseState.FAILING,
            weight=30,
            condition="spec.bindings",
            reason="NotApplied",
            message="not all resources of its sets are applied",
            since=row.created_at,
        )
    if row.flags & Flag.EXTERNAL and row.health is not Verdict.CURRENT:
        yield _external(row)
    is_untouched = row.flags & Flag.ABSENT_STATUS and row.spec.role is not Role.POLICY
    if is_untouched and now - row.created_at > PATIENCE_S:
        yield _untouched(index, row)
    if row.flags & Flag.STALE_GENERATION and not row.is_paused:
        latest = waiting_since(row)
        if now - latest > PATIENCE_S:
            yield _unobserved(row, latest)
    if is_unanswered(row, now):
        yield _unanswered(row)
    if _is_silent(row, now):
        yield _silent(row)


def latest_word(row: Row) -> int:
    """When its controller last said something new of the object, Unix seconds."""
    return max((c.since for c in row.conditions), default=row.created_at)


def _external(row: Row) -> Signal:
    key = next((name for name, _ in row.annotations if name.endswith("/managed-by")), "")
    return Signal(
        CauseState.WAITING,
        weight=70,
        condition=key or "managed-by",
        reason="ExternallyManaged",
        message=f"managed by somebody else (annotation {key or 'managed-by'}), who has not "
        "set it ready; its own controller ignores it",
        since=row.created_at,
        is_hard=True,
    )


def _untouched(index: Index, row: Row) -> Signal:
    lacking = "" if row.finalizers else ", and no controller has put a finalizer on it"
    if lacks_controller(index, row.context, row.spec):
        lacking += "; no controller for this kind runs in the context"
    return Signal(
        CauseState.WAITING,
        weight=70,
        condition="status",
        reason="NoStatus",
        message=f"no controller has written any status of this {row.kind}{lacking}",
        since=row.created_at,
        is_hard=True,
    )


def _unobserved(row: Row, latest: int) -> Signal:
    return Signal(
        CauseState.FAILING,
        weight=45,
        condition="status.observedGeneration",
        reason="NotObserved",
        message=f"its controller has not acted on the latest specification: generation "
        f"{row.generation}, observed {row.observed_generation}",
        since=latest,
        is_hard=True,
    )


def _unanswered(row: Row) -> Signal:
    asked, handled = row.annotation(REQUESTED) or "", row.fact("handled_at")
    return Signal(
        CauseState.FAILING,
        weight=44,
        condition="status.lastHandledReconcileAt",
        reason="NotHandled",
        message=f"its controller has not acknowledged the request of {asked}"
        + (f"; the last one that it did was of {handled}" if handled else ""),
        since=unix_seconds(asked),
        is_hard=True,
    )


def _is_silent(row: Row, now: int) -> bool:
    """Whether its controller looked at it once, and has said nothing of it since."""
    if row.spec.role not in _MADE or row.is_paused or row.flags & Flag.EXTERNAL:
        return False
    if row.verdict not in (Verdict.IN_PROGRESS, Verdict.UNKNOWN) or not row.conditions:
        return False
    known = {condition.type for condition in row.conditions}
    return known <= _BOOKKEEPING and now - latest_word(row) > SILENCE_S


def _silent(row: Row) -> Signal:
    said = ", ".join(sorted({condition.type for condition in row.conditions}))
    return Signal(
        CauseState.FAILING,
        weight=71,
        condition="status",
        reason="Silent",
        message=f"its controller looked at this {row.kind} once (condition {said}) and has "
        "reported nothing since; if anything says why, it is that controller's log",
        since=latest_word(row),
        is_hard=True,
    )
