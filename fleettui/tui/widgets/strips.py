"""Lines of a window and the strips painted of them, kept as long as they are the same.

Knows lines, looks and a theme; knows no widget. A window is asked for in one piece, and
a line that comes back as it was costs no painting.
"""

from collections.abc import Callable, Hashable, Sequence

from textual.strip import Strip

from fleettui.tui.layout import Slot
from fleettui.tui.lines import Line
from fleettui.tui.painter import paint_line
from fleettui.tui.theme import Look, Theme

MAX_STRIPS = 4096
"""Strips kept; about 2 KB each."""
Window = Callable[[int, int], Sequence[tuple[Hashable, Line]]]
"""Gives keys and lines from a place up to another."""


class StripCache:
    """What a pane knows of its lines."""

    def __init__(self) -> None:
        """Know nothing."""
        self._known: dict[int, tuple[Hashable, Line]] = {}
        self._strips: dict[tuple[Hashable, Look], tuple[Line, Strip]] = {}

    def line(self, index: int) -> tuple[Hashable, Line] | None:
        """Return key and line of a place, None when it was not loaded or is not there."""
        return self._known.get(index)

    def load(self, window: Window, start: int, stop: int) -> None:
        """Ask for the lines of these places that are not known."""
        missing = [i for i in range(start, stop) if i not in self._known]
        if not missing:
            return
        first, last = missing[0], missing[-1] + 1
        if len(self._known) > MAX_STRIPS:
            self._known.clear()
        self._known.update(enumerate(window(first, last), start=first))

    def forget_lines(self) -> None:
        """Ask again for every line; strips of lines that are the same stay."""
        self._known.clear()

    def forget_strips(self) -> None:
        """Paint everything anew."""
        self._strips.clear()

    def strip(
        self,
        key: Hashable,
        line: Line,
        look: Look,
        *,
        slots: Sequence[Slot],
        theme: Theme,
        width: int,
        finish: Callable[[Strip], Strip],
    ) -> Strip:
        """Return the strip of a loaded line.

        Args:
            key: the line's key.
            line: what it says.
            look: what it stands on.
            slots: columns with their widths.
            theme: where styles come from.
            width: terminal cells.
            finish: done to every strip that is painted.
        """
        cached = self._strips.get((key, look))
        if cached is not None and (cached[0] is line or cached[0] == line):
            return cached[1]
        if len(self._strips) > MAX_STRIPS:
            self._strips.clear()
        strip = finish(paint_line(line, slots, theme, width=width, look=look))
        self._strips[key, look] = (line, strip)
        return strip
