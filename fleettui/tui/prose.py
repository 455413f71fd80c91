"""Lines of text for panes: wrapping, titles, lists.

Knows widths in cells of ordinary text and how a paragraph becomes lines; knows
no objects. Texts are made safe before they are measured.
"""

import textwrap
from collections.abc import Hashable, Iterator, Sequence

from rich.cells import cell_len, chop_cells

from fleettui.text import safe_text
from fleettui.tui.layout import Column
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.theme import Tone

TEXT_COLUMN = Column("text", "", 1, 1, 0)
"""The one column of a pane that shows text."""


def wrapped(text: str, width: int) -> list[str]:
    """Safe text broken at spaces into lines of at most ``width`` cells; long words are cut."""
    width = max(width, 8)
    lines: list[str] = []
    for paragraph in safe_text(text, multiline=True).splitlines() or [""]:
        if cell_len(paragraph) <= width:
            lines.append(paragraph)
        elif paragraph.isascii():
            lines += textwrap.wrap(paragraph, width, break_on_hyphens=False) or [""]
        else:
            lines += _wrapped_wide(paragraph, width)
    return lines


def _wrapped_wide(paragraph: str, width: int) -> Iterator[str]:
    """Breaks a text of wide or strange characters at its spaces, measured in cells."""
    line = ""
    for word in paragraph.split(" "):
        longer = f"{line} {word}" if line else word
        if cell_len(longer) <= width:
            line = longer
            continue
        if line:
            yield line
        *full, line = chop_cells(word, width) or [""]
        yield from full
    yield line


def paragraph(
    text: str, width: int, *, indent: int = 0, tone: Tone = Tone.PLAIN, target: Hashable = None
) -> Iterator[Line]:
    """Lines of a wrapped text, each indented."""
    for part in wrapped(text, width - indent):
        yield text_line(" " * indent + part, tone, target=target)


def heading(title: str, note: str = "") -> Iterator[Line]:
    """An empty line, then a title with an optional note behind it."""
    yield text_line()
    yield spans_line(Span(title, Tone.TITLE), Span(f"  {note}" if note else "", Tone.DIM))


def pairs(entries: Sequence[tuple[str, str]], width: int, *, indent: int = 2) -> Iterator[Line]:
    """Names and values, values aligned and wrapped."""
    names = [safe_text(name) for name, _ in entries]
    widest = min(max((cell_len(name) for name in names), default=0), max(width // 2, 12))
    for name, (_, value) in zip(names, entries, strict=True):
        pad = " " * max(widest - cell_len(name), 0)
        first, *rest = wrapped(value, width - indent - widest - 2)
        yield spans_line(Span(f"{' ' * indent}{name}{pad}  ", Tone.DIM), Span(first))
        for part in rest:
            yield text_line(" " * (indent + widest + 2) + part)


class TextSource:
    """Lines that are all there, for a pane; a line's key is its place."""

    columns: tuple[Column, ...] = (TEXT_COLUMN,)

    def __init__(self, lines: Sequence[Line] = ()) -> None:
        """Show these lines."""
        self.lines = list(lines)

    def __len__(self) -> int:
        """Return how many lines there are."""
        return len(self.lines)

    def window(self, start: int, stop: int) -> Sequence[tuple[Hashable, Line]]:
        """Return places and lines of a window."""
        return list(enumerate(self.lines[start:stop], start=start))

    def position(self, key: Hashable) -> int | None:
        """Return the place itself, None when there are not as many lines."""
        return key if isinstance(key, int) and key < len(self.lines) else None
