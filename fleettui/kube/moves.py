"""The moves of a reflector: what every rule of it is made of.

Pure. Each move gives the next state and what is to be done; which move follows
what is decided in ``reflector`` and ``setbacks``.

Source: see ``reflector``.
"""

from collections.abc import Callable

from msgspec.structs import replace

from fleettui.kinds.batch import Mark, Phase
from fleettui.kube.reflection import (
    Effect,
    Listing,
    Mode,
    Probe,
    ReadPage,
    Resolve,
    State,
    Tell,
    Wait,
    Watch,
)

Chance = Callable[[], float]
"""Gives numbers in [0, 1)."""

Step = tuple[State, tuple[Effect, ...]]

IDLE_S = 150.0
"""Longest silence of a watch: bookmarks of a quiet kind come every two minutes."""
INITIAL_IDLE_S = 30.0
"""Longest silence of a streamed list before it is given up."""
STALE_AFTER_S = 5.0
"""How long a reconnection may take before rows are called stale."""


def enter(state: State, mode: Mode, now: float) -> State:
    return state if state.mode is mode else replace(state, mode=mode, since=now)


def say(state: State, phase: Phase, *, error: str = "", retry_at: float = 0.0) -> Step:
    told = replace(state, phase=phase, error=error, retry_at=retry_at)
    is_news = (told.phase, told.error, told.retry_at) != (state.phase, state.error, state.retry_at)
    return told, (Tell(),) if is_news else ()


def proceed(state: State, now: float, chance: Chance) -> Step:
    """Does whatever is next for a reflector that may act."""
    if state.resource is None:
        return enter(state, Mode.RESOLVE, now), (Resolve(),)
    if state.listing is not None and state.listing.token:
        return enter(state, Mode.LISTING, now), (ReadPage(state.limit, state.listing.token),)
    if state.saved is not None:
        return enter(state, Mode.RESUME, now), (Probe(),)
    if state.resource_version:
        return open_watch(state, now, chance)
    return open_list(state, now, chance)


def open_watch(state: State, now: float, chance: Chance) -> Step:
    opening = enter(state, Mode.RECONNECT, now)
    return opening, (Watch(state.resource_version, _timeout_s(chance), IDLE_S),)


def _timeout_s(chance: Chance) -> int:
    return 240 + int(chance() * 51)


def open_list(state: State, now: float, chance: Chance) -> Step:
    counters = replace(state.counters, lists=state.counters.lists + 1)
    fresh = replace(state, listing=Listing(started_at=now), counters=counters)
    told, news = say(fresh, state.phase if state.is_synced else Phase.SYNCING)
    if state.streams_first:
        watch = Watch("", _timeout_s(chance), INITIAL_IDLE_S, is_initial=True)
        return enter(told, Mode.STREAMING, now), (Tell(Mark.INIT), *news, watch)
    return enter(told, Mode.LISTING, now), (Tell(Mark.INIT), *news, ReadPage(state.limit))


def forget_version(state: State, now: float) -> State:
    """Forgets where the watch stood, so that the next thing is a list."""
    dropped = replace(state, resource_version="", saved=None, listing=None)
    return enter(dropped, Mode.RELIST, now)


def pause(state: State, mode: Mode, delay_s: float, *, now: float, error: str) -> Step:
    """Waits, and says so when it is long enough to matter."""
    waiting = enter(state, mode, now)
    is_long = delay_s > STALE_AFTER_S or now + delay_s - state.contact_at > STALE_AFTER_S
    if not state.is_synced:
        phase = state.phase if state.phase in (Phase.CACHED, Phase.SYNCING) else Phase.PENDING
        waiting, news = say(waiting, phase, error=error, retry_at=now + delay_s)
    elif is_long:
        waiting, news = say(waiting, Phase.STALE, error=error, retry_at=now + delay_s)
    else:
        news = ()
    return waiting, (*news, Wait(delay_s))
