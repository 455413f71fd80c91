"""Long pure work of the screens in short slices, out of the way of keys.

Knows generators and time; knows nothing of what they do. Every slice is followed
by a sleep longer than zero, so that the threads of input and output get their
turn, and after a key work waits.

Source: measurements of Textual 8.2: 2 ms of work with 2 ms of sleep keeps a key
under 11 ms; slices separated by sleep(0) keep it waiting for ever.
"""

from collections.abc import Callable, Iterator

SLICE_S = 0.002
SLEEP_S = 0.002
KEY_REST_S = 0.03
"""How long work waits after a key."""


class Pacer:
    """Runs generators one after another, a slice at a time."""

    def __init__(
        self,
        *,
        call_later: Callable[[float, Callable[[], None]], object],
        clock: Callable[[], float],
    ) -> None:
        """Start idle.

        Args:
            call_later: runs a function after seconds.
            clock: monotonic seconds.
        """
        self._call_later = call_later
        self._clock = clock
        self._jobs: dict[str, tuple[Iterator[object], Callable[[], None]]] = {}
        self._is_waiting = False
        self._key_at = 0.0

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

    def note_key(self) -> None:
        """A key came: whatever it asks for goes first."""
        self._key_at = self._clock()

    def _wait(self, delay_s: float) -> None:
        if not self._is_waiting:
            self._is_waiting = True
            self._call_later(delay_s, self._slice)

    def _slice(self) -> None:
        self._is_waiting = False
        rest = self._key_at + KEY_REST_S - self._clock()
        if rest > 0:
            self._wait(rest)
            return
        if not self._jobs:
            return
        name, (work, done) = next(iter(self._jobs.items()))
        end = self._clock() + SLICE_S
        for _ in work:
            if self._clock() >= end:
                break
        else:
            if self._jobs.get(name, (None,))[0] is work:
                del self._jobs[name]
            done()
        if self._jobs:
            self._wait(SLEEP_S)
