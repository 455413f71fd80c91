"""How much of each context is known.

Knows scopes, their phases and the words for what is missing; refuses to know
objects. ABSENT is knowledge (there are none); PENDING, SYNCING, FORBIDDEN and
BROKEN are not; STALE and CACHED are knowledge of an earlier time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from fleettui.kinds.batch import Phase, Scope, ScopeStatus
from fleettui.kinds.spec import Depth, KindSpec, Role

UNREAD_PHASES: Final = frozenset({Phase.PENDING, Phase.SYNCING, Phase.FORBIDDEN, Phase.BROKEN})
"""Phases in which objects may exist that nobody here has seen."""
OLD_PHASES: Final = frozenset({Phase.STALE, Phase.CACHED})
SETTLED_PHASES: Final = frozenset(Phase) - {Phase.PENDING, Phase.SYNCING}
"""Phases that waiting longer does not improve by itself."""

KindKey = tuple[str, str]
"""Group and kind."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything a server serves, read by the program or not."""

    kinds: frozenset[KindKey]
    groups: frozenset[str] | None = None
    """Groups of which no further kind is served; None: no others are served in any."""

    def lacks(self, group: str, kind: str) -> bool:
        """Whether the kind is known not to be served."""
        is_known = self.groups is None or group in self.groups
        return is_known and (group, kind) not in self.kinds


class Kinds(Protocol):
    """What the index asks of the table of kinds."""

    def spec_for(self, group: str, kind: str) -> KindSpec | None:
        """Return the data entry of the kind, None for a kind without one."""
        ...


@dataclass(frozen=True, slots=True)
class ContextSummary:
    """Where the scopes of one context stand, all together."""

    live: int
    syncing: int
    """Pending ones included."""
    stale: int
    """Cached ones included."""
    failed: int
    """Forbidden or broken."""
    absent: int
    loaded: int
    expected: int
    """Objects expected in all; -1 when any scope does not say."""
    oldest_since: int
    """When the oldest stale scope went stale, Unix seconds; 0 when none is."""


