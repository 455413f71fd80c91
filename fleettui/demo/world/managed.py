"""Managed workload clusters: EKS, ROSA, GKE and AKS, told by data/managed.

A cloud runs the control plane, so there are no control-plane Machines; workers are MachinePools.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

from fleettui.demo.world.clusters import cluster_document
from fleettui.demo.world.control_planes import ControlPlane
from fleettui.demo.world.drafts import Document, Draft, Drafts, contract_reference, owner_of
from fleettui.demo.world.fleet import Flavour
from fleettui.demo.world.machines import secret_document
from fleettui.demo.world.objects import add_object, add_objects
from fleettui.demo.world.parts import ClusterParts, DeploymentParts, PoolParts
from fleettui.demo.world.pools import pool_document
from fleettui.demo.world.providers import data_file, marked
from fleettui.demo.world.workers import WorkerGroup, add_deployment


def add_managed(drafts: Drafts, flavour: Flavour, size: str) -> ClusterParts:
    """Add all Cluster API objects of a managed cluster in its healthy state."""
    data = data_file(f"managed/{flavour.provider}.yaml")
    cluster = cluster_document(flavour, size)
    cluster["spec"]["controlPlaneEndpoint"]["port"] = 443
    drafts.add(Draft("cluster", cluster, file="cluster.yaml"))
    add_objects(drafts, data["objects"])
    infra, plane = drafts["infra-cluster"].document, drafts["control-plane"].document
    cluster["spec"]["infrastructureRef"] = contract_reference(infra)
    cluster["spec"]["controlPlaneRef"] = contract_reference(plane)
    parts = ClusterParts(cluster, infra, plane)
    wanted = data["pools"][: 1 if size == "S" else len(data["pools"])]
    for entry in wanted:
        pool = _add_pool(drafts, cluster, entry)
        manager = data["autoscaled"].get(entry["name"])
        if manager:
            pool.pool["metadata"]["annotations"] = {"cluster.x-k8s.io/replicas-managed-by": manager}
        parts.pools.append(pool)
    for number, told in enumerate(data.get("deployments", ())):
        if size in told["sizes"]:
            parts.deployments.append(_add_deployment(drafts, flavour, cluster, told, number))
    _add_secrets(drafts, flavour, plane)
    return parts


def _add_deployment(
    drafts: Drafts, flavour: Flavour, cluster: Document, told: dict[str, Any], number: int
) -> DeploymentParts:
    """Nodes that Cluster API itself makes beside those of the cloud's own pools."""
    plane = ControlPlane(
        cluster["spec"]["controlPlaneRef"]["kind"],
        told["bootstrap"],
        told["bootstrap"],
        has_machines=False,
        suffix="",
        finalizer="",
        conditions=(),
    )
    group = WorkerGroup(told["name"], told["replicas"])
    own = replace(flavour, provider=told["provider"])
    return add_deployment(drafts, own, plane, cluster, group, 20 * number)


def _add_pool(drafts: Drafts, cluster: Document, entry: dict[str, Any]) -> PoolParts:
    short, replicas = entry["name"], entry["replicas"]
    name = f"${{name}}-{short}"
    marks = {"pool": name, "short": short}
    told = marked(copy.deepcopy(entry["infra"]), marks) | {
        "role": f"infra-pool/{short}",
        "name": name,
        "labels": {"cluster.x-k8s.io/cluster-name": "${name}"},
        "file": "workers.yaml",
        "generation": 2,
    }
    infra = add_object(drafts, told)
    infra["status"]["replicas"] = replicas
    ids = [f"{name}-{index}" for index in range(replicas)]
    infra["spec"]["providerIDList"] = ids
    bootstrap = None
    if "bootstrap" in entry:
        role = {"role": f"bootstrap-pool/{short}"}
        own = {key: told[key] for key in ("name", "labels", "file")}
        bootstrap = add_object(drafts, marked(entry["bootstrap"], marks) | own | role)
    pool = pool_document(
        name,
        role=f"pool/{short}",
        cluster=cluster,
        infrastructure=infra,
        replicas=replicas,
        bootstrap=bootstrap,
    )
    for document in (infra, bootstrap) if bootstrap else (infra,):
        document["metadata"]["ownerReferences"] = [owner_of(pool, controller=True)]
    drafts.add(Draft(f"pool/{short}", pool, file="workers.yaml"))
    if "extra" in entry:
        extra = add_object(drafts, marked(entry["extra"], marks))
        extra["spec"]["count"] = extra["status"]["count"] = replicas
    return PoolParts(pool, infra)


def _add_secrets(drafts: Drafts, flavour: Flavour, plane: Document) -> None:
    owner = owner_of(plane, controller=True)
    secret = secret_document(
        "${name}-kubeconfig", role="secret/kubeconfig", key="value", value="${kubeconfig}"
    )
    secret["metadata"]["ownerReferences"] = [owner]
    drafts.add(Draft("secret/kubeconfig", secret, writer="manager", operation="Update"))
    human = _HUMAN.get(flavour.provider)
    if human is None:
        return
    other = secret_document(human, role="secret/user", key="value", value="${kubeconfig}")
    other["metadata"]["labels"] = {"cluster.x-k8s.io/cluster-name": "${name}-user"}
    if flavour.provider == "aks":
        other["metadata"]["labels"] = {"cluster.x-k8s.io/cluster-name": "${name}"}
    other["metadata"]["ownerReferences"] = [owner]
    drafts.add(Draft("secret/user", other, writer="manager", operation="Update"))


_HUMAN = {
    "eks": "${name}-user-kubeconfig",
    "gke": "${name}-user-kubeconfig",
    "aks": "${name}-kubeconfig-user",
}
"""Name of the kubeconfig Secret for people. Source: CAPA, CAPG, CAPZ kubeconfig code."""
