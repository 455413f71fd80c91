"""The fleet: links of many contexts feeding one index, for any front end.

The library's entry point. Knows contexts, the index and the clock; knows
neither URLs nor widgets. Everything runs on one event loop; ``settle`` and the
index are synchronous and cheap, whatever awaits is a method that says so.
"""

import asyncio
import time
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from typing import TYPE_CHECKING, Any

from fleettui.errors import UsageError
from fleettui.fleet.context import ContextInfo, ContextState, EventLine, Link
from fleettui.fleet.depth import LoadPlan
from fleettui.fleet.links import Links
from fleettui.fleet.pacer import Pacer
from fleettui.fleet.reopening import Reopening
from fleettui.fleet.upkeep import Upkeep
from fleettui.fleet.verifying import Verifier
from fleettui.index import Index
from fleettui.index.changes import Transition
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Batch, Deleted, Scope
from fleettui.kinds.record import ObjectRef
from fleettui.kube.faults import ApiError, Fault
from fleettui.recorded.shards import Head

if TYPE_CHECKING:
    from fleettui.fleet.acts import Acts

LAST_SAVE_S = 2.0
"""Longest time that leaving takes for saving."""

Opener = Callable[[str], Link]
"""Makes the link of a context by its name."""


def _nothing() -> None:
    """What happens on a change while no front end listens."""


def _nowhere(_transitions: Sequence[Transition]) -> None:
    """Where changes of health go while nobody keeps them."""


def _scope_of(ref: ObjectRef) -> Scope:
    return Scope(ref.context, ref.group, ref.kind, ref.namespace)


