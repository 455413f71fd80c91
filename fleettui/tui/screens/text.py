"""A full screen of text to read: description, YAML, Events, log, chain, help.

Knows documents; knows nothing of what they say. Errors of fetching are lines like
any other, with what to do next.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult

from fleettui.errors import FleettuiError
from fleettui.kinds.record import ObjectRef
from fleettui.text import safe_text
from fleettui.tui.dispatch import Dispatcher, Handler
from fleettui.tui.documents import Document, Manner
from fleettui.tui.handlers import pane_handlers
from fleettui.tui.keymap import Place
from fleettui.tui.lines import Line, Span, text_line
from fleettui.tui.prose import TextSource
from fleettui.tui.screens.leaving import LeavableScreen
from fleettui.tui.theme import Tone
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.footer import show_footer
from fleettui.tui.widgets.line_pane import LinePane
from fleettui.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp

REVEAL_S = 30.0
"""How long masked values stay readable."""
_PLACES: Sequence[Place] = (Place.TEXT, Place.PANE, Place.EVERYWHERE)


class TextScreen(LeavableScreen[ObjectRef | None]):
    """Shows a document; gives the object that a person wants to go to."""

    def __init__(self, document: Document) -> None:
        """Show this document."""
        super().__init__()
        self.document = document
        self.manner = Manner()
        self._error: FleettuiError | None = None
        self._is_loading = False
        self.title_bar = Bar(id="title")
        self.pane = LinePane(id="text")
        self.prompt = Prompt()
        self.footer = Bar(id="footer")
        self.needle = ""
        """What is searched for; empty: nothing."""
        self._at_end = False
        self._dispatcher: Dispatcher | None = None

    @property
    def fleet_app(self) -> "FleetApp":
        """The app, by its own type."""
        return cast("FleetApp", self.app)

    def compose(self) -> ComposeResult:
        """Yields title, text, prompt and footer."""
        yield self.title_bar
        yield self.pane
        yield self.prompt
        yield self.footer

    def handlers(self) -> dict[str, Handler]:
        """What keys do here, by id."""
        handlers: dict[str, Handler] = {
            **pane_handlers(lambda: self.pane),
            **self.fleet_app.common_handlers(),
            "activate": self._follow,
            "search": lambda: self.prompt.open("/", self.needle),
            "next_match": lambda: self.seek(1),
            "previous_match": lambda: self.seek(-1),
            "back": self._back,
            "quit": lambda: self.dismiss(None),
        }
        manners: dict[str, Handler] = {
            "wrap": lambda: self._turn("wrap"),
            "managed": lambda: self._turn("managed"),
            "reveal": self._reveal,
            "refresh": self._fetch,
        }
        return handlers | {k: do for k, do in manners.items() if k in self.document.manners}

    def on_mount(self) -> None:
        """Shows what is there and asks for the rest."""
        app = self.fleet_app
        self._dispatcher = Dispatcher(app.keymap, lambda: _PLACES, self.handlers())
        app.apply_theme(self)
        show_footer(self.footer, self._dispatcher.hints())
        self.set_focus(self.pane)
        self._fetch()

    def on_resize(self) -> None:
        """Wraps anew."""
        self.call_after_refresh(self.show_text)

    def _fetch(self) -> None:
        self._error = None
        self._is_loading = True
        self.run_worker(self._load(), exclusive=True, group="document")
        self.show_text()

    async def _load(self) -> None:
        try:
            await self.document.fetch(self._came)
        except FleettuiError as error:
            self._error = error
        finally:
            self._is_loading = False
        self._follow_end()

    def _came(self) -> None:
        """More of the document came: shown at the next frame, once for many lines."""
        if not self._at_end:
            self._at_end = True
            self.set_timer(0.1, self._follow_end)

    def _follow_end(self) -> None:
        self._at_end = False
        self.show_text()

    def show_text(self) -> None:
        """Shows the document's lines as they are now; the cursor stays where it is."""
        if self._dispatcher is None:
            return
        pane = self.pane
        width = max(pane.line_width, 20)
        lines = list(self.document.lines(width=width, manner=self.manner))
        if self._error is not None:
            lines = [*error_lines(self._error), text_line(), *lines]
        elif not lines and self._is_loading:
            lines = [text_line("asking the cluster …", Tone.DIM)]
        pane.has_cursor = bool(self.needle) or any(line.target is not None for line in lines)
        is_tail = "tail" in self.document.manners
        stays = is_tail and pane.cursor >= len(pane.source) - 1
        pane.show(TextSource(lines), keep_place=True)
        if stays:
            pane.move_bottom()
        self.show_title()

    def title_spans(self) -> Sequence[Span]:
        """What else the title tells."""
        return ()

    def show_title(self) -> None:
        """Shows what is read, and what is searched for."""
        notes = []
        if self.needle:
            notes.append(Span(f"  /{self.needle}  {self._count()} matches", Tone.MATCH))
        if self.manner.revealed:
            notes.append(Span("  masked values shown", Tone.STALLED))
        notes += self.title_spans()
        title = Span(f" {self.document.title}", Tone.ACCENT)
        right = [Span("… " if self._is_loading else "", Tone.PROGRESS)]
        self.title_bar.show(title, *notes, right=right)

    # -- keys -----------------------------------------------------------------------------
    def on_key(self, event: events.Key) -> None:
        """Does what the table of keys says."""
        if self.prompt.is_open:
            self.prompt.take(event)
        elif self._dispatcher is not None and self._dispatcher.press(event.key):
            event.stop()
            event.prevent_default()

    def _turn(self, name: str) -> None:
        setattr(self.manner, name, not getattr(self.manner, name))
        self.show_text()

    def _reveal(self) -> None:
        self.manner.revealed = not self.manner.revealed
        if self.manner.revealed:
            self.set_timer(REVEAL_S, self._conceal)
        self.show_text()

    def _conceal(self) -> None:
        self.manner.revealed = False
        self.show_text()

    def _back(self) -> None:
        if self.needle:
            self.needle = ""
            self.show_title()
            return
        self.dismiss(None)

    def _line(self) -> Line | None:
        source = self.pane.source
        place = self.pane.cursor
        if not isinstance(source, TextSource) or place >= len(source):
            return None  # the text may have become shorter since the cursor was put there
        return source.lines[place]

    def _follow(self) -> None:
        line = self._line()
        if line is not None and isinstance(line.target, ObjectRef):
            self.dismiss(line.target)

    def on_line_pane_clicked(self, event: LinePane.Clicked) -> None:
        """Puts the cursor there; on a reference a second click goes there."""
        was_there = self.pane.cursor == event.index
        self.pane.move_to(event.index)
        if was_there:
            self._follow()

    # -- searching ------------------------------------------------------------------------
    def _matches(self, text: str) -> list[int]:
        source = self.pane.source
        needle = text.lower()
        if not needle or not isinstance(source, TextSource):
            return []
        return [i for i, line in enumerate(source.lines) if needle in line.text.lower()]

    def _count(self) -> int:
        return len(self._matches(self.needle))

    def seek(self, step: int, *, from_here: bool = False) -> None:
        """Goes to the next or previous match, round the ends."""
        found = self._matches(self.needle)
        if not found:
            return
        at = self.pane.cursor - (1 if from_here else 0)
        later = [i for i in found if i > at] if step > 0 else [i for i in found if i < at]
        wrap_to = found[0] if step > 0 else found[-1]
        self.pane.move_to((later[0] if step > 0 else later[-1]) if later else wrap_to, centre=True)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Searches as one types."""
        if event.mark == "/":
            self.needle = event.text
            self.pane.has_cursor = True
            self.seek(1, from_here=True)
            self.show_title()

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        """Back to the text, or runs the command."""
        self.prompt.close()
        self.set_focus(self.pane)
        if event.mark == ":":
            self.fleet_app.run_command(event.text)

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        """Back to the text."""
        self.prompt.close()
        self.set_focus(self.pane)
        if event.mark == "/":
            self.needle = ""
            self.show_title()


def error_lines(error: FleettuiError) -> list[Line]:
    """What went wrong and what to do next."""
    lines = [text_line(safe_text(str(error)), Tone.FAILED)]
    if error.hint:
        lines.append(text_line(safe_text(error.hint), Tone.DIM))
    return lines
