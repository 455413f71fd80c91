"""What a row shows in each column: words and glyphs with a tone.

Knows rows, roll-ups and the clock it is given; knows no widths and no colours.
Meaning never hangs on colour alone: each state has a glyph of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleettui.index.upgrades import shown_version, upgrade_words
from fleettui.kinds.record import Verdict
from fleettui.kinds.spec import Role
from fleettui.text import age_text, one_line
from fleettui.tui.layout import Column
from fleettui.tui.lines import EMPTY, Cell, Line, Span, cell
from fleettui.tui.theme import VERDICT_TONES, Tone

if TYPE_CHECKING:  # the first frame shows no rows, and needs no index
    from fleettui.index.rollup import Rollup
    from fleettui.index.rows import Row
    from fleettui.index.view import Line as TreeLine
    from fleettui.tui.staleness import Age, Staleness

GLYPHS: Mapping[Verdict, str] = {
    Verdict.FAILED: "✗",
    Verdict.STALLED: "!",
    Verdict.IN_PROGRESS: "…",
    Verdict.UNKNOWN: "?",
    Verdict.CURRENT: "✓",
}
WORDS: Mapping[Verdict, str] = {
    Verdict.FAILED: "failed",
    Verdict.STALLED: "stalled",
    Verdict.IN_PROGRESS: "in progress",
    Verdict.UNKNOWN: "unknown",
    Verdict.CURRENT: "ok",
}
OLD = "◍"
"""In place of ✓ where it may no longer be so: nothing that is old looks well."""
OLD_WORD = "was ok"
PAUSED = "⏸"
DELETING = "✂"
LINK = "↪"
FOLDED, UNFOLDED, LEAF, GUIDE = "▸ ", "▾ ", "  ", "│ "
MAX_GUIDES = 24
"""Deepest indentation drawn."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What cells depend on beside the row."""

    now: int
    """Unix seconds."""
    stale: Staleness | None = None
    """What may no longer be so; None: everything is as it is now."""


def count_text(count: int) -> str:
    """A count in at most four characters: ``999``, ``12k``, ``1.2M``."""
    if count < 1000:
        return str(count)
    if count < 10_000:
        return f"{count / 1000:.1f}k"
    if count < 1_000_000:
        return f"{count // 1000}k"
    return f"{count / 1_000_000:.1f}M"


def rollup_cell(rollup: Rollup | None) -> Cell:
    """The counts of a subtree, worst first: ``3✗ 2… 41✓``; ``≥`` when parts are unread."""
    if rollup is None or rollup.total == 0:
        return EMPTY
    spans: list[Span] = [Span("≥", Tone.DIM)] if rollup.at_least else []
    for verdict, count in zip(Verdict, rollup[:5], strict=True):
        if count:
            space = " " if spans and spans[-1].text != "≥" else ""
            spans.append(Span(f"{space}{count_text(count)}{GLYPHS[verdict]}", _count_tone(verdict)))
    return tuple(spans)


def _count_tone(verdict: Verdict) -> Tone:
    return Tone.DIM if verdict is Verdict.CURRENT else VERDICT_TONES[verdict]


def flag_spans(row: Row) -> Cell:
    """Marks of what is true beside the health."""
    spans = []
    if row.is_paused:
        spans.append(Span(f" {PAUSED}", Tone.PAUSED))
    if row.is_deleting:
        spans.append(Span(f" {DELETING}", Tone.DELETING))
    return tuple(spans)


def health_glyph(health: Verdict, *, is_old: bool) -> str:
    """The glyph of a health, which may be as of an earlier moment."""
    return OLD if is_old and health is Verdict.CURRENT else GLYPHS[health]


def health_word(health: Verdict, *, is_old: bool) -> str:
    """The word for a health, which may be as of an earlier moment."""
    return OLD_WORD if is_old and health is Verdict.CURRENT else WORDS[health]


def name_cell(line: TreeLine, *, is_old: bool = False, is_partial: bool = False) -> Cell:
    """Guides, fold mark, health, name and flags.

    Args:
        line: of a row or a group.
        is_old: whether what the line says may no longer be so.
        is_partial: whether parts of a group are not known: then it is not green.
    """
    depth = min(line.depth, MAX_GUIDES)
    mark = LEAF
    if line.is_expandable:
        mark = UNFOLDED if line.is_expanded else FOLDED
    spans = [Span(GUIDE * depth + mark, Tone.DIM)]
    row = line.row
    if row is None:
        worst = line.rollup.worst if line.rollup and line.rollup.total else None
        if worst:
            tone = Tone.DIM if worst is Verdict.CURRENT and is_partial else VERDICT_TONES[worst]
            spans.append(Span(f"{health_glyph(worst, is_old=is_old)} ", tone))
        spans.append(Span(line.label, Tone.STRONG))
        return tuple(spans)
    health = row.health
    if line.is_link:
        relation = line.relation.replace("_", " ")
        spans.append(Span(f"{LINK} {relation} " if relation else f"{LINK} ", Tone.LINK))
    spans.append(Span(f"{health_glyph(health, is_old=is_old)} ", VERDICT_TONES[health]))
    spans.append(Span(line.label, _name_tone(health, line.depth)))
    spans.extend(flag_spans(row))
    return tuple(spans)


def _name_tone(health: Verdict, depth: int) -> Tone:
    if health is Verdict.FAILED:
        return Tone.FAILED
    if health is Verdict.STALLED:
        return Tone.STALLED
    return Tone.PLAIN if depth > 1 else Tone.STRONG


