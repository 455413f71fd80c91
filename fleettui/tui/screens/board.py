"""A full screen with one board: a list of rows with columns.

Knows boards; knows nothing of what they say.
"""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult

from fleettui.kinds.record import ObjectRef
from fleettui.tui.boards import Board, BoardRow, BoardSource
from fleettui.tui.dispatch import Dispatcher, Handler
from fleettui.tui.handlers import pane_handlers
from fleettui.tui.keymap import Place
from fleettui.tui.layout import Column
from fleettui.tui.lines import Line, Span, cell, text_line
from fleettui.tui.prose import TextSource
from fleettui.tui.screens.leaving import LeavableScreen
from fleettui.tui.theme import Tone
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.footer import show_footer
from fleettui.tui.widgets.line_pane import LinePane
from fleettui.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp

REST_S = 0.5
"""Shortest time between two questions to a board."""
REST_FACTOR = 20
"""A board may take this share of the time: one twentieth."""
_PLACES: Sequence[Place] = (Place.ROW, Place.PANE, Place.EVERYWHERE)


def title_line(columns: Sequence[Column]) -> Line:
    """Titles of columns as a line over them."""
    return Line(tuple(cell(column.title, Tone.TITLE) for column in columns))


class BoardScreen(LeavableScreen[ObjectRef | None]):
    """Shows a board; gives the object that a person wants to go to."""

    BLANK = True  # what stands in it covers it

    def __init__(self, board: Board) -> None:
        """Show this board."""
        super().__init__()
        self.board = board
        self.source = BoardSource(board.columns)
        self.title_bar = Bar(id="title")
        self.titles = Bar(id="titles")
        self.pane = LinePane(self.source, id="board")
        self.prompt = Prompt()
        self.footer = Bar(id="footer")
        self._needle = ""
        self._rows: Sequence[BoardRow] = ()
        self._ask_at = 0.0
        self._dispatcher: Dispatcher | None = None
        self._about: frozenset[str] = frozenset()
        """Ids of keys that are about an object."""

    @property
    def fleet_app(self) -> "FleetApp":
        """The app, by its own type."""
        return cast("FleetApp", self.app)

    def compose(self) -> ComposeResult:
        """Yields title, column titles, list, prompt and footer."""
        yield self.title_bar
        yield self.titles
        yield self.pane
        yield self.prompt
        yield self.footer

    def on_mount(self) -> None:
        """Wires the keys and shows the rows."""
        app = self.fleet_app
        rows: dict[str, Handler] = {
            **app.row_handlers(lambda: self.ref),
            **app.write_handlers(
                lambda: [self.ref] if self.ref else [],
                plan=lambda: self.row.plan if self.row else "",
            ),
        }
        handlers: dict[str, Handler] = {
            **pane_handlers(lambda: self.pane),
            **app.common_handlers(),
            **rows,
            "activate": self.activate,
            "filter": lambda: self.prompt.open("/", self._needle),
            "back": self.back,
            "quit": lambda: self.dismiss(None),
        }
        self._dispatcher = Dispatcher(app.keymap, lambda: _PLACES, handlers)
        self._about = frozenset(rows)
        app.apply_theme(self)
        self.set_focus(self.pane)
        self.repaint()

    # -- content --------------------------------------------------------------------------
    @property
    def row(self) -> BoardRow | None:
        """The row under the cursor."""
        rows = self.source.rows
        return rows[self.pane.cursor] if self.pane.cursor < len(rows) else None

    @property
    def ref(self) -> ObjectRef | None:
        """The object under the cursor."""
        return self.row.ref if self.row is not None else None

    def repaint(self) -> None:
        """Asks the board again and shows what differs; a slow board is asked less often."""
        started = time.monotonic()
        if self._dispatcher is None or started < self._ask_at:
            return
        rows = self.board.rows()
        self._ask_at = time.monotonic() + max(REST_S, REST_FACTOR * (time.monotonic() - started))
        self._take(rows)

    def _take(self, rows: Sequence[BoardRow]) -> None:
        self._rows = rows
        self.source.take(rows, self._needle)
        pane = self.pane
        pane.has_cursor = bool(self.source.rows)
        if not pane.has_cursor:
            words = "nothing matches" if self._needle and rows else self.board.empty
            pane.show(TextSource([text_line(), text_line(f"  {words}", Tone.DIM)]))
        elif pane.source is not self.source:
            pane.show(self.source)
        else:
            pane.changed()
        count = len(self.source)
        notes = [Span(f"  /{self._needle}", Tone.MATCH)] if self._needle else []
        title = Span(f" {self.board.title}", Tone.ACCENT)
        self.title_bar.show(title, Span(f"  {count}", Tone.DIM), *notes)
        self._show_keys()

    def _show_keys(self) -> None:
        """Shows the keys that do something here: not every row is about an object."""
        if self._dispatcher is not None:
            hints = self._dispatcher.hints()
            has_object = self.ref is not None
            show_footer(self.footer, [e for e in hints if has_object or e.id not in self._about])

    def on_line_pane_moved(self) -> None:
        """Shows the keys of the row under the cursor."""
        self._show_keys()

    def on_line_pane_resized(self, event: LinePane.Resized) -> None:
        """Puts the column titles over the columns."""
        if event.pane.source is self.source:
            self.titles.show_cells(title_line(self.source.columns), event.pane.slots)

    # -- keys -----------------------------------------------------------------------------
    def on_key(self, event: events.Key) -> None:
        """Does what the table of keys says."""
        if self.prompt.is_open:
            self.prompt.take(event)
        elif self._dispatcher is not None and self._dispatcher.press(event.key):
            event.stop()
            event.prevent_default()

    def activate(self) -> None:
        """Opens the members of the row, or goes to its object."""
        row = self.row
        if row is None:
            return
        if row.command:
            self.fleet_app.run_command(row.command)
        elif row.shows is not None:
            row.shows()
        elif row.opens is not None:
            self.app.push_screen(BoardScreen(row.opens()), self._pass_on)
        elif row.ref is not None:
            self.dismiss(row.ref)

    def _pass_on(self, ref: ObjectRef | None) -> None:
        if ref is not None:
            self.dismiss(ref)

    def back(self) -> None:
        """Clears the filter, then leaves."""
        if self._needle:
            self._needle = ""
            self._take(self._rows)
            return
        self.dismiss(None)

    def on_line_pane_clicked(self, event: LinePane.Clicked) -> None:
        """Puts the cursor there; a second click is enter."""
        was_there = self.pane.cursor == event.index
        self.pane.move_to(event.index)
        if was_there:
            self.activate()

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Filters as one types."""
        if event.mark == "/":
            self._needle = event.text
            self._take(self._rows)

    def on_prompt_passed(self, event: Prompt.Passed) -> None:
        """Moves in the list while one types."""
        steps = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}
        self.pane.move_by(steps.get(event.key, 0))

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        """Back to the list, or runs the command."""
        self.prompt.close()
        self.set_focus(self.pane)
        if event.mark == ":":
            self.fleet_app.run_command(event.text)

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        """Back to the list, unfiltered."""
        self.prompt.close()
        self.set_focus(self.pane)
        if event.mark == "/":
            self._needle = ""
            self._take(self._rows)
