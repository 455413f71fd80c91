"""Puts what a reflector has to tell into batches, with the numbers a person asks for.

Knows wall clocks and counts, which the steps do not need; decides nothing.
"""

from fleettui.kinds.batch import Batch, Event, Mark, Phase, Scope, ScopeStatus
from fleettui.kube.reflection import State
from fleettui.kube.rhythm import Rhythm


class Teller:
    """News of one scope that has not been passed on yet."""

    def __init__(self, scope: Scope, rhythm: Rhythm) -> None:
        """Start without news."""
        self._scope = scope
        self._rhythm = rhythm
        self._news: list[Event] = []
        self._phase: Phase | None = None
        self._phase_since = 0.0
        self.loaded = 0
        """Objects of the list under way, or of the last one."""
        self.decoded_bytes = 0
        self.last_event_at = 0.0

    @property
    def has_news(self) -> bool:
        """Whether ``flush`` would give anything."""
        return bool(self._news)

    def tell(self, mark: Mark | None, state: State, *, now: float) -> None:
        """Adds a mark, or the status when there is none."""
        self._news.append(mark or self._status(state, now))
        if mark is Mark.INIT:
            self.loaded = 0

    def flush(self) -> Batch:
        """All news so far, as one batch."""
        batch = Batch(self._scope, tuple(self._news))
        self._news.clear()
        return batch

    def _status(self, state: State, now: float) -> ScopeStatus:
        wall = self._rhythm.wall()
        if state.phase is not self._phase:
            self._phase = state.phase
            since = state.contact_at if state.phase is Phase.STALE else now
            if state.phase is Phase.CACHED and state.saved is not None:
                since = now - state.saved.age_s
            self._phase_since = wall - (now - since)
        retry_s = state.retry_at - now
        return ScopeStatus(
            phase=state.phase,
            since=int(self._phase_since),
            error=state.error,
            loaded=self.loaded,
            expected=state.listing.expected if state.listing is not None else -1,
            retry_at=int(wall + retry_s) if 0 < retry_s < 1e6 else 0,
        )
