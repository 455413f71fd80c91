"""A window over any number of lines: paints what is visible, keeps a cursor and marks.

Knows lines, widths and keys of lines; knows no objects. A source supplies lines on
demand, so a window over 600,000 of them costs what the window costs. The cursor
belongs to a line's key, not to its place: it stays on its line while others come
and go, and the line stays where it is on the screen.

Source: Textual's line API; ``render_lines`` is overridden because the stock path
evaluates styles, filters and borders for every line. Strips therefore carry their
own background and pass the app's line filters here.
"""

from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from fleettui.tui.layout import Column, Slot, fit_columns
from fleettui.tui.lines import Line
from fleettui.tui.theme import DARK, Look, Theme, Tone
from fleettui.tui.widgets.strips import StripCache

WHEEL_LINES = 3


class Lines(Protocol):
    """Where a pane gets its lines from."""

    @property
    def columns(self) -> Sequence[Column]:
        """Columns of every line, in order."""
        ...

    def __len__(self) -> int:
        """Return how many lines there are."""
        ...

    def window(self, start: int, stop: int) -> Sequence[tuple[Hashable, Line]]:
        """Return keys and lines of a window."""
        ...

    def position(self, key: Hashable) -> int | None:
        """Return the place of the line with this key."""
        ...


class NoLines:
    """A source without lines."""

    columns = (Column("text", "", 1, 1, 0),)

    def __len__(self) -> int:
        """Return 0."""
        return 0

    def window(self, start: int, stop: int) -> Sequence[tuple[Hashable, Line]]:
        """Return nothing."""
        return ()

    def position(self, key: Hashable) -> int | None:
        """Return None."""
        return None


