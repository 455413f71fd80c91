"""A deleted Cluster: workers, control plane, infrastructure, in that order, then what was left.

Source: cluster-api internal/controllers/cluster (reconcileDelete: order, reasons, messages);
garbage collection takes what the Cluster and its objects own.
"""

from __future__ import annotations

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.endings import (
    end_provider_object,
    is_deleting,
    is_providers,
    owned,
    shortened,
    tell_deleting,
    waits,
)
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.controllers.owner_deletion import PLANE_GROUP, end_owner
from fleettui.demo.controllers.view import CORE, settle
from fleettui.demo.world.catalogue import all_resources

_CONTROL_PLANE = "cluster.x-k8s.io/control-plane"
_WORKERS = (
    ("MachineDeployments", "MachineDeployment"),
    ("MachineSets", "MachineSet"),
    ("MachinePools", "MachinePool"),
    ("Worker Machines", "Machine"),
)
"""What must be gone before the control plane goes, titled as the message titles it."""
_INFRASTRUCTURE = "infrastructure.cluster.x-k8s.io"
_ADDONS = "addons.cluster.x-k8s.io"


async def on_cluster_deletion(kit: Kit, change: Change) -> None:
    """Walk a deleted Cluster to its end, unless it is paused or something holds a part of it."""
    new, old = change.new, change.old
    if new is None or old is None or change.type == "DELETED" or not is_deleting(new):
        return
    if new["spec"].get("paused") or (is_deleting(old) and not old["spec"].get("paused")):
        return
    async with kit.lock(new):
        await _end(kit, new)


async def _end(kit: Kit, cluster: Document) -> None:
    await _end_workers(kit, cluster)
    await _end_others(kit, cluster)
    if not await _end_plane(kit, cluster) or not await _end_infrastructure(kit, cluster):
        return
    _tell(kit, cluster, "DeletionCompleted", "Deletion completed")
    _forget_addons(kit, cluster)
    kit.release(cluster, is_providers)


async def _end_workers(kit: Kit, cluster: Document) -> None:
    for pause in waits():
        found = {title: _workers(kit, cluster, kind) for title, kind in _WORKERS}
        for title in ("MachineDeployments", "MachinePools"):
            for document in found[title]:
                if not is_deleting(document):
                    kit.delete(document)
        lines = [f"* {title}: {shortened(left)}" for title, left in found.items() if left]
        if not lines or kit.refresh(cluster) is None:
            return
        _tell(kit, cluster, "WaitingForWorkersDeletion", "\n".join(lines))
        await kit.pace.wait(pause)


async def _end_others(kit: Kit, cluster: Document) -> None:
    """What a provider made for the Cluster itself, such as profiles of serverless nodes."""
    spec = cluster["spec"]
    parts = [spec.get(key, {}) for key in ("controlPlaneRef", "infrastructureRef")]
    named = {(part.get("kind"), part.get("name")) for part in parts}
    for document in list(owned(kit, cluster)):
        meta = document["metadata"]
        is_own = document["apiVersion"].startswith(f"{_INFRASTRUCTURE}/")
        if is_own and meta.get("finalizers") and (document["kind"], meta["name"]) not in named:
            await end_provider_object(kit, document)


def _workers(kit: Kit, cluster: Document, kind: str) -> list[Document]:
    meta = cluster["metadata"]
    return [
        item
        for item in kit.labelled(CORE, kind, meta["namespace"], meta["name"])
        if _CONTROL_PLANE not in item["metadata"]["labels"]
    ]


async def _end_plane(kit: Kit, cluster: Document) -> bool:
    reference = cluster["spec"].get("controlPlaneRef")
    plane = kit.referred(reference, cluster["metadata"]["namespace"])
    if plane is None or reference is None:
        return True
    text = f"Waiting for {reference['kind']} to be deleted"
    _tell(kit, cluster, "WaitingForControlPlaneDeletion", text)
    kit.delete(plane)
    if reference["apiGroup"] != PLANE_GROUP:
        return await end_provider_object(kit, plane)
    # A foreign finalizer may hold it once its Machines are gone.
    await end_owner(kit, plane)
    return kit.refresh(plane) is None


async def _end_infrastructure(kit: Kit, cluster: Document) -> bool:
    reference = cluster["spec"].get("infrastructureRef")
    infra = kit.referred(reference, cluster["metadata"]["namespace"])
    if infra is None or reference is None:
        return True
    text = f"Waiting for {reference['kind']} to be deleted"
    _tell(kit, cluster, "WaitingForInfrastructureDeletion", text)
    return await end_provider_object(kit, infra)


def _tell(kit: Kit, cluster: Document, reason: str, message: str) -> None:
    if tell_deleting(kit, cluster, reason, message):
        settle(kit, cluster["metadata"]["namespace"], cluster["metadata"]["name"])


def _forget_addons(kit: Kit, cluster: Document) -> None:
    """Bindings and releases in the cluster belong to sets that outlive it."""
    meta = cluster["metadata"]
    for resource in all_resources():
        if resource.group != _ADDONS or not resource.namespaced:
            continue
        for document in kit.all_of(resource.group, resource.kind, meta["namespace"]):
            spec = document.get("spec", {})
            named = spec.get("clusterName") or spec.get("clusterRef", {}).get("name")
            if named == meta["name"]:
                kit.delete(document)
                kit.release(document, is_providers)
