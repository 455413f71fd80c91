"""Events of an object and its relatives, merged: one story instead of a dozen lists.

Relatives are what owns the object, what it owns and points at, broken ones first,
within limits: each is one request.
"""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from fleettui.errors import FleettuiError
from fleettui.fleet.context import EventLine
from fleettui.index.causes.explain import EXPLAINING
from fleettui.index.causes.fingerprint import abstract
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef

RELATIVES: Final = 24
"""Most objects whose Events are read."""
IN_FLIGHT: Final = 8


class Events(Protocol):
    """Whatever reads Events: the fleet."""

    @property
    def index(self) -> Index:
        """All rows."""
        ...

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        """Events about one object, newest first."""
        ...


def relatives_of(index: Index, ref: ObjectRef, *, limit: int = RELATIVES) -> list[ObjectRef]:
    """The object, what it hangs below, what it owns and what explains it; broken ones first."""
    row = index.get(ref)
    if row is None:
        return [ref]
    near = list(dict.fromkeys(_near(index, row)))
    near.sort(key=lambda other: other.health.rank)
    return [ref, *(other.ref for other in near[: limit - 1] if other is not row)]


def _near(index: Index, row: Row) -> Iterator[Row]:
    if row.parent is not None:
        yield row.parent
    stack = [(row, 0)]
    while stack:
        at, depth = stack.pop()
        for edge in index.edges(at):
            if edge.target is not None and edge.relation in EXPLAINING:
                yield edge.target
        if depth < 3:
            for child in index.children(at):
                yield child
                stack.append((child, depth + 1))


async def related_events(source: Events, ref: ObjectRef) -> list[EventLine]:
    """Events of the object and its relatives, equal ones merged, newest first.

    Raises:
        FleettuiError: the object's own Events cannot be read.
    """
    own = await source.events(ref)
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def read(other: ObjectRef) -> Sequence[EventLine]:
        async with gate:
            try:
                return await source.events(other)
            except FleettuiError:
                return ()  # a relative's Events are an extra

    others = relatives_of(source.index, ref)[1:]
    parts = await asyncio.gather(*(read(other) for other in others))
    return merged([*own, *(line for part in parts for line in part)])


def merged(lines: Sequence[EventLine]) -> list[EventLine]:
    """Lines that say the same of the same object as one: counts added, the newest words kept."""
    found: dict[tuple[str, str, str, str, str], EventLine] = {}
    for line in sorted(lines, key=lambda line: line.at):
        key = (line.kind, line.name, line.type, line.reason, abstract(line.message))
        known = found.get(key)
        count = line.count + (known.count if known is not None else 0)
        found[key] = EventLine(
            at=line.at,
            type=line.type,
            reason=line.reason,
            message=line.message,
            count=count,
            source=line.source,
            kind=line.kind,
            name=line.name,
        )
    return sorted(found.values(), key=lambda line: -line.at)
