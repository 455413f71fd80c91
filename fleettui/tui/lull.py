"""When to do what can wait: not in the moment after a key, while its frame is made.

Knows the time since the last key; knows nothing of what is put off. Keys that never end
put nothing off for ever.
"""

from collections.abc import Callable

from fleettui.fleet.pacer import KEY_REST_S

LONGEST_S = 0.25
"""How long anything can be put off."""

CallLater = Callable[[float, Callable[[], None]], object]


class Lull:
    """Waits for a pause between keys."""

    def __init__(
        self,
        *,
        typed_s: Callable[[], float],
        call_later: CallLater,
        clock: Callable[[], float],
    ) -> None:
        """Know no key yet.

        Args:
            typed_s: seconds since the last key.
            call_later: runs a function after seconds.
            clock: monotonic seconds.
        """
        self._typed_s = typed_s
        self._call_later = call_later
        self._clock = clock

    def run(self, do: Callable[[], None]) -> None:
        """Do it now, or as soon as a key has had its frame."""
        self._run(do, until=self._clock() + LONGEST_S)

    def _run(self, do: Callable[[], None], *, until: float) -> None:
        rest = KEY_REST_S - self._typed_s()
        if rest > 0 and self._clock() < until:
            self._call_later(rest, lambda: self._run(do, until=until))
        else:
            do()
