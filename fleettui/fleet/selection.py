"""Which objects a person means by names or by a filter, and how sure that is.

Knows the index and what of it is not complete; asks no server.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from fleettui.fleet.context import ContextInfo, ContextState
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.refs import one_row
from fleettui.index import Index
from fleettui.index.coverage import OLD_PHASES, UNREAD_PHASES, KindKey, Kinds
from fleettui.index.query import Query
from fleettui.index.rows import Row
from fleettui.index.search import Searcher, unsearchable
from fleettui.index.terms import fits_kind
from fleettui.kinds import KindTable
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import KindSpec

SLICE_S = 0.002
"""How long a search goes on before others get their turn."""


class Rows(Protocol):
    """As much of a fleet as a filter needs."""

    @property
    def index(self) -> Index:
        """All rows."""
        ...

    @property
    def table(self) -> Kinds:
        """What is known of kinds."""
        ...

    def now(self) -> int:
        """Return Unix seconds."""
        ...

    def contexts(self) -> tuple[ContextInfo, ...]:
        """Return how every open context stands."""
        ...


@dataclass(frozen=True, slots=True)
class Selection:
    """Objects to act upon."""

    refs: tuple[ObjectRef, ...]
    gaps: tuple[str, ...] = ()
    """Why there may be more of them that nobody here has seen, in words."""


def named(fleet: Fleet, words: Iterable[str]) -> Selection:
    """The objects that references mean, each exactly one.

    Raises:
        UsageError: a reference means nothing, or several objects.
    """
    return Selection(tuple(dict.fromkeys(one_row(fleet, word).ref for word in words)))


async def found(fleet: Rows, query: Query) -> Selection:
    """The same as ``matching`` at the moment it returns, while a screen goes on being painted.

    What the watches bring meanwhile is looked at once more at the end. What comes later
    is not among it; a plan reads what it was given anew.
    """
    index = fleet.index
    cursor = index.cursor()
    index.changes(cursor)  # from here on
    searcher = Searcher(index)
    rows: set[Row] = set()
    until = time.monotonic() + SLICE_S
    for hits in searcher.finding(searcher.bind(query, now=fleet.now()), cap=len(index)):
        if hits.is_exact:
            rows = set(hits.rows)
        elif time.monotonic() >= until:
            await asyncio.sleep(SLICE_S)
            until = time.monotonic() + SLICE_S
    change = index.changes(cursor)
    if change.reset:
        return matching(fleet, query)
    bound = searcher.bind(query, now=fleet.now())
    changed = change.dirty | change.added
    rows = (rows - changed) | {row for row in changed if bound.matches(row)}
    refs = sorted(row.ref for row in rows if not row.is_gone)
    return Selection(tuple(refs), tuple(dict.fromkeys(gaps(fleet, query))))


def matching(fleet: Rows, query: Query) -> Selection:
    """Every object that a filter means, with what stands in the way of "every"."""
    bound = Searcher(fleet.index).bind(query, now=fleet.now())
    refs = sorted(row.ref for row in fleet.index.rows() if bound.matches(row))
    return Selection(tuple(refs), tuple(dict.fromkeys(gaps(fleet, query))))


def gaps(fleet: Rows, query: Query) -> Iterator[str]:
    """What of a filter's scope is not known now; nothing when everything is."""
    for info in fleet.contexts():
        if info.state is not ContextState.LIVE:
            yield f"{info.name}: {info.error or info.state.value}"
    for scope, status in fleet.index.coverage.scopes().items():
        is_incomplete = status.phase in UNREAD_PHASES or status.phase in OLD_PHASES
        if is_incomplete and _is_asked(query, fleet.table, (scope.group, scope.kind)):
            where = f" in namespace {scope.namespace}" if scope.namespace else ""
            error = f" ({status.error})" if status.error else ""
            what = f"{scope.kind}.{scope.group}{where}{error}"
            yield f"{scope.context}: {status.phase.value}: {what}"
    for context, (group, kind) in unsearchable(query, fleet.index.coverage, fleet.table):
        yield f"{context}: not loaded: {kind}.{group}"


def _is_asked(query: Query, table: Kinds, key: KindKey) -> bool:
    wanted = query.kinds()
    spec = table.spec_for(*key)
    return wanted is None or spec is None or any(fits_kind(value, spec) for value in wanted)


def kinds_of_query(query: Query, table: KindTable) -> frozenset[KindKey]:
    """Kinds that a filter names, so that they are followed whatever their depth."""
    wanted = query.kinds()
    if wanted is None:
        return frozenset()
    return frozenset(
        (spec.group, spec.kind) for spec in table if any(fits_kind(v, spec) for v in wanted)
    )


def kinds_of_words(words: Iterable[str], table: KindTable) -> frozenset[KindKey]:
    """Kinds that references may mean, so that they are followed whatever their depth."""
    found: set[KindKey] = set()
    for word in words:
        for part in word.split("/")[:-1]:
            specs: Iterable[KindSpec] = table.find(part.rpartition(":")[2])
            found |= {(spec.group, spec.kind) for spec in specs}
    return frozenset(found)
