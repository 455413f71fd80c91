"""What all documents of all contexts add up to.

Knows how batches become rows, links, counts, health and transitions; refuses to
know clocks (``now`` is an argument, whole Unix seconds), connections and screens.
One writer, any number of readers with cursors, no callbacks. Source: design.md,
rules of the index; the list-and-watch contract for order, duplicates, identity.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fleettui.index.backlog import AT_ONCE
from fleettui.index.bags import rows_of
from fleettui.index.changes import Change, ChangeLog, Cursor, Transition
from fleettui.index.coverage import Coverage, KindKey, Kinds, Offer
from fleettui.index.intake import Intake
from fleettui.index.places import Realm
from fleettui.index.rollup import Rollup, unpack
from fleettui.index.rows import Row
from fleettui.index.shapes import LinkShape
from fleettui.index.store import Store
from fleettui.kinds.batch import Batch, Scope
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import KindSpec, Role


@dataclass(frozen=True, slots=True)
class Edge:
    """One object pointing at another."""

    relation: str
    key: ObjectRef
    """The other end: what is pointed at going forward, who points going in reverse."""
    target: Row | None
    """The row of that other end; None for a pointer at something that is not there."""
    evidence: str
    """Where the pointer stands, in words."""


class Index:
    """All rows of all contexts, single writer."""

    def __init__(self, table: Kinds, *, at_once: int = AT_ONCE) -> None:
        """Start empty.

        Args:
            table: tells what kinds mean.
            at_once: rows that one mark or status may make ``apply`` look at.
        """
        self.coverage = Coverage(table)
        self._store = Store(table)
        self._log = ChangeLog()
        self._lacking: dict[tuple[frozenset[KindKey], str, str, str], bool] = {}
        self._lacking_at = 0
        self._intake = Intake(self._store, self.coverage, self._log, at_once=at_once)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._store.size

    # -- writing --------------------------------------------------------------------------
    def apply(self, batch: Batch, now: int) -> Sequence[Transition]:
        """Take over the news of one scope, in order.

        Costs some 20 µs an event; a caller that must not block splits a long batch. Marks
        and statuses that concern thousands of rows leave them for ``catching_up``.

        Returns:
            changes of derived health, not those of objects first seen in a list.
        """
        return self._intake.apply(batch, now)

    def applying(
        self, batch: Batch, now: int, *, every: int = 64
    ) -> Iterator[Sequence[Transition]]:
        """Do as ``apply``, so many events or removals between two yields.

        For long batches and for marks that sweep or forget thousands of rows. Other
        scopes' batches may be applied between two yields, not those of this scope.
        """
        return self._intake.applying(batch, now, every=every)

    @property
    def is_behind(self) -> bool:
        """Whether rows wait for ``catching_up``."""
        return self._intake.is_behind

    def catching_up(self, now: int) -> Iterator[Sequence[Transition]]:
        """Do what ``apply`` left for later, some rows between two yields.

        Anything may be applied between two yields. Whoever begins goes on to the end:
        meanwhile ``advance`` leaves it to them.
        """
        return self._intake.catching_up(now)

    def advance(self, now: int) -> Sequence[Transition]:
        """Let time pass: what is due fails, what ``apply`` left is done. Also sweeps a little."""
        return self._intake.advance(now)

    def next_deadline(self) -> int:
        """Return when ``advance`` may have something to do next, Unix seconds; 0 for never."""
        return self._intake.next_deadline()

    @property
    def stale_events(self) -> int:
        """News dropped so far because something newer was known."""
        return self._intake.stale_events

    def declare(self, context: str, kinds: Sequence[KindKey]) -> None:
        """Say which kinds a context serves, so that those not followed count as not loaded."""
        self.coverage.declare(context, kinds)
        self._log.note_coverage()

    def offer(self, context: str, offer: Offer) -> None:
        """Say all that a context serves, so that pointers at other kinds lead nowhere."""
        self.coverage.offer(context, offer)
        self._log.note_coverage()

    # -- reading --------------------------------------------------------------------------
    def get(self, ref: ObjectRef) -> Row | None:
        """Return the row of the object, None when it is not known."""
        return self._store.find(*ref)

    def rows(
        self, kind: KindKey | None = None, *, context: str | None = None, namespace: str = ""
    ) -> Iterator[Row]:
        """Yield rows, of one (group, kind), context or namespace when given.

        The index must not be written to meanwhile.
        """
        return self._store.rows(kind, context=context, namespace=namespace)

    def counts(self, kind: KindKey, *, context: str) -> dict[str, int]:
        """Return how many rows of a (group, kind) each namespace of a context has."""
        return self._store.counts(kind, context)

    def rows_in(self, scope: Scope) -> list[Row]:
        """Return the rows that belong to a scope, as a list that later writes do not change."""
        return self._store.rows_in(scope)

    def pieces(self, scope: Scope, *, size: int = 256) -> Iterator[list[Row]]:
        """Yield the rows of a scope, so many looked at between two yields.

        The index may be written to meanwhile: rows may be gone, new ones may be missed.
        """
        return self._store.pieces(scope, size)

    def kinds(self, context: str | None = None) -> list[KindSpec]:
        """Return the kinds of which there are rows, in order of arrival."""
        return self._store.kinds(context)

    def contexts(self) -> list[str]:
        """Return the contexts of which there are rows or scopes, in order of arrival."""
        return list(dict.fromkeys([*self.coverage.contexts(), *self._store.wholes]))

    def roots(self, context: str | None = None) -> Iterator[Row]:
        """Yield rows without a home parent; the index must not be written to meanwhile."""
        for realm in self._store.realms.values():
            if context is None or realm.context == context:
                yield from realm.roots

    def realms(self, context: str | None = None) -> list[Realm]:
        """Return the namespaces (and what is in none) of a context, or of all."""
        return [r for r in self._store.realms.values() if context in (None, r.context)]

    def children(self, row: Row) -> list[Row]:
        """Return rows whose home parent this is, by role, kind and name."""
        return row.children

    def parent(self, row: Row) -> Row | None:
        """Return the home parent, None for a root."""
        return row.parent

    def edges(self, row: Row, relation: str | None = None, *, to: str = "") -> Iterator[Edge]:
        """Yield what the row points at; ownerReferences have the relation ``owner``.

        Args:
            row: what points.
            relation: only pointers of this relation.
            to: only pointers at objects of this name, which costs far less than all.
        """
        store = self._store
        for shape, name in row.pointers_at(to) if to else self._pointers(row, relation):
            if name and relation in (None, shape.relation):
                ref = store.target_ref(row, shape, name)
                evidence = shape.evidence or "ownerReference"
                yield Edge(shape.relation, ref, store.find(*ref), evidence)

    def _pointers(self, row: Row, relation: str | None) -> list[tuple[LinkShape, str]]:
        """Return at least those of this relation; inventories of thousands are not walked."""
        state, links = row.state, row.links
        if relation is None or relation == "owner":
            return row.pointers()
        first = 2 * len(state.owner_shapes)
        places = self._store.shapes.places_of(state.link_shapes, relation)
        return [(state.link_shapes[at], links[first + at]) for at in places]  # type: ignore[misc]  # uids came before

    def unmet(self, row: Row, relations: frozenset[str]) -> Iterator[Edge]:
        """Yield needed pointers at what is not there; far cheaper than ``edges``."""
        store = self._store
        for shape, name in row.pointers():
            if shape.relation in relations and name and store.target(row, shape, name) is None:
                ref = store.target_ref(row, shape, name)
                yield Edge(shape.relation, ref, None, shape.evidence or "ownerReference")

    def reverse(self, row: Row, relation: str | None = None) -> Iterator[Edge]:
        """Yield who points at the row."""
        yield from self.pointing_at(row.ref, relation)

    def sources(self, ref: ObjectRef) -> Iterable[Row]:
        """Return who points at an object, which need not be known itself; costs nothing.

        The index must not be written to meanwhile.
        """
        row = self._store.find(*ref)
        return rows_of(row.inbound if row is not None else self._store.waiting.get(ref))

    def sources_by(self, ref: ObjectRef, relations: frozenset[str]) -> Iterator[Row]:
        """Yield who points at an object by one of these relations; far cheaper than edges.

        One that points at a namesake of another namespace, too, may be too much. The index
        may be written to meanwhile: rows may be gone, new ones may be missed.
        """
        name, kind, group = ref.name, ref.kind, ref.group
        for source in tuple(self.sources(ref)):
            for shape, _ in source.pointers_at(name):
                if shape.relation in relations and shape.kind == kind and shape.group == group:
                    yield source
                    break

    def pointing_at(self, ref: ObjectRef, relation: str | None = None) -> Iterator[Edge]:
        """Yield how an object is pointed at, which need not be known itself."""
        for source in self.sources(ref):
            for edge in self.edges(source, relation, to=ref.name):
                if edge.key == ref:
                    yield Edge(edge.relation, source.ref, source, edge.evidence)

    def rollup(self, row: Row) -> Rollup:
        """Return the counts of the row's home subtree, the row included."""
        return unpack(row.counts, at_least=self.is_partial(row))

    def rollup_of(self, context: str, namespace: str | None = None) -> Rollup:
        """Return the counts of a context, or of what has its root in one of its namespaces."""
        if namespace is None:
            realm = self._store.wholes.get(context)
        else:
            realm = self._store.realms.get((context, namespace))
        partial = bool(self.coverage.unloaded_kinds(context))
        return unpack(realm.counts if realm is not None else 0, at_least=partial)

    def is_partial(self, row: Row) -> bool:
        """Whether objects below the row may exist that have not been read."""
        place = row.place
        unloaded = self.coverage.unloaded_kinds(place.context)
        if not unloaded or place.spec.role not in ROLES_WITH_LEAVES:
            return False
        cluster = row.name if place.spec.role is Role.CLUSTER else row.cluster
        return self._lacks_leaves(unloaded, place.context, place.namespace, cluster)

    def _lacks_leaves(
        self, unloaded: frozenset[KindKey], context: str, namespace: str, cluster: str
    ) -> bool:
        """Whether leaves of a cluster are unread; asked for each line that is painted."""
        coverage = self.coverage
        if self._lacking_at != coverage.revision or len(self._lacking) > KEPT_ANSWERS:
            self._lacking.clear()
            self._lacking_at = coverage.revision
        key = (unloaded, context, namespace, cluster)
        known = self._lacking.get(key)
        if known is None:
            known = self._lacking[key] = any(
                not coverage.is_known(context, *kind, namespace=namespace, cluster=cluster)
                for kind in unloaded
                if coverage.role_of(*kind) in LEAF_ROLES
            )
        return known

    def paused_above(self, row: Row) -> Row | None:
        """Return the nearest row, itself included, that pauses it; None when nothing does.

        A namespace pauses what is in it by an annotation that its kind obeys as well, unless
        the object carries that annotation itself. Source: domain.md section 12, policy.
        """
        at: Row | None = row
        while at is not None and not at.is_paused:
            at = at.parent
        return at or self._pausing_namespace(row)

    def _pausing_namespace(self, row: Row) -> Row | None:
        obeyed = row.spec.pause_annotations
        if not obeyed or not row.namespace:
            return None
        space = self._store.find(row.context, "", "Namespace", "", row.namespace)
        if space is None or not space.is_paused:
            return None
        name = space.paused_by.removeprefix("annotation ")
        return space if name in obeyed and row.annotation(name) is None else None

    def cursor(self) -> Cursor:
        """Return a new reader's cursor, whose first change says to start over."""
        return Cursor()

    def changes(self, cursor: Cursor) -> Change:
        """Return what happened since the cursor's last reading."""
        return self._log.since(cursor)


KEPT_ANSWERS = 4096
"""Clusters of which it is remembered whether leaves are unread."""
ROLES_WITH_LEAVES = frozenset(
    {
        Role.CLUSTER,
        Role.CONTROL_PLANE,
        Role.WORKERS,
        Role.MACHINE_POOL,
        Role.MACHINE_SET,
        Role.MACHINE,
    }
)
LEAF_ROLES = frozenset({Role.MACHINE_SET, Role.MACHINE, Role.INFRA_MACHINE, Role.BOOTSTRAP}) | (
    ROLES_WITH_LEAVES
)
