"""The way of a new cluster from the merged commit to ready nodes, step by step.

Knows which objects stand for which step and which of their moments say when it was done;
refuses to know clocks. A step is done when its own objects say so, whatever the Cluster's
summary says (domain.md rules 2-5). The moment of a fetch after the Cluster was made is
another commit's and is not told.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from fleettui.index.bags import rows_of
from fleettui.index.index import Index
from fleettui.index.joins import Joins
from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef, Verdict
from fleettui.kinds.spec import Role

YOUNG_S: Final = 24 * 3600
"""A cluster is still being made for so long, unless every step is done."""
_BAD: Final = frozenset({Verdict.FAILED, Verdict.STALLED})
_WORKER_ROLES: Final = frozenset({Role.WORKERS, Role.MACHINE_POOL})


class Progress(StrEnum):
    """How far one step is."""

    DONE = "done"
    BUSY = "busy"
    FAILED = "failed"
    WAITING = "waiting"
    """Its turn has not come."""
    ABSENT = "absent"
    """Nothing of the kind belongs to this cluster, as far as is known."""


@dataclass(frozen=True, slots=True)
class BirthStep:
    """One step and its moment."""

    name: str
    progress: Progress
    at: int = 0
    """When it was done, or since when it is as it is, Unix seconds; 0 unknown."""
    words: str = ""
    """Revision, counts or reason; raw text."""
    ref: ObjectRef | None = None
    """The object that decides the step; the first bad or unfinished one of several."""


@dataclass(frozen=True, slots=True)
class Birth:
    """All steps in order."""

    steps: tuple[BirthStep, ...]

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to wait for."""
        return all(step.progress in (Progress.DONE, Progress.ABSENT) for step in self.steps)

    @property
    def current(self) -> BirthStep | None:
        """The first step that is not done; None when all are."""
        unfinished = (Progress.BUSY, Progress.FAILED, Progress.WAITING)
        return next((step for step in self.steps if step.progress in unfinished), None)


def is_being_made(row: Row, now: int) -> bool:
    """Whether a Cluster is new, or never had a control plane."""
    if row.spec.role is not Role.CLUSTER or row.is_deleting:
        return False
    return now - row.created_at < YOUNG_S or not _moment_of(row, "ControlPlaneInitialized")


def birth_of(index: Index, cluster: Row, *, joins: Joins | None = None) -> Birth:
    """Return the steps of a Cluster.

    Args:
        index: holds the row.
        cluster: a Cluster's row.
        joins: of this index; without them appliers that deploy into the cluster are no
            add-ons, and it costs the cluster's own neighbours only.
    """
    if joins is not None:
        joins.refresh()
    # Who made an object is told by its own pointers: that needs no tables.
    found = [*_commit_steps(index, cluster, joins or Joins(index))]
    kids = list(rows_of(cluster.kids))
    infrastructure = [kid for kid in kids if kid.spec.role is Role.INFRA_CLUSTER]
    planes = [kid for kid in kids if kid.spec.role is Role.CONTROL_PLANE]
    workers = [kid for kid in kids if kid.spec.role in _WORKER_ROLES]
    found += [
        _step("infrastructure", infrastructure, _moment_of(cluster, "InfrastructureReady")),
        _step("control plane", planes, _moment_of(cluster, "ControlPlaneInitialized")),
        _step("workers", workers, 0),
        _addons_step(cluster, joins),
    ]
    return Birth(tuple(_in_order(found)))


def _commit_steps(index: Index, cluster: Row, joins: Joins) -> Iterator[BirthStep]:
    makers = [join.row for join in joins.creators(cluster) if join.row is not None]
    applied = BirthStep("applied", Progress.DONE, cluster.created_at, ref=cluster.ref)
    if makers:
        maker = makers[0]
        source = next((e.target for e in index.edges(maker, "source") if e.target), None)
        if source is not None:
            at = _fetched_at(source)
            revision = source.fact("revision")
            if at > cluster.created_at:
                at, revision = 0, f"now at {revision}"
            yield BirthStep("source", Progress.DONE, at, revision, source.ref)
        words = f"{maker.kind} {maker.name}"
        applied = BirthStep("applied", Progress.DONE, cluster.created_at, words, maker.ref)
    yield applied


def _fetched_at(source: Row) -> int:
    return next((c.since for c in source.conditions if c.type == "ArtifactInStorage"), 0)


def _moment_of(row: Row, condition: str) -> int:
    """When a condition became true; 0 if it is not."""
    moments = [c.since for c in row.conditions if c.type == condition and c.status == "True"]
    return max(moments, default=0)


def _addons(cluster: Row) -> Iterator[Row]:
    yield from (kid for kid in rows_of(cluster.kids) if kid.spec.role is Role.ADDON)
    for source in rows_of(cluster.inbound):
        if source.spec.role is Role.ADDON and source.parent is not cluster:
            yield source


def _addons_step(cluster: Row, joins: Joins | None) -> BirthStep:
    """The step of add-ons; says so when some belong to the cluster by a name only."""
    targeted = joins.targeted_by(cluster) if joins is not None else []
    rows = [*_addons(cluster), *(join.row for join in targeted if join.row is not None)]
    step = _step("add-ons", rows, 0)
    if not any(join.doubt for join in targeted):
        return step
    return replace(step, words=_told(step.words, "by name only, unverified"))


def _step(name: str, rows: Sequence[Row], told_at: int) -> BirthStep:
    """One step from the objects that stand for it.

    Args:
        name: of the step.
        rows: its objects.
        told_at: when the Cluster says that it was done; 0 if it does not.
    """
    if not rows:
        progress = Progress.DONE if told_at else Progress.ABSENT
        return BirthStep(name, progress, told_at)
    counts = _counts(rows)
    bad = next((row for row in rows if row.health in _BAD), None)
    if bad is not None:
        return BirthStep(name, Progress.FAILED, bad.since, _told(counts, bad.reason), bad.ref)
    late = next((row for row in rows if not _is_ready(row)), None)
    if late is not None:
        at = late.since or late.created_at
        return BirthStep(name, Progress.BUSY, at, _told(counts, late.reason), late.ref)
    at = told_at or max(row.told_since or row.created_at for row in rows)
    return BirthStep(name, Progress.DONE, at, counts, rows[0].ref)


def _is_ready(row: Row) -> bool:
    if row.health is not Verdict.CURRENT:
        return False
    counters = row.replicas
    return counters is None or counters.desired < 0 or counters.ready >= counters.desired


def _counts(rows: Iterable[Row]) -> str:
    counters = [row.replicas for row in rows if row.replicas is not None]
    known = [c for c in counters if c.desired >= 0]
    if not known:
        return ""
    return f"{sum(max(c.ready, 0) for c in known)}/{sum(c.desired for c in known)}"


def _told(counts: str, reason: str) -> str:
    return " ".join(text for text in (counts, reason) if text)


def _in_order(steps: Sequence[BirthStep]) -> Iterator[BirthStep]:
    """Yield the steps; what is not done behind one that is not done waits for its turn."""
    is_open = True
    for step in steps:
        if not is_open and step.progress is Progress.BUSY:
            yield BirthStep(step.name, Progress.WAITING, 0, step.words, step.ref)
        else:
            yield step
        is_open = is_open and step.progress in (Progress.DONE, Progress.ABSENT)
