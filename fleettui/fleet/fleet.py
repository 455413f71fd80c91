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
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from fleettui.errors import UsageError
from fleettui.fleet.context import ContextInfo, ContextState, EventLine, Link
from fleettui.fleet.crashes import Failure, failure_of
from fleettui.fleet.depth import DeepLink, LoadPlan
from fleettui.fleet.pacer import Pacer
from fleettui.fleet.upkeep import Upkeep
from fleettui.fleet.verifying import Verifier
from fleettui.index import Index
from fleettui.index.changes import Transition
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Batch, Deleted, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import ObjectRef
from fleettui.kube.faults import ApiError, Fault
from fleettui.recorded.shards import Head

if TYPE_CHECKING:
    from fleettui.fleet.acts import Acts

LAST_SAVE_S = 2.0
"""Longest time that leaving takes for saving."""

BESIDE = ""
"""In place of a context's name, for the task that belongs to none."""
_MOVED = "its kubeconfig changed"
_SETTLED = frozenset(ContextState) - {ContextState.CONNECTING, ContextState.SYNCING}

Opener = Callable[[str], Link]
"""Makes the link of a context by its name."""


def _nothing() -> None:
    """What happens on a change while no front end listens."""


def _nowhere(_transitions: Sequence[Transition]) -> None:
    """Where changes of health go while nobody keeps them."""