class LinePane(ScrollView, can_focus=True):
    """Shows lines of a source, with a cursor."""

    DEFAULT_CSS = """
    LinePane {
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        height: 1fr;
        width: 1fr;
    }
    """

    class Moved(Message):
        """The cursor stands on another line."""

        def __init__(self, pane: "LinePane") -> None:
            """Say whose cursor."""
            super().__init__()
            self.pane = pane

    class Clicked(Message):
        """A line was clicked on."""

        def __init__(self, pane: "LinePane", index: int, x: int) -> None:
            """Say which line and at which cell of it."""
            super().__init__()
            self.pane = pane
            self.index = index
            self.x = x

    class Resized(Message):
        """Columns have other widths."""

        def __init__(self, pane: "LinePane") -> None:
            """Say whose columns."""
            super().__init__()
            self.pane = pane

    def __init__(self, source: Lines | None = None, *, id: str | None = None) -> None:
        """Show this source, or nothing yet."""
        super().__init__(id=id)
        self.source: Lines = NoLines() if source is None else source
        self.theme: Theme = DARK
        self.slots: tuple[Slot, ...] = ()
        self.marked: set[Hashable] = set()
        self.has_cursor = True
        """Whether the line of the cursor is drawn as such; a pane to read has none."""
        self.rests_visibly = True
        """Whether the cursor is drawn while the keys go elsewhere."""
        self.cursor = 0
        self.cursor_key: Hashable = None
        self._drawn = StripCache()
        self._width = 0
        self._is_held = False
        """Whether a person chose the line of the cursor; until then it is the first one."""

    # -- source ---------------------------------------------------------------------------
    def show(self, source: Lines, *, keep_place: bool = False) -> None:
        """Take another source; the cursor goes to its top unless the place is kept."""
        self.source = source
        self._drawn.forget_strips()
        self._drawn.forget_lines()
        if not keep_place:
            self.cursor, self.cursor_key = 0, None
            self._is_held = False
        self._fit()
        self.changed()
        self.refresh()  # also below its end, where the other source may have had lines
        if not keep_place:
            self.scroll_to(y=0, animate=False, force=True)

    def changed(self) -> None:
        """The source has changed: repaint what differs among the visible lines."""
        top = round(self.scroll_y)
        shown = range(top, top + self.visible_lines)
        before = {index: self._drawn.line(index) for index in shown}
        self._drawn.forget_lines()
        count = len(self.source)
        if count != self.virtual_size.height:
            self._hold_lines(count)
        moved_by = self._follow_cursor(count)
        if moved_by:
            self._scroll(top + moved_by)
            self.refresh()
            return
        self._load(top, top + self.visible_lines)
        dirty = [i - top for i in shown if self._drawn.line(i) != before[i]]
        if dirty:
            width = self.size.width
            self.refresh(*(Region(0, y, width, height) for y, height in _runs(dirty)))

    def _hold_lines(self, count: int) -> None:
        """Takes another number of lines without a layout of the screen: nothing else moves."""
        self.set_reactive(Widget.virtual_size, Size(0, count))
        self.vertical_scrollbar.window_virtual_size = count
        if round(self.scroll_y) > max(count - self.visible_lines, 0):
            self._scroll(round(self.scroll_y))

    def _follow_cursor(self, count: int) -> int:
        """Puts the cursor back on its line; returns how far that line moved."""
        if not self._is_held:
            self.cursor = 0
            self._remember_key()
            return 0
        place = None if self.cursor_key is None else self.source.position(self.cursor_key)
        if place is None:
            place = max(min(self.cursor, count - 1), 0)
            self.cursor = place
            self._remember_key()
            return 0
        moved_by = place - self.cursor
        self.cursor = place
        return moved_by

    def _remember_key(self) -> None:
        found = self.source.window(self.cursor, self.cursor + 1)
        self.cursor_key = found[0][0] if found else None

    # -- size -----------------------------------------------------------------------------
    @property
    def visible_lines(self) -> int:
        """Lines that fit on the screen."""
        return max(self.size.height, 0)

    @property
    def line_width(self) -> int:
        """Cells of a line: the pane without its scroll bar."""
        return max(self.size.width - self.scrollbar_size_vertical, 0)

    def _fit(self) -> None:
        self._width = self.line_width
        self.slots = fit_columns(self.source.columns, self._width)
        self._drawn.forget_strips()
        self.post_message(self.Resized(self))

    def on_resize(self) -> None:
        """Fits the columns to the new width and keeps the cursor visible."""
        self._fit()
        self._drawn.forget_lines()
        self._reveal()
        self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours; a scroll bar is nothing but colour."""
        self.theme = theme
        self.styles.scrollbar_size_vertical = 0 if theme.is_mono else 1
        self._drawn.forget_strips()
        self.refresh()

    def set_marked(self, marked: set[Hashable]) -> None:
        """Draw these keys as marked; the set stays the caller's."""
        self.marked = marked
        self.refresh()

    # -- cursor ---------------------------------------------------------------------------
    def move_to(self, index: int, *, centre: bool = False) -> None:
        """Put the cursor on a line, or the nearest that exists, and show it."""
        count = len(self.source)
        index = max(min(index, count - 1), 0)
        before = self.cursor
        self.hold()
        self.cursor = index
        self._remember_key()
        if count != self.virtual_size.height:
            self._hold_lines(count)
        if centre and not self._is_visible(index):
            self._scroll(index - self.visible_lines // 2)
        else:
            self._reveal()
        for line in {before, index}:
            self._refresh_line(line)
        self.post_message(self.Moved(self))

    def hold(self) -> None:
        """Keep the cursor on its line from now on, wherever that goes."""
        self._is_held = True

    def move_by(self, lines: int) -> None:
        """Move the cursor; a pane without one scrolls."""
        if self.has_cursor:
            self.move_to(self.cursor + lines)
        else:
            self._scroll(round(self.scroll_y) + lines)

    def move_page(self, pages: int) -> None:
        """Move by screens, keeping a line of context."""
        self.move_by(pages * max(self.visible_lines - 1, 1))

    def move_top(self) -> None:
        """Go to the first line."""
        self.move_by(-len(self.source))

    def move_bottom(self) -> None:
        """Go to the last line."""
        self.move_by(len(self.source))

    def select(self, key: Hashable) -> bool:
        """Put the cursor on the line with this key; returns whether it is there."""
        place = self.source.position(key)
        if place is None:
            return False
        self.move_to(place, centre=True)
        return True

    def _is_visible(self, index: int) -> bool:
        return 0 <= index - round(self.scroll_y) < self.visible_lines

    def _reveal(self) -> None:
        if not self.has_cursor or not self.visible_lines:
            return
        top = round(self.scroll_y)
        if self.cursor < top:
            self._scroll(self.cursor)
        elif self.cursor >= top + self.visible_lines:
            self._scroll(self.cursor - self.visible_lines + 1)

    def _scroll(self, top: int) -> None:
        highest = max(len(self.source) - self.visible_lines, 0)
        self.scroll_to(y=max(min(top, highest), 0), animate=False, force=True)

    def _refresh_line(self, index: int) -> None:
        if self._is_visible(index):
            self.refresh(Region(0, index - round(self.scroll_y), self.size.width, 1))

    # -- painting -------------------------------------------------------------------------
    def _load(self, start: int, stop: int) -> None:
        self._drawn.load(self.source.window, start, stop)

    def _look(self, index: int, key: Hashable) -> Look:
        is_cursor = self.has_cursor and index == self.cursor
        if key in self.marked:
            return Look.MARKED_CURSOR if is_cursor else Look.MARKED
        if not is_cursor:
            return Look.PLAIN
        if self.has_focus:
            return Look.CURSOR
        return Look.BLURRED_CURSOR if self.rests_visibly else Look.PLAIN

    def _strips(self, start: int, stop: int, width: int) -> Iterator[Strip]:
        drawn, slots, theme = self._drawn, self.slots, self.theme
        blank: Strip | None = None
        for index in range(start, stop):
            known = drawn.line(index)
            if known is None:
                blank = blank or Strip([Segment(" " * width, theme.style(Tone.PLAIN))], width)
                yield blank
            else:
                look = self._look(index, known[0])
                yield drawn.strip(
                    *known, look, slots=slots, theme=theme, width=width, finish=self._filtered
                )

    def _filtered(self, strip: Strip) -> Strip:
        """What the stock path does to every line: NO_COLOR and ANSI colours."""
        if self.theme.is_mono:
            return strip
        background = self.background_colors[1]
        for line_filter in self.app.get_line_filters():
            strip = strip.apply_filter(line_filter, background)
        return strip

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return strips of the part that has to be painted."""
        if self._width != self.line_width:
            self._fit()
            self._drawn.forget_lines()
        top = round(self.scroll_y) + crop.y
        self._load(top, top + crop.height)
        width = self.size.width
        strips = list(self._strips(top, top + crop.height, width))
        if crop.x == 0 and crop.width == width:
            return strips
        return [strip.crop(crop.x, crop.x + crop.width) for strip in strips]

    # -- focus and mouse ------------------------------------------------------------------
    def on_focus(self) -> None:
        """Draws the cursor as the one that keys move."""
        self._refresh_line(self.cursor)

    def on_blur(self) -> None:
        """Draws the cursor as one at rest."""
        self._refresh_line(self.cursor)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, WHEEL_LINES)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -WHEEL_LINES)

    def _wheel(self, event: events.MouseEvent, lines: int) -> None:
        """Scrolls, and takes the cursor along at the edge."""
        event.stop()
        event.prevent_default()
        highest = max(len(self.source) - self.visible_lines, 0)
        top = max(min(round(self.scroll_y) + lines, highest), 0)
        self._scroll(top)
        if self.has_cursor and self.visible_lines:
            inside = max(min(self.cursor, top + self.visible_lines - 1), top)
            if inside != self.cursor:
                self.move_to(inside)

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor where the mouse is."""
        index = round(self.scroll_y) + event.y
        if event.x >= self._width or not 0 <= index < len(self.source):
            return
        self.post_message(self.Clicked(self, index, event.x))


def _runs(lines: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First line and length of each run of ascending neighbours."""
    first = last = lines[0]
    for line in lines[1:]:
        if line != last + 1:
            yield first, last - first + 1
            first = line
        last = line
    yield first, last - first + 1
