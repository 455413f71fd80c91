"""Long pure work in short slices, out of the way of keys: the one pacer of the program.

Knows generators, turns and time; knows nothing of what is done in them. Two kinds
of work share it: generators that are handed over (causes, searches, writing the
cache) and coroutines that ask for a turn before each slice (first lists). There
is one slice at a time, whoever it belongs to; every slice is followed by a sleep
longer than zero, so that the threads of input and output get their turn, and
after a key all work rests.

Source: measurements of Textual 8.2: 2 ms of work with 2 ms of sleep keeps a key
under 11 ms; slices separated by sleep(0) keep it waiting for ever.
"""

import asyncio
import heapq
import time
from collections.abc import Callable, Iterator
from itertools import count

SLICE_S = 0.002
"""Longest slice of a generator, and of anything else while somebody types."""
CALM_SLICE_S = 0.004
"""Longest slice of whoever asks for a turn while nobody types: the rests between slices are
as long, so that half as many cost half the time."""
TYPING_SLICE_S = 0.001
"""Longest slice while somebody types: a key that comes meanwhile waits for its end."""
SLEEP_S = 0.001
"""Between two slices while nobody types."""
TYPING_SLEEP_S = 0.002
"""Between two slices while somebody types."""
TYPING_S = 1.0
"""How long after a key somebody counts as typing."""
KEY_REST_S = 0.03
"""How long work waits after a key."""
LONGEST_REST_S = 0.25
"""How long work can be put off by keys that never end."""

CallLater = Callable[[float, Callable[[], None]], object]


def _loop_call_later(delay_s: float, do: Callable[[], None]) -> object:
    return asyncio.get_running_loop().call_later(delay_s, do)


class Pacer:
    """Gives turns to long work, one slice at a time."""

    def __init__(
        self,
        *,
        call_later: CallLater = _loop_call_later,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start idle.

        Args:
            call_later: runs a function after seconds; the running loop's by default.
            clock: monotonic seconds.
        """
        self._call_later = call_later
        self._clock = clock
        self._jobs: dict[str, tuple[Iterator[object], Callable[[], None]]] = {}
        self._turns: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._is_waiting = False
        self._is_job_next = False
        self._key_at = float("-inf")
        self._ran_at = float("-inf")
        self.worked_at = float("-inf")
        """When the last slice ran, by the clock."""

    # -- work -----------------------------------------------------------------------------
    def run(self, name: str, work: Iterator[object], *, done: Callable[[], None]) -> None:
        """Run a generator to its end; one of the same name that is under way is dropped."""
        self._jobs[name] = (work, done)
        self._wait(SLEEP_S)

    def is_running(self, name: str) -> bool:
        """Whether a generator of this name is under way."""
        return name in self._jobs

    def drop(self, name: str) -> None:
        """Give a generator up."""
        self._jobs.pop(name, None)

    async def turn(self, rank: int = 0) -> float:
        """Waits until it is the caller's turn for one slice, up to its next await.

        Args:
            rank: lower ones go first, equal ones in order.

        Returns:
            how long the slice may be, seconds.
        """
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._turns, (rank, next(self._order), turn))
        self._wait(SLEEP_S)
        await turn
        return SLICE_S if self.typed_s() < TYPING_S else CALM_SLICE_S

    # -- keys -----------------------------------------------------------------------------
    def note_key(self) -> None:
        """A key came: whatever it asks for goes first."""
        self._key_at = self._clock()

    key_pressed = note_key

    def typed_s(self) -> float:
        """Seconds since the last key."""
        return self._clock() - self._key_at

    # -- slices ---------------------------------------------------------------------------
    def _wait(self, delay_s: float) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            self._call_later(delay_s, self._slice)

    def _slice(self) -> None:
        self._is_waiting = False
        now = self._clock()
        rest = self._key_at + KEY_REST_S - now
        if rest > 0 and now - self._ran_at < LONGEST_REST_S:
            self._wait(rest)
            return
        self._ran_at = now
        while self._turns and self._turns[0][2].done():  # cancelled
            heapq.heappop(self._turns)
        if self._jobs and (self._is_job_next or not self._turns):
            self._is_job_next = False
            try:
                self._run_job()
            finally:
                self._rest()
        elif self._turns:
            self._is_job_next = True
            heapq.heappop(self._turns)[2].set_result(None)
            # Called after the slice: the waiter's wake-up was put into the queue before.
            asyncio.get_running_loop().call_soon(self._rest)

    def _rest(self) -> None:
        self.worked_at = self._clock()
        if self._jobs or self._turns:
            self._wait(TYPING_SLEEP_S if self.typed_s() < TYPING_S else SLEEP_S)

    def _run_job(self) -> None:
        name, (work, done) = next(iter(self._jobs.items()))
        end = self._clock() + (TYPING_SLICE_S if self.typed_s() < TYPING_S else SLICE_S)
        try:
            for _ in work:
                if self._clock() >= end:
                    if self._jobs.get(name, (None,))[0] is work:
                        self._jobs[name] = self._jobs.pop(name)  # the next one's turn
                    return
        except BaseException:
            self._end(name, work)
            raise
        self._end(name, work)
        done()

    def _end(self, name: str, work: Iterator[object]) -> None:
        if self._jobs.get(name, (None,))[0] is work:
            del self._jobs[name]
