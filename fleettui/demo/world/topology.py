"""What the topology controller adds to clusters made from a ClusterClass.

Source: cluster-api exp/topology/desiredstate; label and field names of api/core/v1beta2.
"""

from __future__ import annotations

from fleettui.demo.world.conditions import classic, fine
from fleettui.demo.world.drafts import Document, Drafts
from fleettui.demo.world.parts import ClusterParts

OWNED = {"topology.cluster.x-k8s.io/owned": ""}

CLASSES = {"aws": "aws-standard", "azure": "azure-standard"}
"""Name of the ClusterClass by infrastructure provider."""


def topology_deployment_labels(group: str) -> dict[str, str]:
    """Labels of everything that belongs to one MachineDeployment of a topology."""
    return OWNED | {"topology.cluster.x-k8s.io/deployment-name": group}


def add_topology(drafts: Drafts, parts: ClusterParts, size: str) -> None:
    """Give the Cluster its spec.topology and the condition that tells of it."""
    cluster = parts.cluster
    provider = cluster["metadata"]["labels"]["fleet.example.com/provider"]
    cluster["metadata"]["generation"] = 3
    cluster["metadata"]["labels"] |= {"cluster.x-k8s.io/cluster-name": "${name}"} | OWNED
    plane = parts.control_plane or {}
    for cloned in (parts.infrastructure, parts.control_plane):
        if cloned is not None:
            group = cloned["apiVersion"].partition("/")[0]
            cloned["metadata"].setdefault("annotations", {}).update(
                {
                    "cluster.x-k8s.io/cloned-from-groupkind": f"{cloned['kind']}Template.{group}",
                    "cluster.x-k8s.io/cloned-from-name": "standard",
                }
            )
    deployments: list[Document] = []
    for part in parts.deployments:
        labels = part.deployment["metadata"]["labels"]
        group = labels["topology.cluster.x-k8s.io/deployment-name"]
        deployments.append(
            {
                "class": "gpu-worker" if group.endswith("gpu") else "default-worker",
                "metadata": {"labels": {"fleet.example.com/pool": group}},
                "name": group,
                "replicas": part.deployment["spec"]["replicas"],
            }
        )
        part.deployment["metadata"]["finalizers"].insert(
            0, "machinedeployment.topology.cluster.x-k8s.io"
        )
    cluster["spec"]["topology"] = {
        "classRef": {"name": CLASSES[provider], "namespace": "fleet-classes"},
        "controlPlane": {"replicas": plane["spec"]["replicas"]},
        "variables": [
            {"name": "region", "value": "${region}"},
            {"name": "instanceSize", "value": {"S": "small", "M": "medium"}.get(size, "large")},
        ],
        "version": "${version}",
        "workers": {"machineDeployments": deployments},
    }
    cluster["status"].setdefault("conditions", []).append(fine("TopologyReconciled", generation=3))
    cluster["status"]["deprecated"]["v1beta1"]["conditions"].append(classic("TopologyReconciled"))
