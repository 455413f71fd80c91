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
    segments: list[Segment] = []
    padding = theme.style(Tone.PLAIN, look)
    used = 0
    for number, slot in enumerate(slots):
        if number:
            used += GAP
            segments.append(Segment(" " * GAP, padding))
        content = line.cells[slot.place] if slot.place < len(line.cells) else EMPTY
        if slot.column.is_whole:
            content = _whole_spans(content, slot.width)
        painted, length = _painted(content, slot.width, theme, look, line.is_faded)
        blank = Segment(" " * (slot.width - length), padding)
        if slot.column.is_right and length < slot.width:
            segments.append(blank)
        segments.extend(painted)
        if not slot.column.is_right and length < slot.width:
            segments.append(blank)
        used += slot.width
    if used < width:
        segments.append(Segment(" " * (width - used), padding))
    strip = Strip(_merged(segments), max(used, width))
    return strip if used <= width else strip.crop(0, width)


def _whole_spans(content: Cell, width: int) -> Cell:
    """The spans that fit without being cut."""
    used = 0
    for place, span in enumerate(content):
        used += cell_len(safe_text(span.text, limit=LONGEST))
        if used > width:
            return content[:place]
    return content


def _painted(
    content: Cell, width: int, theme: Theme, look: Look, is_faded: bool
) -> tuple[list[Segment], int]:
    segments: list[Segment] = []
    used = 0
    last = len(content) - 1
    for place, span in enumerate(content):
        text = safe_text(span.text, limit=LONGEST)
        left = width - used
        if left <= 0:
            break
        if place < last and left == 1 and cell_len(text) >= 1:
            text = CUT
        shown = fit_text(text, left)
        if shown:
            segments.append(Segment(shown, theme.style(span.tone, look, is_faded=is_faded)))
            used += cell_len(shown)
    return segments, used


def _merged(segments: Sequence[Segment]) -> list[Segment]:
    """Neighbours of equal style as one: fewer bytes on slow links."""
    merged: list[Segment] = []
    text, style = "", Style.null()
    for segment in segments:
        if segment.style is style:
            text += segment.text
            continue
        if text:
            merged.append(Segment(text, style))
        text, style = segment.text, segment.style or Style.null()
    if text:
        merged.append(Segment(text, style))
    return merged
