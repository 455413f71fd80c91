"""The help: made from the tables of keys and commands, so it cannot be wrong about them.

Knows the tables; knows no key and no command itself.
"""

from collections.abc import Callable, Iterator, Sequence

from fleettui.tui.cells import DELETING, GLYPHS, LINK, OLD, PAUSED, WORDS
from fleettui.tui.commands import Argument, Vocabulary
from fleettui.tui.documents import Manner
from fleettui.tui.keymap import KeyEntry, Keymap
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.theme import VERDICT_TONES, Tone

KEY_CELLS = 20
_TAKES = {Argument.NONE: "", Argument.OBJECT: "KIND/NAME", Argument.TEXT: "TEXT"}
"""What stands for an argument; anything else is a name."""
TWO_COLUMNS = 110
"""Width in cells from which keys stand in two columns."""


class HelpText:
    """Keys, commands, signs."""

    title = "help"
    manners: frozenset[str] = frozenset()

    def __init__(self, keymap: Keymap, vocabulary: Vocabulary) -> None:
        """Tell of these keys and commands."""
        self._keymap = keymap
        self._vocabulary = vocabulary

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Nothing to ask for."""

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the help."""
        return [*_signs(), *self._keys(width), *self._commands()]

    def _keys(self, width: int) -> Iterator[Line]:
        for group, entries in self._keymap.groups():
            yield text_line()
            yield text_line(group.upper(), Tone.TITLE)
            if width < TWO_COLUMNS:
                for entry in entries:
                    yield spans_line(*_key_spans(entry))
                continue
            half = (len(entries) + 1) // 2
            for place in range(half):
                left = _key_spans(entries[place])
                used = sum(len(span.text) for span in left)
                pad = Span(" " * max(width // 2 - used, 1))
                right = _key_spans(entries[place + half]) if place + half < len(entries) else ()
                yield spans_line(*left, pad, *right)

    def _commands(self) -> Iterator[Line]:
        yield text_line()
        yield text_line("COMMANDS", Tone.TITLE)
        for command in self._vocabulary.commands:
            takes = (
                ""
                if command.argument is Argument.NONE
                else f" {_TAKES.get(command.argument, 'NAME')}"
            )
            words = f":{command.name}{takes}"
            others = f"  (:{', :'.join(command.aliases)})" if command.aliases else ""
            yield spans_line(
                Span(f"  {words:<{KEY_CELLS}}", Tone.KEY),
                Span(command.label),
                Span(others, Tone.DIM),
            )
        if self._vocabulary.kinds:
            yield spans_line(
                Span(f"  {':KIND':<{KEY_CELLS}}", Tone.KEY),
                Span("every object of one kind, by its name, plural or short name; see :kinds"),
            )


def _key_spans(entry: KeyEntry) -> tuple[Span, ...]:
    return (Span(f"  {entry.shown:<{KEY_CELLS}}", Tone.KEY), Span(entry.label))


def _signs() -> Iterator[Line]:
    yield text_line("SIGNS", Tone.TITLE)
    spans = []
    for verdict, glyph in GLYPHS.items():
        spans.append(Span(f"  {glyph} ", VERDICT_TONES[verdict]))
        spans.append(Span(WORDS[verdict]))
    yield spans_line(*spans)
    yield spans_line(
        Span(f"  {PAUSED} ", Tone.PAUSED),
        Span("paused"),
        Span(f"  {DELETING} ", Tone.DELETING),
        Span("being deleted"),
        Span(f"  {LINK} ", Tone.LINK),
        Span("points at an object elsewhere"),
    )
    yield spans_line(
        Span("  ≥ ", Tone.DIM),
        Span("at least"),
        Span(f"  {OLD} ", Tone.STALLED),
        Span("was ok, not seen now"),
    )
