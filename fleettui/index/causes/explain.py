"""The deepest causes under one top row.

Works by structure: what an object points at or owns explains it; what itself has
an explanation is a consequence. Inside a cluster the order in which clusters come
into being decides: infrastructure before control plane before workers.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

from fleettui.index.causes.fingerprint import abstract, fingerprint
from fleettui.index.causes.hands import made_by_hand
from fleettui.index.causes.machine_parts import is_born, is_left_over
from fleettui.index.causes.signal import CauseState, Signal
from fleettui.index.causes.signals import strongest
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import Flag, ObjectRef, Verdict
from fleettui.kinds.spec import Role

EXPLAINING: Final = frozenset(
    {
        "infrastructure",
        "control_plane",
        "bootstrap",
        "template",
        "class",
        "source",
        "includes",
        "chart",
        "depends_on",
        "applies",
        "manages",
        "cloud_owner",
        "claim",
        "pool",
        "provider",
        "node_host",
        "mounts",
        "image",
        "resource_sets",
    }
)
"""Relations whose target can be why the pointing object is not well."""
NEEDED_WHEN_SICK: Final = frozenset(
    {"applies", "depends_on", "source", "includes", "chart", "resource_sets"}
)
"""Relations that explain nothing as long as the pointing object itself is well."""
_BARREN_ROLES: Final = frozenset({Role.SOURCE, Role.CLASS, Role.POLICY, Role.INVENTORY, Role.IMAGE})
"""Roles whose home children use them; their troubles are not this object's."""
TELLING: Final = 50
"""Weight from which on a reason explains what fails elsewhere; below stands what was only
left undone about an object that is as well as before."""
SLICE_ROWS: Final = 8
"""Rows looked at between two chances to pause."""
SLICE_SIGNALS: Final = 16
MAX_ROWS: Final = 4096
"""Rows looked at for one top; a larger subtree is looked at in part, its sick branches first."""
_STATE_ORDER: Final = {state: place for place, state in enumerate(CauseState)}
_UNFINISHED: Final = frozenset({Verdict.IN_PROGRESS, Verdict.UNKNOWN})
"""Of a dependency: whoever depends on it is not reconciled, whatever that one says."""
_WORKER_ROLES: Final = frozenset({Role.WORKERS, Role.MACHINE_SET, Role.MACHINE_POOL})


@dataclass(frozen=True, slots=True)
class Finding:
    """One explanation of one top row."""

    top: ObjectRef
    root: ObjectRef
    """The deepest object at fault; may be one that does not exist."""
    root_kind: str
    signal: Signal
    path: tuple[ObjectRef, ...]
    """From the top to the root, both included."""
    consequences: tuple[ObjectRef, ...]
    """Objects that are not well only because of the root."""
    fingerprint: str = ""
    """Equal for equal troubles of different objects."""
    layer: int = 1
    """0 for what runs everything else: controllers and their webhooks."""

    @property
    def order(self) -> tuple[int, int, int, int]:
        """Sorts findings of one top, best explanation first."""
        signal = self.signal
        return (
            _STATE_ORDER[signal.state],
            0 if signal.is_hard else 1,
            -signal.weight,
            signal.since or 1 << 40,
        )


def explain(index: Index, top: Row, now: int) -> list[Finding]:
    """Explanations of why a row is not well, best first; empty when nothing is wrong."""
    work = explaining(index, top, now)
    while True:
        try:
            next(work)
        except StopIteration as done:
            found: list[Finding] = done.value
            return found


def explaining(index: Index, top: Row, now: int) -> Generator[None, None, list[Finding]]:
    """Does as ``explain``, pausing between slices; the index may be written to meanwhile."""
    case = _Case(index, top, now)
    yield from case.collecting()
    return (yield from case.finding())


