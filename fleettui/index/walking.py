"""Every row of the fleet in pieces, so that looking at all of them can pause.

Knows places; the index may be written to between two pieces.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.batch import Scope

PIECE: Final = 256
"""Most rows of one piece."""


def places_of(index: Index, kinds: Iterable[tuple[str, str]] | None = None) -> list[Scope]:
    """Scopes that together hold every row once, of all kinds or of some."""
    places: list[Scope] = []
    wanted = frozenset(kinds) if kinds is not None else None
    for context in index.contexts():
        namespaces = [realm.namespace for realm in index.realms(context) if realm.namespace]
        for spec in index.kinds(context):
            if wanted is None or (spec.group, spec.kind) in wanted:
                where = namespaces if spec.namespaced else [""]
                places += [Scope(context, spec.group, spec.kind, name) for name in where]
    return places


def pieces_of(
    index: Index, kinds: Iterable[tuple[str, str]] | None = None, *, size: int = PIECE
) -> Iterator[list[Row]]:
    """Yield rows that are still there, so many at a time; empty places yield nothing."""
    for scope in places_of(index, kinds):
        rows = index.rows_in(scope)
        for start in range(0, len(rows), size):
            yield [row for row in rows[start : start + size] if not row.is_gone]
