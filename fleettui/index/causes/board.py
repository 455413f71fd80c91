"""All causes of the fleet, merged by fingerprint and ranked.

Knows which tops have to be explained again after a change; costs what changed.
One reader of the index with a cursor of its own; long work comes in slices.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fleettui.index.causes.explain import EXPLAINING, Finding, explain, tops
from fleettui.index.causes.fingerprint import abstract, fingerprint
from fleettui.index.causes.signals import DANGLING_RELATIONS, CauseState
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import Flag, ObjectRef, Verdict
from fleettui.kinds.spec import Role

SLICE_TOPS = 16
"""Tops explained between two chances to pause."""
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

    @property
    def affected(self) -> list[ObjectRef]:
        """Tops that are not well because of it, in order."""
        return sorted({finding.top for finding in self.findings})

    @property
    def roots(self) -> list[ObjectRef]:
        """Every object at fault, in order."""
        return sorted({finding.root for finding in self.findings})

    @property
    def clusters(self) -> int:
        """How many Cluster API clusters are affected."""
        return sum(1 for ref in self.affected if ref.kind == "Cluster")

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
        self._findings: dict[ObjectRef, list[Finding]] = {}

    def refresh(self, now: int) -> None:
        """Brings every explanation up to date at once."""
        for _ in self.work(now):
            pass

    def work(self, now: int) -> Iterator[None]:
        """Brings explanations up to date, pausing between slices."""
        change = self._index.changes(self._cursor)
        if change.is_empty:
            return
        if change.reset or change.coverage or change.roots:
            found = self._suspects(now)
            self._findings.clear()
        else:
            rows = {*change.dirty, *change.added}
            found = list(self._tops_of(rows))
            for ref in change.removed.values():
                self._findings.pop(ref, None)
            for row in change.structure:
                found.append(row)
        for count, row in enumerate(found, 1):
            self._explain(row, now)
            if count % SLICE_TOPS == 0:
                yield

    def _explain(self, row: Row, now: int) -> None:
        if row.is_gone:
            return
        findings = explain(self._index, row, now)
        if findings:
            self._findings[row.ref] = findings
        else:
            self._findings.pop(row.ref, None)

    def _suspects(self, now: int) -> list[Row]:
        return [row for row in tops(self._index) if self._is_suspect(row)]

    def _is_suspect(self, row: Row) -> bool:
        rollup = self._index.rollup(row)
        if rollup.total != rollup.current or rollup.paused or rollup.deleting:
            return True
        return row.is_paused or self._has_hidden_trouble(row)

    def _has_hidden_trouble(self, row: Row) -> bool:
        """Green all over, yet something points at nothing or stopped observing."""
        if row.flags & (Flag.STALE_GENERATION | Flag.ABSENT_STATUS | Flag.EXTERNAL):
            return True
        for edge in self._index.edges(row):
            if edge.target is None:
                if edge.relation in DANGLING_RELATIONS:
                    return True
            elif edge.relation in EXPLAINING and not _is_well(edge.target):
                return True
        return any(self._has_hidden_trouble(child) for child in self._index.children(row))

    def _tops_of(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Tops whose explanation may have changed with these rows."""
        seen: set[Row] = set()
        for row in rows:
            near = [row, *(e.target for e in self._index.reverse(row) if e.target is not None)]
            for other in near:
                top = _top_of(other)
                if top not in seen:
                    seen.add(top)
                    yield top

    # -- reading ------------------------------------------------------------------------------

    def explain(self, ref: ObjectRef) -> list[Finding]:
        """Explanations of one top, best first."""
        return self._findings.get(ref, [])

    def causes(self, only: Iterable[ObjectRef] | None = None) -> list[Cause]:
        """Causes, ranked: worst state, most clusters and objects, longest.

        Args:
            only: tops to tell about; None: all.
        """
        chosen = self._findings if only is None else {r: self.explain(r) for r in only}
        merged: dict[str, Cause] = {}
        for findings in chosen.values():
            for finding in findings:
                _merge(merged, finding)
        for cause in merged.values():
            cause.findings.sort(key=lambda f: (*f.order, f.top))
            first = cause.findings[0]
            cause.root, cause.message = first.root, first.signal.message
            known = [f.signal.since for f in cause.findings if f.signal.since]
            cause.since = min(known, default=0)
        return sorted(merged.values(), key=_rank)


def _is_well(row: Row) -> bool:
    return row.health is Verdict.CURRENT and not row.is_paused


def _top_of(row: Row) -> Row:
    at: Row | None = row
    while at is not None:
        if at.spec.role in (Role.CLUSTER, Role.APPLIER, Role.SOURCE, Role.CLOUD_CLUSTER):
            return at
        at = at.parent
    return row.root


def _rank(cause: Cause) -> tuple[int, int, int, int, str]:
    hard = 0 if any(finding.signal.is_hard for finding in cause.findings) else 1
    return (
        _STATE_ORDER[cause.state],
        hard,
        -len(cause.affected),
        cause.since or 1 << 40,
        cause.fingerprint,
    )


def _merge(merged: dict[str, Cause], finding: Finding) -> None:
    signal = finding.signal
    names = {ref.name for ref in (*finding.path, finding.root)}
    abstracted = abstract(signal.message, tuple(sorted(names, key=len, reverse=True)))
    kind = finding.root.kind
    if signal.state is CauseState.PAUSED:
        abstracted = signal.condition
    key = fingerprint(signal.state.value, kind, signal.condition, signal.reason, abstracted)
    cause = merged.get(key)
    if cause is None:
        merged[key] = cause = Cause(
            key,
            signal.state,
            finding.root,
            signal.condition,
            signal.reason,
            signal.message,
            signal.since,
        )
    cause.findings.append(finding)
