"""What a row says about its health, in words.

Knows whose words count: its own document's, those of what stands below, or that
time ran out; refuses to know how health is derived (``health``).
"""

from typing import TYPE_CHECKING

from fleettui.index.bags import rows_of
from fleettui.index.shapes import State
from fleettui.index.spine import feeds
from fleettui.index.standing import FROM_BELOW, NO_NODE, OVERDUE, RANK, STUCK, UNREAD

if TYPE_CHECKING:
    from fleettui.index.rows import Row


def culprit_of(row: "Row") -> "Row | None":
    """Return the row below whose health this row shows; None when it is its own."""
    if not row.standing & FROM_BELOW:
        return None
    rank = row.standing & RANK
    worst = [child for child in rows_of(row.kids) if (child.standing & RANK) == rank]
    feeding = [child for child in worst if feeds(child, row)]
    return min(
        feeding, key=lambda child: (child.broken_since, child.kind, child.name), default=None
    )


def reason_of(row: "Row") -> str:
    """Return the reason in one word."""
    standing = row.standing
    if standing & STUCK:
        return "DeletionTakesTooLong"
    if standing & OVERDUE:
        return "NodeStartupTimeout" if standing & NO_NODE else "TakesTooLong"
    if (culprit := culprit_of(row)) is not None:
        return reason_of(culprit)
    if standing & UNREAD:
        return "NotAllRead"
    return (row.blamed or row.state).reason


def message_of(row: "Row") -> str:
    """Return the text that goes with the reason; raw."""
    standing = row.standing
    limits = row.place.spec.limits
    if standing & STUCK:
        return _timed_out("being deleted", limits.terminating_s, row.state)
    if standing & NO_NODE:
        return _timed_out("no node within the health check's start-up time-out", 0, row.state)
    if standing & OVERDUE:
        return _timed_out("in progress", limits.in_progress_s, row.state)
    if (culprit := culprit_of(row)) is not None:
        words = message_of(culprit)
        return (
            f"{culprit.kind} {culprit.name}: {words}" if words else f"{culprit.kind} {culprit.name}"
        )
    if standing & UNREAD:
        return "a part that decides about its health has not been read"
    return (row.blamed or row.state).message


def _timed_out(what: str, limit_s: int, state: State) -> str:
    own = ": ".join(part for part in (state.reason, state.message) if part)
    text = f"{what} for more than {limit_s // 60} min" if limit_s else what
    return f"{text}; {own}" if own else text
