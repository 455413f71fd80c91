"""Which slices of a context are followed; pure functions.

Knows depths, what views, causes and filters declare, and what a read costs the
server; knows no connection. Source: design.md, Depth. An API server reads the whole
scope before it filters by label, so reads for single clusters are namespaced and
batched (``in (…)``), costed by objects scanned, and where they would scan more than
one paged list of the kind, the kind is listed once.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fleettui.index.spine import FEEDING_ROLES, ROLE_ORDER
from fleettui.kinds.batch import Scope
from fleettui.kinds.spec import Depth, KindSpec, Role

KindKey = tuple[str, str]
"""Group and kind."""
ClusterKey = tuple[str, str]
"""Namespace and name of a Cluster."""
LOOKED_AT = 0
"""Rank of what somebody looks at: it goes before everything else that waits."""
MEASURING = 6
"""Rank of questions that nobody waits for."""
SMALL_KIND = 500
"""Objects of a kind that one page holds: followed as a whole, whoever needs some of it."""
LARGE_CONTEXT = 20_000
"""Clusters above which kinds that no cluster's health needs are weighed before they are read."""
MAX_OBJECTS = 800_000
"""Objects that are then followed without being asked for: some 950 MB with all made of them."""
MAX_BATCH = 40
"""Clusters named in one selector: a request line of some 2 KB."""


class Part(NamedTuple):
    """Objects of one kind that belong to some clusters of a namespace."""

    group: str
    kind: str
    namespace: str
    clusters: tuple[str, ...]

    @property
    def selector(self) -> str:
        """The label selector that picks them."""
        names = ",".join(self.clusters)
        return f"cluster.x-k8s.io/cluster-name in ({names})"

    def scopes(self, context: str) -> list[Scope]:
        """One scope per cluster, which is how the index keeps them."""
        return [
            Scope(context, self.group, self.kind, self.namespace, name) for name in self.clusters
        ]


def rank_of(spec: KindSpec) -> int:
    """What is listed first when many kinds wait: clusters, then what their health needs."""
    if spec.depth is Depth.ASKED:
        return 5
    if spec.depth is Depth.LEAF:
        return 4
    if spec.role is Role.CLUSTER:
        return 1
    return 2 if spec.role in FEEDING_ROLES else 3


def _order_of(spec: KindSpec) -> tuple[int, int]:
    return (rank_of(spec), ROLE_ORDER.get(spec.role, len(ROLE_ORDER)))


@dataclass(frozen=True, slots=True)
class Needs:
    """What somebody declared beyond the spine."""

    with_leaves: bool = False
    """Machines and what is below them, of every cluster."""
    kinds: frozenset[KindKey] = frozenset()
    """Kinds of any depth, as a whole."""
    useful: frozenset[KindKey] = frozenset()
    """Kinds without which answers are only less complete: as a whole where they fit."""
    clusters: frozenset[ClusterKey] = frozenset()
    """Clusters whose leaves are looked at."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much there is, as far as it is known."""

    objects: Mapping[KindKey, int] = field(default_factory=dict)
    """Objects of a kind in the whole context."""
    clusters: Mapping[str, int] = field(default_factory=dict)
    """Clusters by namespace."""

    def scanned(self, key: KindKey, namespace: str) -> int:
        """Objects that a selector read of a kind in a namespace scans, estimated."""
        total = sum(self.clusters.values())
        share = self.clusters.get(namespace, 0) / total if total else 1.0
        return int(self.objects.get(key, 0) * share)


@dataclass(frozen=True, slots=True)
class ScopePlan:
    """What is to be followed."""

    whole: Mapping[Scope, KindSpec]
    """Whole kinds, spine first."""
    parts: Mapping[Part, KindSpec]
    """Kinds of single clusters."""


