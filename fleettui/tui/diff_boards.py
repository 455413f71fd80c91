"""Drift as boards: appliers with what is told and found; below each its objects.

Knows the drift of a fleet as far as it is compared; knows no widget and compares
nothing itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fleettui.desired.desired_diff import DesiredDiff
from fleettui.desired.object_diff import DIFFERENT, FAILED, Change, ObjectDiff
from fleettui.desired.objects import ObjectId
from fleettui.fleet.drift import DriftBoard, DriftRow, Signal, short_revision
from fleettui.kinds.record import ObjectRef
from fleettui.tui.boards import BoardRow
from fleettui.tui.cause_board import ref_cell
from fleettui.tui.cells import flat_text
from fleettui.tui.diff_text import SIGNS
from fleettui.tui.layout import Column
from fleettui.tui.lines import Cell, Span, cell
from fleettui.tui.ports import FleetPort
from fleettui.tui.theme import Tone

_SIGNAL_TONES = {
    Signal.DRIFTED: Tone.FAILED,
    Signal.NOT_APPLIED: Tone.FAILED,
    Signal.BEHIND: Tone.PROGRESS,
    Signal.SUSPENDED: Tone.PAUSED,
    Signal.SOURCE_FAILING: Tone.STALLED,
}

Progress = Callable[[], tuple[int, int]]
"""How many appliers are compared, of how many that were asked for."""


def counts_cell(diff: DesiredDiff | None, *, is_running: bool) -> Cell:
    """What a comparison found, deletions first."""
    if diff is None:
        return cell("comparing …" if is_running else "", Tone.PROGRESS)
    if diff.error:
        return cell("not compared", Tone.UNKNOWN)
    counts = diff.counts
    spans: list[Span] = []
    for change in Change:
        if counts[change] and change is not Change.UNCHANGED:
            sign, tone = SIGNS[change]
            spans.append(Span(f"{sign}{counts[change]} {change.value} ", tone))
    if not spans and not diff.is_partial:
        return cell("as in git", Tone.CURRENT)
    if diff.is_partial:
        spans.append(Span("in part", Tone.UNKNOWN))
    return tuple(spans)


@dataclass(frozen=True, slots=True)
class DriftList:
    """Appliers and their drift: all of the fleet, or those of one object."""

    fleet: FleetPort
    drift: DriftBoard
    opens: Callable[[ObjectRef], "AppliedList"]
    progress: Progress
    running: Callable[[ObjectRef], bool]
    only: frozenset[ObjectRef] | None = None
    """Show these alone, also where there is nothing to tell; None: all with news."""
    name: str = "drift"
    more: Callable[[], None] = lambda: None
    """Told that the rows were looked at anew: what came since may be compared."""
    empty: str = "nothing tells of drift, as far as it has been read and compared"
    columns: Sequence[Column] = (
        Column("object", "APPLIER", 30, 56, 0),
        Column("found", "OBJECTS", 22, 60, 1),
        Column("told", "TOLD", 24, 120, 2),
        Column("namespace", "NAMESPACE", 14, 30, 3),
        Column("context", "CONTEXT", 12, 30, 4),
    )

    @property
    def title(self) -> str:
        """What it is and how far it is compared."""
        done, asked = self.progress()
        if not asked:
            return self.name
        stops = ", esc stops" if done < asked and self.only is None else ""
        return f"{self.name}  compared {done}/{asked}{stops}"

    def rows(self) -> Sequence[BoardRow]:
        """Return the appliers, worst first."""
        self.drift.refresh(self.fleet.index)
        self.more()
        only = self.only
        found = self.drift.rows(quiet=only is not None)
        return [self._row(row) for row in found if only is None or row.ref in only]

    def _row(self, row: DriftRow) -> BoardRow:
        told = [
            Span(f"{told.signal.value}: {flat_text(told.text)}  ", _SIGNAL_TONES[told.signal])
            for told in row.signals
        ]
        if row.diff is not None and row.diff.error:
            told.insert(0, Span(f"{flat_text(row.diff.error)}  ", Tone.UNKNOWN))
        ref = row.ref
        cells = (
            ref_cell(self.fleet.index, ref),
            counts_cell(row.diff, is_running=self.running(ref)),
            tuple(told),
            cell(ref.namespace, Tone.DIM),
            cell(ref.context, Tone.DIM),
        )
        return BoardRow(ref, cells, ref, opens=lambda: self.opens(ref))


@dataclass(frozen=True, slots=True)
class AppliedList:
    """What one applier's next sync would do, object by object."""

    applier: ObjectRef
    drift: DriftBoard
    reads: Callable[[ObjectRef, ObjectId], None]
    """Opens the difference of one object."""
    running: Callable[[ObjectRef], bool]
    tells: Callable[[str], None]
    """Shows a text that is too long for its line."""
    columns: Sequence[Column] = (
        Column("change", "CHANGE", 12, 13, 0),
        Column("object", "OBJECT", 30, 70, 1),
        Column("fields", "FIELDS", 20, 80, 2),
        Column("commit", "COMMIT", 20, 46, 3),
        Column("file", "FILE", 16, 80, 4),
    )

    @property
    def _diff(self) -> DesiredDiff | None:
        return self.drift.diffs.get(self.applier)

    @property
    def title(self) -> str:
        """The applier, and the revision it is compared with."""
        diff = self._diff
        name = f"drift › {self.applier.kind}/{self.applier.name}"
        if diff is None or self.running(self.applier):
            return f"{name}  comparing …" if self.running(self.applier) else name
        wanted = "" if diff.wanted in ("current", "") else f", {diff.wanted}"
        revision = short_revision(diff.revision) or diff.wanted
        return f"{name} at {revision} ({diff.mode.value}{wanted})"

    @property
    def empty(self) -> str:
        """Why there are no rows."""
        is_running = self.running(self.applier)
        return "comparing with git …" if is_running else "nothing is rendered from git"

    def rows(self) -> Sequence[BoardRow]:
        """Return objects, deletions first; what went wrong before them, notes after them."""
        diff = self._diff
        if diff is None:
            return []
        wrong = [(f"not compared: {diff.error}", Tone.FAILED)] if diff.error else []
        wrong += [(diff.hint, Tone.DIM)] if diff.error and diff.hint else []
        notes = [(f"note: {note}", Tone.DIM) for note in diff.notes]
        return [
            *(self._text_row(text, tone) for text, tone in wrong),
            *(self._row(item, diff) for item in diff.objects),
            *(self._text_row(text, tone) for text, tone in notes),
        ]

    def _text_row(self, text: str, tone: Tone) -> BoardRow:
        """A line in words; ``enter`` shows all of it."""
        cells = ((), cell(flat_text(text), tone), (), (), ())
        return BoardRow(("text", text), cells, shows=lambda: self.tells(text))

    def _row(self, item: ObjectDiff, diff: DesiredDiff) -> BoardRow:
        sign, tone = SIGNS[item.change]
        behind = diff.provenance.get(item.source)
        commit = behind.commit if behind is not None else None
        who = f"{commit.sha[:8]} {commit.author} {commit.authored_at.date()}" if commit else ""
        identity = item.id
        ref = ObjectRef(
            self.applier.context,
            identity.group,
            identity.kind,
            identity.namespace,
            identity.name,
        )
        cells = (
            cell(f"{sign} {item.change.value}", tone),
            (Span(f"{identity.kind}/", Tone.DIM), Span(place_of(identity))),
            cell(item.reason or fields_of(item), Tone.DIM if not item.reason else tone),
            cell(who, Tone.DIM),
            cell(item.source, Tone.DIM),
        )
        return BoardRow(
            identity,
            cells,
            ref,
            shows=lambda: self.reads(self.applier, identity),
            is_faded=item.change not in DIFFERENT | FAILED,
        )


def place_of(identity: ObjectId) -> str:
    """Where an object is: ``namespace/name``."""
    return f"{identity.namespace}/{identity.name}" if identity.namespace else identity.name


def fields_of(item: ObjectDiff) -> str:
    """The fields that differ: the first, and how many more."""
    if not item.hunks:
        return ""
    more = f" +{len(item.hunks) - 1}" if len(item.hunks) > 1 else ""
    return f"{item.hunks[0].path_text}{more}"
