"""Decides what one list-and-watch does next: a pure step of a state machine.

Knows every answer and silence of a server that matters to one kind in one scope;
knows neither sockets nor documents. ``chance`` supplies randomness in [0, 1), so
that a test decides. One reflector never looks at another.

Source: Kubernetes API concepts (resource versions, chunks, watch bookmarks, 410);
client-go ``reflector.go`` for back-off; KEP-3157; captured answers of a
kube-apiserver 1.36 for what silence, 410, 429 and end of stream look like.
"""

from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from fleettui.kinds.batch import Mark, Phase
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.moves import (
    Chance,
    Step,
    enter,
    forget_version,
    open_list,
    open_watch,
    pause,
    proceed,
    say,
)
from fleettui.kube.reflection import (
    NEVER,
    Begin,
    CatalogChanged,
    Closed,
    CredentialsChanged,
    Due,
    Failed,
    Input,
    LinkChanged,
    Listing,
    Mode,
    Opened,
    PageRead,
    Probed,
    ReadPage,
    Resolve,
    Resolved,
    Retry,
    Seen,
    State,
    Tell,
    Wait,
)
from fleettui.kube.setbacks import FORBIDDEN_CAP_S, PAGE_LIMITS, back_off, failed
from fleettui.kube.versions import is_older, version_number

ABSENT_S = 300.0
LINK_SPREAD_S = 3.0
"""Over how long the kinds of a context come back when its link does."""
RESUME_LIMIT_S = 3600.0
"""Older resourceVersions are not worth a try."""
LIST_BUDGET_S = 240.0
"""Continue tokens die after five minutes; a list that needs longer is done otherwise."""
PAGE_BYTES = 4_000_000
"""Decoded size that a page should have."""
SLOW_PAGE_S = 0.25
"""Pages that take longer than this, all in, come from far away."""
SLOW_PAGE_BYTES = 8_000_000
"""The same where round trips are what makes a list slow; servers stop compressing whole
answers, and clients hold up keys, far above it."""
_WAITING = frozenset(
    {
        Mode.WAIT_LINK,
        Mode.THROTTLED,
        Mode.BACKOFF,
        Mode.RELIST,
        Mode.RECONNECT,
        Mode.AUTH_WAIT,
        Mode.FORBIDDEN,
        Mode.ABSENT,
        Mode.BROKEN,
        Mode.RESOLVE,
    }
)


def step(state: State, happened: Input, *, now: float, chance: Chance) -> Step:
    """The next state, and what to do to get there.

    Args:
        state: where the reflector stands.
        happened: what it learned.
        now: seconds of a monotonic clock.
        chance: gives numbers in [0, 1).
    """
    if state.mode is Mode.WATCHING and isinstance(happened, Closed | Failed):
        # Silence of a watch is contact too, up to the moment it breaks.
        state = replace(state, contact_at=now)
    return _HANDLERS[type(happened)](state, happened, now, chance)


def _begin(state: State, happened: Begin, now: float, chance: Chance) -> Step:
    begun = replace(state, since=now, contact_at=now)
    phase = Phase.CACHED if state.saved is not None else Phase.PENDING
    begun, _ = say(begun, phase)
    if not happened.is_link_up:
        return enter(begun, Mode.WAIT_LINK, now), (Tell(), Wait(float("inf")))
    following, effects = proceed(begun, now, chance)
    return following, (Tell(), *effects)


def _link_changed(state: State, happened: LinkChanged, now: float, chance: Chance) -> Step:
    if state.mode not in (Mode.WAIT_LINK, Mode.BACKOFF):
        return state, ()
    if happened.is_up:
        return enter(state, Mode.BACKOFF, now), (Wait(chance() * LINK_SPREAD_S),)
    phase = Phase.STALE if state.is_synced else state.phase
    told, news = say(state, phase, error=happened.error or state.error)
    return enter(told, Mode.WAIT_LINK, now), (*news, Wait(float("inf")))


def _resolved(state: State, happened: Resolved, now: float, chance: Chance) -> Step:
    found = happened.resource
    if found is None:
        return _absent(state, now)
    if found == state.resource and state.doubted_at >= state.contact_at:
        error = ApiError("discovery lists the kind, but it is not served", fault=Fault.SERVER)
        return back_off(state, error, now, chance)
    known = replace(state, resource=found)
    is_other = state.resource is not None and found.root != state.resource.root
    if is_other:
        known = replace(known, resource_version="", saved=None, listing=None)
    return proceed(known, now, chance)


