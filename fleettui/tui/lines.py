"""Lines as values: spans with a meaning, cells, lines.

What every pane shows before it is painted; tuples, because a page of a tree is five
hundred of them and is compared after each change. Knows no colours, no widths and no
widgets; texts may be raw, the painter makes them safe.
"""

from collections.abc import Hashable
from typing import NamedTuple

from fleettui.tui.theme import Tone


class Span(NamedTuple):
    """A piece of text with one meaning."""

    text: str
    tone: Tone = Tone.PLAIN


Cell = tuple[Span, ...]
EMPTY: Cell = ()


class Line(NamedTuple):
    """One line of a pane: a cell for each column."""

    cells: tuple[Cell, ...]
    is_faded: bool = False
    """What it says may no longer be so."""
    target: Hashable = None
    """What ``enter`` on the line leads to; None: nothing."""

    @property
    def text(self) -> str:
        """The raw text of all cells, for searching and copying."""
        return " ".join("".join(span.text for span in cell) for cell in self.cells)


def cell(text: str, tone: Tone = Tone.PLAIN) -> Cell:
    """A cell of one span; an empty cell for an empty text."""
    return (Span(text, tone),) if text else EMPTY


def text_line(text: str = "", tone: Tone = Tone.PLAIN, *, target: Hashable = None) -> Line:
    """A line of one cell and one span."""
    return Line((cell(text, tone),), target=target)


def spans_line(*spans: Span, target: Hashable = None) -> Line:
    """A line of one cell."""
    return Line((spans,), target=target)
