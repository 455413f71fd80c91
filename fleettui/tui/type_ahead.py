"""Keys that came while the one before is still being acted on.

Textual puts a key into the queue of whatever has the focus when it arrives; what was
typed ahead of a screen or a prompt would act on what stood there before. Here a key
is delivered once everything that the one before it set off has happened: queues of
the screen in front are empty and it is mounted. Knows queues; knows no key.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

from textual import events
from textual.message_pump import MessagePump

MOST_KEYS = 256
"""Keys kept; somebody leans on the keyboard."""
PATIENCE_S = 0.25
"""Longest wait for quiet; a fleet that changes all the time is never quite quiet."""
PATIENT_ROUNDS = 100
"""Looks for quiet that are made in any case: on a busy machine time passes without us."""
QUIET_ROUNDS = 3
"""Rounds of the loop in a row in which nothing is waiting: a message posts the next one."""
SHORT_S = 0.002
"""How long is waited between two looks once it has taken longer than a few rounds."""


Typed = events.Key | events.Paste
"""What a person types: pasted text goes to whatever the key before it brought up."""


class KeyReceiver(Protocol):
    """What keys are delivered to."""

    def pumps(self) -> Iterator[MessagePump]:
        """Whatever may still be acting on a key: the app, its screen, what has the focus."""
        ...

    def is_ready(self) -> bool:
        """Whether the screen in front can take keys."""
        ...


class TypeAhead:
    """Delivers keys one after another."""

    def __init__(self, receiver: KeyReceiver, deliver: Callable[[Typed], Awaitable[None]]) -> None:
        """Keep nothing yet.

        Args:
            receiver: tells whether a key was acted on.
            deliver: gives a key to what has the focus now.
        """
        self._receiver = receiver
        self._deliver = deliver
        self._keys: deque[Typed] = deque()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Return how many keys wait, the one that is being acted on included."""
        return len(self._keys) + (self._task is not None)

    def forget(self) -> None:
        """Drop the keys that wait."""
        self._keys.clear()

    async def take(self, event: Typed) -> None:
        """Deliver a key now if nothing is under way, else in its turn."""
        is_first = self._task is None and self._receiver.is_ready()
        if not is_first and len(self._keys) < MOST_KEYS:
            self._keys.append(event)
        if self._task is None:
            self._task = asyncio.create_task(self._follow(), name="keys typed ahead")
        if is_first:
            await self._deliver(event)

    async def _follow(self) -> None:
        """Waits for quiet after each key, then delivers the next."""
        try:
            await self._quiet()
            while self._keys:
                await self._deliver(self._keys.popleft())
                await self._quiet()
        finally:
            self._task = None

    async def _quiet(self) -> None:
        # Screens come and go by Textual's own steps: no one event tells it.
        while not self._receiver.is_ready():  # noqa: ASYNC110 - as said above
            await asyncio.sleep(SHORT_S)
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE_S
        quiet = rounds = 0
        while quiet < QUIET_ROUNDS and (rounds < PATIENT_ROUNDS or loop.time() < until):
            await asyncio.sleep(0 if rounds < 4 * QUIET_ROUNDS else SHORT_S)
            rounds += 1
            quiet = quiet + 1 if self._is_quiet() else 0

    def _is_quiet(self) -> bool:
        receiver = self._receiver
        return receiver.is_ready() and not any(p.message_queue_size for p in receiver.pumps())
