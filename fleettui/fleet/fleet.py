"""The fleet: links of many contexts feeding one index, for any front end.

The library's entry point. Knows contexts, the index and the clock; knows
neither URLs nor widgets. Everything runs on one event loop; ``settle`` and the
index are synchronous and cheap, whatever awaits is a method that says so.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fleettui.errors import FleettuiError, UsageError
from fleettui.fleet.context import ContextInfo, ContextState, EventLine, Link
from fleettui.fleet.pacer import Pacer
from fleettui.index import Index
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Batch, Mark
from fleettui.kinds.record import ObjectRef

if TYPE_CHECKING:
    from fleettui.fleet.acts import Acts

_SETTLED = frozenset(
    {ContextState.LIVE, ContextState.STALE, ContextState.FAILED, ContextState.RECORDED}
)

Opener = Callable[[str], Link]
"""Makes the link of a context by its name."""


def _nothing() -> None:
    """What happens on a change while no front end listens."""


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
        self._links = {link.name: link for link in links}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, FleettuiError] = {}
        self._opener = opener
        self._available = tuple(available)
        self._clock = clock
        self._is_dirty = False
        self._news = asyncio.Event()

    def now(self) -> int:
        """Unix seconds, by the injected clock."""
        return int(self._clock())

    def contexts(self) -> tuple[ContextInfo, ...]:
        """How every open context stands, in the order of opening."""
        return tuple(link.info() for link in self._links.values())

    def available_contexts(self) -> tuple[str, ...]:
        """Names of contexts that can be opened, in the order of the kubeconfig."""
        return self._available or tuple(self._links)

    async def start(self) -> None:
        """Begins to follow every link; returns at once."""
        for link in self._links.values():
            self._follow(link)

    def _follow(self, link: Link) -> None:
        task = asyncio.create_task(link.run(self.apply, self._changed), name=f"link {link.name}")
        self._tasks[link.name] = task
        task.add_done_callback(lambda done: self._ended(link.name, done))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            if not isinstance(error, FleettuiError):
                raise error
            self._failures[name] = error
        self._changed()

    def apply(self, batch: Batch) -> None:
        """Brings news into the index; what links call."""
        self.index.apply(batch, self.now())
        self._changed()

    def _changed(self) -> None:
        self._news.set()
        if not self._is_dirty:
            self._is_dirty = True
            self.on_change()

    def settle(self) -> None:
        """Lets time pass in the index; called before painting or printing."""
        self._is_dirty = False
        self.index.advance(self.now())

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
        return all(
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
        await link.close()
        for scope in tuple(self.index.coverage.scopes(name)):
            self.index.apply(Batch(scope, [Mark.FORGET]), self.now())
        self._failures.pop(name, None)
        self._changed()

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
        """Ends every task and connection."""
        for name in tuple(self._tasks):
            await self._stop(name)
        for link in self._links.values():
            await link.close()
