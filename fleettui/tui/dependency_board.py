"""What waits for what among GitOps objects, as a board: first ones first, circles marked.

Knows how a step of the graph becomes a line; the graph is ``index.dependencies``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fleettui.index.dependencies import Step, dependencies_of, walk
from fleettui.kinds.columns import short_revision
from fleettui.kinds.record import ObjectRef
from fleettui.text import age_text
from fleettui.tui.boards import BoardRow
from fleettui.tui.cells import GLYPHS, flat_text
from fleettui.tui.layout import Column
from fleettui.tui.lines import Cell, Span, cell
from fleettui.tui.ports import FleetPort
from fleettui.tui.theme import VERDICT_TONES, Tone

MAX_DEPTH: Final = 12
"""Levels that are indented; deeper ones stand below each other."""


@dataclass(slots=True)
class DependencyBoard:
    """Who is waited for and who waits, below each other."""

    fleet: FleetPort
    title: str = "by dependencies"
    empty: str = "nothing waits for anything"
    columns: Sequence[Column] = (
        Column("object", "OBJECT", 30, 90, 0),
        Column("since", "SINCE", 6, 8, 2, is_right=True),
        Column("revision", "REVISION", 10, 30, 3),
        Column("reason", "REASON", 16, 90, 1),
    )

    def rows(self) -> Sequence[BoardRow]:
        """Return the graph as it is now."""
        found = dependencies_of(self.fleet.index)
        now = self.fleet.now()
        return [_board_row(place, step, now) for place, step in enumerate(walk(found))]


def _apart(step: Step) -> tuple[str, str, ObjectRef | None]:
    """What stands where no row does: its words, what is wrong, and where ``enter`` goes."""
    if step.circle:
        names = " → ".join(flat_text(row.name) for row in (*step.circle, step.circle[0]))
        return f"↻ circle of {len(step.circle)}", f"none can go on: {names}", step.circle[0].ref
    if step.missing is not None:
        key = step.missing.key
        words = flat_text(f"∅ {key.kind}/{key.namespace}/{key.name}")
        return words, "waited for, and not there", None
    return flat_text(step.context), "", None


def _board_row(place: int, step: Step, now: int) -> BoardRow:
    margin = Span("  " * min(step.depth, MAX_DEPTH))
    row = step.row
    if row is None:
        what, why, ref = _apart(step)
        tone = Tone.FAILED if why else Tone.STRONG
        head: Cell = (margin, Span(what, tone))
        return BoardRow((place, step.depth), (head, cell(""), cell(""), cell(why, tone)), ref)
    tone = VERDICT_TONES[row.health]
    head = (
        margin,
        Span(f"{GLYPHS[row.health]} ", tone),
        Span(f"{row.kind}/{row.namespace}/", Tone.DIM),
        Span(row.name),
        Span("  (told above)" if step.is_told else "", Tone.DIM),
    )
    cells = (
        head,
        cell(age_text(now - row.since) if row.since else "", Tone.DIM),
        cell(short_revision(row.fact("revision")), Tone.DIM),
        cell(flat_text(row.reason), tone),
    )
    return BoardRow((*row.ref, place), cells, row.ref)