class Coverage:
    """The scopes that are followed, and what is known through them."""

    def __init__(self, table: Kinds) -> None:
        """Start with nothing followed."""
        self._table = table
        self._scopes: dict[Scope, ScopeStatus] = {}
        self._by_kind: dict[tuple[str, str, str], set[Scope]] = {}
        self._declared: dict[str, frozenset[KindKey]] = {}
        self._offers: dict[str, Offer] = {}
        self._unread: dict[str, frozenset[KindKey]] = {}
        self._unread_of: dict[tuple[str, frozenset[Role]], tuple[KindKey, ...]] = {}
        self._unloaded: dict[str, frozenset[KindKey]] = {}
        self._reading: dict[str, bool] = {}
        self.revision = 0
        """Grows when a scope comes, goes or changes its phase."""

    def declare(self, context: str, kinds: Iterable[KindKey]) -> None:
        """Say which kinds the context serves: those without a scope count as not loaded."""
        self._declared[context] = frozenset(kinds)
        self._unloaded.pop(context, None)

    def offer(self, context: str, offer: Offer) -> None:
        """Say what the context's server serves in all."""
        self._offers[context] = offer

    def offers(self) -> dict[str, Offer]:
        """Return what each context serves, as far as it is known."""
        return dict(self._offers)

    def lacks_kind(self, context: str, group: str, kind: str) -> bool:
        """Whether the context's server is known not to serve the kind at all."""
        offer = self._offers.get(context)
        if offer is not None:
            return offer.lacks(group, kind)
        scopes = self.covering(context, group, kind)
        return any(self._scopes[scope].phase is Phase.ABSENT for scope in scopes)

    def put(self, scope: Scope, status: ScopeStatus) -> bool:
        """Keep the status; returns whether what is known (not only progress) changed."""
        before = self._scopes.get(scope)
        self._scopes[scope] = status
        self._by_kind.setdefault((scope.context, scope.group, scope.kind), set()).add(scope)
        if before is not None and before.phase == status.phase:
            return False
        self._has_changed(scope.context)
        return True

    def _has_changed(self, context: str) -> None:
        self.revision += 1
        self._unread.pop(context, None)
        self._unread_of.clear()
        self._unloaded.pop(context, None)
        self._reading.pop(context, None)

    def forget(self, scope: Scope) -> None:
        """Stop counting the scope."""
        self._scopes.pop(scope, None)
        self._has_changed(scope.context)
        same = self._by_kind.get((scope.context, scope.group, scope.kind))
        if same is not None:
            same.discard(scope)

    def status(self, scope: Scope) -> ScopeStatus | None:
        """Return the status of a followed scope."""
        return self._scopes.get(scope)

    def scopes(self, context: str | None = None) -> dict[Scope, ScopeStatus]:
        """Return the followed scopes of a context (of all without one), in order of arrival."""
        return {
            scope: status
            for scope, status in self._scopes.items()
            if context is None or scope.context == context
        }

    def covering(
        self, context: str, group: str, kind: str, *, namespace: str = "", cluster: str = ""
    ) -> list[Scope]:
        """Return the followed scopes that would hold such an object."""
        return [
            scope
            for scope in self._by_kind.get((context, group, kind), ())
            if scope.namespace in ("", namespace) and scope.cluster in ("", cluster)
        ]

    def is_known(
        self, context: str, group: str, kind: str, *, namespace: str = "", cluster: str = ""
    ) -> bool:
        """Whether every such object is in the index, perhaps as of an earlier time."""
        scopes = self.covering(context, group, kind, namespace=namespace, cluster=cluster)
        return any(self._scopes[scope].phase not in UNREAD_PHASES for scope in scopes)

    def unread_kinds(self, context: str) -> frozenset[KindKey]:
        """Return kinds followed in the context of which something has not been read."""
        known = self._unread.get(context)
        if known is None:
            known = frozenset(
                (scope.group, scope.kind)
                for scope, status in self._scopes.items()
                if scope.context == context and status.phase in UNREAD_PHASES
            )
            self._unread[context] = known
        return known

    def unread_of(self, context: str, roles: frozenset[Role]) -> tuple[KindKey, ...]:
        """Return those unread kinds that have one of these roles; asked for each row."""
        known = self._unread_of.get((context, roles))
        if known is None:
            known = self._unread_of[context, roles] = tuple(
                key for key in self.unread_kinds(context) if self.role_of(*key) in roles
            )
        return known

    def is_reading(self, context: str) -> bool:
        """Whether first lists of the context are under way, so that parents may yet come."""
        known = self._reading.get(context)
        if known is None:
            known = self._reading[context] = any(
                status.phase in (Phase.PENDING, Phase.SYNCING) and not scope.cluster
                for scope, status in self._scopes.items()
                if scope.context == context
            )
        return known

    def role_of(self, group: str, kind: str) -> Role | None:
        """Return the kind's role, None for a kind without a data entry."""
        spec = self._table.spec_for(group, kind)
        return spec.role if spec is not None else None

    def unloaded_kinds(self, context: str) -> frozenset[KindKey]:
        """Return kinds that the context serves and that are not wholly in the index.

        Kinds that are read only when somebody asks for them do not count.
        """
        known = self._unloaded.get(context)
        if known is None:
            known = self._unloaded[context] = self._find_unloaded(context)
        return known

    def _find_unloaded(self, context: str) -> frozenset[KindKey]:
        followed = {
            (scope.group, scope.kind)
            for scope, status in self._scopes.items()
            if scope.context == context
            and not scope.namespace
            and not scope.cluster
            and status.phase not in UNREAD_PHASES
        }
        wanted = set(self._declared.get(context, frozenset())) | self.unread_kinds(context)
        return frozenset(
            key
            for key in wanted - followed
            if (spec := self._table.spec_for(*key)) is None or spec.depth is not Depth.ASKED
        )

    def is_complete(
        self, kinds: Iterable[KindKey] | None = None, *, context: str | None = None
    ) -> bool:
        """Whether answers about these kinds (about everything without them) lack nothing.

        Stale and cached scopes are not complete: they tell of an earlier time.
        """
        wanted = None if kinds is None else set(kinds)
        if any(
            status.phase in UNREAD_PHASES or status.phase in OLD_PHASES
            for scope, status in self.scopes(context).items()
            if wanted is None or (scope.group, scope.kind) in wanted
        ):
            return False
        contexts = [context] if context is not None else self.contexts()
        unloaded = {key for name in contexts for key in self.unloaded_kinds(name)}
        return not (unloaded if wanted is None else unloaded & wanted)

    def is_settled(self, context: str | None = None) -> bool:
        """Whether every followed scope has answered, one way or the other."""
        return all(status.phase in SETTLED_PHASES for status in self.scopes(context).values())

    def contexts(self) -> list[str]:
        """Return the contexts with followed scopes or declared kinds."""
        named = dict.fromkeys(scope.context for scope in self._scopes)
        return list(named | dict.fromkeys(self._declared))

    def summary(self, context: str) -> ContextSummary:
        """Return where the scopes of the context stand, all together."""
        statuses = list(self.scopes(context).values())
        phases = [status.phase for status in statuses]
        old = [status.since for status in statuses if status.phase in OLD_PHASES]
        expected = [status.expected for status in statuses if status.phase != Phase.ABSENT]
        return ContextSummary(
            live=phases.count(Phase.LIVE) + phases.count(Phase.RECORDED),
            syncing=phases.count(Phase.SYNCING) + phases.count(Phase.PENDING),
            stale=len(old),
            failed=phases.count(Phase.FORBIDDEN) + phases.count(Phase.BROKEN),
            absent=phases.count(Phase.ABSENT),
            loaded=sum(status.loaded for status in statuses),
            expected=-1 if any(number < 0 for number in expected) else sum(expected),
            oldest_since=min(old, default=0),
        )

    def missing(self, context: str | None = None) -> list[str]:
        """Return one line for each thing that is not known, worst first; raw text.

        With several contexts each line begins with the context's name.
        """
        many = context is None and len(self.contexts()) > 1
        lines: list[tuple[int, str]] = []
        for scope, status in self.scopes(context).items():
            words = self._words(scope, status)
            if words:
                prefix = f"{scope.context}: " if many else ""
                lines.append((_ORDER.index(status.phase), prefix + words))
        for name in [context] if context is not None else self.contexts():
            for key in sorted(self.unloaded_kinds(name) - self.unread_kinds(name)):
                prefix = f"{name}: " if many else ""
                lines.append((len(_ORDER), f"{prefix}not loaded: {self._resource(*key)}"))
        return [line for _, line in sorted(lines)]

    def _words(self, scope: Scope, status: ScopeStatus) -> str:
        phase = status.phase
        if phase not in _ORDER:
            return ""
        what = self._resource(scope.group, scope.kind)
        if scope.namespace:
            what += f" in namespace {scope.namespace}"
        if scope.cluster:
            what += f" of cluster {scope.cluster}"
        if phase == Phase.SYNCING:
            total = f" of {status.expected}" if status.expected >= 0 else ""
            return f"still reading: {what}, {status.loaded}{total}"
        if phase in OLD_PHASES:
            word = "stale" if phase == Phase.STALE else "known from an earlier run"
            words = f"{word} since {_moment(status.since)}: {what}"
        else:
            words = f"{phase.value}: {what}"
        return f"{words} ({status.error})" if status.error else words

    def _resource(self, group: str, kind: str) -> str:
        spec = self._table.spec_for(group, kind)
        plural = spec.plural if spec is not None else kind
        return f"{plural}.{group}" if group else plural


_ORDER: Final = (
    Phase.FORBIDDEN,
    Phase.BROKEN,
    Phase.STALE,
    Phase.CACHED,
    Phase.SYNCING,
    Phase.PENDING,
)
"""Phases that leave something unknown, worst first."""


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")
