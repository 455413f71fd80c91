"""One pretend management cluster's content: blocks of templates, filled when asked for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.world.catalogue import all_resources
from fleettui.demo.world.fleet import ClusterPlan, Flavour, plan_fleet
from fleettui.demo.world.keys import Block, Keys
from fleettui.demo.world.shapes import Shape, compile_shape
from fleettui.demo.world.templates import Values
from fleettui.demo.world.values import WorldFacts, cluster_values
from fleettui.demo.world.workload import cluster_drafts

_CACHED_VALUES = 4096


class World:
    """Seeds of one management cluster."""

    def __init__(self, facts: WorldFacts, plans: Sequence[ClusterPlan]) -> None:
        self.facts = facts
        self.plans = plans
        """The workload clusters of this management cluster."""
        self._blocks = self._place()
        self._keys: dict[tuple[str, str], Keys] = {}
        self._values: dict[int, Values] = {}

    def resources(self) -> Sequence[Resource]:
        """All served resource types."""
        return all_resources()

    def keys(self, resource: Resource) -> Keys:
        """(namespace, name) of all objects of a resource, ascending."""
        keys = self._keys.get(resource.key)
        if keys is None:
            keys = self._keys[resource.key] = Keys(self, resource.key, self._blocks)
        return keys

    def body(self, resource: Resource, index: int) -> bytes:
        """Compact JSON of one object in its storage version."""
        block, entry = self.keys(resource).locate(index)
        return entry.body.fill(self.values_of(block))

    def values_of(self, block: Block) -> Values:
        """Values that fill the block's templates."""
        values = self._values.get(block.owner)
        if values is None:
            if len(self._values) >= _CACHED_VALUES:
                self._values.clear()
            values = self._values[block.owner] = cluster_values(self.plans[block.owner], self.facts)
        return values

    def log(self, namespace: str, pod: str, container: str) -> Iterable[str]:
        """Lines of a container's log, oldest first."""
        return ()

    def convert(self, resource: Resource, body: dict[str, Any], version: str) -> dict[str, Any]:
        """The same object in another served version."""
        return body | {"apiVersion": f"{resource.group}/{version}"}

    def _place(self) -> list[Block]:
        blocks = []
        for number, plan in enumerate(self.plans):
            values = cluster_values(plan, self.facts)
            for part in cluster_shape(plan.flavour, plan.size).parts:
                namespace = part.namespace.fill(values).decode()
                own = namespace == plan.namespace
                prefix = plan.name if own else f"{plan.namespace}-{plan.name}"
                blocks.append(Block(namespace, prefix, part, number))
        blocks.sort(key=lambda block: (block.namespace, block.prefix))
        return blocks


@cache
def cluster_shape(flavour: Flavour, size: str) -> Shape:
    """The compiled objects of a cluster of a flavour and size."""
    return compile_shape(cluster_drafts(flavour, size))


def build_world(
    context_index: int, contexts: int, *, clusters: int, seed: int, now: datetime
) -> World:
    """The content of one of several management clusters.

    Args:
        context_index: which one, 0 based.
        contexts: how many there are.
        clusters: workload clusters in all of them together.
        seed: the same seed gives the same fleet.
        now: the moment that ages are counted from, aware UTC.
    """
    plans = plan_fleet(clusters, contexts=contexts, seed=seed)
    own = [plan for plan in plans if plan.context == context_index]
    return World(WorldFacts(seed, context_index, now), own)
