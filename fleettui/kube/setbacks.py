"""What a reflector does about failures: one rule for each class.

Pure. Decides on the class of a fault and on where the reflector stands.

Source: client-go ``reflector.go`` for back-off; captured answers of a
kube-apiserver 1.36 for what 410, 429, 404 and 422 look like and when they come.
"""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from fleettui.kinds.batch import Phase
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.moves import (
    STALE_AFTER_S,
    Chance,
    Step,
    enter,
    forget_version,
    open_list,
    pause,
    say,
)
from fleettui.kube.reflection import NEVER, Failed, Mode, Resolve, State, Wait

BACKOFF_FIRST_S = 0.8
BACKOFF_CAP_S = 30.0
BACKOFF_RESET_S = 120.0
"""Quiet time after which the next failure counts as the first."""
TLS_PAUSE_S = 30.0
FORBIDDEN_FIRST_S = 60.0
FORBIDDEN_CAP_S = 600.0
BROKEN_S = 60.0
AUTH_S = 30.0
PAGE_LIMITS = (100, 2000)
"""Fewest and most objects of one page."""


def failed(state: State, happened: Failed, now: float, chance: Chance) -> Step:
    error = happened.error
    counters = replace(state.counters, failures=state.counters.failures + 1)
    hurt = replace(state, counters=counters)
    handler = _FAULTS.get(error.fault)
    if handler is not None:
        return handler(hurt, error, now, chance)
    if state.mode is Mode.STREAMING:
        hurt = replace(hurt, streams_first=False, listing=None)
    if error.fault is Fault.CUT and happened.lasted_s >= 1 and state.mode is Mode.WATCHING:
        counters = replace(hurt.counters, dead=hurt.counters.dead + 1)
        first = replace(hurt, counters=counters)
        return pause(first, Mode.RECONNECT, chance(), now=now, error=str(error))
    return back_off(hurt, error, now, chance)


def back_off(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    """Backs off as client-go does: doubling, and up to twice as long by chance."""
    in_row = state.failures if now - state.failed_at < BACKOFF_RESET_S else 0
    delay_s = min(BACKOFF_FIRST_S * 2 ** min(in_row, 10), BACKOFF_CAP_S) * (1 + chance())
    if error.fault is Fault.TLS:
        delay_s = max(delay_s, TLS_PAUSE_S)
    failing = replace(state, failures=in_row + 1, failed_at=now)
    if error.code == 500 and not _is_storage(error):
        if state.listing is not None and in_row >= 2:
            # A conversion webhook that fails stays so: its words matter more than haste.
            return _broken(failing, error, now, chance)
        if in_row >= 3:
            failing = replace(failing, resource_version="", listing=None)
    if error.fault in (Fault.UNREACHABLE, Fault.TLS) and failing.is_synced:
        failing = replace(failing, contact_at=min(failing.contact_at, now - STALE_AFTER_S))
    return pause(failing, Mode.BACKOFF, delay_s, now=now, error=str(error))


def _is_storage(error: ApiError) -> bool:
    return "etcdserver:" in str(error) or "(re)initializing" in str(error)


def _gone(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    counters = replace(state.counters, gone=state.counters.gone + 1)
    in_row = state.gone_in_row + 1
    larger = min(state.limit * 2, PAGE_LIMITS[1]) if state.listing is not None else state.limit
    old = replace(
        forget_version(state, now),
        counters=counters,
        gone_in_row=in_row,
        limit=larger,
        streams_first=state.streams_first or in_row >= 5,
    )
    if in_row == 1:
        return pause(old, Mode.RELIST, chance() * 0.5, now=now, error="")
    delay_s = min(BACKOFF_FIRST_S * 2 ** min(in_row - 2, 10), BACKOFF_CAP_S) * (1 + chance())
    return pause(old, Mode.RELIST, delay_s, now=now, error=str(error))


def _throttled(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    counters = replace(state.counters, throttled=state.counters.throttled + 1)
    delay_s = max(error.retry_after_s or 1.0, 0.5) + chance()
    patient = replace(state, counters=counters)
    if state.mode is Mode.STREAMING:
        patient = replace(patient, listing=None)
    return pause(patient, Mode.THROTTLED, delay_s, now=now, error=str(error))


def _unauthorized(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    delay_s = AUTH_S * (1 + chance())
    return pause(state, Mode.AUTH_WAIT, delay_s, now=now, error=str(error))


def _forbidden(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    is_first = state.forbidden_at == NEVER
    delay_s = FORBIDDEN_FIRST_S if is_first else state.forbidden_s
    later = replace(
        state,
        forbidden_at=now if is_first else state.forbidden_at,
        forbidden_s=min(delay_s * 2, FORBIDDEN_CAP_S),
        listing=None,
    )
    told, news = say(later, Phase.FORBIDDEN, error=str(error), retry_at=now + delay_s)
    return enter(told, Mode.FORBIDDEN, now), (*news, Wait(delay_s))


def _not_served(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    if state.mode is Mode.RESOLVE:
        # Discovery itself is not served: this is no API server, or a proxy without one.
        return back_off(state, error, now, chance)
    doubting = replace(state, doubted_at=now, listing=None)
    return enter(doubting, Mode.RESOLVE, now), (Resolve(fresh=True),)


def _invalid(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    if state.mode is Mode.STREAMING:
        return open_list(replace(state, streams_first=False, listing=None), now, chance)
    return _broken(state, error, now, chance)


def _unacceptable(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    if not state.metadata_only or state.resource is None:
        return _broken(state, error, now, chance)
    return open_list(replace(state, metadata_only=False, listing=None), now, chance)


def _bad_token(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    return back_off(replace(state, listing=None), error, now, chance)


def _broken(state: State, error: ApiError, now: float, chance: Chance) -> Step:
    delay_s = BROKEN_S * (1 + chance() / 4)
    failing = replace(state, resource_version="", listing=None)
    told, news = say(failing, Phase.BROKEN, error=str(error), retry_at=now + delay_s)
    return enter(told, Mode.BROKEN, now), (*news, Wait(delay_s))


_FAULTS: Mapping[Fault, Callable[[State, ApiError, float, Chance], Step]] = {
    Fault.GONE: _gone,
    Fault.AHEAD: _gone,
    Fault.THROTTLED: _throttled,
    Fault.UNAUTHORIZED: _unauthorized,
    Fault.FORBIDDEN: _forbidden,
    Fault.NOT_SERVED: _not_served,
    Fault.INVALID: _invalid,
    Fault.UNACCEPTABLE: _unacceptable,
    Fault.BAD_TOKEN: _bad_token,
    Fault.MALFORMED: _broken,
    Fault.REDIRECTED: _broken,
    Fault.REFUSED: _broken,
}
