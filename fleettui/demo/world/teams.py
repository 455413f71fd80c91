"""What a team has in its namespace besides workload clusters, and who made its clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import msgspec

from fleettui.demo.world.drafts import Document, Drafts
from fleettui.demo.world.fleet import ClusterPlan, Team
from fleettui.demo.world.objects import add_object, add_objects
from fleettui.demo.world.platform import inventory_id
from fleettui.demo.world.providers import data_file


def team_drafts() -> Drafts:
    """Objects of one team; the Kustomization that applies its clusters lists them by a hole."""
    drafts = Drafts()
    add_objects(drafts, data_file("team/gitops.yaml"))
    fleet = drafts["ks/cluster-baseline"].document
    add_object(
        drafts,
        {
            "role": "ks/clusters",
            "group": "kustomize.toolkit.fluxcd.io",
            "kind": "Kustomization",
            "namespace": "flux-system",
            "name": "clusters-${ns}",
            "controller": "gotk-kustomize-controller",
            "finalizers": ["finalizers.fluxcd.io"],
            "labels": {
                "kustomize.toolkit.fluxcd.io/name": "flux-system",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
                "team": "${team}",
            },
            "conditions": [
                {
                    "type": "Ready",
                    "reason": "ReconciliationSucceeded",
                    "message": "Applied revision: ${rev}",
                    "at": "${t5}",
                }
            ],
            "spec": {
                "dependsOn": [{"name": "infra-configs"}],
                "force": False,
                "interval": "5m",
                "path": "./clusters/${context}/${ns}",
                "prune": True,
                "retryInterval": "1m",
                "sourceRef": {"kind": "GitRepository", "name": "fleet"},
                "timeout": "3m",
            },
            "status": dict(fleet["status"]) | {"inventory": {"entries": "${inventory}"}},
        },
    )
    return drafts


@cache
def _team_drafts() -> Drafts:
    return team_drafts()


def inventory_of(plans: Sequence[ClusterPlan], declared: Mapping[str, Sequence[Document]]) -> str:
    """JSON list of inventory entries of a team's clusters.

    Args:
        plans: the clusters of the namespace.
        declared: entries with holes by flavour and size, as `<flavour>/<size>`.
    """
    entries = []
    for plan in plans:
        for entry in declared[f"{plan.flavour.name}/{plan.size}"]:
            text = entry["id"].replace("${ns}", plan.namespace).replace("${name}", plan.name)
            entries.append({"id": text, "v": entry["v"]})
    return msgspec.json.encode(entries).decode()


def applied_to_teams(teams: Sequence[Team], owner: str) -> str:
    """The rest of a JSON list: what a Kustomization of the platform applies for every team.

    Args:
        teams: of the management cluster.
        owner: name of the Kustomization in flux-system.

    Returns:
        Entries with a comma before each, to follow those that the platform itself has.
    """
    label = "kustomize.toolkit.fluxcd.io/name"
    found = []
    for draft in _team_drafts():
        if draft.document["metadata"].get("labels", {}).get(label) == owner:
            entry = inventory_id(draft.document)
            for team in teams:
                text = entry["id"].replace("${ns}", team.namespace).replace("${team}", team.team)
                found.append({"id": text, "v": entry["v"]})
    return "".join(f",{msgspec.json.encode(entry).decode()}" for entry in found)
