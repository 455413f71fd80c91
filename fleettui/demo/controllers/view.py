"""A cluster's objects taken from the store, settled, and written back where they changed."""

from __future__ import annotations

import copy

from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.world.parts import (
    ClusterParts,
    DeploymentParts,
    MachineParts,
    PoolParts,
    SetParts,
)
from fleettui.demo.world.settle import settle_cluster

CORE = "cluster.x-k8s.io"


def settle(kit: Kit, namespace: str, name: str) -> None:
    """Bring all derived status of a cluster up to date, as its controllers would."""
    parts = parts_from_store(kit, namespace, name)
    if parts is None:
        return
    documents = _settled(parts)
    before = [copy.deepcopy(document.get("status")) for document in documents]
    settle_cluster(parts, at=kit.now())
    for document, old in zip(documents, before, strict=True):
        if document.get("status") != old:
            write_status(kit, document)


def write_status(kit: Kit, document: Document) -> None:
    """Write a document's status as it stands."""
    status = document["status"]
    kit.change_status(document, lambda own: own.update(status=status))


def parts_from_store(kit: Kit, namespace: str, name: str) -> ClusterParts | None:
    """The objects of a cluster arranged for settling; None if the Cluster is gone."""
    cluster = kit.get(CORE, "Cluster", namespace, name)
    if cluster is None:
        return None
    spec = cluster["spec"]
    parts = ClusterParts(
        cluster,
        kit.referred(spec.get("infrastructureRef"), namespace),
        kit.referred(spec.get("controlPlaneRef"), namespace),
    )
    by_owner: dict[str, list[MachineParts]] = {}
    for machine in kit.labelled(CORE, "Machine", namespace, name):
        for owner in machine["metadata"].get("ownerReferences", ()):
            by_owner.setdefault(owner["uid"], []).append(machine_parts(kit, machine))
    if parts.control_plane is not None:
        parts.machines = by_owner.get(parts.control_plane["metadata"]["uid"], [])
    sets: dict[str, list[SetParts]] = {}
    for each in kit.labelled(CORE, "MachineSet", namespace, name):
        own = SetParts(each, by_owner.get(each["metadata"]["uid"], []))
        for owner in each["metadata"].get("ownerReferences", ()):
            sets.setdefault(owner["uid"], []).append(own)
    for deployment in kit.labelled(CORE, "MachineDeployment", namespace, name):
        reference = deployment["spec"]["template"]["spec"]["infrastructureRef"]
        part = DeploymentParts(deployment, sets.get(deployment["metadata"]["uid"], []))
        part.template_exists = kit.referred(reference, namespace) is not None
        parts.deployments.append(part)
    for pool in kit.labelled(CORE, "MachinePool", namespace, name):
        reference = pool["spec"]["template"]["spec"]["infrastructureRef"]
        parts.pools.append(PoolParts(pool, kit.referred(reference, namespace)))
    return parts


def machine_parts(kit: Kit, machine: Document) -> MachineParts:
    """A Machine with its infrastructure and bootstrap objects."""
    namespace = machine["metadata"]["namespace"]
    spec = machine["spec"]
    return MachineParts(
        machine,
        kit.referred(spec.get("infrastructureRef"), namespace),
        kit.referred(spec.get("bootstrap", {}).get("configRef"), namespace),
    )


def cluster_of(document: Document) -> tuple[str, str]:
    """(namespace, name) of the cluster that an object belongs to."""
    meta = document["metadata"]
    name = document.get("spec", {}).get("clusterName")
    label = meta.get("labels", {}).get("cluster.x-k8s.io/cluster-name", "")
    return meta["namespace"], name or label


def is_cluster_paused(kit: Kit, document: Document) -> bool:
    """Whether the Cluster that an object belongs to is paused."""
    namespace, name = cluster_of(document)
    cluster = kit.get(CORE, "Cluster", namespace, name)
    return bool(cluster and cluster["spec"].get("paused"))


def _settled(parts: ClusterParts) -> list[Document]:
    documents = [parts.cluster]
    if parts.control_plane is not None:
        documents.append(parts.control_plane)
    documents += [part.machine for part in (*parts.machines, *parts.workers)]
    for part in parts.deployments:
        documents.append(part.deployment)
        documents += [own.machine_set for own in part.sets]
    return documents
