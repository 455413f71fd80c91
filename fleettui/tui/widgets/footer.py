"""The keys that matter here, in the last line.

Made from the table of keys; knows no key itself.
"""

from collections.abc import Iterable, Iterator, Sequence

from fleettui.tui.keymap import KeyEntry, Place, key_text
from fleettui.tui.lines import Span
from fleettui.tui.theme import Tone
from fleettui.tui.widgets.bar import Bar


def footer_spans(entries: Iterable[KeyEntry], *, may_write: bool = True) -> Iterator[Span]:
    """Key and word of each entry; keys that write are dim where nobody here may."""
    for entry in entries:
        is_dim = entry.writes and not may_write
        yield Span(f" {key_text(entry.keys[0])}", Tone.DIM if is_dim else Tone.KEY)
        yield Span(f" {entry.hint} ", Tone.DIM)


def show_footer(bar: Bar, entries: Sequence[KeyEntry], *, may_write: bool = True) -> None:
    """Shows the keys of a screen; those that work everywhere stay at the right end."""
    here = [entry for entry in entries if entry.place is not Place.EVERYWHERE]
    everywhere = [entry for entry in entries if entry.place is Place.EVERYWHERE]
    spans = footer_spans(here, may_write=may_write)
    bar.show(*spans, right=list(footer_spans(everywhere)), group=2)
