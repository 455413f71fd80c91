"""The keys that matter here, in the last line.

Made from the table of keys; knows no key itself.
"""

from collections.abc import Iterable, Iterator, Sequence

from fleettui.tui.keymap import KeyEntry, Place, key_text
from fleettui.tui.lines import Span
from fleettui.tui.theme import Tone
from fleettui.tui.widgets.bar import Bar


def footer_spans(entries: Iterable[KeyEntry]) -> Iterator[Span]:
    """Key and word of each entry."""
    for entry in entries:
        yield Span(f" {key_text(entry.keys[0])}", Tone.KEY)
        yield Span(f" {entry.hint} ", Tone.DIM)


def show_footer(bar: Bar, entries: Sequence[KeyEntry]) -> None:
    """Shows the keys of a screen; those that work everywhere stay at the right end."""
    here = [entry for entry in entries if entry.place is not Place.EVERYWHERE]
    everywhere = [entry for entry in entries if entry.place is Place.EVERYWHERE]
    bar.show(*footer_spans(here), right=list(footer_spans(everywhere)), group=2)