def _absent(state: State, now: float) -> Step:
    gone = (Tell(Mark.INIT), Tell(Mark.INIT_DONE)) if state.is_synced else ()
    empty = replace(
        state, resource=None, resource_version="", saved=None, listing=None, is_synced=False
    )
    told, news = say(empty, Phase.ABSENT, error="the server does not serve this kind")
    return enter(told, Mode.ABSENT, now), (*gone, *news, Wait(ABSENT_S))


def _probed(state: State, happened: Probed, now: float, chance: Chance) -> Step:
    saved = state.saved
    known = replace(state, saved=None, contact_at=now)
    if saved is None or saved.age_s > RESUME_LIMIT_S:
        return open_list(known, now, chance)
    then, current = (
        version_number(saved.resource_version),
        version_number(happened.resource_version),
    )
    if then is None or current is None or then > current:
        # A server that was restored from a backup accepts a version of its future
        # and then stays silent for ever.
        return open_list(known, now, chance)
    return open_watch(
        replace(known, resource_version=saved.resource_version, is_synced=True), now, chance
    )


def _page_read(state: State, happened: PageRead, now: float, chance: Chance) -> Step:
    before = state.listing or Listing(started_at=now)
    loaded = before.loaded + happened.items
    expected = before.expected
    if happened.remaining is not None:
        expected = loaded + happened.remaining
    listing = replace(
        before,
        token=happened.token,
        resource_version=before.resource_version or happened.resource_version,
        pages=before.pages + 1,
        loaded=loaded,
        expected=expected,
        decoded_bytes=before.decoded_bytes + happened.decoded_bytes,
    )
    counters = replace(
        state.counters,
        pages=state.counters.pages + 1,
        garbled=state.counters.garbled + happened.garbled,
    )
    read = replace(
        state,
        listing=listing,
        counters=counters,
        contact_at=now,
        limit=_next_limit(state, listing, now),
    )
    if not happened.token:
        return _synced(read, listing.resource_version, now, chance)
    if _is_too_slow(listing, now):
        read = replace(read, limit=_next_limit(state, listing, now, page_bytes=SLOW_PAGE_BYTES))
        if read.limit <= state.limit and listing.pages > 6 and _is_half_spent(listing, now):
            return open_list(replace(read, streams_first=True, listing=None), now, chance)
    following = enter(read, Mode.LISTING, now)
    return following, (Tell(), ReadPage(following.limit, listing.token))


def _is_half_spent(listing: Listing, now: float) -> bool:
    """Whether so much time is gone that a stream, which is not compressed, is the last way."""
    return now - listing.started_at > LIST_BUDGET_S / 2


def _next_limit(state: State, listing: Listing, now: float, *, page_bytes: int = PAGE_BYTES) -> int:
    if not listing.loaded or not listing.decoded_bytes:
        return state.limit
    if now - listing.started_at > SLOW_PAGE_S * listing.pages:
        page_bytes = SLOW_PAGE_BYTES
    fitting = page_bytes * listing.loaded // listing.decoded_bytes
    low, high = PAGE_LIMITS
    return max(low, min(high, fitting, state.limit * 2))


def _is_too_slow(listing: Listing, now: float) -> bool:
    if listing.pages < 3 or listing.expected <= listing.loaded:
        return False
    total_s = (now - listing.started_at) * listing.expected / max(listing.loaded, 1)
    return total_s > LIST_BUDGET_S


def _synced(state: State, resource_version: str, now: float, chance: Chance) -> Step:
    whole = replace(
        state,
        resource_version=resource_version,
        is_synced=True,
        listing=None,
        contact_at=now,
        forbidden_at=NEVER,
    )
    told, news = say(whole, Phase.LIVE)
    following, effects = open_watch(told, now, chance)
    return following, (Tell(Mark.INIT_DONE), *(news or (Tell(),)), *effects)


def _opened(state: State, happened: Opened, now: float, chance: Chance) -> Step:
    counters = replace(state.counters, watches=state.counters.watches + 1)
    opened = replace(state, counters=counters, contact_at=now, forbidden_at=NEVER)
    if state.mode is Mode.STREAMING:
        return opened, ()
    told, news = say(enter(opened, Mode.WATCHING, now), Phase.LIVE)
    return told, news


