"""What may no longer be so, and since when: whole contexts, and single kinds of live ones.

Knows how contexts stand and what their scopes cover; knows no widget and no row's
health. Rows of a live context are old where nothing that is live covers them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from fleettui.fleet.context import ContextInfo, ContextState
from fleettui.index.coverage import Coverage
from fleettui.index.rows import Row
from fleettui.kinds.batch import Phase, Scope, ScopeStatus

FADED_STATES = frozenset({ContextState.STALE, ContextState.FAILED, ContextState.CLOSED})
"""States in which rows may no longer be so."""
OLD_PHASES = frozenset({Phase.STALE, Phase.CACHED, Phase.FORBIDDEN, Phase.BROKEN})
"""Phases in which rows that were read before are kept as they were."""
UNTOLD_PHASES = frozenset({Phase.CACHED})
"""Phases that the header tells of; a row is only dimmed."""


@dataclass(frozen=True, slots=True)
class Age:
    """That something is as of an earlier moment."""

    since: int
    """Unix seconds; 0 when unknown."""
    phase: Phase | None = None
    """How its kind stands; None: the whole context is lost."""

    @property
    def word(self) -> str:
        """Why, for the row; empty where the header says it for the whole context."""
        is_untold = self.phase is None or self.phase in UNTOLD_PHASES
        return "" if is_untold else str(self.phase)


@dataclass(frozen=True, slots=True)
class Staleness:
    """All that may no longer be so, at one moment."""

    contexts: Mapping[str, Age] = field(default_factory=dict)
    kinds: Mapping[tuple[str, str, str], Mapping[Scope, ScopeStatus]] = field(default_factory=dict)
    """All scopes of the kinds, as (context, group, kind), of which any is old."""

    names: frozenset[str] = frozenset()
    """All open contexts."""

    def of_group(self, path: Sequence[str]) -> Age | None:
        """How old all below a group are; None when they are not.

        Args:
            path: keys of the groups down to it; a context is known by its name.
        """
        return next((self.contexts[part] for part in path if part in self.contexts), None)

    def is_spotless(self, path: Sequence[str]) -> bool:
        """Whether nothing of the group's context, if it has one, is old."""
        context = next((part for part in path if part in self.names), None)
        if context is None:
            return not (self.contexts or self.kinds)
        return context not in self.contexts and all(key[0] != context for key in self.kinds)

    def of_row(self, row: Row) -> Age | None:
        """How old a row is; None when it is as the server says now."""
        if not (self.contexts or self.kinds):
            return None
        place = row.place
        whole = self.contexts.get(place.context)
        if whole is not None:
            return whole
        scopes = self.kinds.get((place.context, place.spec.group, place.spec.kind))
        if scopes is None:
            return None
        return _age(
            status
            for scope, status in scopes.items()
            if scope.namespace in ("", place.namespace) and scope.cluster in ("", row.cluster)
        )


FRESH = Staleness()
"""Nothing is old."""


def _age(statuses: Iterable[ScopeStatus]) -> Age | None:
    oldest: Age | None = None
    for status in statuses:
        if status.phase is Phase.ABSENT:
            continue
        if status.phase not in OLD_PHASES:
            return None
        if oldest is None or status.since < oldest.since:
            oldest = Age(status.since, status.phase)
    return oldest


class Freshness:
    """Keeps the staleness of a fleet, and looks again only when something changed."""

    def __init__(self, coverage: Coverage) -> None:
        """Look at these scopes."""
        self._coverage = coverage
        self._seen: tuple[int, Mapping[str, Age], frozenset[str]] | None = None
        self.now = Staleness()
        """As of the last ``settle``."""

    def settle(self, contexts: Sequence[ContextInfo]) -> None:
        """Takes over how the contexts stand."""
        faded = {info.name: Age(info.since) for info in contexts if info.state in FADED_STATES}
        names = frozenset(info.name for info in contexts)
        seen = (self._coverage.revision, faded, names)
        if seen != self._seen:
            self._seen = seen
            self.now = _staleness(self._coverage, faded, names)


def staleness_of(coverage: Coverage, contexts: Sequence[ContextInfo]) -> Staleness:
    """What may no longer be so."""
    found = Freshness(coverage)
    found.settle(contexts)
    return found.now


def _staleness(coverage: Coverage, faded: Mapping[str, Age], names: frozenset[str]) -> Staleness:
    scopes = coverage.scopes()
    old = {
        (scope.context, scope.group, scope.kind)
        for scope, status in scopes.items()
        if status.phase in OLD_PHASES and scope.context not in faded
    }
    kinds: dict[tuple[str, str, str], dict[Scope, ScopeStatus]] = {key: {} for key in old}
    if old:
        for scope, status in scopes.items():
            key = (scope.context, scope.group, scope.kind)
            if key in old:
                kinds[key][scope] = status
    return Staleness(faded, kinds, names)
