"""Health that one document cannot tell: by time, by neighbours, by what was seen before.

Knows the rules of the verdict's second half as functions of a row and a moment;
refuses to know how rows are stored. Source: domain.md sections 1 and 3.6; Flux's
Ready toggles between False and Unknown at every retry of one unbroken failure.
"""

from enum import Enum
from typing import Final

from fleettui.index.bags import rows_of
from fleettui.index.coverage import Coverage
from fleettui.index.rollup import unit_of
from fleettui.index.rows import Row
from fleettui.index.shapes import State
from fleettui.index.spine import feeds
from fleettui.index.standing import (
    DELETING,
    FROM_BELOW,
    KEPT,
    LOWER_BOUND,
    NO_NODE,
    OVERDUE,
    PAUSED,
    RANK,
    STICKY,
    STUCK,
    UNREAD,
)
from fleettui.kinds.record import Flag, Verdict
from fleettui.kinds.spec import Dialect, Role

WAITING: Final = int(Flag.WAITING)
STALE_GENERATION: Final = int(Flag.STALE_GENERATION)
RETRYING_DIALECTS: Final = frozenset({Dialect.FLUX, Dialect.TERRAFORM})
"""Controllers that report progress at each retry, so that failures look interrupted."""
RANKS: Final = {verdict: verdict.rank for verdict in Verdict}
FRESH_S: Final = 120
"""A moment told by an object is believed as the start of what was just observed when it is not
older than this; older ones belong to another story of the same condition."""
TIMER_BITS: Final = OVERDUE | STUCK | NO_NODE
HIDING_ROLES: Final = frozenset({Role.WORKERS, Role.MACHINE_POOL})
"""Kinds that a Cluster does not name, so that an unread one may hide a failure."""
DECIDING_RELATIONS: Final = frozenset({"infrastructure", "control_plane"})
"""Pointers at objects whose health is part of the pointing one's."""
FAILED_RANK, STALLED_RANK, BUSY_RANK, UNKNOWN_RANK, CURRENT_RANK = range(5)


class Course(Enum):
    """What a verdict means for the clock."""

    BROKEN = "broken"
    BUSY = "busy"
    CALM = "calm"


def own_rank(state: State) -> int:
    """Return the rank of what the document says; a thing that only waits is in progress."""
    rank = RANKS[state.verdict]
    if rank <= STALLED_RANK and state.flags & WAITING:
        return BUSY_RANK
    return rank


def course_of(state: State) -> Course:
    """Return the course that the document tells of."""
    rank = own_rank(state)
    if rank <= STALLED_RANK:
        return Course.BROKEN
    return Course.BUSY if rank == BUSY_RANK else Course.CALM


def judge(row: Row, previous: State | None, *, now: int, observed: bool) -> None:
    """Set the start of the row's failure or progress and the bits that go with it.

    Timers start anew; ``previous`` is the state before this document, None for a new row.
    """
    state = row.state
    course = course_of(state)
    standing = row.standing
    if previous is None:
        before = None
    else:
        before = Course.BROKEN if standing & STICKY else course_of(previous)
    kept = standing & KEPT
    if (
        before is Course.BROKEN
        and course is not Course.BROKEN
        and state.verdict is not Verdict.CURRENT
        and row.spec.dialect in RETRYING_DIALECTS
    ):
        row.blamed = row.blamed or previous
        row.standing = kept | STICKY | (standing & LOWER_BOUND)
        return
    row.blamed = None
    if course is Course.CALM:
        row.broken_since = 0
        row.standing = kept
    elif before is course:
        row.standing = kept | (standing & LOWER_BOUND)
    else:
        row.broken_since, at_least = _start(
            row, course, is_new=previous is None, now=now, observed=observed
        )
        row.standing = kept | (LOWER_BOUND if at_least else 0)


