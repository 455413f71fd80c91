"""Where an object comes from and what depends on it, through every kind of pointer.

Knows which relations lead up (to what makes or decides an object) and down (to
what it makes or decides); refuses to guess: a step without a row tells what was
looked for and what speaks against it. Circles are told once and not followed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from fleettui.index.bags import rows_of
from fleettui.index.index import Index
from fleettui.index.joins import Join, Joins
from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

UP_RELATIONS: Final = ("source", "chart", "depends_on", "project", "class", "credentials")
"""Pointers at what an object is made from, waits for, or may do."""
ORIGIN_FACTS: Final = ("url", "path", "chart", "revision", "origin_revision", "attempted")
"""What of an applier or a source tells where its objects come from."""
REVERSE_WORDS: Final = {
    "depends_on": "waited for by",
    "targets": "targeted by",
    "outputs": "outputs read by",
}
CLOUD_OBJECTS: Final = frozenset({Role.CLOUD_CLUSTER, Role.CLOUD_POOL, Role.CLOUD})
MOST_STEPS: Final = 100
"""Steps told from one object in one direction and relation; a source may have thousands."""
DEPTH_LIMIT: Final = 12


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trace, with those behind it."""

    relation: str
    """``home`` for the home parent, else a relation, read in the direction of its pointer."""
    ref: ObjectRef | None
    """What stands there; None when the evidence does not decide."""
    row: Row | None
    """Its row; None for what is not there or not decided."""
    evidence: tuple[str, ...]
    against: tuple[str, ...] = ()
    doubt: str = ""
    """Why it is not verified, in words; empty for what rests on more than a name."""
    steps: tuple["Step", ...] = ()
    is_repeated: bool = False
    """Whether it was told before, nearer to the start; not followed again."""
    more: int = 0
    """Further steps of this relation that were left out after this one."""
    is_reverse: bool = False
    """Whether the pointer leads from what stands there to the object before."""

    @property
    def words(self) -> str:
        """How the object before is related to what stands here."""
        plain = self.relation.replace("_", " ")
        return REVERSE_WORDS.get(self.relation, f"{plain} of") if self.is_reverse else plain


@dataclass(frozen=True, slots=True)
class Trace:
    """Both directions from one object."""

    row: Row
    up: tuple[Step, ...]
    """What makes or decides it, nearest first."""
    down: tuple[Step, ...]
    """What it makes or decides, nearest first."""


def trace(index: Index, row: Row, *, joins: Joins | None = None) -> Trace:
    """Return where the row comes from and what depends on it.

    Args:
        index: holds the row.
        row: where to start.
        joins: of this index; made anew (which costs a pass over all clusters and
            appliers) without them.
    """
    tracer = _Tracer(index, joins or Joins(index))
    return Trace(row, tracer.steps(row, up=True), tracer.steps(row, up=False))


def origin_of(row: Row) -> dict[str, str]:
    """Return where an applier or source takes things from: raw facts by name, in order.

    ``attempted`` is told only when it differs from what was applied.
    """
    if row.spec.role not in (Role.APPLIER, Role.SOURCE):
        return {}
    found = {name: value for name in ORIGIN_FACTS if (value := row.fact(name))}
    if found.get("attempted") == found.get("revision"):
        found.pop("attempted", None)
    return found


