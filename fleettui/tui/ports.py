"""What the screens need of the fleet, in as few words as possible.

Declared here, by the consumer; the fleet, the index and its views satisfy them
without knowing. Tests pass small fakes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from fleettui.actions.options import Options
from fleettui.actions.plan import Plan, Refusal
from fleettui.actions.ways import Way
from fleettui.audit import Journal, Who
from fleettui.fleet.context import ContextInfo, EventLine
from fleettui.fleet.depth import LoadPlan
from fleettui.fleet.outcome import Outcome, Report
from fleettui.fleet.pacer import Pacer
from fleettui.index.index import Index
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import KindSpec
from fleettui.recorded.shards import Head


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

    @property
    def pacer(self) -> Pacer:
        """Whoever gives turns to long work."""
        ...

    on_change: Callable[[], None]

    def now(self) -> int:
        """Return Unix seconds."""
        ...

    def contexts(self) -> tuple[ContextInfo, ...]:
        """Return how every open context stands."""
        ...

    def left_out(self) -> tuple[ContextInfo, ...]:
        """Return contexts that were asked for with all others and are not shown."""
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

    def housekeep(self) -> None:
        """Do what has time: save, collect, read samples; once a second."""
        ...

    def want(self, source: str, clusters: Iterable[ObjectRef]) -> None:
        """Declare whose leaves a view needs, instead of what it said before."""
        ...

    def ask(self, kinds: Iterable[tuple[str, str]], *, where_they_fit: bool = False) -> None:
        """Follow kinds, as (group, kind), as a whole from now on."""
        ...

    def load_all(self) -> None:
        """Read everything, whatever it costs."""
        ...

    def set_namespace(self, namespace: str) -> None:
        """Read another namespace (empty: all) where lists are limited to one."""
        ...

    def load_plan(self) -> tuple[LoadPlan, ...]:
        """Return how deep every context is read, and what the rest would cost."""
        ...

    def heads(self) -> Mapping[str, Head]:
        """Return what the screen showed of every context last time."""
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

    async def read_row(self, ref: ObjectRef) -> None:
        """Fetch an object that nothing follows, and make it a row."""
        ...

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        """Fetch events about the object, newest first."""
        ...

    def logs(self, ref: ObjectRef, *, container: str = "", tail: int = 200) -> AsyncIterator[str]:
        """Follow lines of a log, oldest first."""
        ...


class VerbInfo(Protocol):
    """A verb as far as the screens care."""

    @property
    def id(self) -> str:
        """Name of the verb."""
        ...

    @property
    def label(self) -> str:
        """The verb for a person."""
        ...

    @property
    def asks_for(self) -> tuple[str, ...]:
        """Fields of ``Options`` that have to be filled in."""
        ...


class VerbOffer(Protocol):
    """A verb as an object offers it."""

    @property
    def verb(self) -> VerbInfo:
        """What can be done."""
        ...

    @property
    def why_not(self) -> str:
        """Why it cannot be asked for now; empty when it can."""
        ...

    @property
    def ways(self) -> tuple[Way, ...]:
        """How it can be done, the usual way first."""
        ...


class ActsPort(Protocol):
    """Acting, as the screens see it; does not exist where writing is impossible."""

    journal: Journal

    def verbs(self, ref: ObjectRef, *, is_paused: bool, is_deleting: bool) -> Sequence[VerbOffer]:
        """Return what can be done to an object."""
        ...

    async def rights(self, ref: ObjectRef) -> Mapping[str, str]:
        """Return verbs that the person lacks a right for, with the missing rule."""
        ...

    async def plan(
        self,
        verb_id: str,
        refs: Iterable[ObjectRef],
        options: Options | None = None,
        *,
        scope_gaps: Sequence[str] = (),
    ) -> Plan | Refusal:
        """Plan a verb for objects, which are read for it now."""
        ...

    def undo_of(self, plan_id: str) -> Plan:
        """Return what puts back what a kept plan changed; blocks for a file."""
        ...

    def rest_of(self, plan_id: str) -> Plan | Refusal:
        """Return what is left of a kept plan; blocks for files."""
        ...

    async def execute(
        self,
        plan: Plan,
        *,
        who: Who,
        why: str = "",
        servers: Mapping[str, str] | None = None,
        dry_run: bool = False,
        mirrors_events: bool = False,
        progress: Callable[[Report], None] = ...,
        cancel: asyncio.Event | None = None,
    ) -> Outcome:
        """Carry a plan out."""
        ...