def _start(row: Row, course: Course, *, is_new: bool, now: int, observed: bool) -> tuple[int, bool]:
    """Return when the course began and whether it may have begun earlier."""
    told = row.told_since
    if told == 0 or told > now or row.state.flags & STALE_GENERATION:
        return now, not observed
    if observed and not is_new and now - told > FRESH_S:
        return now, False
    retried = course is Course.BROKEN and row.spec.dialect in RETRYING_DIALECTS
    return told, retried and not observed


def deadline_of(row: Row, startup_s: int | None) -> tuple[int, int]:
    """Return when the row fails by time and the bits it gets then; (0, 0) for never.

    Args:
        row: a judged row.
        startup_s: node start-up time-out of the health check that watches this machine,
            None without one.
    """
    course = course_of(row.state)
    if course is not Course.BUSY and not row.standing & DELETING:
        return (0, 0)
    limits = row.place.spec.limits
    found: list[tuple[int, int]] = []
    if row.standing & DELETING and limits.terminating_s:
        found.append((row.deleted_at + limits.terminating_s, STUCK))
    state = row.state
    is_busy = not row.standing & STICKY and course is Course.BUSY
    if is_busy and not state.flags & PAUSED:
        if limits.in_progress_s:
            found.append((row.broken_since + limits.in_progress_s, OVERDUE))
        if startup_s is not None:
            found.append(((row.created_at or row.broken_since) + startup_s, OVERDUE | NO_NODE))
    return min(found, default=(0, 0))


def derived_standing(row: Row, coverage: Coverage) -> int:
    """Return the row's standing with the health that its neighbours allow."""
    standing = row.standing & ~(RANK | FROM_BELOW | UNREAD)
    if standing & TIMER_BITS:
        own = FAILED_RANK
    elif standing & STICKY and row.blamed is not None:
        own = row.blamed.verdict.rank
    else:
        own = own_rank(row.state)
    worst = _worst_below(row)
    if own == UNKNOWN_RANK and worst is not None and row.place.spec.role is Role.MACHINE_POOL:
        own = worst
    elif worst is not None and worst < own:
        return standing | worst | FROM_BELOW
    if own == CURRENT_RANK and hides_something(row, coverage):
        return standing | UNKNOWN_RANK | UNREAD
    return standing | own


def _worst_below(row: Row) -> int | None:
    if row.kids is None:
        return None
    ranks = [child.standing & RANK for child in rows_of(row.kids) if feeds(child, row)]
    return min(ranks, default=None)


def named_kinds(row: Row) -> list[tuple[str, str]]:
    """Return the kinds, as (group, kind), of objects whose health is part of the row's."""
    return [
        (shape.group, shape.kind)
        for shape in row.state.link_shapes
        if shape.relation in DECIDING_RELATIONS
    ]


def hides_something(row: Row, coverage: Coverage) -> bool:
    """Whether something that decides about this row's health has not been read."""
    place = row.place
    role = place.spec.role
    if role is not Role.CLUSTER and role is not Role.MACHINE_POOL:
        return False
    unread = coverage.unread_kinds(place.context)
    if not unread:
        return False
    cluster = row.name if role is Role.CLUSTER else row.cluster
    deciding = [key for key in named_kinds(row) if key in unread]
    if role is Role.CLUSTER:
        deciding += coverage.unread_of(place.context, HIDING_ROLES)
    return any(
        not coverage.is_known(place.context, *key, namespace=place.namespace, cluster=cluster)
        for key in deciding
    )


UNITS: Final = tuple(
    unit_of(place >> 3, paused=bool(place & 4), deleting=bool(place & 2), folded=bool(place & 1))
    for place in range(5 * 8)
)
"""Packed counts of one object by rank, paused, deleting, folded."""


def unit_of_row(row: Row) -> int:
    """Return the packed counts of the row alone."""
    place = (row.standing & RANK) << 3
    if row.state.flags & PAUSED:
        place |= 4
    if row.standing & DELETING:
        place |= 2
    if row.place.spec.role is Role.MACHINE_SET:
        place |= 1
    return UNITS[place]
