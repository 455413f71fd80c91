"""One line of the frame around the panes: header, column titles, footer.

Knows spans and widths; knows nothing of what they say.
"""

from collections.abc import Sequence

from rich.cells import cell_len
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from fleettui.text import safe_text
from fleettui.tui.layout import Column, Slot
from fleettui.tui.lines import Line, Span
from fleettui.tui.painter import paint_line
from fleettui.tui.theme import DARK, Look, Theme

_WHOLE = Column("text", "", 1, 1, 0)


class Bar(Widget):
    """A line of spans, with some at the right end."""

    DEFAULT_CSS = """
    Bar { height: 1; width: 1fr; }
    """

    def __init__(self, *, id: str | None = None, look: Look = Look.BAR) -> None:
        """Show nothing yet."""
        super().__init__(id=id)
        self.theme: Theme = DARK
        self._look = look
        self._line = Line(((),))
        self._right: tuple[Span, ...] = ()
        self._group = 0
        self._slots: tuple[Slot, ...] | None = None
        self._painted: tuple[int, Strip] | None = None
        """The strip and its width, as long as it shows the same."""

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.theme = theme
        self._painted = None
        self.refresh()

    def show(self, *spans: Span, right: Sequence[Span] = (), group: int = 0) -> None:
        """Show spans; those at the right stay whole while the others are cut.

        Args:
            spans: what stands at the left.
            right: what stands at the right end.
            group: so many spans belong together and are left out together where there
                is no room; 0: the last one is cut.
        """
        self._group = group
        self._set(Line((spans,)), tuple(right), None)

    def show_cells(self, line: Line, slots: tuple[Slot, ...]) -> None:
        """Show cells over the columns of a pane."""
        self._set(line, (), slots)

    def _set(self, line: Line, right: tuple[Span, ...], slots: tuple[Slot, ...] | None) -> None:
        if (line, right, slots) == (self._line, self._right, self._slots):
            return
        self._line, self._right, self._slots = line, right, slots
        self._painted = None
        self.refresh()

    @property
    def text(self) -> str:
        """The raw text shown, for tests and copying."""
        return self._line.text + "".join(span.text for span in self._right)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return the one strip."""
        width = self.size.width
        if self._painted is None or self._painted[0] != width:
            self._painted = width, self._strip(width)
        strip = self._painted[1]
        return [strip.crop(crop.x, crop.x + crop.width)] * crop.height

    def _strip(self, width: int) -> Strip:
        if self._slots is not None:
            return paint_line(self._line, self._slots, self.theme, width=width, look=self._look)
        right = sum(cell_len(safe_text(span.text)) for span in self._right)
        right = min(right, width)
        left = max(width - right, 0)
        slots = (Slot(_WHOLE, left),)
        line = self._line if not self._group else _fitting(self._line, left, self._group)
        strips = [paint_line(line, slots, self.theme, width=left, look=self._look)]
        if right:
            line = Line((self._right,))
            slots = (Slot(_WHOLE, right),)
            strips.append(paint_line(line, slots, self.theme, width=right, look=self._look))
        return Strip.join(strips)


def _fitting(line: Line, width: int, group: int) -> Line:
    """The line without the groups of spans that have no room."""
    spans = line.cells[0]
    used = 0
    for place in range(0, len(spans), group):
        part = spans[place : place + group]
        used += sum(cell_len(safe_text(span.text)) for span in part)
        if used > width:
            return Line((spans[:place],))
    return line
