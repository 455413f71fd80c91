"""What the words of the command line open: boards and documents over the index.

One entry per view; commands without an entry do not exist in this run. Knows the
index's reading side; fetches nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fleettui.kinds.batch import Phase, Scope, ScopeStatus
from fleettui.text import age_text
from fleettui.tui.boards import Board, BoardRow
from fleettui.tui.cells import count_text
from fleettui.tui.layout import Column
from fleettui.tui.lines import Cell, Span, cell
from fleettui.tui.ports import FleetPort
from fleettui.tui.theme import Tone

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


BOARDS: Mapping[str, Callable[[FleetPort], Board]] = {
    "kinds": KindBoard,
}
"""Boards by the name of their command."""