def _is_deep(link: Link) -> TypeGuard[DeepLink]:
    return isinstance(link, DeepLink)


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
        self._links = {link.name: link for link in links}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, Failure] = {}
        self.crash_folder: Path | None = None
        """Where reports of unexpected ends go; None writes none."""
        self.unusable: tuple[ContextInfo, ...] = ()
        """Contexts of the kubeconfig that cannot be opened at all."""
        self.beside: Callable[[Fleet], Coroutine[None, None, None]] | None = None
        """What runs beside the links until the end, if anything."""
        self._reopened: set[str] = set()
        """Contexts that still have rows of before they were opened anew."""
        self._opener = opener
        self._available = tuple(available)
        self._clock = clock
        self._is_dirty = False
        self._news = asyncio.Event()
        self._verifier = Verifier(self, clock=time.monotonic)
        self.upkeep = Upkeep(
            self.index, self.pacer, table=table, links=self._deep_links, now=self.now
        )

    def now(self) -> int:
        """Unix seconds, by the injected clock."""
        return int(self._clock())

    def contexts(self) -> tuple[ContextInfo, ...]:
        """How every open context stands, in the order of opening."""
        standing = (self._standing(link) for link in self._links.values())
        return tuple(info for info in standing if info.state is not ContextState.CLOSED)

    def left_out(self) -> tuple[ContextInfo, ...]:
        """Contexts that were asked for with all others and are not shown, with the reason."""
        standing = (self._standing(link) for link in self._links.values())
        closed = (info for info in standing if info.state is ContextState.CLOSED)
        return (*self.unusable, *closed)

    def _standing(self, link: Link) -> ContextInfo:
        info = link.info()
        failure = self._failures.get(link.name)
        if failure is None or info.state is ContextState.FAILED:
            return info
        return replace(
            info,
            state=ContextState.FAILED,
            since=failure.at,
            error=failure.error,
            hint=failure.hint,
        )

    def available_contexts(self) -> tuple[str, ...]:
        """Names of contexts that can be opened, in the order of the kubeconfig."""
        return self._available or tuple(self._links)

    async def start(self) -> None:
        """Begins to follow every link; returns at once."""
        for link in self._links.values():
            self._follow(link)
        if self.beside is not None:
            self._tasks[BESIDE] = asyncio.create_task(self.beside(self), name="beside the links")

    def _follow(self, link: Link) -> None:
        task = asyncio.create_task(link.run(self.apply, self._changed), name=f"link {link.name}")
        self._tasks[link.name] = task
        task.add_done_callback(lambda done: self._ended(link.name, done))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures[name] = failure_of(error, name, at=self.now(), folder=self.crash_folder)
        self._changed()

    def apply(self, batch: Batch) -> None:
        """Brings news into the index; what links call."""
        self._note(self.index.apply(batch, self.now()))
        if self.index.is_behind and not self.pacer.is_running("catch up"):
            self.pacer.run("catch up", self._catching_up(), done=self._changed)
        self._changed()

    def _note(self, transitions: Sequence[Transition]) -> None:
        if transitions:
            self.on_transitions(transitions)

    def _catching_up(self) -> Iterator[None]:
        for transitions in self.index.catching_up(self.now()):
            self._note(transitions)
            yield

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
        self._verifier.look(looked_at)

    def ask(self, kinds: Iterable[tuple[str, str]]) -> None:
        """Follows kinds, as (group, kind), as a whole in every context from now on."""
        for link in self._deep_links().values():
            link.ask(frozenset(kinds))

    def load_all(self) -> None:
        """Reads everything of every context, whatever it costs."""
        for link in self._deep_links().values():
            link.load_all()

    def set_namespace(self, namespace: str) -> None:
        """Reads another namespace (empty: all) wherever lists are limited to one."""
        for link in self._deep_links().values():
            link.set_namespace(namespace)

    def load_plan(self) -> tuple[LoadPlan, ...]:
        """How deep every context is read, and what the rest would cost."""
        return tuple(link.load_plan() for link in self._deep_links().values())

    def heads(self) -> dict[str, Head]:
        """What the screen showed of every context last time, as far as that is known."""
        found = {name: link.head() for name, link in self._deep_links().items()}
        return {name: head for name, head in found.items() if head is not None}

    def _deep_links(self) -> dict[str, DeepLink]:
        return {name: link for name, link in self._links.items() if _is_deep(link)}

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
        deadline = asyncio.get_running_loop().time() + timeout_s
        while not self.is_synced():
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            self._news.clear()
            try:
                await asyncio.wait_for(self._news.wait(), left)
            except TimeoutError:
                return self.is_synced()
        return True

    def is_synced(self) -> bool:
        """Whether no context is still connecting or in its first lists."""
        return not self.index.is_behind and all(
            link.info().state in _SETTLED or name in self._failures
            for name, link in self._links.items()
        )

    async def open_context(self, name: str) -> None:
        """Opens one more context beside those that are open.

        Raises:
            UsageError: there is no such context.
        """
        if name in self._links:
            return
        if self._opener is None or name not in self._available:
            known = ", ".join(self._available) or "none"
            raise UsageError(f"no context {name!r}", hint=f"known: {known}")
        link = self._opener(name)
        self._links[name] = link
        self._follow(link)
        self._changed()

    async def close_context(self, name: str) -> None:
        """Closes a context and forgets its rows."""
        link = self._links.pop(name, None)
        if link is None:
            return
        await self._stop(name)
        self._failures.pop(name, None)
        await link.close()
        for scope in tuple(self.index.coverage.scopes(name)):
            self.index.apply(Batch(scope, [Mark.FORGET]), self.now())
        self._changed()

    def open_names(self) -> tuple[str, ...]:
        """Names of the contexts that are open."""
        return tuple(self._links)

    async def reopen_context(self, name: str) -> None:
        """Opens a context anew with what its kubeconfig says now; its rows stay, as stale."""
        before = self._links.get(name)
        if before is None or self._opener is None:
            return
        after = self._opener(name)
        await self._stop(name)
        await before.close()
        if self._links.get(name) is not before:
            return  # a person closed it meanwhile
        self._failures.pop(name, None)
        stale = ScopeStatus(Phase.STALE, self.now(), _MOVED)
        for scope in self.index.coverage.scopes(name):
            self._note(self.index.apply(Batch(scope, [stale]), self.now()))
        self._links[name] = after
        self._reopened.add(name)
        self._follow(after)
        self.upkeep.repeat()
        self._changed()

    def forget_leftovers(self) -> None:
        """Lets go of scopes that contexts opened anew no longer follow, once they are read."""
        for name in tuple(self._reopened):
            link = self._links.get(name)
            if link is not None and link.info().state is not ContextState.LIVE:
                continue
            self._reopened.discard(name)
            for scope, status in self.index.coverage.scopes(name).items():
                if status.phase is Phase.STALE and status.error == _MOVED:
                    self.index.apply(Batch(scope, [Mark.FORGET]), self.now())

    async def _stop(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is None:
            return
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def link_called(self, name: str) -> Link | None:
        """The link of an open context, None when it is not open."""
        return self._links.get(name)

    def link_of(self, ref: ObjectRef) -> Link:
        """The link that an object belongs to.

        Raises:
            UsageError: its context is not open.
        """
        link = self._links.get(ref.context)
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
                self.apply(Batch(Scope(ref.context, ref.group, ref.kind, ref.namespace), [gone]))
            raise
        version = str(body.get("apiVersion") or "").rpartition("/")[2]
        record = self.table.reader(ref.group, version, ref.kind).convert(body)
        self.apply(Batch(Scope(ref.context, ref.group, ref.kind, ref.namespace), [record]))

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
        for name in tuple(self._tasks):
            await self._stop(name)
        for link in self._links.values():
            await link.close()