def _seen(state: State, happened: Seen, now: float, chance: Chance) -> Step:
    counters = replace(
        state.counters,
        events=state.counters.events + happened.events,
        skipped=state.counters.skipped + happened.skipped,
        garbled=state.counters.garbled + happened.garbled,
    )
    seen = replace(state, counters=counters, contact_at=now)
    if happened.events:
        seen = replace(seen, gone_in_row=0)
    if state.mode is Mode.STREAMING:
        return _seen_initial(seen, happened, now)
    if happened.resource_version:
        if happened.is_bookmark and is_older(happened.resource_version, state.resource_version):
            return pause(forget_version(seen, now), Mode.RELIST, chance() * 0.5, now=now, error="")
        if not is_older(happened.resource_version, state.resource_version):
            seen = replace(seen, resource_version=happened.resource_version)
    if happened.skipped and now - state.skipped_at > 600:
        seen = replace(seen, skipped_at=now)
        return pause(forget_version(seen, now), Mode.RELIST, chance() * 0.5, now=now, error="")
    if happened.garbled:
        recent = [at for at in state.garbled_at if now - at < 60]
        recent.extend([now] * happened.garbled)
        seen = replace(seen, garbled_at=tuple(recent[-8:]))
        if len(recent) > 3:
            seen = replace(seen, garbled_at=())
            return pause(forget_version(seen, now), Mode.RELIST, chance() * 0.5, now=now, error="")
    return seen, ()


def _seen_initial(state: State, happened: Seen, now: float) -> Step:
    listing = state.listing or Listing(started_at=now)
    listing = replace(listing, loaded=listing.loaded + happened.events)
    seen = replace(state, listing=listing)
    if not happened.is_initial_end:
        return seen, (Tell(),) if happened.events else ()
    whole = replace(seen, resource_version=happened.resource_version, is_synced=True, listing=None)
    told, news = say(enter(whole, Mode.WATCHING, now), Phase.LIVE)
    return told, (Tell(Mark.INIT_DONE), *(news or (Tell(),)))


def _closed(state: State, happened: Closed, now: float, chance: Chance) -> Step:
    if state.mode is Mode.STREAMING:
        again = replace(state, streams_first=False, listing=None)
        error = ApiError("the stream ended before the list was whole", fault=Fault.CUT)
        return back_off(again, error, now, chance)
    if happened.lasted_s >= 1 or happened.events:
        return pause(state, Mode.RECONNECT, chance() * 0.5, now=now, error="")
    counters = replace(state.counters, short_watches=state.counters.short_watches + 1)
    error = ApiError("the server ends watches at once", fault=Fault.SERVER)
    return back_off(replace(state, counters=counters), error, now, chance)


def _due(state: State, happened: Input, now: float, chance: Chance) -> Step:
    if state.mode is Mode.WAIT_LINK and isinstance(happened, Due):
        return state, (Wait(float("inf")),)
    is_lost = state.mode is Mode.FORBIDDEN and now - state.forbidden_at >= FORBIDDEN_CAP_S
    if is_lost and state.is_synced:
        # Rights that are gone for ten minutes are gone: so are the rows.
        dropped = replace(state, is_synced=False, resource_version="")
        following, effects = proceed(dropped, now, chance)
        return following, (Tell(Mark.FORGET), *effects)
    return proceed(state, now, chance)


def _retry(state: State, happened: Input, now: float, chance: Chance) -> Step:
    if state.mode not in _WAITING:
        return state, ()
    return proceed(replace(state, failures=0), now, chance)


def _credentials_changed(state: State, happened: Input, now: float, chance: Chance) -> Step:
    if state.mode is not Mode.AUTH_WAIT:
        return state, ()
    return proceed(replace(state, failures=0), now, chance)


def _catalog_changed(state: State, happened: Input, now: float, chance: Chance) -> Step:
    if state.mode is not Mode.ABSENT:
        return state, ()
    return enter(state, Mode.RESOLVE, now), (Resolve(),)


_Handler = Callable[[State, Any, float, Chance], Step]

_HANDLERS: Mapping[type, _Handler] = {
    Begin: _begin,
    LinkChanged: _link_changed,
    Resolved: _resolved,
    Probed: _probed,
    PageRead: _page_read,
    Opened: _opened,
    Seen: _seen,
    Closed: _closed,
    Failed: failed,
    Due: _due,
    Retry: _retry,
    CredentialsChanged: _credentials_changed,
    CatalogChanged: _catalog_changed,
}