class _Tracer:
    """Walks one direction at a time, breadth first, so that repeats are told at the far end."""

    def __init__(self, index: Index, joins: Joins) -> None:
        self._index = index
        self._joins = joins
        joins.refresh()

    def steps(self, row: Row, *, up: bool) -> tuple[Step, ...]:
        """The steps from a row, all the way."""
        return self._follow(row, {row}, 0, up=up)

    def _follow(self, row: Row, seen: set[Row], depth: int, *, up: bool) -> tuple[Step, ...]:
        if depth >= DEPTH_LIMIT:
            return ()
        nearest = _limited(self._up(row) if up else self._down(row))
        known = set(seen)
        seen |= {step.row for step in nearest if step.row is not None}
        found = []
        for step in nearest:
            if step.row is None or step.row in known:
                found.append(_with(step, (), is_repeated=step.row is not None))
                continue
            known.add(step.row)
            found.append(_with(step, self._follow(step.row, seen, depth + 1, up=up)))
        return tuple(found)

    def _up(self, row: Row) -> Iterator[Step]:
        for edge in self._index.edges(row):
            if edge.relation in UP_RELATIONS:
                yield Step(edge.relation, edge.key, edge.target, (edge.evidence,))
        yield from self._joined("created_by", self._joins.creators(row))
        yield from self._handed_over(row, "reads_from", "outputs")
        sources = {edge.target for edge in self._index.edges(row, "source")}
        if row.parent is not None and row.parent not in sources:
            yield Step("home", row.parent.ref, row.parent, (f"stands below {row.parent.kind}",))

    def _down(self, row: Row) -> Iterator[Step]:
        for edge in self._index.reverse(row):
            if edge.relation in UP_RELATIONS:
                yield Step(edge.relation, edge.key, edge.target, (edge.evidence,), is_reverse=True)
        yield from self._handed_over(row, "outputs", "reads_from", is_reverse=True)
        if row.spec.role is Role.APPLIER:
            yield from self._joined("targets", self._joins.targets(row))
            yield from self._joined("applies", self._joins.made_by(row))
        elif row.spec.role is Role.CLUSTER:
            for join in self._joins.targeted_by(row):
                if join.row is not None:
                    yield _step_of(join, is_reverse=True)
            yield from self._in_the_cloud(row)

    def _handed_over(
        self, row: Row, own: str, other: str, *, is_reverse: bool = False
    ) -> Iterator[Step]:
        """Who writes what the row reads, or reads what it writes; Secrets need not be rows."""
        for edge in self._index.edges(row, own):
            for user in self._index.pointing_at(edge.key, other):
                words = f"{edge.evidence} and {user.evidence} name {edge.key.kind} {edge.key.name}"
                yield Step("outputs", user.key, user.target, (words,), is_reverse=is_reverse)

    def _in_the_cloud(self, cluster: Row) -> Iterator[Step]:
        """A cloud operator's objects that belong to a Cluster, the topmost ones."""
        stack = list(rows_of(cluster.kids))
        while stack:
            row = stack.pop()
            if row.spec.role not in CLOUD_OBJECTS:
                stack += rows_of(row.kids)
                continue
            above = row.parent
            told = [
                edge.evidence
                for edge in (self._index.edges(above, "manages") if above is not None else ())
                if edge.target is row
            ]
            owner = f"owned by {above.kind} {above.name}" if above is not None else ""
            yield Step("manages", row.ref, row, (*told, owner))

    def _joined(self, relation: str, joins: list[Join]) -> Iterator[Step]:
        for join in joins:
            yield replace(_step_of(join), relation=relation)


def _step_of(join: Join, *, is_reverse: bool = False) -> Step:
    return Step(
        join.relation,
        join.row.ref if join.row is not None else None,
        join.row,
        join.evidence,
        join.against,
        join.doubt,
        is_reverse=is_reverse,
    )


def _limited(steps: Iterator[Step]) -> list[Step]:
    """Return the steps, of each relation no more than the limit."""
    by_relation: dict[str, list[Step]] = {}
    for step in steps:
        by_relation.setdefault(step.relation, []).append(step)
    found = []
    for same in by_relation.values():
        left_out = len(same) - MOST_STEPS
        kept = same[:MOST_STEPS]
        if left_out > 0:
            kept[-1] = _with(kept[-1], (), more=left_out)
        found += kept
    return found


def _with(step: Step, steps: tuple[Step, ...], *, is_repeated: bool = False, more: int = 0) -> Step:
    return replace(step, steps=steps, is_repeated=is_repeated, more=more or step.more)
