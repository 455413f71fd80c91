"""What changed lately in the fleet, as the objects themselves tell it.

Knows moments of creation, deletion and of conditions, and which of them follow a
new revision of what applied the object; needs no memory of earlier states, so it
answers for the minutes before the program was started, and for recordings.
"""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from fleettui.index.causes.signals import BUSY
from fleettui.index.history import Moment
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.walking import pieces_of
from fleettui.kinds.record import Condition, ObjectRef
from fleettui.kinds.spec import Role

FOLLOWED_S: Final = 900
"""What breaks within this time after a new revision is told as following it."""
_MOVEMENT: Final = BUSY | {"Reconciling", "Deleting", "Paused"}
"""Conditions that tell of work rather than of trouble."""
_QUIET: Final = frozenset({Role.CONTROLLER, Role.PLATFORM})
"""Roles whose conditions move all day long without anybody caring."""


class What(StrEnum):
    """Kinds of changes."""

    CREATED = "created"
    DELETING = "deleting"
    CONDITION = "condition"
    REVISION = "revision"
    HEALTH = "health"


@dataclass(slots=True)
class Happening:
    """One change of one object. Texts are raw."""

    at: int
    """Unix seconds."""
    ref: ObjectRef
    what: What
    after: str
    """Condition with its status, revision, or health after."""
    before: str = ""
    reason: str = ""
    message: str = ""
    is_bad: bool = False
    """Whether it changed for the worse."""
    follows: ObjectRef | None = None
    """The applier whose new revision came shortly before."""


def recent(
    index: Index, now: int, *, last_s: int, seen: Iterable[tuple[ObjectRef, Moment]] = ()
) -> list[Happening]:
    """Changes of the last seconds, newest first.

    Costs a look at every row: some 3 µs each.

    Args:
        index: the fleet.
        now: Unix seconds.
        last_s: how far back.
        seen: changes of health that were seen while running.
    """
    work = looking_back(index, now, last_s=last_s, seen=seen)
    while True:
        try:
            next(work)
        except StopIteration as done:
            found: list[Happening] = done.value
            return found


def looking_back(
    index: Index, now: int, *, last_s: int, seen: Iterable[tuple[ObjectRef, Moment]] = ()
) -> Generator[None, None, list[Happening]]:
    """Does as ``recent``, pausing between pieces; the index may be written to meanwhile."""
    start = now - last_s
    found: list[Happening] = []
    for piece in pieces_of(index):
        for row in piece:
            found += _happenings(row, start, now)
        yield
    for ref, moment in seen:
        if start <= moment.at <= now:
            found.append(_of_moment(ref, moment))
    yield
    _note_followers(index, found)
    found.sort(key=lambda h: (-h.at, h.ref, h.what))
    return found


def _happenings(row: Row, start: int, now: int) -> Iterator[Happening]:
    if start <= row.created_at <= now:
        yield Happening(row.created_at, row.ref, What.CREATED, row.health.value)
    if start <= row.deleted_at <= now:
        yield Happening(row.deleted_at, row.ref, What.DELETING, "deleting")
    if row.spec.role in _QUIET:
        return
    for place, shape in enumerate(row.state.conditions):
        at = row.condition_since(place)
        if not start <= at <= now or shape.deprecated or at <= row.created_at:
            continue
        yield _of_condition(row, shape, at)


def _of_condition(row: Row, shape: Condition, at: int) -> Happening:
    revision = row.fact("revision") if shape.type == "Ready" else ""
    if revision and row.spec.role in (Role.APPLIER, Role.SOURCE) and not shape.is_bad:
        return Happening(at, row.ref, What.REVISION, revision, "", shape.reason, shape.message)
    after = f"{shape.type}={shape.status}"
    is_bad = shape.is_bad and shape.type not in _MOVEMENT
    return Happening(at, row.ref, What.CONDITION, after, "", shape.reason, shape.message, is_bad)


def _of_moment(ref: ObjectRef, moment: Moment) -> Happening:
    is_bad = moment.after in ("failed", "stalled")
    return Happening(
        moment.at, ref, What.HEALTH, moment.after, moment.before, moment.reason, "", is_bad
    )


def _note_followers(index: Index, found: list[Happening]) -> None:
    """Tells of what broke shortly after a new revision that it followed it."""
    applied_at = {h.ref: h.at for h in found if h.what is What.REVISION}
    if not applied_at:
        return
    for happening in found:
        if happening.is_bad:
            happening.follows = _applier_before(index, happening, applied_at)


def _applier_before(
    index: Index, happening: Happening, applied_at: dict[ObjectRef, int]
) -> ObjectRef | None:
    row = index.get(happening.ref)
    at: Row | None = row
    while at is not None:
        for edge in index.edges(at):
            if edge.relation not in ("created_by", "source"):
                continue
            since = applied_at.get(edge.key, 0)
            if 0 <= happening.at - since <= FOLLOWED_S and edge.key != happening.ref:
                return edge.key
        at = at.parent
    return None
