"""From a line to a strip that is exactly as wide as asked.

The display boundary of every pane: nothing reaches the terminal from a pane but
through ``paint_line``, which makes text safe, cuts and pads it by terminal cells,
and asks the theme for styles. Knows no widgets and no rows.
"""

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from fleettui.text import safe_text
from fleettui.tui.layout import GAP, Slot
from fleettui.tui.lines import EMPTY, Cell, Line
from fleettui.tui.theme import Look, Theme, Tone

CUT = "…"
BLOCKS = frozenset({Tone.BADGE, Tone.ALARM})
"""Tones with a ground of their own."""
LONGEST = 2048
"""Most characters of one span that are looked at: wider than any terminal."""


def fit_text(text: str, width: int) -> str:
    """Safe text cut to at most ``width`` cells; a cut one ends in ``…``."""
    if width <= 0:
        return ""
    if text.isascii():
        return text if len(text) <= width else text[: width - 1] + CUT
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + CUT


def paint_line(
    line: Line, slots: Sequence[Slot], theme: Theme, *, width: int, look: Look = Look.PLAIN
) -> Strip:
    """The line as one strip of exactly ``width`` cells.

    Args:
        line: texts may be raw.
        slots: what ``fit_columns`` gave; cells of other columns are not shown.
        theme: where styles come from.
        width: terminal cells.
        look: what the line stands on.
    """
    ink = _Ink(theme.style(Tone.PLAIN, look))
    is_mono = theme.is_mono
    used = 0
    for number, slot in enumerate(slots):
        if number:
            used += GAP
            ink.pad(GAP)
        content = line.cells[slot.place] if slot.place < len(line.cells) else EMPTY
        used += slot.width
        if not content:
            ink.pad(slot.width)
            continue
        column = slot.column
        if column.is_whole:
            content = _whole_spans(content, slot.width)
        pieces, length = _fitted(content, slot.width)
        if column.is_right:
            ink.pad(slot.width - length)
        for text, tone in pieces:
            style = theme.style(tone, look, is_faded=line.is_faded)
            ink.put(text, style, has_own_ground=is_mono or tone in BLOCKS)
        if not column.is_right:
            ink.pad(slot.width - length)
    ink.pad(width - used)
    strip = Strip(ink.segments(), max(used, width))
    return strip if used <= width else strip.crop(0, width)


class _Ink:
    """Text with styles, as few segments as look the same: fewer bytes on slow links.

    Blanks show nothing but their ground, so they continue whatever stands before them
    unless that has a ground, a line or an inversion of its own.
    """

    __slots__ = ("_done", "_has_own_ground", "_padding", "_style", "_texts")

    def __init__(self, padding: Style) -> None:
        self._padding = padding
        self._style = padding
        self._has_own_ground = False
        self._texts: list[str] = []
        self._done: list[Segment] = []

    def put(self, text: str, style: Style, *, has_own_ground: bool) -> None:
        """Add text; styles of a theme are the same objects, so that identity tells."""
        if style is not self._style:
            if self._texts:
                self._done.append(Segment("".join(self._texts), self._style))
                self._texts = []
            self._style = style
            self._has_own_ground = has_own_ground
        self._texts.append(text)

    def pad(self, cells: int) -> None:
        """Add blanks."""
        if cells <= 0:
            return
        if self._has_own_ground:
            self.put(" " * cells, self._padding, has_own_ground=False)
        else:
            self._texts.append(" " * cells)

    def segments(self) -> list[Segment]:
        """Return everything so far."""
        if self._texts:
            self._done.append(Segment("".join(self._texts), self._style))
            self._texts = []
        return self._done


def shown_text(text: str) -> str:
    """Safe text; what is plain ASCII is known to be so at a glance."""
    if text.isascii() and text.isprintable() and len(text) <= LONGEST:
        return text
    return safe_text(text, limit=LONGEST)


def _whole_spans(content: Cell, width: int) -> Cell:
    """The spans that fit without being cut."""
    used = 0
    for place, span in enumerate(content):
        used += cell_len(shown_text(span.text))
        if used > width:
            return content[:place]
    return content


def _fitted(content: Cell, width: int) -> tuple[list[tuple[str, Tone]], int]:
    """Safe pieces of a cell that fit together, and how many cells they take."""
    if len(content) == 1:
        text = fit_text(shown_text(content[0].text), width)
        return [(text, content[0].tone)], len(text) if text.isascii() else cell_len(text)
    pieces: list[tuple[str, Tone]] = []
    used = 0
    last = len(content) - 1
    for place, span in enumerate(content):
        text = shown_text(span.text)
        left = width - used
        if left <= 0:
            break
        if place < last and left == 1 and text:
            text = CUT
        shown = fit_text(text, left)
        if shown:
            pieces.append((shown, span.tone))
            used += len(shown) if shown.isascii() else cell_len(shown)
    return pieces, used
