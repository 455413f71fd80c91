"""Figures as lines of bars that a person reads at a glance; 80 columns suffice."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fleettui.fleet.overview import Figures
from fleettui.index.causes import Cause
from fleettui.kinds.record import Verdict
from fleettui.text import age_text, one_line, safe_text

BAR_CELLS = 28
SPREAD_SHOWN = 4
CAUSES_SHOWN = 5
_GLYPHS = {
    Verdict.FAILED: "█",
    Verdict.STALLED: "▓",
    Verdict.IN_PROGRESS: "▒",
    Verdict.UNKNOWN: "░",
    Verdict.CURRENT: "━",
}
_WORDS = {
    Verdict.FAILED: "failed",
    Verdict.STALLED: "stalled",
    Verdict.IN_PROGRESS: "moving",
    Verdict.UNKNOWN: "unknown",
    Verdict.CURRENT: "well",
}


_BAR_TONES = {glyph: verdict.value for verdict, glyph in _GLYPHS.items()}
_BAR = re.compile("|".join(f"{glyph}+" for glyph in _BAR_TONES))
_WORD = rf"[^\s{''.join(_BAR_TONES)}]+"
_STRETCH = re.compile(rf"{_BAR.pattern}|{_WORD}(?: {_WORD})*")


class Painted(NamedTuple):
    """A line in one tone: a word of ``cli.output``, empty for plain."""

    text: str
    tone: str = ""


class Run(NamedTuple):
    """A stretch of a line in one tone, and the column that it begins at."""

    column: int
    text: str
    tone: str

    @property
    def is_bar(self) -> bool:
        """Whether it is a part of a bar, which may be drawn instead of written."""
        return self.text[:1] in _BAR_TONES


def runs_of(line: Painted) -> list[Run]:
    """The line cut where its tone changes: each part of a bar has the tone of what it counts.

    Words keep the line's tone, or none where a bar tells more; gaps are left out, so that
    whoever draws runs at their columns needs no font of equal widths.
    """
    plain = "" if _BAR.search(line.text) else line.tone
    return [
        Run(found.start(), found[0], _BAR_TONES.get(found[0][0], plain))
        for found in _STRETCH.finditer(line.text)
    ]


def counted(count: int, noun: str) -> str:
    """``1 cluster``, ``2 clusters``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def overview_lines(
    found: Sequence[Figures], causes: Sequence[Cause], *, now: int, width: int
) -> Iterator[Painted]:
    """All contexts together, then one line for each, then the first causes."""
    whole, *each = found
    yield Painted(_head(whole), "bold")
    for title, counts in whole.health.items():
        yield Painted(f"  {title:<15}{bar(counts, BAR_CELLS)} {_tail(counts)}", _tone(counts))
    for title, spread in (("versions", whole.versions), ("providers", whole.providers)):
        if spread:
            yield Painted(_cut(f"  {title:<15}{_spread(spread)}", width))
    if len(each) > 1:
        yield Painted("contexts", "bold")
    for figures in each:
        clusters = figures.health.get("clusters", Counter())
        yield Painted(_cut(_context_line(figures, clusters), width), _tone(clusters))
    if causes:
        yield Painted("causes", "bold")
    for cause in causes[:CAUSES_SHOWN]:
        yield Painted(_cut(_cause_line(cause, now), width), cause_tone(cause))
    if len(causes) > CAUSES_SHOWN:
        yield Painted(f"  and {len(causes) - CAUSES_SHOWN} more: fleettui causes", "dim")


def bar(counts: Counter[Verdict], width: int) -> str:
    """A bar of so many cells; whatever is there takes at least one."""
    total = sum(counts.values())
    if not total:
        return " " * width
    present = [verdict for verdict in Verdict if counts[verdict]]
    cells = {verdict: max(counts[verdict] * width // total, 1) for verdict in present}
    largest = max(present, key=lambda verdict: counts[verdict])
    cells[largest] += width - sum(cells.values())
    return "".join(_GLYPHS[verdict] * cells[verdict] for verdict in present)


def cause_tone(cause: Cause) -> str:
    """The tone of a cause by its state."""
    return "failed" if cause.state.value == "failing" else "in_progress"


def _head(figures: Figures) -> str:
    more = "at least " if figures.at_least else ""
    parts = [f"{more}{figures.objects} objects", f"{figures.paused} paused"]
    if figures.deleting:
        parts.append(f"{figures.deleting} deleting")
    return ", ".join(parts)


def _tail(counts: Counter[Verdict]) -> str:
    return ", ".join(f"{counts[v]} {_WORDS[v]}" for v in Verdict if counts[v])


def _tone(counts: Counter[Verdict]) -> str:
    return next((v.value for v in Verdict if counts[v]), "")


def _spread(counts: Counter[str]) -> str:
    shown = [f"{safe_text(name)} {count}" for name, count in counts.most_common(SPREAD_SHOWN)]
    hidden = len(counts) - SPREAD_SHOWN
    return ", ".join(shown) + (f" and {hidden} more" if hidden > 0 else "")


def _context_line(figures: Figures, clusters: Counter[Verdict]) -> str:
    info = figures.info
    assert info is not None, "a context has its info"
    latency = f" {info.round_trip_s * 1000:.0f} ms" if info.round_trip_s >= 0 else ""
    failing = sum(figures.causes.values())
    return (
        f"  {safe_text(figures.name):<24.24} {info.state.value}{latency}: {_tail(clusters)} of "
        f"{counted(sum(clusters.values()), 'cluster')}, {counted(failing, 'cause')}, "
        f"{figures.paused} paused"
    )


def _cause_line(cause: Cause, now: int) -> str:
    since = age_text(now - cause.since) if cause.since else ""
    words = f"{safe_text(cause.condition)} {safe_text(cause.reason)}: {one_line(cause.message)}"
    root = f"{cause.root.kind} {safe_text(cause.root.name)}"
    return f"  {cause.state.value:<11} {since:>6} {root} {words}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
