"""Everything known of one object, as lines to read, worst first.

Knows rows, their neighbours and Events; fetches nothing and knows no widget.
Lines about other objects carry the object as their target.
"""

from collections.abc import Iterable, Iterator, Sequence

from fleettui.fleet.birth_forms import birth_line
from fleettui.fleet.context import EventLine
from fleettui.index.birth import birth_of, is_being_made
from fleettui.index.index import Edge, Index
from fleettui.index.rows import Row
from fleettui.index.upgrades import shown_version
from fleettui.kinds.record import Condition, Flag, ObjectRef, Verdict
from fleettui.kinds.support import deprecation_of, support_of
from fleettui.text import age_text
from fleettui.tui.because import because_lines
from fleettui.tui.cells import (
    DELETING,
    GLYPHS,
    LINK,
    PAUSED,
    WORDS,
    health_glyph,
    health_word,
    rollup_cell,
    since_text,
)
from fleettui.tui.known import age_words, coverage_lines
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.prose import heading, pairs, paragraph
from fleettui.tui.staleness import FRESH, Age, Staleness
from fleettui.tui.theme import VERDICT_TONES, Tone

MAX_REVERSE = 200
"""Most objects listed that point at one."""
_FLAG_WORDS: dict[Flag, str] = {
    Flag.STALE_GENERATION: "its controller has not looked at the latest change yet",
    Flag.LEGACY: "health is read from the old condition scheme",
    Flag.UNREADABLE: "does not have the shape its kind promises; only metadata was read",
    Flag.RETRYING: "the controller keeps retrying",
    Flag.WAITING: "waits for something else to be ready",
    Flag.EXTERNAL: "declared to be managed by somebody else",
    Flag.ABSENT_STATUS: "no controller has written any status yet",
    Flag.STATIC: "never reconciled by any controller",
}


def detail_lines(
    row: Row,
    index: Index,
    *,
    now: int,
    width: int,
    events: Sequence[EventLine] | None = None,
    note: str = "",
    stale: Staleness = FRESH,
) -> list[Line]:
    """All lines about a row.

    Args:
        row: the object.
        index: where its neighbours are.
        now: Unix seconds.
        width: cells to wrap at.
        events: Events about it, newest first; None when they were not fetched.
        note: why Events are missing, raw.
        stale: what may no longer be so.
    """
    coverage = list(coverage_lines(row, index, stale, now=now, width=width))
    is_known = all(span.tone is not Tone.STALLED for line in coverage for span in line.cells[0])
    lines = [
        *_summary(row, index, stale.of_row(row), now=now, width=width),
        *_birth(row, index, now=now, width=width),
        *(() if is_known else coverage),
        *_conditions(row.conditions, now=now, width=width),
        *_neighbours(row, index),
        *(coverage if is_known else ()),
    ]
    for title, entries in (
        ("FACTS", row.facts),
        ("LABELS", row.labels),
        ("ANNOTATIONS THAT MATTER", row.annotations),
    ):
        shown = [(name, value) for name, value in entries if value]
        if shown:
            lines += [*heading(title), *pairs(shown, width)]
    if row.finalizers:
        lines += heading("FINALIZERS")
        lines += [text_line(f"  {name}") for name in row.finalizers]
    lines += _events(events, now=now, width=width, note=note)
    return lines


def _summary(row: Row, index: Index, age: Age | None, *, now: int, width: int) -> Iterator[Line]:
    health = row.health
    is_old = age is not None
    tone = Tone.DIM if is_old and health is Verdict.CURRENT else VERDICT_TONES[health]
    yield spans_line(Span(f"{row.kind} ", Tone.DIM), Span(row.name, Tone.STRONG))
    where = f"{row.context} · {row.namespace}" if row.namespace else row.context
    yield text_line(f"{where} · {row.group}/{row.version}", Tone.DIM)
    since = since_text(row, now)
    yield spans_line(
        Span(f"{health_glyph(health, is_old=is_old)} {health_word(health, is_old=is_old)}", tone),
        Span(f"  {row.reason}" if row.reason else "", tone),
        Span(f"  for {since}" if since else "", Tone.DIM),
    )
    if age is not None:
        yield from paragraph(age_words(age, now), width, tone=Tone.STALLED)
    because = list(because_lines(index, row, now=now, width=width))
    if because:
        yield from because
        yield text_line()
    if row.message:
        yield from paragraph(row.message, width)
    culprit = row.culprit
    if culprit is not None:
        yield _object_line("comes from", culprit.ref, culprit)
    if row.verdict is not health:
        yield text_line(f"the object itself says {WORDS[row.verdict]}", Tone.DIM)
    yield from _flags(row, index, now)
    if deprecation := deprecation_of(row.spec, row.version):
        yield from paragraph(f"deprecated: {deprecation}", width, tone=Tone.STALLED)
    version = shown_version(row)
    support = support_of(version, now)
    if support is not None and support.words:
        yield text_line(f"{version} {support.words}", Tone.STALLED)
    facts = []
    if row.created_at:
        facts.append(f"age {age_text(now - row.created_at)}")
    if version:
        facts.append(version)
    facts.extend(_replica_words(row))
    if facts:
        yield text_line(" · ".join(facts), Tone.DIM)
    rollup = index.rollup(row)
    if rollup.total > 1:
        yield spans_line(Span("below  ", Tone.DIM), *rollup_cell(rollup))