def plan_scopes(
    context: str,
    specs: Iterable[KindSpec],
    *,
    is_served: Callable[[str, str], bool],
    needs: Needs,
    namespace: str = "",
    sizes: Sizes | None = None,
    open_parts: Collection[Part] = (),
    most_objects: int | None = None,
) -> ScopePlan:
    """Scopes to follow, spine first, each with its kind's entry.

    Args:
        context: the context's name.
        specs: every kind understood.
        is_served: whether the server offers a (group, kind).
        needs: what somebody declared beyond the spine.
        namespace: limits namespaced kinds; empty: all namespaces.
        sizes: how much there is.
        open_parts: what is followed already: nothing is read twice.
        most_objects: objects that may be followed for the sake of kinds that nobody asked
            for and no cluster's health needs; those whose size is not known wait. None: no limit.
    """
    served = sorted((s for s in specs if is_served(s.group, s.kind)), key=_order_of)
    parts: dict[Part, KindSpec] = {}
    wholly = set(needs.kinds)
    if not needs.with_leaves:
        for spec in served:
            key = (spec.group, spec.kind)
            if spec.depth is Depth.LEAF and key not in wholly and needs.clusters:
                found = _parts_of(spec, needs.clusters, open_parts)
                if _is_whole_cheaper(key, found, sizes or Sizes()):
                    wholly.add(key)
                else:
                    parts.update(dict.fromkeys(found, spec))
    due = {
        (spec.group, spec.kind)
        for spec in served
        if (spec.depth is Depth.SPINE and not is_optional(spec))
        or (needs.with_leaves and spec.depth is Depth.LEAF)
        or (spec.group, spec.kind) in wholly
    }
    optional = [
        spec
        for spec in served
        if (key := (spec.group, spec.kind)) not in due
        and (spec.depth is Depth.SPINE or key in needs.useful)
    ]
    due |= _fitting(optional, due, sizes or Sizes(), most_objects)
    whole: dict[Scope, KindSpec] = {}
    for spec in served:
        key = (spec.group, spec.kind)
        if key in due:
            scope = Scope(context, *key, namespace=namespace if spec.namespaced else "")
            whole[scope] = spec
    return ScopePlan(whole, parts)


def is_optional(spec: KindSpec) -> bool:
    """Whether no cluster's health needs the kind: sources, appliers, add-ons, whatever is asked."""
    return rank_of(spec) in (3, 5)


def _fitting(
    optional: Sequence[KindSpec], due: Collection[KindKey], sizes: Sizes, most: int | None
) -> set[KindKey]:
    """Kinds that fit beside what is due: the spine first, of each the smallest first."""
    if most is None:
        return {(spec.group, spec.kind) for spec in optional}
    # Sources, classes and identities are few: they come even where health takes all there is.
    left = max(most - sum(sizes.objects.get(key, 0) for key in due), most // 20)
    found: set[KindKey] = set()
    known = [spec for spec in optional if (spec.group, spec.kind) in sizes.objects]
    for spec in sorted(
        known, key=lambda s: (s.depth is not Depth.SPINE, sizes.objects[s.group, s.kind])
    ):
        size = sizes.objects[spec.group, spec.kind]
        if size <= left:
            left -= size
            found.add((spec.group, spec.kind))
    return found


def _parts_of(
    spec: KindSpec, clusters: frozenset[ClusterKey], open_parts: Collection[Part]
) -> list[Part]:
    """Parts that hold these clusters: open ones stay as they are, new ones are batched."""
    left = set(clusters)
    found: list[Part] = []
    for part in open_parts:
        if (part.group, part.kind) != (spec.group, spec.kind):
            continue
        held = {(part.namespace, name) for name in part.clusters}
        if held & clusters:
            found.append(part)
            left -= held
    by_namespace: dict[str, list[str]] = {}
    for namespace, name in sorted(left):
        by_namespace.setdefault(namespace, []).append(name)
    for namespace, names in by_namespace.items():
        for start in range(0, len(names), MAX_BATCH):
            batch = tuple(names[start : start + MAX_BATCH])
            found.append(Part(spec.group, spec.kind, namespace, batch))
    return found


def _is_whole_cheaper(key: KindKey, parts: Collection[Part], sizes: Sizes) -> bool:
    """Whether the parts make the server read more objects than one list of everything."""
    total = sizes.objects.get(key)
    if total is None:
        return False
    return total <= SMALL_KIND or sum(sizes.scanned(key, p.namespace) for p in parts) > total
