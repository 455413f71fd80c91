"""Which incident goes where: about 3 % of the clusters, decided by the seed alone."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from fleettui.demo.world.fleet import ClusterPlan, Team
from fleettui.demo.world.incidents import Incident, Occurrence, all_incidents

BROKEN_SHARE = 0.03
_SMALL_FLEET = 6
"""At least so many clusters are broken, if there are four times as many."""


_LARGE_FLEET = 500


@dataclass(slots=True)
class Planting:
    """Where incidents were put."""

    clusters: dict[int, str] = field(default_factory=dict)
    """Incident by number of the cluster in the whole fleet."""
    teams: dict[tuple[int, str], str] = field(default_factory=dict)
    """Incident by context and namespace."""
    platforms: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Incidents by context."""


def plant(
    plans: Sequence[ClusterPlan],
    *,
    contexts: int,
    seed: int,
    incidents: Collection[str] | None = None,
) -> Planting:
    """Decide where incidents are.

    Args:
        plans: all clusters of all contexts.
        contexts: number of management clusters.
        seed: the same seed gives the same places.
        incidents: names to plant once each; empty for a healthy fleet; None for the usual share.

    Raises:
        ValueError: a name is unknown, or no cluster of the fleet can have it.
    """
    catalogue = all_incidents()
    unknown = sorted(set(incidents or ()) - set(catalogue))
    if unknown:
        raise ValueError(f"unknown incident {unknown[0]}; known: {', '.join(catalogue)}")
    random = Random(f"incidents/{seed}")
    planting = Planting()
    if incidents is None:
        _plant_share(planting, plans, catalogue, random, contexts)
        return planting
    for name in incidents:
        _plant_one(planting, plans, catalogue[name], random, contexts)
    return planting


def teams_of(plans: Sequence[ClusterPlan], context: int) -> list[Team]:
    """Teams that have clusters in a context, by namespace."""
    found = {plan.namespace: plan.team for plan in plans if plan.context == context}
    return [found[namespace] for namespace in sorted(found)]


def _plant_share(
    planting: Planting,
    plans: Sequence[ClusterPlan],
    catalogue: Mapping[str, Incident],
    random: Random,
    contexts: int,
) -> None:
    total = len(plans)
    wanted = max(math.ceil(total * BROKEN_SHARE), min(_SMALL_FLEET, total // 4))
    shuffled = random.sample(plans, total)
    allowed = {Occurrence.USUAL} | ({Occurrence.LARGE} if total >= _LARGE_FLEET else set())
    known = [incident for incident in catalogue.values() if incident.occurrence in allowed]
    for incident in _rotated([i for i in known if i.scope == "cluster"], random):
        if len(planting.clusters) >= wanted:
            break
        for plan in shuffled:
            if plan.number not in planting.clusters and incident.fits(plan):
                planting.clusters[plan.number] = incident.name
                break
    team_incidents = _rotated([i for i in known if i.scope == "team"], random)
    platform = [i for i in known if i.scope == "platform"]
    for context in range(contexts):
        teams = teams_of(plans, context)
        count = min(len(teams) // 2, max(2, math.ceil(len(teams) * BROKEN_SHARE * 2)))
        for team in random.sample(teams, count):
            planting.teams[context, team.namespace] = next(team_incidents).name
        planting.platforms[context] = (random.choice(platform).name,) if platform else ()


_FIRST = (
    "cloud-quota",
    "bad-credentials",
    "kubelet-never-joins",
    "etcd-quorum",
    "stuck-delete-finalizer",
    "helm-retries-exhausted",
    "forgotten-pause",
    "git-authentication",
    "kustomize-build-error",
    "dependency-not-ready",
    "forgotten-suspend",
    "drift-by-hand",
)
"""The best-known ones come first, so that a small fleet shows them."""


def _rotated(incidents: list[Incident], random: Random) -> Iterator[Incident]:
    """The incidents over and over, in a new order each time; ends after many rounds."""
    mixed = random.sample(incidents, len(incidents))
    yield from sorted(mixed, key=lambda incident: incident.name not in _FIRST)
    for _ in range(400):
        yield from random.sample(incidents, len(incidents))


def _plant_one(
    planting: Planting,
    plans: Sequence[ClusterPlan],
    incident: Incident,
    random: Random,
    contexts: int,
) -> None:
    if incident.scope == "platform":
        context = random.randrange(contexts)
        planting.platforms[context] = (*planting.platforms.get(context, ()), incident.name)
        return
    if incident.scope == "team":
        places = [
            (context, team.namespace)
            for context in range(contexts)
            for team in teams_of(plans, context)
        ]
        free = [place for place in places if place not in planting.teams]
        if not free:
            raise ValueError(f"no namespace left for incident {incident.name}: plant fewer")
        planting.teams[random.choice(free)] = incident.name
        return
    fitting = [
        plan for plan in plans if plan.number not in planting.clusters and incident.fits(plan)
    ]
    if not fitting:
        raise ValueError(f"no cluster fits incident {incident.name}: ask for more clusters")
    planting.clusters[random.choice(fitting).number] = incident.name
