"""Health that hangs on kinds which have not been read.

Knows which rows are derived anew when such a kind is read or let go, and does it piece by
piece; what hides what is ``health``'s. Source: domain.md rules 2-5.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from fleettui.index.backlog import NO_WORK, Work
from fleettui.index.coverage import Coverage, KindKey
from fleettui.index.health import DECIDING_RELATIONS, HIDING_ROLES, named_kinds
from fleettui.index.shapes import LinkShape
from fleettui.index.store import Store
from fleettui.index.tree import Tree
from fleettui.kinds.batch import Scope
from fleettui.kinds.spec import Depth, Role

LOOKED_AT: Final = 64
"""Rows looked at between two yields."""


class Unread:
    """Keeps health right while the set of unread kinds changes."""

    def __init__(self, store: Store, coverage: Coverage, tree: Tree) -> None:
        """Settle rows of this store in this tree."""
        self._store = store
        self._coverage = coverage
        self._tree = tree

    def settle(self, context: str, before: frozenset[KindKey]) -> Work:
        """Derive health anew where unread kinds decide, when their set changed."""
        changed = before ^ self._coverage.unread_kinds(context)
        store = self._store
        named = store.shapes.kinds_named(DECIDING_RELATIONS)
        deciding = frozenset(
            key
            for key in changed
            if (spec := store.spec_of(*key)).depth is Depth.SPINE
            and (spec.role in HIDING_ROLES or key in named)
        )
        if not deciding:
            return NO_WORK
        scopes = [
            Scope(context, spec.group, spec.kind)
            for spec in store.kinds(context)
            if spec.role in (Role.CLUSTER, Role.MACHINE_POOL)
        ]
        return sum(map(store.count, scopes)), self._settling(scopes, deciding)

    def _settling(self, scopes: Sequence[Scope], deciding: frozenset[KindKey]) -> Iterator[None]:
        store = self._store
        hides_all = any(store.spec_of(*key).role in HIDING_ROLES for key in deciding)
        is_named: dict[tuple[LinkShape, ...], bool] = {}
        for scope in scopes:
            for rows in store.pieces(scope, LOOKED_AT):
                for row in rows:
                    shapes = row.state.link_shapes
                    if shapes not in is_named:
                        is_named[shapes] = not deciding.isdisjoint(named_kinds(row))
                    is_whole = hides_all and row.place.spec.role is Role.CLUSTER
                    if (is_whole or is_named[shapes]) and not row.is_gone:
                        self._tree.settle(row)
                yield
