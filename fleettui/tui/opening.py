"""The program before it is loaded: the clusters of last time; keys wait for what follows.

Knows saved heads, colours and one function that loads the rest; imports no index,
no kinds and no API client, so that the first frame costs little more than Textual's.
Textual binds screens, terminal and loop to one ``App`` object, so the object stays
and is given what makes it the whole program.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from typing import ClassVar

from rich.segment import Segments
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.widget import Widget

from fleettui.errors import ExitCode, FleettuiError
from fleettui.recorded.shards import Head
from fleettui.tui.calm import head_lines
from fleettui.tui.lines import Span
from fleettui.tui.prose import TextSource
from fleettui.tui.theme import DARK, LIGHT, Theme, Tone, textual_theme
from fleettui.tui.type_ahead import TypeAhead, Typed
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.line_pane import LinePane

LEAVING = frozenset({"ctrl+c", "ctrl+q"})
"""Keys that wait for nothing."""
EARLY_ENTER = "ctrl+j"
"""What the terminal makes of enter as long as the program has not taken it over."""

TakeOver = Callable[["OpeningApp"], None]
"""Turns the app into the whole program; runs on the loop."""


class OpeningScreen(Screen[None]):
    """The frame of the first screen, with the clusters of last time in it."""

    def __init__(self, heads: Mapping[str, Head], theme: Theme) -> None:
        """Show these heads, by context."""
        super().__init__()
        self.heads = heads
        self._theme = theme
        self._header = Bar(id="header")
        self._crumbs = Bar(id="crumbs")
        self._pane = LinePane(id="calm")
        self._pane.has_cursor = False
        self._footer = Bar(id="footer")

    def compose(self) -> ComposeResult:
        """Yields the same frame as the first screen's."""
        yield self._header
        yield self._crumbs
        yield self._pane
        yield self._footer

    def on_mount(self) -> None:
        """Shows what is known."""
        for bar in (self._header, self._crumbs, self._footer):
            bar.set_theme(self._theme)
        self._pane.set_theme(self._theme)
        spans: list[Span] = []
        for name in self.heads:
            spans += [Span(" ◌ ", Tone.PROGRESS), Span(name)]
        self._header.show(*spans, group=2)
        self._crumbs.show(Span(" opening …", Tone.DIM))
        self._pane.show(TextSource(head_lines(self.heads, now=int(time.time()))))


class OpeningApp(App[int]):
    """What the program is from its first frame to its last."""

    TITLE = "fleettui"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave", show=False, priority=True)
    ]
    CSS = """
    Screen { background: $background; color: $foreground; }
    """

    def __init__(
        self,
        colours: Theme,
        *,
        heads: Mapping[str, Head] | None = None,
        load: Callable[[], TakeOver] | None = None,
    ) -> None:
        """Show heads and load the rest meanwhile.

        Args:
            colours: the theme of this run.
            heads: what was shown last time, by context.
            load: imports and opens, in a thread; None: the program is there already.
        """
        super().__init__(ansi_color=True if colours.is_mono else None)
        self.colours = colours
        self.failure: FleettuiError | None = None
        """Why the program could not be loaded."""
        self._heads = heads or {}
        self._load = load
        self._ahead = TypeAhead(self, self._deliver)
        self._last_focused: Widget | None = None
        for known in (DARK, LIGHT, colours):
            self.register_theme(textual_theme(known))
        self.theme = textual_theme(colours).name

    def on_mount(self) -> None:
        """Shows the first frame, then loads."""
        if self._load is not None:
            self.push_screen(OpeningScreen(self._heads, self.colours))
            self.call_after_refresh(self.run_worker, self._load_rest(self._load))

    async def _load_rest(self, load: Callable[[], TakeOver]) -> None:
        try:
            take_over = await asyncio.to_thread(load)
        except FleettuiError as error:
            self.failure = error
            self.exit(int(error.exit_code))
            return
        self._load = None
        take_over(self)

    # -- keys -----------------------------------------------------------------------------
    async def on_event(self, event: events.Event) -> None:
        """Takes keys one after another, everything else as it comes."""
        if not isinstance(event, Typed) or event.is_forwarded or _is_leaving(event):
            await super().on_event(event)
        elif isinstance(event, events.Key) and event.key == EARLY_ENTER:
            await self._ahead.take(events.Key("enter", "\r"))
        else:
            await self._ahead.take(event)

    @property
    def typed_ahead(self) -> int:
        """Keys that are being acted on, or wait for it."""
        return len(self._ahead)

    def forget_keys(self) -> None:
        """Drops the keys that wait: what they were typed to does not come."""
        self._ahead.forget()

    def is_ready(self) -> bool:
        """Whether the screen in front can take keys."""
        screen = self.screen_stack[-1] if self.screen_stack else None
        return screen is not None and screen.is_mounted and not isinstance(screen, OpeningScreen)

    def pumps(self) -> Iterator[MessagePump]:
        """Whatever may still be acting on a key, the receiver of the last one included."""
        yield self
        yield from self.screen_stack[-1:]
        for widget in {self.focused, self._last_focused}:
            if widget is not None:
                yield from widget.ancestors_with_self

    async def _deliver(self, event: Typed) -> None:
        self._last_focused = self.focused
        await super().on_event(event)

    def _fatal_error(self) -> None:
        """Shows where the program failed, without the values at hand: some are secret."""
        from rich.traceback import Traceback  # imports much, and is hardly ever needed

        self._exit_renderables.append(
            Segments(self.console.render(Traceback(show_locals=False), self.console.options))
        )
        self._close_messages_no_wait()

    def action_leave(self) -> None:
        """Leaves at once."""
        self.exit(int(ExitCode.OK))


def _is_leaving(event: Typed) -> bool:
    return isinstance(event, events.Key) and event.key in LEAVING


def run_opening(colours: Theme, *, heads: Mapping[str, Head], load: Callable[[], TakeOver]) -> int:
    """Shows heads at once, loads, and runs the program until it is left; returns the exit code.

    Blocks.

    Raises:
        FleettuiError: what is to be opened cannot be.
    """
    app = OpeningApp(colours, heads=heads, load=load)
    code = app.run()
    if app.failure is not None:
        raise app.failure
    return int(ExitCode.OK) if code is None else code
