"""How deep each context is read, what that leaves out, and what it would cost to read all.

Knows estimates, budgets and who needs what; opens nothing (links do). Cluster
health never depends on it: leaves do not feed it (``index.spine``).
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from fleettui.fleet.scopes import ClusterKey, KindKey
from fleettui.index import Index
from fleettui.index.causes.fingerprint import abstract
from fleettui.index.coverage import Offer
from fleettui.index.walking import pieces_of
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role
from fleettui.recorded.shards import Head

FULL_BUDGET_S: Final = 45.0
"""Longest time that reading all leaves in the background may take."""
FULL_BUDGET_BYTES: Final = 200_000_000
"""Most bytes on a wire that they may cost without being asked for."""
FULL_BUDGET_OBJECTS: Final = 1_000_000
"""Most objects that they may be: some 900 MB of memory."""
SMALL_BYTES: Final = 8_000_000
"""JSON of which nobody has to ask whether it fits."""
SAMPLES: Final = 3
"""Failing clusters read per fingerprint."""
MAX_SAMPLED: Final = 30
"""Failing clusters read per context, whatever breaks."""
LINGER_S: Final = 120
"""How long leaves stay after nobody needs them."""
MAX_OPENED: Final = 200
"""Clusters looked at that are read at once."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What reading some kinds as a whole costs."""

    objects: int = 0
    json_bytes: int = 0
    wire_bytes: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """How deep a context is read."""

    context: str
    depth: str
    """``auto``, ``spine`` or ``full``: what was asked for."""
    is_decided: bool
    """Whether it is known how much the leaves are."""
    loaded: tuple[KindKey, ...] = ()
    """Kinds that are followed as a whole."""
    known_through_parent: tuple[KindKey, ...] = ()
    """Kinds of which only what somebody looks at is read."""
    left_out: tuple[KindKey, ...] = ()
    """Kinds that no cluster's health needs and that are too many to follow unasked."""
    clusters: int = 0
    """Clusters whose leaves are read."""
    missing: Cost = Cost()
    """What reading the rest costs."""


@runtime_checkable
class DeepLink(Protocol):
    """A link whose depth can be changed."""

    @property
    def served_kinds(self) -> frozenset[KindKey]:
        """Kinds that the server offers and the program reads; empty while unknown."""
        ...

    @property
    def offer(self) -> Offer | None:
        """Every kind that the server offers; None while unknown."""
        ...

    def need(self, clusters: frozenset[ClusterKey], *, by_namespace: Mapping[str, int]) -> None:
        """Reads the leaves of these clusters, and lets go of others."""
        ...

    def ask(self, kinds: frozenset[KindKey], *, where_they_fit: bool = False) -> None:
        """Follows kinds as a whole from now on, perhaps only where they are few enough."""
        ...

    def load_all(self) -> None:
        """Reads everything, whatever it costs."""
        ...

    def set_namespace(self, namespace: str) -> None:
        """Reads another namespace where lists are limited to one."""
        ...

    def load_plan(self) -> LoadPlan:
        """How deep it is read."""
        ...

    def head(self) -> Head | None:
        """What the screen showed of it last time."""
        ...

    def saving(self, index: Index) -> Iterator[None]:
        """Saves what changed, some rows between two yields."""
        ...

    def auditing(self, index: Index) -> Iterator[None]:
        """Compares what a warm start resumed with what the server holds."""
        ...


def fits(cost: Cost) -> bool:
    """Whether so much may be read without being asked for."""
    if cost.json_bytes <= SMALL_BYTES:
        return True
    return (
        cost.seconds <= FULL_BUDGET_S
        and cost.wire_bytes <= FULL_BUDGET_BYTES
        and cost.objects <= FULL_BUDGET_OBJECTS
    )


def cost_of(
    sizes: Mapping[KindKey, tuple[int, int]],
    *,
    json_bytes_per_s: float,
    wire_share: float,
    is_near: bool,
) -> Cost:
    """What reading kinds costs at a rate that was measured.

    Args:
        sizes: objects and mean bytes of JSON, by kind.
        json_bytes_per_s: how fast the spine came, all in.
        wire_share: bytes on the wire per byte of JSON.
        is_near: whether the server is on this machine, where bytes cost nobody anything.
    """
    objects = sum(count for count, _ in sizes.values())
    json_bytes = sum(count * mean for count, mean in sizes.values())
    wire = 0 if is_near else int(json_bytes * wire_share)
    return Cost(objects, json_bytes, wire, json_bytes / max(json_bytes_per_s, 1.0))


class Wishes:
    """Who needs the leaves of which clusters."""

    def __init__(self) -> None:
        """Start with no wish."""
        self._by_source: dict[str, frozenset[ObjectRef]] = {}
        self._seen_at: dict[tuple[str, ClusterKey], int] = {}

    def want(self, source: str, clusters: Iterable[ObjectRef]) -> bool:
        """Replaces what one source declares; whether that changed anything."""
        found = frozenset(list(clusters)[:MAX_OPENED])
        if found == self._by_source.get(source, frozenset()):
            return False
        self._by_source[source] = found
        return True

    def clusters(self, context: str, now: int) -> frozenset[ClusterKey]:
        """Clusters of a context that are needed, or were a short while ago."""
        for wanted in self._by_source.values():
            for ref in wanted:
                self._seen_at[ref.context, (ref.namespace, ref.name)] = now
        late = [key for key, at in self._seen_at.items() if now - at > LINGER_S]
        for key in late:
            del self._seen_at[key]
        return frozenset(cluster for own, cluster in self._seen_at if own == context)


def sampling(index: Index, contexts: Sequence[str]) -> Generator[None, None, list[ObjectRef]]:
    """Returns failing clusters worth reading, a few for each way of failing; yields often.

    An outage that turns a thousand clusters red must not become a thousand lists.
    """
    found: list[ObjectRef] = []
    picked: dict[tuple[str, str, str], int] = {}
    left = dict.fromkeys(contexts, MAX_SAMPLED)
    kinds = {
        (s.group, s.kind) for name in contexts for s in index.kinds(name) if s.role is Role.CLUSTER
    }
    for piece in pieces_of(index, kinds, size=64):
        for row in piece:
            context = row.context
            if not (row.has_faults and left.get(context)):
                continue
            way = (context, row.reason, abstract(row.message, (row.name,)))
            if picked.get(way, 0) < SAMPLES:
                picked[way] = picked.get(way, 0) + 1
                left[context] -= 1
                found.append(row.ref)
        yield
    return found
