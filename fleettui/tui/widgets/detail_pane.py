"""The pane beside or below the tree: all about the row under the cursor.

Knows rows and when to fetch their Events; knows nothing of the tree. Follows the
cursor a moment after it rests, so that holding a key down costs nothing.
"""

import time
from collections.abc import Callable, Sequence

from textual.app import ComposeResult
from textual.timer import Timer

from fleettui.errors import FleettuiError
from fleettui.fleet.context import EventLine
from fleettui.index.index import Index
from fleettui.kinds.record import ObjectRef
from fleettui.tui.detail import detail_lines
from fleettui.tui.lines import Line, Span, text_line
from fleettui.tui.ports import FleetPort
from fleettui.tui.prose import TextSource
from fleettui.tui.staleness import staleness_of
from fleettui.tui.theme import Theme, Tone
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.line_pane import LinePane
from fleettui.tui.widgets.room import Room

REST_S = 0.04
"""How long the cursor must rest before the pane follows."""
EVENTS_REST_S = 0.5
"""How long it must rest before Events are asked for."""
KEEP_UP_S = 1.0
"""Shortest time between two paintings of an object that keeps changing."""
EVENTS_KEPT_S = 15
"""Age at which Events are asked for again."""


class DetailPane(Room):
    """Shows one object."""

    DEFAULT_CSS = """
    DetailPane { display: none; }
    DetailPane.open { display: block; }
    """

    def __init__(self, fleet: FleetPort, index: Index, *, id: str | None = None) -> None:
        """Stay closed."""
        super().__init__(id=id)
        self.title_bar = Bar(id="detail-title")
        self.pane = LinePane(id="detail-text")
        self.pane.rests_visibly = False
        self._fleet = fleet
        self._index = index
        self._ref: ObjectRef | None = None
        self._other: Callable[[], Sequence[Line]] | None = None
        self._events: dict[ObjectRef, tuple[int, Sequence[EventLine], str]] = {}
        self._again_at = 0.0
        self._rest: Timer | None = None
        self._ask: Timer | None = None

    def compose(self) -> ComposeResult:
        """Yields title and text."""
        yield self.title_bar
        yield self.pane

    @property
    def is_open(self) -> bool:
        """Whether it is shown."""
        return self.has_class("open")

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self.title_bar.set_theme(theme)
        self.pane.set_theme(theme)

    def toggle(self) -> None:
        """Open or close."""
        self.toggle_class("open")

    def follow(self, ref: ObjectRef | None, other: Callable[[], Sequence[Line]]) -> None:
        """Show another object soon.

        Args:
            ref: the object; None for a line that is none.
            other: lines to show when there is no object.
        """
        if ref == self._ref and ref is not None:
            return
        self._ref = ref
        self._other = other
        for timer in (self._rest, self._ask):
            if timer is not None:
                timer.stop()
        self._rest = self._ask = None
        if self.is_open:
            self._rest = self.set_timer(REST_S, lambda: self.refresh_lines(keep_place=False))
            if ref is not None:
                self._ask = self.set_timer(EVENTS_REST_S, lambda: self._fetch_events(ref))

    def keep_up(self) -> None:
        """Shows the object as it is now, if that was not done within the last second."""
        if time.monotonic() >= self._again_at:
            self.refresh_lines()

    def refresh_lines(self, *, keep_place: bool = True) -> None:
        """Shows the object as it is now."""
        if not self.is_open:
            return
        self._again_at = time.monotonic() + KEEP_UP_S
        lines = self._lines()
        pane = self.pane
        pane.show(TextSource(lines), keep_place=keep_place)
        title = f" {self._ref.kind}/{self._ref.name}" if self._ref else " "
        self.title_bar.show(Span(title, Tone.TITLE))

    def _lines(self) -> Sequence[Line]:
        if self._ref is None:
            return self._other() if self._other is not None else ()
        row = self._index.get(self._ref)
        if row is None:
            return [text_line("no longer there", Tone.DIM)]
        _, events, note = self._events.get(self._ref, (0, None, ""))
        width = max(self.pane.line_width, 20)
        now = self._fleet.now()
        return detail_lines(
            row,
            self._index,
            now=now,
            width=width,
            events=events,
            note=note,
            stale=staleness_of(self._index.coverage, self._fleet.contexts()),
        )

    def _fetch_events(self, ref: ObjectRef) -> None:
        known = self._events.get(ref)
        if known is None or self._fleet.now() - known[0] >= EVENTS_KEPT_S:
            self.run_worker(self._load_events(ref), exclusive=True, group="detail-events")

    async def _load_events(self, ref: ObjectRef) -> None:
        events: Sequence[EventLine] = ()
        note = ""
        try:
            events = await self._fleet.events(ref)
        except FleettuiError as error:
            note = str(error)
        if len(self._events) > 64:
            self._events.clear()
        self._events[ref] = (self._fleet.now(), events, note)
        if ref == self._ref:
            self.refresh_lines()
