"""What many objects have in common, kept once.

Knows how to share equal tuples and the parts of a record that hardly differ
between objects; refuses to know rows. Sharing must not become a leak over weeks
of churn, so shapes that nobody holds any more are swept in small steps.
Strings go through ``sys.intern``, which forgets by itself.
"""

import sys
from typing import Final, NamedTuple, TypeVar

import msgspec

from fleettui.kinds.record import Condition, Record, Replicas, Verdict

T = TypeVar("T")

OWN_NAMESPACE: Final = "\0"
"""Stands for the namespace of the object that holds the pointer; no namespace is called so."""
UNSHARED_REFERENCES: Final = 4
"""References to an entry nobody else holds: key, value, loop variable, argument."""


PLACES_KEPT: Final = 4096
"""Answers of ``places_of`` that are remembered; each keeps its shapes in memory."""


class LinkShape(NamedTuple):
    """A pointer at another object without the name, which differs from object to object."""

    relation: str
    group: str
    kind: str
    namespace: str
    evidence: str
    controller: bool = False


class State(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The part of a record that healthy objects of a kind share."""

    version: str
    verdict: Verdict
    flags: int
    condition: str
    reason: str
    message: str
    paused_by: str
    kubernetes_version: str
    replicas: Replicas | None
    finalizers: tuple[str, ...]
    conditions: tuple[Condition, ...]
    """Without their moments."""
    fact_names: tuple[str, ...]
    owner_shapes: tuple[LinkShape, ...]
    link_shapes: tuple[LinkShape, ...]


class Shapes:
    """Tables of shared values, one per type."""

    def __init__(self) -> None:
        """Start with nothing shared."""
        self._states: dict[State, State] = {}
        self._conditions: dict[Condition, Condition] = {}
        self._tuples: dict[tuple[object, ...], tuple[object, ...]] = {}
        self._links: dict[tuple[str, str, str, str, str, bool], LinkShape] = {}
        self._named: dict[str, set[tuple[str, str]]] = {}
        """Kinds that anything ever pointed at, by relation."""
        self._sums: dict[int, int] = {}
        self._places: dict[tuple[int, str], tuple[tuple[LinkShape, ...], tuple[int, ...]]] = {}
        """By the identity of the shapes, which what is kept beside it makes good."""
        self._floor = 4096
        self._unswept: list[tuple[dict[object, object], list[object]]] = []

    def __len__(self) -> int:
        """Return how many shapes are kept."""
        return len(self._states) + len(self._conditions) + len(self._tuples) + len(self._links)

    def state_of(self, record: Record) -> State:
        """Return the shared part of the record."""
        intern = sys.intern
        state = State(
            intern(record.version),
            record.verdict,
            int(record.flags),
            intern(record.condition),
            intern(record.reason),
            record.message,
            record.paused_by,
            intern(record.kubernetes_version),
            record.replicas,
            record.finalizers,
            self._condition_shapes(record.conditions),
            self.tuple_of(tuple([name for name, _ in record.facts])),
            self._owner_shapes(record),
            self._link_shapes(record),
        )
        return self._states.setdefault(state, state)

    def _condition_shapes(self, conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
        table = self._conditions
        shapes = []
        for entry in conditions:
            shape = Condition(
                entry.type,
                entry.status,
                entry.reason,
                entry.message,
                0,
                entry.severity,
                entry.observed_generation,
                entry.deprecated,
                entry.negative,
            )
            known = table.get(shape)
            if known is None:
                table[shape] = known = shape
            shapes.append(known)
        return self.tuple_of(tuple(shapes))

    def _owner_shapes(self, record: Record) -> tuple[LinkShape, ...]:
        if not record.owners:
            return ()
        return self.tuple_of(
            tuple(
                [
                    self._link(("owner", o.group, o.kind, OWN_NAMESPACE, "", o.controller))
                    for o in record.owners
                ]
            )
        )

    def _link_shapes(self, record: Record) -> tuple[LinkShape, ...]:
        if not record.references:
            return ()
        own = record.namespace
        return self.tuple_of(
            tuple(
                [
                    self._link(
                        (
                            r.relation,
                            r.group,
                            r.kind,
                            OWN_NAMESPACE if r.namespace == own else r.namespace,
                            r.evidence,
                            False,
                        )
                    )
                    for r in record.references
                ]
            )
        )

    def _link(self, parts: tuple[str, str, str, str, str, bool]) -> LinkShape:
        """Return the shared shape of these parts; a plain tuple finds it at half the cost."""
        shape = self._links.get(parts)
        if shape is None:
            shape = LinkShape(*parts)
            self._links[shape] = shape
            self._named.setdefault(shape.relation, set()).add((shape.group, shape.kind))
        return shape

    def kinds_named(self, relations: frozenset[str]) -> set[tuple[str, str]]:
        """Return kinds, as (group, kind), that anything ever pointed at by these relations."""
        return set().union(*(self._named.get(name, ()) for name in relations))

    def tuple_of(self, value: tuple[T, ...]) -> tuple[T, ...]:
        """Return the shared tuple of strings, pairs or shapes that equals the value."""
        if not value:
            return ()
        return self._tuples.setdefault(value, value)  # type: ignore[return-value]  # equal values

    def pairs_of(self, pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        """Return the shared form of labels or annotations."""
        if not pairs:
            return ()
        known = self._tuples.get(pairs)
        if known is None:
            intern = sys.intern
            known = tuple(
                [self.tuple_of((intern(name), _shared_text(value))) for name, value in pairs]
            )
            self._tuples[known] = known
        return known  # type: ignore[return-value]  # equal to the argument

    def sum_of(self, counts: int) -> int:
        """Return the shared integer for counts of a small subtree."""
        if len(self._sums) > 8192:
            self._sums.clear()
        return self._sums.setdefault(counts, counts)

    def places_of(self, shapes: tuple[LinkShape, ...], relation: str) -> tuple[int, ...]:
        """Return at which places of a state's link shapes this relation stands; remembered.

        Whoever applies hundreds of objects is asked again at each of them.
        """
        kept = self._places.get((id(shapes), relation))
        if kept is None:
            if len(self._places) >= PLACES_KEPT:
                self._places.clear()
            places = tuple([at for at, shape in enumerate(shapes) if shape.relation == relation])
            kept = self._places[id(shapes), relation] = (shapes, places)
        return kept[1]

    def sweep(self, limit: int = 5000) -> int:
        """Forget shapes that nobody holds, at most ``limit`` looked at; returns how many went.

        Costs about 0.1 µs an entry looked at. A round begins when the tables have
        doubled since the last one ended.
        """
        if not self._unswept:
            if len(self) < 2 * self._floor:
                return 0
            self._places.clear()
            tables: list[dict[object, object]] = [
                self._states,  # type: ignore[list-item]  # keys of any type will do
                self._tuples,  # type: ignore[list-item]  # keys of any type will do
                self._conditions,  # type: ignore[list-item]  # keys of any type will do
                self._links,  # type: ignore[list-item]  # keys of any type will do
            ]
            self._unswept = [(table, list(table)) for table in reversed(tables)]
        table, keys = self._unswept[-1]
        gone = 0
        for _ in range(min(limit, len(keys))):
            key = keys.pop()
            if sys.getrefcount(key) <= UNSHARED_REFERENCES and key in table:
                del table[key]
                gone += 1
        if not keys:
            self._unswept.pop()
            if not self._unswept:
                self._floor = max(4096, len(self))
        return gone


def _shared_text(text: str) -> str:
    return sys.intern(text) if len(text) <= 80 else text
