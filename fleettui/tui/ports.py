"""What the screens need of the fleet, in as few words as possible.

Declared here, by the consumer; the fleet, the index and its views satisfy them
without knowing. Tests pass small fakes.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Protocol

from fleettui.fleet.context import ContextInfo, EventLine
from fleettui.index.index import Index
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import KindSpec


class Kinds(Protocol):
    """The table of kinds as the command line sees it."""

    def words(self) -> Sequence[str]:
        """Return every word that ``find`` knows."""
        ...

    def spec_for(self, group: str, kind: str) -> KindSpec | None:
        """Return the entry of a kind, None for a kind without one."""
        ...

    def find(self, word: str) -> Sequence[KindSpec]:
        """Return kinds that a word means."""
        ...


class FleetPort(Protocol):
    """The fleet as the screens see it."""

    @property
    def index(self) -> Index:
        """All rows of all contexts."""
        ...

    @property
    def table(self) -> Kinds:
        """The kinds that have words."""
        ...

    @property
    def read_only(self) -> bool:
        """Whether no change is possible in this process."""
        ...

    on_change: Callable[[], None]

    def now(self) -> int:
        """Return Unix seconds."""
        ...

    def contexts(self) -> tuple[ContextInfo, ...]:
        """Return how every open context stands."""
        ...

    def available_contexts(self) -> tuple[str, ...]:
        """Return names of contexts that can be opened."""
        ...

    async def start(self) -> None:
        """Begin to follow every context."""
        ...

    async def close(self) -> None:
        """End every connection."""
        ...

    def settle(self) -> None:
        """Apply what is pending; called before painting."""
        ...

    async def open_context(self, name: str) -> None:
        """Open one more context."""
        ...

    async def close_context(self, name: str) -> None:
        """Close a context and forget its rows."""
        ...

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        """Fetch the whole object."""
        ...

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        """Fetch events about the object, newest first."""
        ...

    def logs(self, ref: ObjectRef, *, container: str = "", tail: int = 200) -> AsyncIterator[str]:
        """Follow lines of a log, oldest first."""
        ...
