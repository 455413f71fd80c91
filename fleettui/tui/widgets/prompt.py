"""The line that opens at the bottom to be typed into: commands, filters, searches.

Knows text, ghost text, a note and what was typed before; knows nothing of what
the text means.
"""

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input
from textual.widgets.input import Selection

from fleettui.tui.lines import Span
from fleettui.tui.theme import Theme, Tone
from fleettui.tui.widgets.bar import Bar

Complete = Callable[[str], str]
"""Text with its last word completed."""
MAX_HISTORY = 100


class _Ghost(Suggester):
    """Shows what tab would give."""

    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        completed = self._complete(value)
        return completed if completed != value else None


class Prompt(Horizontal):
    """A line to type into, hidden until it is opened."""

    DEFAULT_CSS = """
    Prompt { height: 1; display: none; background: $panel; }
    Prompt.open { display: block; }
    Prompt > #prompt-mark { width: 3; }
    Prompt > Input { width: 1fr; border: none; height: 1; padding: 0; background: $panel; }
    Prompt > #prompt-note { width: 42%; }
    """

    class Changed(Message):
        """Something was typed."""

        def __init__(self, mark: str, text: str) -> None:
            """Say what stands there now."""
            super().__init__()
            self.mark = mark
            self.text = text

    class Submitted(Message):
        """The line was finished with enter."""

        def __init__(self, mark: str, text: str) -> None:
            """Say what was typed."""
            super().__init__()
            self.mark = mark
            self.text = text

    class Cancelled(Message):
        """The line was given up."""

        def __init__(self, mark: str) -> None:
            """Say which."""
            super().__init__()
            self.mark = mark

    class Passed(Message):
        """A key that moves the list, or fills it, while the line stays open."""

        def __init__(self, key: str) -> None:
            """Say which key."""
            super().__init__()
            self.key = key

    def __init__(self) -> None:
        """Stay hidden."""
        super().__init__()
        self._mark_bar = Bar(id="prompt-mark")
        self._input = Input(id="prompt-input", compact=True, select_on_focus=False)
        self._note = Bar(id="prompt-note")
        self.mark = ""
        self._complete: Complete = lambda text: text
        self._history: dict[str, list[str]] = {}
        self._place = 0
        self._passed: events.Key | None = None

    def compose(self) -> ComposeResult:
        """Yields mark, input and note."""
        yield self._mark_bar
        yield self._input
        yield self._note

    @property
    def is_open(self) -> bool:
        """Whether it is being typed into."""
        return self.has_class("open")

    def open(
        self,
        mark: str,
        text: str = "",
        *,
        complete: Complete | None = None,
        selects: bool = True,
    ) -> None:
        """Show the line with a mark (``:`` or ``/``) and the text to start from.

        Args:
            mark: what the line is for.
            text: what stands there already.
            complete: gives the text with its last word completed.
            selects: whether what is typed replaces the text (an arrow goes on with it), or
                goes on with it at once.
        """
        self.mark = mark
        self._complete = complete or (lambda typed: typed)
        self._place = len(self._history.get(mark, ()))
        self.add_class("open")
        self._mark_bar.show(Span(f" {mark} ", Tone.KEY))
        self.note()
        line = self._input
        line.suggester = _Ghost(self._complete) if complete else None
        with self.prevent(Input.Changed):
            line.value = text
        line.selection = Selection(0 if selects else len(text), len(text))
        self.screen.set_focus(line)

    def close(self) -> None:
        """Hide the line."""
        self.remove_class("open")

    def note(self, *spans: Span) -> None:
        """Say something at the right end: a count, an error."""
        self._note.show(right=spans)

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        for bar in (self._mark_bar, self._note):
            bar.set_theme(theme)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tells what was typed."""
        event.stop()
        self.post_message(self.Changed(self.mark, event.value))

    def take(self, event: events.Key) -> None:
        """Take a key that comes past the screen while the line is open.

        One that went through the line already is left to the input's own bindings. The
        other kind was on its way to the list when the line opened: keys wait in the
        queue of whatever had the focus when they came, and what is typed fast after the
        colon would otherwise act on the list.
        """
        if event is self._passed:
            return
        event.stop()
        event.prevent_default()
        if event.is_printable and event.character:
            self._input.replace(event.character, *self._input.selection)
        else:
            self.on_key(event)
            self._passed = None

    def _submit(self, text: str) -> None:
        """Keeps the line for later and tells it."""
        kept = self._history.setdefault(self.mark, [])
        if text and kept[-1:] != [text]:
            kept.append(text)
            del kept[:-MAX_HISTORY]
        self.post_message(self.Submitted(self.mark, text))

    def on_key(self, event: events.Key) -> None:
        """Gives up, submits, completes, recalls, or passes the key on to the list."""
        match event.key:
            case "escape":
                self.post_message(self.Cancelled(self.mark))
            case "enter":
                self._submit(self._input.value)
            case "tab":
                self._input.value = self._complete(self._input.value)
                self._input.cursor_position = len(self._input.value)
            case "up" | "down" if self.mark == ":":
                self._recall(-1 if event.key == "up" else 1)
            case "up" | "down" | "pageup" | "pagedown" | "ctrl+l":
                self.post_message(self.Passed(event.key))
            case "backspace" if not self._input.value:
                self.post_message(self.Cancelled(self.mark))
            case _:
                self._passed = event
                return
        event.stop()
        event.prevent_default()

    def _recall(self, step: int) -> None:
        kept = self._history.get(self.mark, [])
        self._place = max(min(self._place + step, len(kept)), 0)
        text = kept[self._place] if self._place < len(kept) else ""
        self._input.value = text
        self._input.cursor_position = len(text)