class Fleet:
    """All open contexts and what they hold."""

    def __init__(
        self,
        table: KindTable,
        links: Sequence[Link],
        *,
        read_only: bool,
        opener: Opener | None = None,
        available: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
        pacer: Pacer | None = None,
    ) -> None:
        """Composes; nothing connects before ``start``.

        Args:
            table: kinds understood.
            links: contexts to open at once.
            read_only: whether no writer may ever exist in this process.
            opener: makes links of further contexts; None when there are none.
            available: names that ``opener`` takes.
            clock: Unix seconds.
            pacer: gives turns to long work; the links' when they have one.
        """
        self.table = table
        self.pacer = pacer or Pacer()
        self.index = Index(table)
        self.read_only = read_only
        self.acts: Acts | None = None
        """What changes objects; stays None in read-only mode and over recordings."""
        self.on_change: Callable[[], None] = _nothing
        self.on_transitions: Callable[[Sequence[Transition]], None] = _nowhere
        """Told every change of health as it happens; what a history listens to."""
        self.unusable: tuple[ContextInfo, ...] = ()
        """Contexts of the kubeconfig that cannot be opened at all."""
        self.beside: Callable[[Fleet], Coroutine[None, None, None]] | None = None
        """What runs beside the links until the end, if anything."""
        self._opener = opener
        self._available = tuple(available)
        self._clock = clock
        self._is_dirty = False
        self._news = asyncio.Event()
        self.links = Links(links, emit=self.apply, changed=self._changed, now=self.now)
        """The open contexts."""
        self.reopening = Reopening(self.links, self.index, opener=opener, apply=self._take)
        self.reopening.told = self._reopened
        self._verifier = Verifier(self, clock=time.monotonic)
        self.upkeep = Upkeep(
            self.index, self.pacer, table=table, links=self.links.deep, now=self.now
        )

    def now(self) -> int:
        """Unix seconds, by the injected clock."""
        return int(self._clock())

    def contexts(self) -> tuple[ContextInfo, ...]:
        """How every open context stands, in the order of opening."""
        return tuple(i for i in self.links.standing() if i.state is not ContextState.CLOSED)

    def left_out(self) -> tuple[ContextInfo, ...]:
        """Contexts that were asked for with all others and are not shown, with the reason."""
        closed = (i for i in self.links.standing() if i.state is ContextState.CLOSED)
        return (*self.unusable, *closed)

    def available_contexts(self) -> tuple[str, ...]:
        """Names of contexts that can be opened, in the order of the kubeconfig."""
        return self._available or tuple(self.links)

    async def start(self) -> None:
        """Begins to follow every link; returns at once."""
        self.links.start(self.beside(self) if self.beside is not None else None)

    def apply(self, batch: Batch) -> None:
        """Brings news into the index; what links call."""
        self._take(batch)
        if self.index.is_behind and not self.pacer.is_running("catch up"):
            self.pacer.run("catch up", self._catching_up(), done=self._changed)
        self._changed()

    def _take(self, batch: Batch) -> None:
        self._note(self.index.apply(batch, self.now()))

    def _note(self, transitions: Sequence[Transition]) -> None:
        if transitions:
            self.on_transitions(transitions)

    def _catching_up(self) -> Iterator[None]:
        for transitions in self.index.catching_up(self.now()):
            self._note(transitions)
            yield

    def _reopened(self) -> None:
        self.upkeep.repeat()
        self._changed()

    def _changed(self) -> None:
        self._news.set()
        if not self._is_dirty:
            self._is_dirty = True
            self.on_change()

    # -- depth and the next start -----------------------------------------------------------
    def want(self, source: str, clusters: Iterable[ObjectRef]) -> None:
        """Declares whose leaves a view, a cause or a filter needs, instead of what it said before.

        Args:
            source: who declares.
            clusters: Clusters that are looked at.
        """
        looked_at = list(clusters)
        self.upkeep.want(source, looked_at)
        # Lists of what is looked at leave first: going through a fleet's joins may take a while.
        self.pacer.run(f"verify {source}", self._verifier.looking(looked_at), done=_nothing)

    def ask(self, kinds: Iterable[tuple[str, str]], *, where_they_fit: bool = False) -> None:
        """Follows kinds, as (group, kind), as a whole in every context from now on.

        Args:
            kinds: which.
            where_they_fit: leave those out that are too many to be read unasked.
        """
        for link in self.links.deep().values():
            link.ask(frozenset(kinds), where_they_fit=where_they_fit)

    def load_all(self) -> None:
        """Reads everything of every context, whatever it costs."""
        self.links.load_all()

    def set_namespace(self, namespace: str) -> None:
        """Reads another namespace (empty: all) wherever lists are limited to one."""
        for link in self.links.deep().values():
            link.set_namespace(namespace)

    def load_plan(self) -> tuple[LoadPlan, ...]:
        """How deep every context is read, and what the rest would cost."""
        return tuple(link.load_plan() for link in self.links.deep().values())

    def heads(self) -> dict[str, Head]:
        """What the screen showed of every context last time, as far as that is known."""
        return self.links.heads()

    def housekeep(self) -> None:
        """Does what has time: reads samples of failures, saves, collects; once a second."""
        self.upkeep.tick()

    def save(self, *, within_s: float) -> None:
        """Saves what it can for the next start; blocks for at most so many seconds."""
        self.upkeep.save(within_s=within_s)

    def settle(self) -> None:
        """Lets time pass in the index; called before painting or printing."""
        self._is_dirty = False
        self._note(self.index.advance(self.now()))
        self.upkeep.collect(is_reading=not self.is_synced())

    async def wait_synced(self, timeout_s: float) -> bool:
        """Whether every context answered for every kind before the time was up."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self.is_synced():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            return self.is_synced()
        return True

    def is_synced(self) -> bool:
        """Whether no context is still connecting or in its first lists."""
        return not self.index.is_behind and self.links.is_settled()

    async def open_context(self, name: str) -> None:
        """Opens one more context beside those that are open.

        Raises:
            UsageError: there is no such context.
        """
        if name in self.links:
            return
        if self._opener is None or name not in self._available:
            known = ", ".join(self._available) or "none"
            raise UsageError(f"no context {name!r}", hint=f"known: {known}")
        self.links.open(self._opener(name))
        self._changed()

    async def close_context(self, name: str) -> None:
        """Saves a context for when it is opened again, closes it and forgets its rows."""
        await self.upkeep.save_link(name, within_s=LAST_SAVE_S)
        if await self.links.take(name):
            self.reopening.forget(name)
            self._changed()

    def link_called(self, name: str) -> Link | None:
        """The link of an open context, None when it is not open."""
        return self.links.get(name)

    def link_of(self, ref: ObjectRef) -> Link:
        """The link that an object belongs to.

        Raises:
            UsageError: its context is not open.
        """
        link = self.links.get(ref.context)
        if link is None:
            raise UsageError(f"context {ref.context!r} is not open", hint="open it with :ctx")
        return link

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        """The whole object, fetched now.

        Raises:
            FleettuiError: it is gone, may not be read, or the cluster does not answer.
        """
        return await self.link_of(ref).body(ref)

    async def read_row(self, ref: ObjectRef) -> None:
        """Fetches an object of a kind that is not followed, and makes it a row.

        Raises:
            FleettuiError: it is gone (so is its row), may not be read, or the cluster does
                not answer.
        """
        try:
            body = await self.body(ref)
        except ApiError as error:
            if error.fault is Fault.NOT_FOUND and self.index.get(ref) is not None:
                gone = Deleted(ref.group, ref.kind, ref.namespace, ref.name)
                self.apply(Batch(_scope_of(ref), [gone]))
            raise
        version = str(body.get("apiVersion") or "").rpartition("/")[2]
        record = self.table.reader(ref.group, version, ref.kind).convert(body)
        self.apply(Batch(_scope_of(ref), [record]))

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        """Events about the object, newest first.

        Raises:
            FleettuiError: they may not be read, or the cluster does not answer.
        """
        return await self.link_of(ref).events(ref)

    def logs(self, ref: ObjectRef, *, container: str = "", tail: int = 200) -> AsyncIterator[str]:
        """Lines of a Pod's log, oldest first; raw text."""
        return self.link_of(ref).logs(ref, container=container, tail=tail)

    async def close(self) -> None:
        """Saves, then ends every task and connection."""
        self.save(within_s=LAST_SAVE_S)
        await self._verifier.close()
        await self.links.close()
