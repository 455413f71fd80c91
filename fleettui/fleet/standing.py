"""How a live context stands: its state, counts and gaps, from its scopes and its link.

Pure: knows scopes' phases and what a link says of itself; changes nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from fleettui.fleet.context import ContextInfo, ContextState
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Phase, Scope, ScopeStatus
from fleettui.kube.context import KubeContext
from fleettui.kube.link import Reach

UNSETTLED: Final = frozenset({Phase.PENDING, Phase.SYNCING, Phase.CACHED})
"""Phases in which a scope has not answered yet."""
_MISSING: Final = frozenset({Phase.FORBIDDEN, Phase.BROKEN, Phase.STALE, Phase.CACHED})

Statuses = Mapping[Scope, ScopeStatus]


def standing_of(
    base: ContextInfo,
    context: KubeContext | None,
    statuses: Statuses,
    *,
    table: KindTable,
    is_planned: bool,
) -> ContextInfo:
    """What is to be said of a context now.

    Args:
        base: what is known of it beside.
        context: the opened context; None before it is open.
        statuses: its scopes.
        table: names kinds.
        is_planned: whether no further scopes are about to be opened by themselves.
    """
    cached = [s.since for s in statuses.values() if s.phase is Phase.CACHED]
    if context is None or not statuses:
        return replace(base, cached_at=min(cached, default=0))
    phases = [status.phase for status in statuses.values()]
    link = context.link
    state, since, error = ContextState.LIVE, base.since, ""
    if link.reach is Reach.DOWN:
        state, since, error = ContextState.STALE, int(link.answered_at), link.error
    elif not is_planned or any(phase in UNSETTLED for phase in phases):
        state = ContextState.SYNCING
    elif all(phase is Phase.STALE for phase in phases):
        state, since = ContextState.STALE, min(s.since for s in statuses.values())
    loaded = sum(status.loaded for status in statuses.values())
    expected = [s.expected for s in statuses.values() if s.phase in UNSETTLED]
    fastest_s = context.transport.pace.round_trip_s
    return replace(
        base,
        state=state,
        since=since,
        heard_at=int(context.heard_at),
        round_trip_s=fastest_s if math.isfinite(fastest_s) else -1.0,
        error=error,
        loaded=loaded,
        expected=-1 if any(count < 0 for count in expected) else loaded,
        missing=tuple(_missing(statuses, table)),
        cached_at=min(cached, default=0),
    )


def _missing(statuses: Statuses, table: KindTable) -> list[str]:
    words = []
    for scope, status in statuses.items():
        if status.phase not in _MISSING:
            continue
        spec = table.spec_for(scope.group, scope.kind)
        plural = f"{spec.plural}.{spec.group}".rstrip(".") if spec else scope.kind
        where = f" in {scope.namespace}" if scope.namespace else ""
        error = f": {status.error}" if status.error else ""
        words.append(f"{status.phase.value}: {plural}{where}{error}")
    return sorted(words)
