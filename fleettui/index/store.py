"""Where rows are kept and found.

Knows contexts, kinds, namespaces and names; refuses to know links and health.
"""

from collections.abc import Iterator

from fleettui.index.absent import Absent
from fleettui.index.coverage import KindKey, Kinds
from fleettui.index.places import Place, Realm, Route
from fleettui.index.rows import Row
from fleettui.index.shapes import OWN_NAMESPACE, LinkShape, Shapes
from fleettui.kinds.batch import Scope
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Depth, KindSpec, Role


class Store:
    """All rows, by context, kind, namespace and name."""

    def __init__(self, table: Kinds) -> None:
        """Start empty; ``table`` tells what kinds mean."""
        self.table = table
        self.shapes = Shapes()
        self.realms: dict[tuple[str, str], Realm] = {}
        self.wholes: dict[str, Realm] = {}
        self.waiting = Absent()
        """Rows that point at objects which are not there."""
        self._kinds: dict[tuple[str, str, str], dict[str, Place]] = {}
        self._specs: dict[KindKey, KindSpec] = {}
        self.size = 0

    def spec_of(self, group: str, kind: str) -> KindSpec:
        """Return the kind's data entry, a generic one for kinds without."""
        spec = self._specs.get((group, kind))
        if spec is None:
            spec = self.table.spec_for(group, kind)
            if spec is None:
                # Not kept: a reference may name a provider before its CRD has been read.
                return KindSpec(group, kind, f"{kind.lower()}s", Role.OTHER, depth=Depth.ASKED)
            self._specs[group, kind] = spec
        return spec

    def realm_of(self, context: str, namespace: str) -> Realm:
        """Return the namespace of the context, made when it is new."""
        realm = self.realms.get((context, namespace))
        if realm is None:
            whole = self.wholes.get(context)
            if whole is None:
                whole = self.wholes[context] = Realm(context, "", None)
            realm = self.realms[context, namespace] = Realm(context, namespace, whole)
            whole.places += 1
        return realm

    def place_of(self, context: str, group: str, kind: str, namespace: str) -> Place:
        """Return where such objects are kept, made when it is new."""
        namespaces = self._kinds.get((context, group, kind))
        if namespaces is None:
            namespaces = self._kinds[context, group, kind] = {}
        place = namespaces.get(namespace)
        if place is None:
            place = Place(self.realm_of(context, namespace), self.spec_of(group, kind))
            namespaces[namespace] = place
            place.realm.places += 1
        return place

    def find(self, context: str, group: str, kind: str, namespace: str, name: str) -> Row | None:
        """Return the row of this identity, None when there is none."""
        namespaces = self._kinds.get((context, group, kind))
        place = namespaces.get(namespace) if namespaces is not None else None
        return place.rows.get(name) if place is not None else None

    def target(self, row: Row, shape: LinkShape, name: str) -> Row | None:
        """Return the row that this one points at by this shape and name."""
        place = row.place
        kind, namespace, _ = place.routes.get(id(shape)) or self._route(place, shape)
        namespaces = self._kinds.get(kind)
        if namespaces is None:
            return None
        kept = namespaces.get(namespace)
        return kept.rows.get(name) if kept is not None else None

    def _route(self, place: Place, shape: LinkShape) -> Route:
        namespace = place.namespace if shape.namespace == OWN_NAMESPACE else shape.namespace
        if namespace and not self.spec_of(shape.group, shape.kind).namespaced:
            namespace = ""
        route = Route((place.context, shape.group, shape.kind), namespace, shape)
        place.routes[id(shape)] = route
        return route

    def target_ref(self, row: Row, shape: LinkShape, name: str) -> ObjectRef:
        """Return what the row points at by this shape and name."""
        return ObjectRef(*self.target_key(row, shape, name))

    def target_key(self, row: Row, shape: LinkShape, name: str) -> tuple[str, str, str, str, str]:
        """Return the parts of what the row points at, which cost less than a ref to make."""
        place = row.place
        kind, namespace, _ = place.routes.get(id(shape)) or self._route(place, shape)
        return (*kind, namespace, name)

    def drop(self, row: Row) -> None:
        """Take the row out, and its place, namespace and context when they are empty now."""
        place = row.place
        del place.rows[row.name]
        self.size -= 1
        if place.rows:
            return
        key = (place.context, place.group, place.kind)
        namespaces = self._kinds[key]
        del namespaces[place.namespace]
        if not namespaces:
            del self._kinds[key]
        realm = place.realm
        realm.places -= 1
        if realm.places or realm.whole is None:
            return
        del self.realms[realm.context, realm.namespace]
        realm.whole.places -= 1
        if not realm.whole.places:
            del self.wholes[realm.context]

    def rows(
        self, kind: KindKey | None = None, *, context: str | None = None, namespace: str = ""
    ) -> Iterator[Row]:
        """Yield rows, of one kind, context or namespace when given."""
        for (own_context, group, name), namespaces in self._kinds.items():
            if context is not None and own_context != context:
                continue
            if kind is not None and kind != (group, name):
                continue
            for own_namespace, place in namespaces.items():
                if namespace and own_namespace != namespace:
                    continue
                yield from place.rows.values()

    def counts(self, kind: KindKey, context: str) -> dict[str, int]:
        """Return how many rows of a kind each namespace of a context has."""
        namespaces = self._kinds.get((context, *kind), {})
        return {name: len(place.rows) for name, place in namespaces.items()}

    def rows_in(self, scope: Scope) -> list[Row]:
        """Return the rows that belong to the scope."""
        rows = [row for place in self._places(scope) for row in place.rows.values()]
        if scope.cluster:
            rows = [row for row in rows if row.cluster == scope.cluster]
        return rows

    def _places(self, scope: Scope) -> list[Place]:
        namespaces = self._kinds.get((scope.context, scope.group, scope.kind), {})
        if not scope.namespace:
            return list(namespaces.values())
        place = namespaces.get(scope.namespace)
        return [place] if place is not None else []

    def count(self, scope: Scope) -> int:
        """Return how many rows are looked at to find those of the scope."""
        return sum(len(place.rows) for place in self._places(scope))

    def pieces(self, scope: Scope, size: int) -> Iterator[list[Row]]:
        """Yield the rows of the scope, so many looked at between two yields.

        The store may be written to meanwhile: rows may be gone, new ones may be missed.
        """
        for place in self._places(scope):
            rows = list(place.rows.values())
            for first in range(0, len(rows), size):
                piece = rows[first : first + size]
                if scope.cluster:
                    piece = [row for row in piece if row.cluster == scope.cluster]
                yield piece

    def kinds(self, context: str | None = None) -> list[KindSpec]:
        """Return the kinds of which there are rows."""
        keys = dict.fromkeys(
            (group, kind)
            for own_context, group, kind in self._kinds
            if context is None or own_context == context
        )
        return [self.spec_of(*key) for key in keys]
