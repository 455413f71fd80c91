"""One pretend management cluster's content: blocks of templates, filled when asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.world.catalogue import all_resources
from fleettui.demo.world.conversion import convert
from fleettui.demo.world.fleet import ENDING_COURSES, ClusterPlan, Team, plan_fleet
from fleettui.demo.world.groups import (
    cluster_declared,
    cluster_shape,
    platform_shape,
    team_shape,
)
from fleettui.demo.world.incidents import all_incidents
from fleettui.demo.world.keys import Block, Keys, blocks_by_resource
from fleettui.demo.world.planting import Planting, plant, teams_of
from fleettui.demo.world.platform import APPLIES_TO_TEAMS
from fleettui.demo.world.shapes import Part, Shape, fill_name
from fleettui.demo.world.teams import applied_to_teams, inventory_of
from fleettui.demo.world.templates import Values, fill_text
from fleettui.demo.world.truth import Truth
from fleettui.demo.world.truths import truth_of
from fleettui.demo.world.values import (
    LazyValues,
    WorldFacts,
    cluster_values,
    platform_values,
    team_values,
)
from fleettui.demo.world.workload import ARGO_FLAVOURS

_USUAL_LINES = (
    '{"level":"info","ts":"${t4}","logger":"setup","msg":"starting manager"}',
    '{"level":"info","ts":"${t4}","msg":"successfully acquired lease"}',
    '{"level":"info","ts":"${t4}","msg":"Starting workers","worker count":10}',
    '{"level":"info","ts":"${t5}","msg":"Reconciliation finished"}',
)
_CACHED_VALUES = 16384


@dataclass(frozen=True, slots=True)
class Group:
    """Objects that are filled with the same values: a cluster, a team or the platform."""

    shape: Shape
    subject: ClusterPlan | Team | None
    """None for the platform."""
    incidents: tuple[str, ...]


class World:
    """Seeds of one management cluster."""

    def __init__(self, facts: WorldFacts, plans: Sequence[ClusterPlan], planting: Planting) -> None:
        self.facts = facts
        self.plans = plans
        """The workload clusters of this management cluster."""
        self._teams: dict[str, list[ClusterPlan]] = {}
        for plan in plans:
            self._teams.setdefault(plan.namespace, []).append(plan)
        self.groups = list(_groups(facts.context, plans, planting))
        self._blocks = self._place()
        self._numbers = blocks_by_resource(self._blocks)
        self._keys: dict[tuple[str, str], Keys] = {}
        self._values: dict[int, LazyValues] = {}

    def resources(self) -> Sequence[Resource]:
        """All served resource types."""
        return all_resources()

    def keys(self, resource: Resource) -> Keys:
        """(namespace, name) of all objects of a resource, ascending."""
        keys = self._keys.get(resource.key)
        if keys is None:
            numbers = self._numbers.get(resource.key, ())
            keys = self._keys[resource.key] = Keys(self, resource.key, self._blocks, numbers)
        return keys

    def body(self, resource: Resource, index: int) -> bytes:
        """Compact JSON of one object in its storage version."""
        block, entry = self.keys(resource).locate(index)
        return entry.body.fill(self.values_of(block))

    def bodies(self, resource: Resource, low: int, high: int) -> Iterator[bytes]:
        """Compact JSON of a range of objects, built as they are taken."""
        for block, entries in self.keys(resource).runs(low, high):
            values = self.group_values(block.owner)
            for entry in entries:
                yield entry.body.fill(values)

    def values_of(self, block: Block) -> Values:
        """Values that fill the block's templates."""
        return self.group_values(block.owner)

    def group_values(self, number: int) -> LazyValues:
        """Values of one of `groups`."""
        values = self._values.get(number)
        if values is None:
            if len(self._values) >= _CACHED_VALUES:
                self._values.clear()
            values = self._values[number] = self._compute_values(number)
        return values

    def set_revision(self, revision: str, *, previous: str) -> None:
        """Tell which revision of the fleet's git repository the seeds are at."""
        self.facts.revision, self.facts.previous = revision, previous
        self._values.clear()

    def set_workload_url(self, url: str) -> None:
        """Let the kubeconfig Secrets point to pretend workload API servers below a URL."""
        self.facts.workload_url = url
        self._values.clear()

    def at_rest(self) -> dict[tuple[str, str], list[dict[str, Any]]]:
        """Clusters in which something goes on that ends by itself, as they are once it has."""
        found = {}
        for number, group in enumerate(self.groups):
            plan = group.subject
            if isinstance(plan, ClusterPlan) and plan.course in ENDING_COURSES:
                values = self.group_values(number)
                shape = cluster_shape(plan.flavour, plan.size)
                found[plan.namespace, plan.name] = [
                    msgspec.json.decode(entry.body.fill(values))
                    for part in shape.parts
                    for entries in part.entries.values()
                    for entry in entries
                ]
        return found

    def log(self, namespace: str, pod: str, container: str) -> Iterable[str]:
        """Lines of a container's log, oldest first."""
        moment = self.group_values(len(self.groups) - 1)
        for line in _USUAL_LINES:
            yield fill_text(line, moment)
        for number, group in enumerate(self.groups):
            for name in group.incidents:
                for deployment, lines in all_incidents()[name].logs.items():
                    if pod.startswith(f"{deployment}-"):
                        values = self.group_values(number)
                        yield from (fill_text(line, values) for line in lines)

    def convert(self, resource: Resource, body: dict[str, Any], version: str) -> dict[str, Any]:
        """The same object in another served version."""
        return convert(resource, body, version)

    def faults(self) -> list[dict[str, Any]]:
        """What the API server is to do wrong, in the words of its injected faults."""
        found: list[dict[str, Any]] = []
        for number, group in enumerate(self.groups):
            for name in group.incidents:
                values = self.group_values(number)
                found += [
                    {
                        key: fill_text(value, values) if isinstance(value, str) else value
                        for key, value in fault.items()
                    }
                    for fault in all_incidents()[name].faults
                ]
        return found

    def truths(self) -> list[Truth]:
        """What is true of each incident of this management cluster."""
        found = []
        for number, group in enumerate(self.groups):
            for name in group.incidents:
                values = self.group_values(number)
                cluster = group.subject if isinstance(group.subject, ClusterPlan) else None
                found.append(
                    truth_of(
                        all_incidents()[name],
                        group.shape,
                        values,
                        context=self.facts.context,
                        cluster=cluster,
                    )
                )
        return found

    def _compute_values(self, number: int) -> LazyValues:
        subject = self.groups[number].subject
        if isinstance(subject, ClusterPlan):
            return cluster_values(subject, self.facts)
        if isinstance(subject, Team):
            own = self._teams[subject.namespace]
            return team_values(subject, self.facts, inventory=lambda: _inventory(own))
        teams = [group.subject for group in self.groups if isinstance(group.subject, Team)]
        inventories: dict[str, Callable[[], str]] = {
            hole: partial(applied_to_teams, teams, owner)
            for owner, hole in APPLIES_TO_TEAMS.items()
        }
        inventories["inventoryapps"] = self._count_applications
        return platform_values(self.facts, inventories=inventories)

    def _count_applications(self) -> str:
        return str(sum(plan.flavour.name in ARGO_FLAVOURS for plan in self.plans))

    def _place(self) -> list[Block]:
        blocks: list[Block] = []
        for number, group in enumerate(self.groups):
            if isinstance(group.subject, ClusterPlan):
                blocks += _cluster_blocks(group.subject, group.shape, number)
                continue
            values = self._compute_values(number)
            for part in group.shape.parts:
                namespace = part.namespace.fill(values).decode()
                blocks += _single_blocks(namespace, part, values, number)
        blocks.sort(key=lambda block: (block.namespace, block.prefix))
        return blocks


