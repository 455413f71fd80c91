"""A small window to choose one of many: contexts, namespaces, orders, actions.

Knows items and typing; knows nothing of what is chosen.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical

from fleettui.tui.boards import BoardRow, BoardSource
from fleettui.tui.layout import Column
from fleettui.tui.lines import Cell, Span
from fleettui.tui.screens.leaving import LeavableModal
from fleettui.tui.theme import Tone
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp

MAX_ROWS = 16
MIN_CELLS, FRAME_CELLS = 76, 5
"""Width of the window without long notes; border, padding and scroll bar."""
LONGEST_NAME, LONGEST_NOTE = 60, 90


@dataclass(frozen=True, slots=True)
class Choice:
    """One item to choose."""

    key: Hashable
    name: Cell
    note: Cell = ()


@dataclass(frozen=True, slots=True)
class Picked:
    """What was chosen, and whether beside what is already there."""

    key: Hashable
    is_added: bool = False
    """Chosen with space instead of enter."""


def _columns(choices: Sequence[Choice]) -> tuple[Column, Column]:
    """Names as wide as the longest, notes as wide as they need."""
    names = max((_width(choice.name) for choice in choices), default=0)
    notes = max((_width(choice.note) for choice in choices), default=0)
    name = min(max(names + 2, 16), LONGEST_NAME)
    return Column("name", "", name, name, 0), Column("note", "", 8, max(notes, 8), 1)


def _width(cell: Cell) -> int:
    return sum(len(span.text) for span in cell)


class Picker(LeavableModal[Picked | None]):
    """Gives the item chosen, or None."""

    CSS = """
    Picker { align: center middle; background: $background 60%; }
    #picker { width: 76; max-width: 92%; height: auto; max-height: 80%; background: $panel;
              border: round $accent; padding: 0 1; }
    #picker LinePane { height: 8; }
    """

    def __init__(
        self, title: str, choices: Sequence[Choice], *, hint: str = "", at: Hashable = None
    ) -> None:
        """Offer these.

        Args:
            title: what is chosen.
            choices: items in order.
            hint: what keys do, beside enter and esc.
            at: key of the item under the cursor at first.
        """
        super().__init__()
        self._title = title
        self._choices = choices
        self._hint = hint
        self._typed = ""
        self._at = at
        self._columns = _columns(choices)
        self._source = BoardSource(self._columns)
        self._title_bar = Bar(id="picker-title")
        self.pane = LinePane(self._source, id="picker-list")
        self._hint_bar = Bar(id="picker-hint")

    def compose(self) -> ComposeResult:
        """Yields title, items and what was typed."""
        with Vertical(id="picker"):
            yield self._title_bar
            yield self.pane
            yield self._hint_bar

    def on_mount(self) -> None:
        """Shows the items."""
        cast("FleetApp", self.app).apply_theme(self)
        name, note = self._columns
        wanted = name.min_cells + min(note.max_cells, LONGEST_NOTE) + FRAME_CELLS
        self.query_one("#picker").styles.width = max(wanted, MIN_CELLS)
        self.pane.styles.height = max(min(len(self._choices), MAX_ROWS), 1)
        self._show()
        self.set_focus(self.pane)
        if self._at is not None:
            self.call_after_refresh(lambda: self.pane.select(self._at))

    def _show(self) -> None:
        rows = [BoardRow(c.key, (c.name, c.note)) for c in self._choices]
        self._source.take(rows, self._typed)
        self.pane.changed()
        self.pane.refresh()
        typed = Span(f"  {self._typed}▏" if self._typed else "  type to narrow", Tone.MATCH)
        title = Span(f"{self._title}", Tone.ACCENT)
        self._title_bar.show(title, typed)
        hint = f"⏎ choose  {self._hint}  esc close"
        self._hint_bar.show(Span(hint, Tone.DIM))

    def on_key(self, event: events.Key) -> None:
        """Moves, narrows, chooses or closes."""
        event.stop()
        event.prevent_default()
        pane = self.pane
        match event.key:
            case "escape":
                self.dismiss(None)
            case "enter":
                self._choose(is_added=False)
            case "space" if self._hint and not self._typed:
                self._choose(is_added=True)
            case "down" | "ctrl+n" | "tab":
                pane.move_by(1)
            case "up" | "ctrl+p" | "shift+tab":
                pane.move_by(-1)
            case "pagedown" | "ctrl+f":
                pane.move_page(1)
            case "pageup" | "ctrl+b":
                pane.move_page(-1)
            case "home":
                pane.move_top()
            case "end":
                pane.move_bottom()
            case "backspace":
                self._narrow(self._typed[:-1])
            case _ if event.is_printable and event.character:
                self._narrow(self._typed + event.character)

    def _narrow(self, text: str) -> None:
        self._typed = text
        self._show()
        self.pane.move_top()

    def _choose(self, *, is_added: bool) -> None:
        rows = self._source.rows
        if self.pane.cursor < len(rows):
            self.dismiss(Picked(rows[self.pane.cursor].key, is_added))

    def on_line_pane_clicked(self, event: LinePane.Clicked) -> None:
        """Chooses what is clicked on."""
        self.pane.move_to(event.index)
        self._choose(is_added=False)
