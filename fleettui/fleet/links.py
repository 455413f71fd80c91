"""The links that are open, the tasks that run them, and why one of them ended.

Knows names, tasks and how each context stands; refuses to know rows. An end that nobody
expected is a state of its context, never the end of the others.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard

from fleettui.fleet.context import ContextInfo, ContextState, Emit, Link
from fleettui.fleet.crashes import Failure, failure_of
from fleettui.fleet.depth import DeepLink
from fleettui.recorded.shards import Head

_BESIDE = ""
"""In place of a context's name, for the task that belongs to none."""
_SETTLED = frozenset(ContextState) - {ContextState.CONNECTING, ContextState.SYNCING}


def _is_deep(link: Link) -> TypeGuard[DeepLink]:
    return isinstance(link, DeepLink)


class Links:
    """Every open link by its context's name, in the order of opening."""

    def __init__(
        self,
        links: Iterable[Link],
        *,
        emit: Emit,
        changed: Callable[[], None],
        now: Callable[[], int],
    ) -> None:
        """Take the first links; none runs before it is followed.

        Args:
            links: contexts to open at once.
            emit: takes what links tell, in order.
            changed: told whenever a context stands otherwise.
            now: Unix seconds.
        """
        self.crash_folder: Path | None = None
        """Where reports of unexpected ends go; None writes none."""
        self._links = {link.name: link for link in links}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._failures: dict[str, Failure] = {}
        self._emit = emit
        self._changed = changed
        self.now = now
        """Unix seconds."""

    def __contains__(self, name: object) -> bool:
        """Whether a context is open."""
        return name in self._links

    def __iter__(self) -> Iterator[str]:
        """Names of the open contexts."""
        return iter(tuple(self._links))

    def get(self, name: str) -> Link | None:
        """The link of an open context, None when it is not open."""
        return self._links.get(name)

    def deep(self) -> dict[str, DeepLink]:
        """The links that can be told how deep to read."""
        return {name: link for name, link in self._links.items() if _is_deep(link)}

    def load_all(self) -> None:
        """Reads everything of every context, whatever it costs."""
        for link in self.deep().values():
            link.load_all()

    def heads(self) -> dict[str, Head]:
        """What the screen showed of every context last time, as far as that is known."""
        found = {name: link.head() for name, link in self.deep().items()}
        return {name: head for name, head in found.items() if head is not None}

    def standing(self) -> Iterator[ContextInfo]:
        """How every context stands; one whose task ended by itself has failed."""
        for link in self._links.values():
            info, failure = link.info(), self._failures.get(link.name)
            if failure is not None and info.state is not ContextState.FAILED:
                info = replace(
                    info,
                    state=ContextState.FAILED,
                    since=failure.at,
                    error=failure.error,
                    hint=failure.hint,
                )
            yield info

    def is_settled(self) -> bool:
        """Whether no context is still connecting or in its first lists."""
        return all(
            link.info().state in _SETTLED or name in self._failures
            for name, link in self._links.items()
        )

    def start(self, beside: Coroutine[None, None, None] | None) -> None:
        """Begins to follow every link, and what runs beside them; returns at once."""
        for link in self._links.values():
            self._follow(link)
        if beside is not None:
            self._tasks[_BESIDE] = asyncio.create_task(beside, name="beside the links")

    def open(self, link: Link) -> None:
        """Takes one more link, or another in place of one that was taken away, and follows it."""
        self._links[link.name] = link
        self._follow(link)

    def _follow(self, link: Link) -> None:
        task = asyncio.create_task(link.run(self._emit, self._changed), name=f"link {link.name}")
        self._tasks[link.name] = task
        task.add_done_callback(lambda done: self._ended(link.name, done))

    def _ended(self, name: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            folder = self.crash_folder
            self._failures[name] = failure_of(error, name, at=self.now(), folder=folder)
        self._changed()

    async def end(self, link: Link) -> bool:
        """Ends a link's task and connections; False when somebody took it away meanwhile."""
        await self._stop(link.name)
        await link.close()
        if self._links.get(link.name) is not link:
            return False
        self._failures.pop(link.name, None)
        return True

    async def take(self, name: str) -> bool:
        """Takes a context away and ends it; False when it is not open."""
        link = self._links.pop(name, None)
        if link is None:
            return False
        await self._stop(name)
        self._failures.pop(name, None)
        await link.close()
        return True

    async def _stop(self, name: str) -> None:
        task = self._tasks.pop(name, None)
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def close(self) -> None:
        """Ends every task, then every connection."""
        for name in tuple(self._tasks):
            await self._stop(name)
        for link in self._links.values():
            await link.close()