def _kind(row: Row, moment: Moment) -> Cell:
    return cell(row.kind, Tone.DIM)


def _health(row: Row, moment: Moment) -> Cell:
    is_old = age_of(row, moment) is not None
    return cell(health_word(row.health, is_old=is_old), VERDICT_TONES[row.health])


def age_of(row: Row, moment: Moment) -> Age | None:
    """How old the row is; None when it is as the server says now."""
    return moment.stale.of_row(row) if moment.stale is not None else None


def _ready(row: Row, moment: Moment) -> Cell:
    replicas = row.replicas
    if replicas is None or (replicas.desired < 0 and replicas.ready < 0):
        return EMPTY
    ready = "–" if replicas.ready < 0 else count_text(replicas.ready)
    desired = "–" if replicas.desired < 0 else count_text(replicas.desired)
    is_short = 0 <= replicas.ready < replicas.desired
    return cell(f"{ready}/{desired}", Tone.PROGRESS if is_short else Tone.PLAIN)


def _version(row: Row, moment: Moment) -> Cell:
    return cell(shown_version(row), Tone.DIM)


def _age(row: Row, moment: Moment) -> Cell:
    return cell(age_text(moment.now - row.created_at), Tone.DIM) if row.created_at else EMPTY


def since_text(row: Row, now: int) -> str:
    """How long the row has been as it is; ``≥`` when it may be longer, empty when unknown."""
    if not row.since:
        return ""
    bound = "≥" if row.since_is_lower_bound else ""
    return f"{bound}{age_text(now - row.since)}"


def _since(row: Row, moment: Moment) -> Cell:
    is_broken = row.health in (Verdict.FAILED, Verdict.STALLED)
    return cell(since_text(row, moment.now), Tone.PLAIN if is_broken else Tone.DIM)


def _reason(row: Row, moment: Moment) -> Cell:
    health = row.health
    is_fine = health is Verdict.CURRENT
    is_going = is_fine or health is Verdict.IN_PROGRESS
    upgrade = upgrade_words(row) if is_going and row.spec.role is Role.CLUSTER else ""
    reason = cell(upgrade or row.reason, Tone.DIM if is_fine else VERDICT_TONES[health])
    age = age_of(row, moment)
    if age is None or not age.word:
        return reason
    return (Span(f"{age.word} {age_text(moment.now - age.since)} ", Tone.STALLED), *reason)


def flat_text(text: str) -> str:
    """A text of several lines as one: bullets and line breaks become punctuation."""
    if "\n" not in text:
        return one_line(text)
    parts = [part for line in text.splitlines() if (part := line.strip().lstrip("*").strip())]
    flat = ""
    for part in parts:
        flat += ("" if not flat else " " if flat.endswith(":") else "; ") + part
    return flat


def _message(row: Row, moment: Moment) -> Cell:
    is_fine = row.health is Verdict.CURRENT and not row.is_deleting
    return cell(flat_text(row.message), Tone.DIM if is_fine else Tone.PLAIN)


def _context(row: Row, moment: Moment) -> Cell:
    return cell(row.context, Tone.DIM)


def _namespace(row: Row, moment: Moment) -> Cell:
    return cell(row.namespace, Tone.DIM)


ROW_CELLS: Mapping[str, Callable[[Row, Moment], Cell]] = {
    "kind": _kind,
    "health": _health,
    "ready": _ready,
    "version": _version,
    "age": _age,
    "since": _since,
    "reason": _reason,
    "message": _message,
    "context": _context,
    "namespace": _namespace,
}
"""Cells of a row, by id of their column."""

TREE_COLUMNS: tuple[Column, ...] = (
    Column("name", "NAME", 30, 58, 0),
    Column("kind", "KIND", 12, 24, 6),
    Column("health", "HEALTH", 11, 11, 9),
    Column("below", "BELOW", 11, 20, 4, is_whole=True),
    Column("ready", "READY", 7, 7, 3, is_right=True),
    Column("version", "VERSION", 9, 14, 7),
    Column("age", "AGE", 6, 7, 8, is_right=True),
    Column("since", "SINCE", 7, 7, 2, is_right=True),
    Column("reason", "REASON", 14, 30, 1),
    Column("message", "MESSAGE", 24, 160, 5),
)
"""Columns of the tree; the order in which they go when room is short is ``priority``."""


def tree_line(line: TreeLine, columns: tuple[Column, ...], moment: Moment) -> Line:
    """One line of the tree as cells of these columns."""
    row = line.row
    stale = moment.stale
    is_old = is_partial = False
    if row is not None:
        is_old = age_of(row, moment) is not None
    elif stale is not None:
        is_old = stale.of_group(line.key[1:]) is not None
        is_partial = not stale.is_spotless(line.key[1:])
        is_partial = is_partial or bool(line.rollup and line.rollup.at_least)
    cells: list[Cell] = []
    for column in columns:
        if column.id == "name":
            cells.append(name_cell(line, is_old=is_old, is_partial=is_partial))
        elif column.id == "below":
            rollup = line.rollup
            is_counted = rollup is not None and (row is None or rollup.total > 1)
            cells.append(rollup_cell(rollup) if is_counted else EMPTY)
        else:
            cells.append(ROW_CELLS[column.id](row, moment) if row is not None else EMPTY)
    return Line(tuple(cells), is_faded=is_old)
