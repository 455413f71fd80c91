"""Causes as a board: what is broken or held, how widely, since when; members below.

Knows the causes of the index; knows no widget.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleettui.fleet.cause_forms import trend_text
from fleettui.fleet.mutes import Mute, Mutes
from fleettui.index.causes import Cause, CauseBoard, CauseState, Finding
from fleettui.index.causes.groups import UNLABELLED, grouped, label_values
from fleettui.index.causes.trends import trend_of
from fleettui.index.index import Index
from fleettui.kinds.record import ObjectRef
from fleettui.text import age_text, safe_text
from fleettui.tui.boards import BoardRow
from fleettui.tui.cells import GLYPHS, count_text, flat_text
from fleettui.tui.layout import Column
from fleettui.tui.lines import Cell, Line, Span, cell, spans_line, text_line
from fleettui.tui.ports import FleetPort
from fleettui.tui.prose import paragraph
from fleettui.tui.theme import VERDICT_TONES, Tone

PLACES = ("region", "topology.kubernetes.io/region", "environment", "env")
"""Labels that tell where something is, best first."""
STATE_SIGNS: dict[CauseState, tuple[str, Tone]] = {
    CauseState.FAILING: ("✗", Tone.FAILED),
    CauseState.PAUSED: ("⏸", Tone.PAUSED),
    CauseState.DELETING: ("✂", Tone.DELETING),
    CauseState.WAITING: ("…", Tone.PROGRESS),
    CauseState.PROGRESSING: ("…", Tone.PROGRESS),
}


@dataclass(frozen=True, slots=True)
class Causes:
    """Every cause of the fleet, worst and widest first."""

    fleet: FleetPort
    board: CauseBoard
    mutes: Mutes | None = None
    """What a person does not want to see for a while; None where nothing is kept."""
    label: str = ""
    """Label of what is hit by which causes are grouped."""
    has_looked: Callable[[], bool] = lambda: True
    """Whether causes have been looked for at all yet."""
    title: str = "causes"
    columns: Sequence[Column] = (
        Column("what", "WHAT", 26, 60, 0),
        Column("clusters", "CLUSTERS", 8, 8, 2, is_right=True),
        Column("objects", "OBJECTS", 7, 7, 4, is_right=True),
        Column("since", "SINCE", 6, 8, 3, is_right=True),
        Column("trend", "TREND", 8, 14, 7),
        Column("seen", "SEEN", 5, 8, 8, is_right=True),
        Column("state", "STATE", 11, 11, 5),
        Column("hits", "HITS", 6, 30, 6),
        Column("message", "MESSAGE", 24, 200, 1),
    )

    @property
    def empty(self) -> str:
        """What to say while there is none."""
        if not self.has_looked():
            return "looking for causes …"
        return "nothing is broken, held or under way, as far as it has been read"

    def rows(self) -> Sequence[BoardRow]:
        """Return causes as they are now."""
        now = self.fleet.now()
        muted = self.mutes.active(now) if self.mutes is not None else {}
        causes = [cause for cause in self.board.causes() if cause.fingerprint not in muted]
        if self.label:
            groups = grouped(self.fleet.index, causes, self.label)
            return [self._row(cause, now, value) for value, members in groups for cause in members]
        causes.sort(key=lambda cause: not self._is_new(cause))
        return [self._row(cause, now) for cause in causes]

    def _is_new(self, cause: Cause) -> bool:
        """Whether it came after the last look; those stand first."""
        return self.mutes is not None and self.mutes.is_new(cause.fingerprint)

    def _row(self, cause: Cause, now: int, value: str = "") -> BoardRow:
        glyph, tone = STATE_SIGNS[cause.state]
        why = cause.reason or cause.condition
        objects = cause.objects
        kept = self.mutes
        seen = kept.first_seen(cause.fingerprint) if kept is not None else 0
        before = kept.size_before(cause.fingerprint) if kept is not None else None
        trend = trend_of(cause, now, before=before)
        what: Cell = (
            Span(f"{glyph} ", tone),
            Span("NEW ", Tone.ACCENT) if self._is_new(cause) else Span(""),
            Span(f"{cause.root.kind}: ", Tone.DIM),
            Span(why, tone),
        )
        cells = (
            what,
            cell(count_text(cause.clusters) if cause.clusters else ""),
            cell(count_text(objects), Tone.DIM),
            cell(age_text(now - cause.since) if cause.since else "", Tone.DIM),
            cell(trend_text(trend), Tone.FAILED if trend.is_spreading else Tone.DIM),
            cell(age_text(now - seen) if seen else "", Tone.DIM),
            cell(cause.state.value, tone),
            cell(value or hits_text(self.fleet.index, cause), Tone.DIM),
            cell(flat_text(cause.message)),
        )
        members = sorted(cause.findings, key=lambda f: (*f.order, f.top))
        return BoardRow(
            f"{value}/{cause.fingerprint}",
            cells,
            cause.root,
            opens=lambda: Members(self.fleet, why, tuple(members)),
        )


@dataclass(frozen=True, slots=True)
class Muted:
    """Causes that a person does not want to see for a while; the next to come back first."""

    fleet: FleetPort
    board: CauseBoard
    mutes: Mutes
    title: str = "muted causes"
    empty: str = "no cause is muted"
    columns: Sequence[Column] = (
        Column("what", "CAUSE", 26, 70, 0),
        Column("until", "ENDS IN", 7, 9, 1, is_right=True),
        Column("since", "MUTED", 7, 9, 4, is_right=True),
        Column("state", "NOW", 8, 12, 3),
        Column("why", "REASON", 16, 120, 2),
    )

    def rows(self) -> Sequence[BoardRow]:
        """Return mutes that hold now."""
        now = self.fleet.now()
        causes = {cause.fingerprint: cause for cause in self.board.causes()}
        found = sorted(self.mutes.active(now).values(), key=lambda mute: mute.until)
        return [self._row(mute, causes.get(mute.fingerprint), now) for mute in found]

    @staticmethod
    def _row(mute: Mute, cause: Cause | None, now: int) -> BoardRow:
        cells = (
            cell(flat_text(mute.title) or mute.fingerprint, Tone.STRONG),
            cell(age_text(mute.until - now)),
            cell(age_text(now - mute.since), Tone.DIM),
            cell(cause.state.value if cause is not None else "gone", Tone.DIM),
            cell(flat_text(mute.reason)),
        )
        root = cause.root if cause is not None else None
        return BoardRow(f"/{mute.fingerprint}", cells, root)


def hits_text(index: Index, cause: Cause) -> str:
    """Which region or environment most of what it hits is in, where labels tell."""
    for label in PLACES:
        values = label_values(index, cause, label)
        if set(values) - {UNLABELLED}:
            first, *others = values
            return f"{first} +{len(others)}" if others else first
    return next(iter(sorted({ref.context for ref in cause.tops})), "")


@dataclass(frozen=True, slots=True)
class Members:
    """Everything that one cause hits: the object at fault of each affected top."""

    fleet: FleetPort
    reason: str
    findings: Sequence[Finding]
    empty: str = "nothing is hit any more"
    columns: Sequence[Column] = (
        Column("top", "AFFECTED", 24, 50, 0),
        Column("root", "AT FAULT", 26, 60, 1),
        Column("since", "SINCE", 7, 8, 2, is_right=True),
        Column("context", "CONTEXT", 12, 30, 4),
        Column("message", "MESSAGE", 24, 200, 3),
    )

    @property
    def title(self) -> str:
        """The reason that they share."""
        return f"causes › {self.reason}"

    def rows(self) -> Sequence[BoardRow]:
        """Return the findings."""
        now = self.fleet.now()
        index = self.fleet.index
        rows = []
        for place, finding in enumerate(self.findings):
            signal = finding.signal
            cells = (
                ref_cell(index, finding.top),
                ref_cell(index, finding.root),
                cell(age_text(now - signal.since) if signal.since else "", Tone.DIM),
                cell(finding.top.context, Tone.DIM),
                cell(flat_text(signal.message)),
            )
            rows.append(BoardRow((place, finding.top), cells, finding.root))
        return rows


def ref_cell(index: Index, ref: ObjectRef) -> Cell:
    """An object by its reference, with its health when it is known."""
    row = index.get(ref)
    mark = Span("∅ ", Tone.FAILED)
    if row is not None:
        mark = Span(f"{GLYPHS[row.health]} ", VERDICT_TONES[row.health])
    return (mark, Span(f"{ref.kind}/", Tone.DIM), Span(ref.name))


def root_cell(index: Index, ref: ObjectRef, state: CauseState) -> Cell:
    """What is at fault, with the sign of its trouble where its health does not say it."""
    row = index.get(ref)
    glyph, tone = STATE_SIGNS[state]
    says_more = row is None or GLYPHS[row.health] != glyph
    sign = (Span(f"{glyph} ", tone),) if says_more else ()
    return (*sign, *ref_cell(index, ref))


def explanation_lines(
    index: Index, findings: Sequence[Finding], *, now: int, width: int
) -> list[Line]:
    """Why one object is not well, best explanation first, each with its way down."""
    lines: list[Line] = []
    for finding in findings:
        signal = finding.signal
        glyph, tone = STATE_SIGNS[signal.state]
        since = f" for {age_text(now - signal.since)}" if signal.since else ""
        lines.append(
            spans_line(
                Span(f"{glyph} {signal.state.value}", tone),
                Span(f"  {signal.condition} {signal.reason}".rstrip(), Tone.STRONG),
                Span(since, Tone.DIM),
            )
        )
        for depth, ref in enumerate(finding.path):
            branch = "  " * depth + ("└ " if depth else "  ")
            target = ref if index.get(ref) is not None else None
            lines.append(spans_line(Span(branch, Tone.DIM), *ref_cell(index, ref), target=target))
        if signal.missing is not None:
            lines.append(text_line(f"  {safe_text(str(signal.missing))} is missing", Tone.FAILED))
        lines += paragraph(signal.message, width, indent=2) if signal.message else ()
        lines.append(text_line())
    return lines