class _Case:
    """One top row being explained."""

    def __init__(self, index: Index, top: Row, now: int) -> None:
        self._index = index
        self._top = top
        self._now = now
        self._rows: dict[Row, Row | None] = {}
        self._signals: dict[Row, Signal] = {}
        self._below: dict[Row, list[Row]] = {}
        self._above: dict[Row, dict[Row, bool]] = {}
        self._before: dict[tuple[Row, bool, bool], list[Row]] = {}

    def collecting(self) -> Iterator[None]:
        """Finds every row that may explain the top, with the row it was reached from."""
        queue: list[Row] = [self._top]
        self._rows[self._top] = None
        for count, row in enumerate(queue, 1):
            if count % SLICE_ROWS == 0:
                yield
            signal = strongest(self._index, row, self._now)
            if signal is not None and self._matters(row, signal):
                self._signals[row] = signal
            if len(queue) > MAX_ROWS:
                continue
            neighbours = list(self._neighbours(row, is_well=signal is None))
            self._below[row] = neighbours
            for neighbour in neighbours:
                if neighbour not in self._rows:
                    self._rows[neighbour] = row
                    queue.append(neighbour)

    def _neighbours(self, row: Row, *, is_well: bool) -> Iterator[Row]:
        if row.spec.role not in _BARREN_ROLES:
            yield from self._index.children(row)
        if row.spec.role is Role.ADDON:
            yield from made_elsewhere(self._index, row)
        if row.spec.role is Role.CONTROL_PLANE:
            yield from made_by_hand(self._index, row)
        for edge in self._index.edges(row):
            if edge.target is None or edge.relation not in EXPLAINING:
                continue
            if is_well and edge.relation in NEEDED_WHEN_SICK:
                continue
            yield edge.target

    def _matters(self, row: Row, signal: Signal) -> bool:
        """Old MachineSets without replicas and what nobody took over explain nothing."""
        if row.is_deleting:
            return True
        replicas = row.replicas
        is_empty = replicas is not None and replicas.desired == 0 and replicas.current <= 0
        if row.spec.role is Role.MACHINE_SET and is_empty:
            return False
        return not is_left_over(self._index, row)

    # -- who is a consequence of whom ---------------------------------------------------------

    def finding(self) -> Generator[None, None, list[Finding]]:
        """Tells the undominated candidates as findings, best first."""
        roots = yield from self._roots()
        consequences: dict[Row, list[ObjectRef]] = {row: [] for row in roots}
        for count, other in enumerate(self._signals, 1):
            if count % SLICE_SIGNALS == 0:
                yield
            for row in self._explainers(other):
                if row in consequences:
                    consequences[row].append(other.ref)
        found = []
        for count, (row, signal) in enumerate(roots.items(), 1):
            if count % SLICE_SIGNALS == 0:
                yield
            found.append(self._finding(row, signal, consequences[row]))
        return sorted(found, key=lambda finding: finding.order)

    def _roots(self) -> Generator[None, None, dict[Row, Signal]]:
        explained: dict[Row, set[Row]] = {}
        for count, row in enumerate(self._signals, 1):
            if count % SLICE_SIGNALS == 0:
                yield
            above = self._explainers(row)
            explained[row] = {o for o, is_above in above.items() if self._wins(o, row, is_above)}
        roots = {row: s for row, s in self._signals.items() if not explained[row]}
        # A circle of dependsOn explains itself: each member is dominated by the others.
        for row, by in sorted(explained.items(), key=lambda item: item[0].ref):
            if by and not any(self._reaches(row, root) for root in roots):
                roots[row] = self._signals[row]
        return roots

    def _reaches(self, row: Row, root: Row) -> bool:
        return row is root or root in self._explainers(row)

    def _explainers(self, row: Row) -> dict[Row, bool]:
        """Rows that may explain the row, and whether each only stands above it and pauses it."""
        known = self._above.get(row)
        if known is not None:
            return known
        seen: dict[Row, bool] = {}
        self._above[row] = seen
        queue = [*self._below.get(row, ()), *self._earlier(row)]
        for other in queue:
            if other in seen or other is row:
                continue
            seen[other] = False
            queue.extend(self._below.get(other, ()))
            queue.extend(self._earlier(other))
        above = row.parent
        while above is not None:
            if above.is_paused and above not in seen:
                seen[above] = True
            above = above.parent
        return seen

    def _earlier(self, row: Row) -> list[Row]:
        """What comes before the row in the making of its cluster."""
        cluster = self._cluster_of(row)
        if cluster is None or row is cluster:
            return []
        branch = self._branch_of(row, cluster)
        signal = self._signals.get(row)
        role = row.spec.role
        if branch is not None and (not is_born(cluster) or (signal and not signal.is_hard)):
            role = branch.spec.role  # a worker's parts wait as the worker does
        is_infra, is_worker = role is Role.INFRA_CLUSTER, role in _WORKER_ROLES
        key = (cluster, is_infra, is_worker)
        known = self._before.get(key)
        if known is None:
            known = self._before[key] = [
                child
                for child in self._index.children(cluster)
                if (child.spec.role is Role.INFRA_CLUSTER and not is_infra)
                or (child.spec.role is Role.CONTROL_PLANE and is_worker)
            ]
        return known

    def _cluster_of(self, row: Row) -> Row | None:
        at: Row | None = row
        while at is not None and at.spec.role is not Role.CLUSTER:
            at = at.parent
        return at

    def _wins(self, other: Row, row: Row, above: bool) -> bool:
        """Whether the other's reason explains the row's."""
        theirs, ours = self._signals.get(other), self._signals[row]
        if theirs is None:
            return False
        if ours.missing is not None:
            # What is missing to a set is missing to the deployment above it: told once, deepest.
            return theirs.missing == ours.missing and not above
        if ours.is_hard and ours.state is CauseState.PAUSED:
            return False
        if self._is_held_back(row, other):
            return True
        if above:
            return theirs.state is CauseState.PAUSED and ours.state is not CauseState.FAILING
        if ours.state is CauseState.DELETING:
            return theirs.state in (CauseState.DELETING, CauseState.FAILING)
        if not ours.is_hard:
            if theirs.is_hard and theirs.weight < TELLING and self._is_gitops(row):
                return theirs.state is not CauseState.FAILING
            sums_up = row.spec.role is Role.CLUSTER and theirs.state is ours.state
            return theirs.weight >= 25 or sums_up or theirs.state is CauseState.PAUSED
        if self._is_gitops(row):
            if theirs.state is CauseState.PAUSED:
                return self._waits_for_paused(row, other)
            if other.health in _UNFINISHED and self._depends_on(row, other):
                return True
            if other.flags & Flag.ABSENT_STATUS and self._points_at(row, other, "source"):
                return True  # nothing was ever fetched that it could apply
            if theirs.state is not CauseState.FAILING or not theirs.is_hard:
                return False
            return theirs.weight >= TELLING
        return theirs.is_hard and theirs.state is not CauseState.PAUSED and theirs.weight >= 40

    def _waits_for_paused(self, row: Row, other: Row) -> bool:
        """Whether the row depends on a paused one that has not reached its source's revision.

        Source: kustomize-controller waits until a dependency with the same source is at
        the revision that the dependant is to apply.
        """
        if not self._depends_on(row, other):
            return False
        theirs = {edge.target for edge in self._index.edges(other, "source")}
        for edge in self._index.edges(row, "source"):
            source = edge.target
            if source is not None and source in theirs:
                return source.fact("revision") != other.fact("revision")
        return False

    def _depends_on(self, row: Row, other: Row) -> bool:
        return self._points_at(row, other, "depends_on")

    def _points_at(self, row: Row, other: Row, relation: str) -> bool:
        return any(edge.target is other for edge in self._index.edges(row, relation))

    def _is_held_back(self, row: Row, other: Row) -> bool:
        """Whether the row cannot go on before the other does, whatever the row says itself.

        A cluster's first infrastructure comes before everything, its first control plane
        before every worker; workers are not created while the control plane is not stable
        (MachineSet preflight checks).
        """
        cluster = self._cluster_of(row)
        if cluster is None or row is cluster or self._cluster_of(other) is not cluster:
            return False
        branch = self._branch_of(other, cluster)
        ours = self._branch_of(row, cluster)
        if branch is None or ours is None or branch is ours:
            return False
        if branch.spec.role is Role.INFRA_CLUSTER:
            return not is_born(cluster)
        if branch.spec.role is not Role.CONTROL_PLANE or ours.spec.role not in _WORKER_ROLES:
            return False
        return row.spec.role in _WORKER_ROLES or not is_born(cluster)

    @staticmethod
    def _branch_of(row: Row, cluster: Row) -> Row | None:
        """The child of the cluster that the row hangs below, or is."""
        at: Row | None = row
        while at is not None and at.parent is not cluster:
            at = at.parent
        return at

    @staticmethod
    def _is_gitops(row: Row) -> bool:
        return row.spec.role in (Role.APPLIER, Role.SOURCE)

    # -- telling ---------------------------------------------------------------------------

    def _finding(self, row: Row, signal: Signal, consequences: list[ObjectRef]) -> Finding:
        path = [row.ref]
        at = self._rows[row]
        while at is not None:
            path.append(at.ref)
            at = self._rows[at]
        path.reverse()
        return Finding(
            self._top.ref,
            row.ref,
            row.kind,
            signal,
            tuple(path),
            tuple(ref for ref in consequences if ref != row.ref),
            _fingerprint(row, signal, path),
            0 if row.spec.role in (Role.CONTROLLER, Role.INVENTORY) else 1,
        )


def _fingerprint(row: Row, signal: Signal, path: list[ObjectRef]) -> str:
    if signal.state is CauseState.PAUSED:
        abstracted = signal.condition
    else:
        names = sorted({ref.name for ref in path}, key=len, reverse=True)
        abstracted = abstract(signal.message, tuple(names))
    return fingerprint(signal.state.value, row.kind, signal.condition, signal.reason, abstracted)


def made_elsewhere(index: Index, row: Row) -> Iterator[Row]:
    """What the row owns though it stands elsewhere: an add-on's part in each cluster."""
    for edge in index.reverse(row, "owner"):
        if edge.target is not None and edge.target.parent is not row:
            yield edge.target


def is_top(row: Row) -> bool:
    """Whether people look at such an object by itself, wherever it hangs.

    What hangs below something whose users are no part of it is one as well.
    """
    if row.spec.role in (Role.CLUSTER, Role.APPLIER, Role.SOURCE, Role.CLOUD_CLUSTER):
        return True
    return row.parent is not None and row.parent.spec.role in _BARREN_ROLES
