"""What the driver of plans asks of the outside: reader, writer, observer, clock.

Knows how the failure of a write is told apart from one that may have been done;
knows no transport.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from fleettui.actions.acknowledge import Answer, Notice
from fleettui.actions.facts import Document
from fleettui.actions.plan import ContentType, Target
from fleettui.errors import FleettuiError
from fleettui.kinds.record import ObjectRef

POLL_S = 2.0
"""Seconds between two looks at an object that is waited for, as flux does it."""

GLANCE_S = 0.1
"""Seconds between two looks at what the watch has brought; costs no request."""

SURE_S = 15.0
"""Seconds after which an object is read although its watch brought nothing."""

HTTP_SERVER_ERROR = 500
"""From here on a status does not say whether the request was carried out."""

Judge = Callable[[Document | None], Answer]


class WriteFailure(FleettuiError):
    """A write that the server refused, or of which the answer was lost."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        is_lost: bool = False,
        retry_after_s: float = 0.0,
        hint: str = "",
        where: str = "",
    ) -> None:
        """Keep what decides how to go on.

        Args:
            message: one line.
            status: HTTP status of the answer, 0 without one.
            is_lost: the request may have reached the server and may have been done.
            retry_after_s: how long the server asks to wait (429), in seconds.
            hint: what the person can do next.
            where: context or address.
        """
        super().__init__(message, hint=hint, where=where)
        self.status = status
        self.is_lost = is_lost or status >= HTTP_SERVER_ERROR
        self.retry_after_s = retry_after_s


class Writer(Protocol):
    """Sends writes; read-only mode has none."""

    async def patch(
        self,
        target: Target,
        body: Any,
        *,
        content_type: ContentType,
        subresource: str,
        dry_run: bool,
    ) -> Document:
        """The object (or its subresource) as the server answers it.

        Sent under our field manager; the server refuses fields that its schema
        does not know.

        Raises:
            WriteFailure: the server refused, or the answer was lost.
        """
        ...

    async def delete(self, target: Target, body: Any, *, dry_run: bool) -> Document:
        """The object or status that the server answers.

        Raises:
            WriteFailure: the server refused, or the answer was lost.
        """
        ...

    async def create_event(self, target: Target, event: Mapping[str, Any]) -> None:
        """Records an Event about the target.

        Raises:
            WriteFailure: it was not recorded, or the answer was lost.
        """
        ...


class Reader(Protocol):
    """Reads one object anew."""

    async def body(self, ref: ObjectRef) -> Document | None:
        """The whole object as it is now, None when there is none.

        Raises:
            FleettuiError: it cannot be told.
        """
        ...


class Clock(Protocol):
    """Time, so that tests need not wait."""

    def now(self) -> datetime:
        """The moment, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Returns after so many seconds."""
        ...


class Observer(Protocol):
    """Waits until an object shows something."""

    async def wait(
        self, target: Target, judge: Judge, *, timeout_s: float, cancel: asyncio.Event
    ) -> Answer | None:
        """The first answer that is not "waiting"; None on time-out or when cancelled."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The moment, aware, UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds on a clock that never jumps."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """Returns after so many seconds."""
        await asyncio.sleep(delay_s)


class RereadingObserver:
    """Reads an object again when its watch brought something new, or after a while."""

    def __init__(
        self,
        reader: Reader,
        clock: Clock,
        *,
        version_of: Callable[[ObjectRef], str | None] = lambda ref: None,
        interval_s: float = POLL_S,
    ) -> None:
        """Remember whom to ask.

        Args:
            reader: reads objects anew.
            clock: time.
            version_of: resourceVersion that the watch brought last; None where none is open.
            interval_s: seconds between two reads of an object without a watch.
        """
        self._reader = reader
        self._clock = clock
        self._version_of = version_of
        self._interval_s = interval_s

    async def wait(
        self, target: Target, judge: Judge, *, timeout_s: float, cancel: asyncio.Event
    ) -> Answer | None:
        """The first answer that is not "waiting"; None on time-out or when cancelled.

        A read that fails says nothing about the object: it is read again.
        """
        end = self._clock.monotonic() + timeout_s
        while not cancel.is_set():
            known = self._version_of(target.ref)
            answer = await self._look(target, judge)
            if answer is not None and answer.notice is not Notice.WAITING:
                return answer
            if self._clock.monotonic() >= end:
                return None
            await self._news(target.ref, known, end, cancel)
        return None

    async def _news(
        self, ref: ObjectRef, known: str | None, end: float, cancel: asyncio.Event
    ) -> None:
        """Returns when the watch brought another version than the one known, or in time."""
        if known is None:
            await sleep_unless(cancel, self._interval_s, self._clock)
            return
        until = min(self._clock.monotonic() + SURE_S, end)
        while not cancel.is_set() and self._version_of(ref) == known:
            if self._clock.monotonic() >= until:
                return
            await sleep_unless(cancel, GLANCE_S, self._clock)

    async def _look(self, target: Target, judge: Judge) -> Answer | None:
        try:
            return judge(await self._reader.body(target.ref))
        except FleettuiError:
            return None


async def sleep_unless(event: asyncio.Event, delay_s: float, clock: Clock) -> None:
    """Returns after so many seconds, or as soon as the event is set."""
    tasks = [asyncio.ensure_future(clock.sleep(delay_s)), asyncio.ensure_future(event.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
