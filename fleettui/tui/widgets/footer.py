"""The keys that matter here, in the last line.

Made from the table of keys; knows no key itself.
"""

from collections.abc import Iterable, Iterator

from fleettui.tui.keymap import KeyEntry, key_text
from fleettui.tui.lines import Span
from fleettui.tui.theme import Tone


def footer_spans(entries: Iterable[KeyEntry]) -> Iterator[Span]:
    """Key and word of each entry."""
    for entry in entries:
        yield Span(f" {key_text(entry.keys[0])}", Tone.KEY)
        yield Span(f" {entry.hint} ", Tone.DIM)
