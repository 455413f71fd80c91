"""Files of the fleet's git repository, made from the same data as the live objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from fleettui.demo.world.drafts import Drafts
from fleettui.demo.world.fleet import Flavour, Team
from fleettui.demo.world.groups import cluster_manifests
from fleettui.demo.world.manifests import dumped, owned_manifests
from fleettui.demo.world.platform import platform_drafts
from fleettui.demo.world.providers import data_file
from fleettui.demo.world.teams import team_drafts
from fleettui.demo.world.templates import Template, Values

if TYPE_CHECKING:
    from fleettui.demo.world.world import World

Files = dict[str, bytes]

_AGENT = "apps/base/metrics-agent.yaml"


@cache
def _cluster_templates(flavour: Flavour, size: str) -> Mapping[str, Template]:
    texts = cluster_manifests(flavour, size)
    return {name: Template(text.encode()) for name, text in texts.items()}


def cluster_files(world: World, number: int) -> Files:
    """Files of one workload cluster below clusters/<namespace>/<name>."""
    plan = world.plans[number]
    values = world.group_values(number)
    folder = f"clusters/{context_name(world)}/{plan.namespace}/{plan.name}"
    templates = _cluster_templates(plan.flavour, plan.size)
    return {f"{folder}/{name}": template.fill(values) for name, template in templates.items()}


def context_name(world: World) -> str:
    """Name of a management cluster in the repository's folders."""
    return world.facts.values()["context"]


@cache
def _teams() -> Drafts:
    return team_drafts()


def team_files(world: World) -> Files:
    """Files of all teams: tenants/<namespace>, apps/teams/<namespace>, flux-system entries."""
    files: Files = {}
    for number, group in enumerate(world.groups):
        if isinstance(group.subject, Team):
            files |= _team_files(world, group.subject, world.group_values(number))
    return files


def _team_files(world: World, team: Team, values: Values) -> Files:
    namespace, context = team.namespace, context_name(world)
    owners = {
        f"tenants/{context}/{namespace}/tenant.yaml": "tenants",
        f"flux-system/{context}/clusters-{namespace}.yaml": "flux-system",
        f"apps/teams/{namespace}/config/settings.yaml": "${team}-config",
        f"apps/teams/{namespace}/apps/api.yaml": "${team}-apps",
        f"apps/teams/{namespace}/jobs/jobs.yaml": "${team}-jobs",
    }
    files: Files = {}
    for name, owner in owners.items():
        text = owned_manifests(_teams(), owner, is_namespaced=not name.startswith("apps/"))
        files[name] = Template(text.encode()).fill(values)
        if name.startswith("apps/teams/"):
            folder, _, file = name.rpartition("/")
            files[f"{folder}/kustomization.yaml"] = kustomization([file])
    clusters = sorted(plan.name for plan in world.plans if plan.namespace == namespace)
    files[f"clusters/{context}/{namespace}/kustomization.yaml"] = kustomization(clusters)
    return files


def platform_files(worlds: Sequence[World]) -> Files:
    """Files that belong to no team: flux-system, infrastructure, apps, terraform."""
    drafts = platform_drafts()
    files: Files = {}
    for world in worlds:
        context = context_name(world)
        owners = {
            f"flux-system/{context}/platform.yaml": "flux-system",
            f"tenants/{context}/landing.yaml": "tenants",
            "infrastructure/configs/configs.yaml": "infra-configs",
        }
        for name, owner in owners.items():
            text = owned_manifests(drafts, owner)
            files[name] = Template(text.encode()).fill(world.group_values(len(world.groups) - 1))
    baseline = owned_manifests(_teams(), "cluster-baseline", is_namespaced=False)
    files["infrastructure/baseline/baseline.yaml"] = baseline.encode()
    for name, text in data_file("git.yaml").items():
        files[name] = text.encode()
    return files


def previous_files() -> Files:
    """Files as they were before the last commit."""
    text = data_file("git.yaml")[_AGENT]
    return {_AGENT: text.replace("metrics-agent:2.8.1", "metrics-agent:2.8.0").encode()}


def kustomization(resources: Sequence[str]) -> bytes:
    """A kustomization.yaml that lists resources."""
    return dumped(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": list(resources),
        }
    ).encode()
