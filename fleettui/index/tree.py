"""Links between rows: who points at whom, whose home is where, what adds up to what.

Knows how to keep pointers, homes and counts right while objects come, change
and go in any order; refuses to know where news comes from. Orphans wait for
their parent by name; a circle of ownership leaves one of its members a root.
"""

from typing import Final

from fleettui.index.bags import rows_of, with_row, without_row
from fleettui.index.changes import ChangeLog
from fleettui.index.coverage import Coverage
from fleettui.index.health import derived_standing, unit_of_row
from fleettui.index.rollup import is_small
from fleettui.index.rows import Row
from fleettui.index.shapes import LinkShape
from fleettui.index.spine import feeds
from fleettui.index.standing import FROM_BELOW, GONE, RANK
from fleettui.index.store import Store
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

ADOPTION: Final = 8
"""Finding the home of a row takes as long as looking at so many."""


class Tree:
    """Keeps links, homes, counts and derived health of the rows of a store."""

    def __init__(self, store: Store, coverage: Coverage, log: ChangeLog, *, at_once: int) -> None:
        """Keep the links of this store.

        Args:
            store: holds the rows.
            coverage: what is known.
            log: what happens is noted there.
            at_once: rows that one call may look at.
        """
        self._adopted_at_once = at_once // ADOPTION
        self._store = store
        self._coverage = coverage
        self._log = log
        self._circular: set[Row] = set()
        self.touched: dict[Row, int] = {}
        """Rows whose derived health changed, to the rank it had at first."""
        self.waiting_for: list[tuple[Row, ...]] = []
        """Rows whose home may be what came last, too many to look at at once."""

    # -- whole rows -----------------------------------------------------------------------
    def insert(self, row: Row) -> None:
        """Link a judged row that the store holds already, and whatever waited for it."""
        store = self._store
        row.standing = derived_standing(row, self._coverage)
        row.counts = unit_of_row(row)
        place = row.place
        key = (place.context, place.group, place.kind, place.namespace, row.name)
        row.inbound = store.waiting.pop(key, None)
        targets = self._register(row)
        self._attach(row, self._home_of(row))
        sources = tuple(rows_of(row.inbound))
        if len(sources) > self._adopted_at_once:
            self.waiting_for.append(sources)
        else:
            for source in sources:
                self.rehome(source)
        for target in targets:
            if target.place.reverse_homes and self._names(row, target.place.reverse_homes, target):
                self.rehome(target)

    def remove(self, row: Row) -> None:
        """Cut every link of the row and take it out of the store."""
        ref = row.ref
        self._log.note_removed(row)
        targets = self._unregister(row)
        sources, row.inbound = row.inbound, None
        if sources is not None:
            self._store.waiting[ref] = sources
        self._store.drop(row)
        # The row stays in its own place until those below have left, so that counts add up.
        for other in dict.fromkeys([*rows_of(row.kids), *rows_of(sources), *targets]):
            if other is not row:
                self.rehome(other)
        self._detach(row)
        row.standing |= GONE
        self._circular.discard(row)
        self.touched.pop(row, None)

    def relink(self, row: Row, old: list[ObjectRef]) -> None:
        """Follow changed pointers; ``old`` is what the row pointed at before."""
        lost = self._forget(row, old)
        found = self._register(row)
        for target in dict.fromkeys([*lost, *found]):
            if target.place.reverse_homes:
                self.rehome(target)
        self.rehome(row)

    def retry_circles(self) -> None:
        """Look again for the home of rows that a circle of ownership left without."""
        for row in list(self._circular):
            self._circular.discard(row)
            self.rehome(row)

    # -- pointers -------------------------------------------------------------------------
    def targets_of(self, row: Row) -> list[ObjectRef]:
        """Return what the row points at, each once."""
        target_ref = self._store.target_ref
        found = [target_ref(row, shape, name) for shape, name in row.pointers() if name]
        return list(dict.fromkeys(found)) if len(found) > 1 else found

    def _register(self, row: Row) -> list[Row]:
        """Make the row known to what it points at, or let it wait; returns what is there."""
        store = self._store
        resolved: dict[Row, None] = {}
        missing: dict[tuple[str, str, str, str, str], None] = {}
        for shape, name in row.pointers():
            if not name:
                continue
            target = store.target(row, shape, name)
            if target is not None:
                resolved[target] = None
            else:
                missing[store.target_key(row, shape, name)] = None
        for target in resolved:
            target.inbound = with_row(target.inbound, row)
        waiting = store.waiting
        for key in missing:
            waiting[key] = with_row(waiting.get(key), row)
        return list(resolved)

    def _unregister(self, row: Row) -> list[Row]:
        return self._forget(row, self.targets_of(row))

    def _forget(self, row: Row, refs: list[ObjectRef]) -> list[Row]:
        store = self._store
        resolved = []
        for ref in refs:
            target = store.find(*ref)
            if target is not None:
                target.inbound = without_row(target.inbound, row)
                resolved.append(target)
                continue
            rest = without_row(store.waiting.get(ref), row)
            if rest is None:
                store.waiting.pop(ref, None)
            else:
                store.waiting[ref] = rest
        return resolved

    # -- homes ----------------------------------------------------------------------------
    def rehome(self, row: Row) -> None:
        """Move the row to the home that its pointers name now."""
        if row.standing & GONE:
            return
        home = self._home_of(row)
        if home is not row.parent:
            self._detach(row)
            self._attach(row, home)

    def _home_of(self, row: Row) -> Row | None:
        """Return the first possible parent; rows above which the row stands itself are not."""
        is_circular = False
        for relation in row.place.spec.home:
            for candidate in self._candidates(row, relation):
                if not _stands_above(row, candidate):
                    return candidate
                is_circular = is_circular or candidate is not row
        if is_circular:
            self._circular.add(row)
        return None

    def _candidates(self, row: Row, relation: str) -> list[Row]:
        if relation.startswith("~"):
            return self._pointing(row, relation[1:])
        state = row.state
        target_of, links = self._store.target, row.links
        found: list[Row] = []
        if relation == "owner":
            for shape, name in zip(state.owner_shapes, links, strict=False):
                target = target_of(row, shape, name)  # type: ignore[arg-type]  # names come first
                if target is None or _is_container(target, row):
                    continue
                if shape.controller:
                    found.insert(0, target)
                else:
                    found.append(target)
            return found
        shapes, first = state.link_shapes, 2 * len(state.owner_shapes)
        for at in self._store.shapes.places_of(shapes, relation):
            name = links[first + at]
            target = target_of(row, shapes[at], name) if name else None  # type: ignore[arg-type]  # uids came before
            if target is not None:
                found.append(target)
        return found

    def _pointing(self, row: Row, relation: str) -> list[Row]:
        sources = [source for source in rows_of(row.inbound) if self.points(source, row, relation)]
        return sorted(sources, key=lambda source: source.ref) if len(sources) > 1 else sources

    def points(self, source: Row, target: Row, relation: str) -> bool:
        """Whether the source points at the target by this relation."""
        store = self._store
        return any(
            store.target(source, shape, target.name) is target
            for shape in self._naming(source, relation, target.name)
        )

    def _naming(self, source: Row, relation: str, name: str) -> list[LinkShape]:
        """Return the shapes of the source's pointers at this name by this relation."""
        state, links = source.state, source.links
        if relation == "owner":
            owners = zip(state.owner_shapes, links, strict=False)
            return [shape for shape, own in owners if own == name]
        shapes, first = state.link_shapes, 2 * len(state.owner_shapes)
        places = self._store.shapes.places_of(shapes, relation)
        return [shapes[at] for at in places if links[first + at] == name]

    def _names(self, source: Row, relations: frozenset[str], target: Row) -> bool:
        """Whether the source may point at the target by one of these relations; a cheap test."""
        name = target.name
        return any(self._naming(source, relation, name) for relation in relations)

    def _attach(self, row: Row, parent: Row | None) -> None:
        row.parent = parent
        if parent is None:
            row.place.realm.roots[row] = None
            self._count_realm(row, row.counts)
            self._log.note_structure(row, roots_changed=True)
            return
        parent.kids = with_row(parent.kids, row)
        if isinstance(parent.kids, tuple) and parent.kids == parent.inbound:
            # Those below are mostly those who point here: one tuple does for both.
            parent.kids = parent.inbound
        root = self.add_counts(parent, row.counts)
        self._log.note_structure(root)
        if feeds(row, parent):
            self.settle(parent)

    def _detach(self, row: Row) -> None:
        parent = row.parent
        if parent is None:
            row.place.realm.roots.pop(row, None)
            self._count_realm(row, -row.counts)
            self._log.note_structure(row, roots_changed=True)
            return
        row.parent = None
        parent.kids = without_row(parent.kids, row)
        root = self.add_counts(parent, -row.counts)
        self._log.note_structure(root)
        if feeds(row, parent):
            self.settle(parent)

    # -- counts and health ----------------------------------------------------------------
    def add_counts(self, row: Row, delta: int) -> Row:
        """Add to the counts of the row and everything above; returns the root."""
        mark = self._log.mark
        sum_of = self._store.shapes.sum_of
        while True:
            counts = row.counts + delta
            row.counts = sum_of(counts) if is_small(counts) else counts
            mark(row)
            if row.parent is None:
                break
            row = row.parent
        self._count_realm(row, delta)
        return row

    def _count_realm(self, root: Row, delta: int) -> None:
        realm = root.place.realm
        realm.counts += delta
        if realm.whole is not None:
            realm.whole.counts += delta

    def recount(self, row: Row, unit_before: int) -> None:
        """Take over that the row's own counts are no longer ``unit_before``."""
        delta = unit_of_row(row) - unit_before
        if delta:
            self.add_counts(row, delta)

    def settle(self, start: Row) -> None:
        """Derive the health of the row anew, and of what stands above as far as it changes."""
        row: Row | None = start
        while row is not None:
            before = row.standing
            standing = derived_standing(row, self._coverage)
            if standing == before:
                break
            unit = unit_of_row(row)
            row.standing = standing
            if (standing ^ before) & RANK:
                self.touched.setdefault(row, before & RANK)
            self._log.mark(row)
            self.recount(row, unit)
            parent = row.parent
            row = parent if parent is not None and feeds(row, parent) else None
        self._mark_speakers(row if row is not None else start)

    def _mark_speakers(self, row: Row) -> None:
        """Mark rows above that show this row's reason as theirs."""
        above = row.parent
        while above is not None and above.standing & FROM_BELOW:
            self._log.mark(above)
            above = above.parent


def _is_container(owner: Row, row: Row) -> bool:
    """Whether the owner is no home: the group a cloud keeps a cluster in, or never shown."""
    role, above = row.place.spec.role, owner.place.spec.role
    if above is Role.PLATFORM:
        return role is not Role.PLATFORM
    return role is Role.CLOUD_CLUSTER and above is Role.CLOUD


def _stands_above(row: Row, other: Row) -> bool:
    """Whether the row is the other one or one of its ancestors."""
    above: Row | None = other
    while above is not None:
        if above is row:
            return True
        above = above.parent
    return False
