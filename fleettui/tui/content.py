"""What the words of the command line open: boards and documents over the index.

One entry per view; commands without an entry do not exist in this run. Knows the
index's reading side; fetches nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleettui.index.index import Index
from fleettui.index.rollup import unpack
from fleettui.index.rows import Row
from fleettui.kinds.batch import Phase, Scope, ScopeStatus
from fleettui.kinds.spec import Role
from fleettui.text import age_text
from fleettui.tui.boards import Board, BoardRow
from fleettui.tui.cells import GLYPHS, PAUSED, ROW_CELLS, Moment, count_text, flag_spans, since_text
from fleettui.tui.layout import Column
from fleettui.tui.lines import Cell, Span, cell
from fleettui.tui.ports import FleetPort
from fleettui.tui.theme import VERDICT_TONES, Tone


def object_cell(row: Row) -> Cell:
    """Health, kind, name and flags of an object in one cell."""
    return (
        Span(f"{GLYPHS[row.health]} ", VERDICT_TONES[row.health]),
        Span(f"{row.kind}/", Tone.DIM),
        Span(row.name, Tone.STRONG),
        *flag_spans(row),
    )


def paused_rows(index: Index) -> Iterator[Row]:
    """Every row that is paused itself; walks only where the counts say that there are some."""
    stack = list(index.roots())
    while stack:
        row = stack.pop()
        if not unpack(row.counts).paused:
            continue
        if row.is_paused:
            yield row
        stack.extend(index.children(row))


@dataclass(frozen=True, slots=True)
class PauseBoard:
    """Everything paused, suspended or frozen; what has been so for longest comes first."""

    fleet: FleetPort
    title: str = "paused"
    empty: str = "nothing is paused"
    columns: Sequence[Column] = (
        Column("object", "OBJECT", 30, 60, 0),
        Column("since", "SINCE", 7, 8, 1, is_right=True),
        Column("by", "PAUSED BY", 18, 44, 2),
        Column("below", "STOPS", 7, 7, 3, is_right=True),
        Column("namespace", "NAMESPACE", 14, 30, 4),
        Column("context", "CONTEXT", 12, 30, 5),
        Column("reason", "REASON", 14, 60, 6),
    )

    def rows(self) -> Sequence[BoardRow]:
        """Return what is paused now."""
        now = self.fleet.now()
        index = self.fleet.index
        found = sorted(paused_rows(index), key=lambda row: (row.since or now, row.name))
        return [self._row(row, index, now) for row in found]

    def _row(self, row: Row, index: Index, now: int) -> BoardRow:
        below = index.rollup(row).total - 1
        moment = Moment(now)
        cells = (
            object_cell(row),
            cell(since_text(row, now)),
            cell(row.paused_by or PAUSED, Tone.PAUSED),
            cell(count_text(below) if below else "", Tone.DIM),
            ROW_CELLS["namespace"](row, moment),
            ROW_CELLS["context"](row, moment),
            ROW_CELLS["reason"](row, moment),
        )
        return BoardRow(row.ref, cells, row.ref)


_PHASE_TONES: Mapping[Phase, Tone] = {
    Phase.LIVE: Tone.CURRENT,
    Phase.RECORDED: Tone.CURRENT,
    Phase.ABSENT: Tone.DIM,
    Phase.PENDING: Tone.PROGRESS,
    Phase.SYNCING: Tone.PROGRESS,
    Phase.CACHED: Tone.UNKNOWN,
    Phase.STALE: Tone.STALLED,
    Phase.FORBIDDEN: Tone.FAILED,
    Phase.BROKEN: Tone.FAILED,
}


@dataclass(frozen=True, slots=True)
class KindBoard:
    """Every kind that is followed, with how far it is known; worst first."""

    fleet: FleetPort
    title: str = "kinds"
    empty: str = "no kind is followed yet"
    columns: Sequence[Column] = (
        Column("kind", "KIND", 24, 60, 0),
        Column("phase", "STATE", 10, 10, 1),
        Column("count", "OBJECTS", 9, 9, 2, is_right=True),
        Column("since", "SINCE", 7, 7, 3, is_right=True),
        Column("context", "CONTEXT", 12, 30, 4),
        Column("error", "WHY", 16, 90, 5),
    )

    def rows(self) -> Sequence[BoardRow]:
        """Return the scopes as they are now."""
        scopes = self.fleet.index.coverage.scopes()
        order = list(_PHASE_TONES)
        ranked = sorted(
            scopes.items(), key=lambda item: (-order.index(item[1].phase), item[0].kind, item[0])
        )
        now = self.fleet.now()
        return [_scope_row(scope, status, now) for scope, status in ranked]


def _scope_row(scope: Scope, status: ScopeStatus, now: int) -> BoardRow:
    where = "".join(f" in {part}" for part in (scope.namespace, scope.cluster) if part)
    total = f"/{count_text(status.expected)}" if status.phase is Phase.SYNCING else ""
    cells: tuple[Cell, ...] = (
        (Span(scope.kind, Tone.STRONG), Span(f".{scope.group}{where}", Tone.DIM)),
        cell(status.phase.value, _PHASE_TONES[status.phase]),
        cell(f"{count_text(status.loaded)}{total}" if status.loaded or total else ""),
        cell(age_text(now - status.since) if status.since else "", Tone.DIM),
        cell(scope.context, Tone.DIM),
        cell(status.error),
    )
    return BoardRow(scope, cells, command=f"{scope.kind.lower()}.{scope.group}".rstrip("."))


@dataclass(frozen=True, slots=True)
class ControllerBoard:
    """Objects that run or belong to controllers; those that are not well first."""

    fleet: FleetPort
    title: str = "controllers"
    empty: str = "no controllers were read: their kinds are not followed here, or not allowed"
    columns: Sequence[Column] = (
        Column("object", "OBJECT", 34, 70, 0),
        Column("reason", "REASON", 14, 30, 1),
        Column("since", "SINCE", 7, 8, 2, is_right=True),
        Column("ready", "READY", 7, 7, 3, is_right=True),
        Column("namespace", "NAMESPACE", 14, 34, 4),
        Column("context", "CONTEXT", 12, 30, 5),
        Column("message", "MESSAGE", 20, 120, 6),
    )

    def rows(self) -> Sequence[BoardRow]:
        """Return controllers as they are now."""
        index = self.fleet.index
        kinds = [s for s in index.kinds() if s.role in (Role.CONTROLLER, Role.INVENTORY)]
        found = [row for s in kinds for row in index.rows((s.group, s.kind))]
        found.sort(key=lambda row: (row.health.rank, row.kind, row.namespace, row.name))
        moment = Moment(self.fleet.now())
        names = [column.id for column in self.columns[1:]]
        return [
            BoardRow(
                row.ref,
                (object_cell(row), *(ROW_CELLS[name](row, moment) for name in names)),
                row.ref,
            )
            for row in found
        ]


BOARDS: Mapping[str, Callable[[FleetPort], Board]] = {
    "paused": PauseBoard,
    "kinds": KindBoard,
    "controllers": ControllerBoard,
}
"""Boards by the name of their command."""
