"""What is known of a group of the tree, a context above all: how it stands, what is worst in it.

Knows contexts, roll-ups and roots; knows no widget. Lines about objects lead to them.
"""

import heapq
from collections.abc import Iterator, Sequence
from itertools import islice

from fleettui.fleet.context import ContextInfo
from fleettui.fleet.gaps import summed_up
from fleettui.index.index import Index
from fleettui.index.lines import Line as TreeLine
from fleettui.index.rows import Row
from fleettui.text import age_text
from fleettui.tui.cells import GLYPHS, count_text, rollup_cell, since_text
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.prose import heading, pairs, paragraph
from fleettui.tui.status import state_words
from fleettui.tui.theme import VERDICT_TONES, Tone

WORST = 12
"""Roots that are named, those with most faults first."""
LOOKED_AT = 20_000
"""Roots that are looked at for them."""


def group_lines(
    line: TreeLine, index: Index, contexts: Sequence[ContextInfo], *, now: int, width: int
) -> list[Line]:
    """All lines about a group."""
    lines = [text_line(line.label, Tone.STRONG)]
    if line.rollup is not None:
        words = f"  of {count_text(line.rollup.total)} objects" if line.rollup.total else "nothing"
        lines.append(spans_line(*rollup_cell(line.rollup), Span(words, Tone.DIM)))
    info = next((info for info in contexts if info.name in line.key), None)
    if info is None:
        return lines
    is_context = line.label == info.name
    if is_context:
        lines += _about(info, now, width)
    roots = index.roots(info.name)
    lines += _worst((r for r in roots if is_context or r.namespace == line.label), index, now)
    if is_context and info.missing:
        lines += heading("NOT READ", f"{len(info.missing)}")
        for text in summed_up(info.missing):
            lines += paragraph(text, width, indent=2, tone=Tone.STALLED)
    return lines


def _about(info: ContextInfo, now: int, width: int) -> Iterator[Line]:
    entries = [
        ("server", info.server),
        ("state", state_words(info, now)),
        ("user", info.user),
        ("opened as", info.origin),
        ("namespace", info.namespace),
        ("may change", f"nothing: lacks {info.lacks}" if info.lacks else ""),
        ("objects", count_text(info.loaded)),
        ("note", info.note),
    ]
    yield from heading("CONTEXT")
    yield from pairs([(name, value) for name, value in entries if value], width)
    if info.error:
        yield from paragraph(info.error, width, indent=2, tone=Tone.FAILED)
    if info.hint and info.error:
        yield from paragraph(info.hint, width, indent=2, tone=Tone.DIM)
    if info.cached_at:
        yield text_line(f"  some is as of {age_text(now - info.cached_at)} ago", Tone.STALLED)


def _worst(roots: Iterator[Row], index: Index, now: int) -> Iterator[Line]:
    counted = ((row, index.rollup(row)) for row in islice(roots, LOOKED_AT))
    faulty = ((row, rollup) for row, rollup in counted if rollup.faults)
    worst = heapq.nlargest(WORST, faulty, key=lambda found: found[1].faults)
    if not worst:
        return
    yield from heading("WORST")
    for row, rollup in worst:
        health = rollup.worst
        is_its_own = row.health is health
        since = since_text(row, now) if is_its_own else ""
        yield spans_line(
            Span(f"  {GLYPHS[health]} ", VERDICT_TONES[health]),
            Span(f"{row.kind}/{row.name}", Tone.LINK),
            Span(f"  {count_text(rollup.faults)}✗", Tone.FAILED),
            Span(f"  {row.reason if is_its_own else 'something below'}", VERDICT_TONES[health]),
            Span(f"  {since}" if since else "", Tone.DIM),
            target=row.ref,
        )
