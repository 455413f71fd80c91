"""Work that many ask for and that is done once.

Knows who still waits for what: work that nobody waits for any more is ended, so that
leaving a comparison leaves no git, helm or request behind. Knows nothing of what the
work is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(slots=True)
class _Work(Generic[Value]):
    task: "asyncio.Future[Value]"
    waiting: int = 0


class SharedWork(Generic[Key, Value]):
    """Results by key; each is worked out once, however many ask."""

    def __init__(self) -> None:
        """Nothing is asked for yet."""
        self._works: dict[Key, _Work[Value]] = {}

    async def get(self, key: Key, make: Callable[[], Awaitable[Value]]) -> Value:
        """What the work of a key gives; what it raises is raised for everybody.

        Cancelling one who waits leaves the work to the others; the last one ends it, and
        it begins anew when it is asked for again.

        Args:
            key: names the work.
            make: begins it; called at most once while it is known.
        """
        work = self._works.get(key)
        if work is None:
            work = self._works[key] = _Work(asyncio.ensure_future(make()))
        work.waiting += 1
        try:
            return await asyncio.shield(work.task)
        finally:
            work.waiting -= 1
            if not work.waiting and not work.task.done():
                work.task.cancel()
                del self._works[key]
