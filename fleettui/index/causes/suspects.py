"""Which rows can be the reason of anything, told cheaply, and whose reason they can be.

Asked for every changed row of the fleet, so nothing here explains.
"""

from collections.abc import Iterator
from typing import Final

from fleettui.index.causes.explain import EXPLAINING, NEEDED_WHEN_SICK, is_top
from fleettui.index.causes.hands import MANAGERS, hands_of, is_left_alone
from fleettui.index.causes.neglect import APPLIED
from fleettui.index.causes.sets import is_lacking
from fleettui.index.causes.signals import DANGLING_RELATIONS, circle_of
from fleettui.index.controllers import is_pending
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.shapes import State
from fleettui.index.standing import DELETING, RANK
from fleettui.kinds.record import Flag, Verdict
from fleettui.kinds.spec import Role

_CURRENT: Final = Verdict.CURRENT.rank
_ODD_FLAGS: Final = int(
    Flag.PAUSED | Flag.DELETING | Flag.STALE_GENERATION | Flag.ABSENT_STATUS | Flag.EXTERNAL
)
YOUNG_FLAGS: Final = int(Flag.STALE_GENERATION | Flag.ABSENT_STATUS)
"""Flags that become a reason only with time."""
_REMEMBERED: Final = 65536
_EXPLAINING_THE_WELL: Final = EXPLAINING - NEEDED_WHEN_SICK
"""Relations by which others are explained though they are well themselves."""
_LATER: Final = 1 << 40
"""A moment at which nothing is young any more, Unix seconds."""


class Suspects:
    """Tells odd rows from ordinary ones."""

    def __init__(self, index: Index) -> None:
        """Remembers what shared states say, and nothing of rows."""
        self._index = index
        self._drifted: dict[int, tuple[State, bool]] = {}

    def is_odd(self, row: Row) -> bool:
        """Whether the row may be, or may have, a reason."""
        standing, state = row.standing, row.state
        if standing & RANK != _CURRENT or standing & DELETING or state.flags & _ODD_FLAGS:
            return True
        if self._has_drift(state) or is_left_alone(row) or is_pending(row):
            return True
        names = state.fact_names
        if MANAGERS in names and hands_of(row):
            return True
        if APPLIED in names and "false" in row.fact(APPLIED).lower():
            return True
        if any(True for _ in self._index.unmet(row, DANGLING_RELATIONS)):
            return True
        if row.spec.role is Role.ADDON:
            return is_lacking(self._index, row, _LATER)
        return row.spec.role is Role.APPLIER and bool(circle_of(self._index, row))

    def _has_drift(self, state: State) -> bool:
        """Whether a condition is on its abnormal side though the verdict is a good one."""
        known = self._drifted.get(id(state))
        if known is not None and known[0] is state:
            return known[1]
        if len(self._drifted) > _REMEMBERED:
            self._drifted.clear()
        found = any(
            c.status == "False" if not c.negative and c.type != "Drifted" else c.type == "Drifted"
            for c in state.conditions
        )
        self._drifted[id(state)] = (state, found)
        return found

    def tops_of(self, row: Row) -> Iterator[Row]:
        """Tops whose explanation this row may be part of; may repeat some."""
        yield from _tops_above(row)
        if row.spec.role is Role.ADDON:
            for edge in self._index.edges(row, "owner"):
                if edge.target is not None:
                    yield from _tops_above(edge.target)
        is_needed = row.spec.role is Role.ADDON or MANAGERS in row.state.fact_names
        relations = EXPLAINING if is_needed else _EXPLAINING_THE_WELL
        for source in self._index.sources_by(row.ref, relations):
            yield from _tops_above(source)


def _tops_above(row: Row) -> Iterator[Row]:
    """Every top on the way up: a cluster's own cloud object is one, and so is the cluster."""
    at: Row | None = row
    while at is not None:
        if at.parent is None or is_top(at):
            yield at
        at = at.parent


def top_of(row: Row) -> Row:
    """The nearest top at or above the row."""
    return next(_tops_above(row))
