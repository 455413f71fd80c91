"""All causes of the fleet, merged by fingerprint and ranked.

Knows which tops have to be explained again after a change; costs what changed.
One reader of the index with a cursor of its own; long work comes in slices.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fleettui.index.causes.broken import broken_scopes
from fleettui.index.causes.explain import Finding, explaining
from fleettui.index.causes.lag import Lag
from fleettui.index.causes.neglect import PATIENCE_S
from fleettui.index.causes.running import WATCHED, is_troubled
from fleettui.index.causes.signal import CauseState
from fleettui.index.causes.signals import FRESH_S
from fleettui.index.causes.suspects import YOUNG_FLAGS, Suspects, top_of
from fleettui.index.changes import Change
from fleettui.index.controllers import PATIENCE_S as REQUEST_S
from fleettui.index.controllers import is_pending
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.walking import pieces_of
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

SLICE_ROWS = 32
"""Rows looked at between two chances to pause."""
SLICE_TOPS = 256
SLICE_FINDINGS = 128
WATCH_S = 10
"""Between two looks at what no change tells of."""
_STATE_ORDER = {state: place for place, state in enumerate(CauseState)}


@dataclass(slots=True)
class Cause:
    """One trouble, wherever in the fleet it occurs. Texts are raw."""

    fingerprint: str
    state: CauseState
    root: ObjectRef
    """The object at fault of the example: the earliest finding."""
    condition: str
    reason: str
    message: str
    since: int
    findings: list[Finding] = field(default_factory=list)
    """The one that stands for all first, the others in no order."""
    tops: set[ObjectRef] = field(default_factory=set)
    layer: int = 1
    is_hard: bool = False

    @property
    def affected(self) -> list[ObjectRef]:
        """Tops that are not well because of it, in order."""
        return sorted(self.tops)

    @property
    def roots(self) -> list[ObjectRef]:
        """Every object at fault, in order."""
        return sorted({finding.root for finding in self.findings})

    @property
    def clusters(self) -> int:
        """How many Cluster API clusters are affected."""
        return sum(1 for top in self.tops if top.kind == "Cluster")

    @property
    def objects(self) -> int:
        """How many objects are not well because of it, the roots included."""
        touched = {ref for finding in self.findings for ref in finding.consequences}
        return len(touched | {finding.root for finding in self.findings})

    @property
    def example(self) -> Finding:
        """The finding that stands for all."""
        return self.findings[0]


class CauseBoard:
    """Keeps explanations of every top that is not well."""

    def __init__(self, index: Index) -> None:
        """Nothing is explained before ``refresh``."""
        self._index = index
        self._cursor = index.cursor()
        self._suspects = Suspects(index)
        self._findings: dict[ObjectRef, list[Finding]] = {}
        self._told: dict[Row, ObjectRef] = {}
        """Rows that have findings."""
        self._odd: set[Row] = set()
        self._due: dict[Row, None] = {}
        """Tops to explain, in order."""
        self._later: dict[Row, int] = {}
        """Rows to look at again, and when: what they lack is no trouble yet."""
        self._known: object = None
        self._watched_at = 0
        self._lag = Lag(index)
        self._beyond: dict[ObjectRef, list[Finding]] = {}
        """By top, what no row tells: kinds that cannot be served, controllers that act on
        nothing."""
        self._ranked: list[Cause] | None = []

    def refresh(self, now: int) -> None:
        """Brings every explanation up to date at once."""
        for _ in self.work(now):
            pass

    def work(self, now: int) -> Iterator[None]:
        """Brings explanations up to date, pausing between slices."""
        yield from self._note_changes(now)
        while self._due:
            row = next(iter(self._due))
            del self._due[row]
            yield from self._explain(row, now)
        if self._ranked is None:
            yield from self._rank()

    # -- what changed -------------------------------------------------------------------------

    def _note_changes(self, now: int) -> Iterator[None]:
        change = self._index.changes(self._cursor)
        if change.reset or (change.coverage and self._known != self._known_now()):
            self._known = self._known_now()
            yield from self._look_at_all(change, now)
            yield from self._watch(now)
            return
        self._forget(change)
        for count, row in enumerate((*change.dirty, *change.added, *change.structure), 1):
            yield from self._look(row, now)
            if count % SLICE_ROWS == 0:
                yield
        for row in [row for row, due in self._later.items() if due <= now]:
            self._later.pop(row, None)
            yield from self._look(row, now)
        if now - self._watched_at >= WATCH_S:
            self._watched_at = now
            yield from self._watch(now)

    def _watch(self, now: int) -> Iterator[None]:
        """Looks at controllers, whose silence no change tells, and at what cannot be read."""
        beyond: dict[ObjectRef, list[Finding]] = {}
        for finding in (*broken_scopes(self._index), *self._lag.findings(now)):
            beyond.setdefault(finding.top, []).append(finding)
        if beyond != self._beyond:
            self._beyond, self._ranked = beyond, None
        for row in [row for kind in WATCHED for row in self._index.rows(kind)]:
            if row in self._told or is_troubled(self._index, row, now):
                self._due[top_of(row)] = None
            yield

    def _known_now(self) -> object:
        """What decides whether a pointer at nothing is known to point at nothing."""
        coverage = self._index.coverage
        contexts = self._index.contexts()
        unloaded = {context: coverage.unloaded_kinds(context) for context in contexts}
        return unloaded, coverage.offers()

    def _forget(self, change: Change) -> None:
        for row, ref in change.removed.items():
            self._odd.discard(row)
            self._later.pop(row, None)
            self._due.pop(row, None)
            self._lag.forget(row)
            self._drop(row)
            change.dirty.update(self._index.sources(ref))

    def _drop(self, row: Row) -> None:
        ref = self._told.pop(row, None)
        if ref is not None:
            del self._findings[ref]
            self._ranked = None

    def _look_at_all(self, change: Change, now: int) -> Iterator[None]:
        self._forget(change)
        if change.reset:
            for row in [row for row in self._told if row.is_gone]:
                self._drop(row)
            self._odd = {row for row in self._odd if not row.is_gone}
        for row in self._told:
            self._due[row] = None
        for piece in pieces_of(self._index, size=SLICE_ROWS):
            for row in piece:
                yield from self._look(row, now, is_new=True)
            yield

    def _look(self, row: Row, now: int, *, is_new: bool = False) -> Iterator[None]:
        """Puts the tops of a row that is or was odd on the list; there may be thousands."""
        if row.is_gone:
            return
        self._lag.note(row, now, is_new=is_new)
        is_odd = self._suspects.is_odd(row)
        if is_odd:
            self._odd.add(row)
            if row.state.flags & YOUNG_FLAGS or row.spec.role is Role.ADDON:
                self._later.setdefault(row, now + PATIENCE_S)
            elif now - row.created_at < FRESH_S:
                self._later.setdefault(row, row.created_at + FRESH_S)
            elif is_pending(row):
                self._later.setdefault(row, now + REQUEST_S)
        elif row in self._odd:
            self._odd.discard(row)
        elif row not in self._told:
            return
        for count, top in enumerate(self._suspects.tops_of(row), 1):
            self._due[top] = None
            if count % SLICE_TOPS == 0:
                yield

    # -- explaining ---------------------------------------------------------------------------

    def _explain(self, row: Row, now: int) -> Iterator[None]:
        if row.is_gone:
            return
        findings = yield from explaining(self._index, row, now)
        ref = row.ref
        if findings and self._index.get(ref) is row:
            if self._findings.get(ref) != findings:
                self._ranked = None
            self._findings[ref] = findings
            self._told[row] = ref
        else:
            self._drop(row)

    def _rank(self) -> Iterator[None]:
        merged: dict[str, Cause] = {}
        count = 0
        for findings in [*self._findings.values(), *self._beyond.values()]:
            for finding in findings:
                count += 1
                _merge(merged, finding)
                if count % SLICE_FINDINGS == 0:
                    yield
        self._ranked = _sorted(merged)

    # -- reading ------------------------------------------------------------------------------

    def top_of(self, ref: ObjectRef) -> ObjectRef:
        """The object whose explanations cover this one; the object itself when unknown."""
        row = self._index.get(ref)
        return ref if row is None else top_of(row).ref

    def explain(self, ref: ObjectRef) -> list[Finding]:
        """Explanations of one top, best first."""
        found = self._findings.get(ref, [])
        return [*self._beyond[ref], *found] if ref in self._beyond else found

    def causes(self, only: Iterable[ObjectRef] | None = None) -> list[Cause]:
        """Causes, ranked: worst state, most clusters and objects, longest.

        Args:
            only: tops to tell about; None: all.
        """
        if only is None and self._ranked is not None:
            return self._ranked
        if only is None:
            chosen = [*self._findings.values(), *self._beyond.values()]
        else:
            chosen = [self.explain(ref) for ref in only]
        merged: dict[str, Cause] = {}
        for findings in chosen:
            for finding in findings:
                _merge(merged, finding)
        ranked = _sorted(merged)
        if only is None:
            self._ranked = ranked
        return ranked


def _sorted(merged: dict[str, Cause]) -> list[Cause]:
    return sorted(merged.values(), key=_place)


def _place(cause: Cause) -> tuple[int, int, int, int, int, str]:
    return (
        _STATE_ORDER[cause.state],
        cause.layer,
        0 if cause.is_hard else 1,
        -len(cause.tops),
        cause.since or 1 << 40,
        cause.fingerprint,
    )


def _merge(merged: dict[str, Cause], finding: Finding) -> None:
    signal = finding.signal
    cause = merged.get(finding.fingerprint)
    if cause is None:
        merged[finding.fingerprint] = cause = Cause(
            finding.fingerprint,
            signal.state,
            finding.root,
            signal.condition,
            signal.reason,
            signal.message,
            signal.since,
        )
    findings = cause.findings
    findings.append(finding)
    if (*finding.order, finding.top) < (*findings[0].order, findings[0].top):
        findings[0], findings[-1] = finding, findings[0]
        cause.root, cause.message = finding.root, signal.message
    cause.tops.add(finding.top)
    cause.layer = min(cause.layer, finding.layer)
    cause.is_hard |= signal.is_hard
    if signal.since:
        cause.since = min(cause.since or signal.since, signal.since)