def _cluster_blocks(plan: ClusterPlan, shape: Shape, number: int) -> Iterator[Block]:
    values = {"ns": plan.namespace.encode()}
    for part in shape.parts:
        namespace = part.namespace.fill(values).decode()
        own = namespace == plan.namespace
        prefix = plan.name if own else f"{plan.namespace}-{plan.name}"
        yield Block(namespace, prefix, part, number)


def _single_blocks(namespace: str, part: Part, values: Values, number: int) -> Iterator[Block]:
    """A block for each name: names of teams and the platform have no common prefix."""
    names: dict[str, dict[tuple[str, str], tuple[Any, ...]]] = {}
    for key, entries in part.entries.items():
        for entry in entries:
            names.setdefault(fill_name(entry, values), {})[key] = (entry,)
    for name, own in names.items():
        yield Block(namespace, name, Part(part.namespace, own), number)


def _inventory(plans: Sequence[ClusterPlan]) -> str:
    kinds = {(plan.flavour, plan.size) for plan in plans}
    declared = {
        f"{flavour.name}/{size}": cluster_declared(flavour, size) for flavour, size in kinds
    }
    return inventory_of(plans, declared)


def _groups(context: int, plans: Sequence[ClusterPlan], planting: Planting) -> Iterator[Group]:
    _compile_in_a_row(plans, planting)
    for plan in plans:
        incident = planting.clusters.get(plan.number, "")
        shape = cluster_shape(plan.flavour, plan.size, incident, plan.course)
        yield Group(shape, plan, (incident,) if incident else ())
    for team in teams_of(plans, context):
        incident = planting.teams.get((context, team.namespace), "")
        yield Group(team_shape(incident), team, (incident,) if incident else ())
    incidents = planting.platforms.get(context, ())
    yield Group(platform_shape(incidents), None, incidents)


def _compile_in_a_row(plans: Sequence[ClusterPlan], planting: Planting) -> None:
    """Make all shapes of a flavour and size one after another, while its drafts are at hand."""
    wanted = {
        (plan.flavour, plan.size, planting.clusters.get(plan.number, ""), plan.course)
        for plan in plans
    }
    for flavour, *rest in sorted(wanted, key=lambda item: (item[0].name, *item[1:])):
        cluster_shape(flavour, *rest)


def build_world(
    context_index: int,
    contexts: int,
    *,
    clusters: int,
    seed: int,
    now: datetime,
    incidents: Collection[str] | None = None,
) -> World:
    """The content of one of several management clusters.

    Args:
        context_index: which one, 0 based.
        contexts: how many there are.
        clusters: workload clusters in all of them together.
        seed: the same seed gives the same fleet.
        now: the moment that ages are counted from, aware UTC.
        incidents: names of incidents to plant, empty for none; None plants the usual share
            and lets some clusters be upgraded, made and repaired.

    Raises:
        ValueError: an incident is unknown or fits no cluster.
    """
    plans = plan_fleet(clusters, contexts=contexts, seed=seed, is_busy=incidents is None)
    planting = plant(plans, contexts=contexts, seed=seed, incidents=incidents)
    own = [plan for plan in plans if plan.context == context_index]
    return World(WorldFacts(seed, context_index, now), own, planting)