def _birth(row: Row, index: Index, *, now: int, width: int) -> Iterator[Line]:
    """How far the making of a new cluster is; nothing for others."""
    if is_being_made(row, now):
        birth = birth_of(index, row)
        if not birth.is_done:
            yield from heading("BEING MADE")
            yield from paragraph(birth_line(birth, now), width, indent=2)


def _flags(row: Row, index: Index, now: int) -> Iterator[Line]:
    above = index.paused_above(row)
    if above is row:
        yield text_line(f"{PAUSED} paused by {row.paused_by or 'itself'}", Tone.PAUSED)
    elif above is not None:
        yield _object_line(f"{PAUSED} stopped by the pause of", above.ref, above)
    if row.is_deleting:
        waits = f", waits for {', '.join(row.finalizers)}" if row.finalizers else ""
        ago = age_text(now - row.deleted_at)
        yield text_line(f"{DELETING} being deleted for {ago}{waits}", Tone.DELETING)
    for flag, words in _FLAG_WORDS.items():
        if row.flags & flag:
            yield text_line(words, Tone.DIM)


def _replica_words(row: Row) -> Iterator[str]:
    replicas = row.replicas
    if replicas is None:
        return
    for word, count in zip(replicas._fields, replicas, strict=True):
        if count >= 0:
            yield f"{count} {word.replace('_', ' ')}"


def condition_order(condition: Condition) -> tuple[int, int, str]:
    """What hurts first: bad, then unknown, then the rest; those of the old scheme last."""
    if condition.is_bad:
        rank = 0
    elif condition.status == "Unknown":
        rank = 1
    else:
        rank = 2
    return (rank + 3 * condition.deprecated, -condition.since, condition.type)


def condition_tone(condition: Condition) -> tuple[str, Tone]:
    """Glyph and tone of a condition; a bad one of severity Info is under way."""
    if condition.status == "Unknown":
        return GLYPHS[Verdict.UNKNOWN], Tone.UNKNOWN
    if not condition.is_bad:
        return GLYPHS[Verdict.CURRENT], Tone.CURRENT
    if condition.severity == "Info":
        return GLYPHS[Verdict.IN_PROGRESS], Tone.PROGRESS
    return GLYPHS[Verdict.FAILED], Tone.FAILED


def _conditions(conditions: Iterable[Condition], *, now: int, width: int) -> Iterator[Line]:
    listed = sorted(conditions, key=condition_order)
    if not listed:
        return
    yield from heading("CONDITIONS")
    for condition in listed:
        glyph, tone = condition_tone(condition)
        since = age_text(now - condition.since) if condition.since else ""
        old = " (old scheme)" if condition.deprecated else ""
        yield spans_line(
            Span(f"  {glyph} ", tone),
            Span(f"{condition.type}={condition.status}", Tone.PLAIN),
            Span(f" {condition.reason}" if condition.reason else "", tone),
            Span(f"  {since}{old}", Tone.DIM),
        )
        if condition.message:
            is_fine = tone is Tone.CURRENT
            shown = Tone.DIM if is_fine else Tone.PLAIN
            yield from paragraph(condition.message, width, indent=6, tone=shown)


def _object_line(words: str, ref: ObjectRef, row: Row | None, evidence: str = "") -> Line:
    glyph, tone = ("∅", Tone.FAILED) if row is None else (GLYPHS[row.health], Tone.LINK)
    state = Tone.FAILED if row is None else VERDICT_TONES[row.health]
    return spans_line(
        Span(f"  {words} ", Tone.DIM),
        Span(f"{glyph} ", state),
        Span(f"{ref.kind}/{ref.name}", tone),
        Span("" if row is not None else " (not found)", Tone.DIM),
        Span(f"  {evidence}" if evidence else "", Tone.DIM),
        target=ref if row is not None else None,
    )


def _neighbours(row: Row, index: Index) -> Iterator[Line]:
    forward = list(index.edges(row))
    if forward:
        yield from heading("POINTS AT")
        yield from (_edge_line(edge, LINK) for edge in forward)
    backward: list[Edge] = []
    for edge in index.reverse(row):
        backward.append(edge)
        if len(backward) > MAX_REVERSE:
            break
    if backward:
        more = f"first {MAX_REVERSE}" if len(backward) > MAX_REVERSE else ""
        yield from heading("POINTED AT BY", more)
        yield from (_edge_line(edge, "↩") for edge in backward[:MAX_REVERSE])


def _edge_line(edge: Edge, arrow: str) -> Line:
    return _object_line(
        f"{arrow} {edge.relation.replace('_', ' ')}", edge.key, edge.target, edge.evidence
    )


def event_lines(events: Sequence[EventLine], *, now: int, width: int) -> Iterator[Line]:
    """Events as lines, each with its message below."""
    for event in events:
        is_warning = event.type != "Normal"
        times = f" ×{event.count}" if event.count > 1 else ""
        ago = age_text(now - event.at) if event.at else "?"
        yield spans_line(
            Span(f"  {ago:>6} ", Tone.DIM),
            Span(event.reason or event.type, Tone.STALLED if is_warning else Tone.ACCENT),
            Span(times, Tone.STRONG),
            Span(f"  {event.kind}/{event.name}" if event.name else "", Tone.DIM),
            Span(f"  {event.source}" if event.source else "", Tone.DIM),
        )
        yield from paragraph(event.message, width, indent=9)


def _events(
    events: Sequence[EventLine] | None, *, now: int, width: int, note: str
) -> Iterator[Line]:
    if events is None and not note:
        return
    yield from heading("EVENTS", "" if events else note or "none")
    yield from event_lines(events or (), now=now, width=width)
