"""Deleted owners of Machines: their Machines go first, then they do.

Source: cluster-api MachineSet and MachineDeployment controllers (reconcileDelete), kubeadm control
plane (deletion waits for workers), MachinePool.
"""

from __future__ import annotations

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.endings import (
    counted,
    end_provider_object,
    is_deleted_now,
    is_deleting,
    is_providers,
    shortened,
    tell_deleting,
    waits,
)
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.controllers.replicas import machines_of, sets_of
from fleettui.demo.controllers.view import CORE, cluster_of, is_cluster_paused, settle

PLANE_GROUP = "controlplane.cluster.x-k8s.io"
_CONTROL_PLANE = "cluster.x-k8s.io/control-plane"


async def on_owner_deletion(kit: Kit, change: Change) -> None:
    """Walk a deleted MachineDeployment, MachineSet or control plane to its end."""
    owner = change.new if is_deleted_now(change) else None
    if owner is not None and not is_cluster_paused(kit, owner):
        await end_owner(kit, owner)


async def end_owner(kit: Kit, owner: Document) -> None:
    """Delete what an owner owns, wait for that, and release it."""
    # Not the lock of its replicas: a rollout that waits for a Machine must not hold this up.
    if owner["kind"] == "MachineDeployment":
        await _end_deployment(kit, owner)
        return
    if owner["apiVersion"].startswith(f"{PLANE_GROUP}/"):
        await _wait_for_workers(kit, owner)
    reason = "WaitingForMachineDeletion" if owner["kind"] != "MachineSet" else "Deleting"
    for pause in waits():
        machines = machines_of(kit, owner)
        for machine in machines:
            if not is_deleting(machine):
                kit.delete(machine)
        _tell(kit, owner, reason, counted(machines))
        if not machines or kit.refresh(owner) is None:
            break
        await kit.pace.wait(pause)
    await kit.pace.wait(0.2)
    _release(kit, owner)


async def _end_deployment(kit: Kit, deployment: Document) -> None:
    for pause in waits():
        sets = sets_of(kit, deployment)
        for each in sets:
            if not is_deleting(each):
                kit.delete(each)
        machines = [machine for each in sets for machine in machines_of(kit, each)]
        _tell(kit, deployment, "Deleting", counted(machines))
        if not sets or kit.refresh(deployment) is None:
            break
        await kit.pace.wait(pause)
    _release(kit, deployment)


async def _wait_for_workers(kit: Kit, plane: Document) -> None:
    for pause in waits():
        machines = kit.labelled(CORE, "Machine", *cluster_of(plane))
        workers = [item for item in machines if _CONTROL_PLANE not in item["metadata"]["labels"]]
        pools = kit.labelled(CORE, "MachinePool", *cluster_of(plane))
        if not (workers or pools) or kit.refresh(plane) is None:
            return
        parts = {"MachinePools": pools, "worker Machines": workers}
        names = [f"{title}: {shortened(found)}" for title, found in parts.items() if found]
        text = "".join(f"\n* {line}" for line in names)
        _tell(kit, plane, "WaitingForWorkersDeletion", f"Waiting for workers to be deleted:{text}")
        await kit.pace.wait(pause)


def _tell(kit: Kit, owner: Document, reason: str, message: str) -> None:
    if tell_deleting(kit, owner, reason, message):
        settle(kit, *cluster_of(owner))


def _release(kit: Kit, owner: Document) -> None:
    kit.release(owner, is_providers)
    settle(kit, *cluster_of(owner))


async def on_pool_deletion(kit: Kit, change: Change) -> None:
    """Walk a deleted MachinePool to its end: infrastructure, bootstrap, itself."""
    pool = change.new if is_deleted_now(change) else None
    if pool is None or is_cluster_paused(kit, pool):
        return
    kit.set_status(pool, {"phase": "Deleting"})
    namespace = pool["metadata"]["namespace"]
    spec = pool["spec"]["template"]["spec"]
    infra = kit.referred(spec["infrastructureRef"], namespace)
    if infra is not None and not await end_provider_object(kit, infra):
        return
    bootstrap = kit.referred(spec["bootstrap"].get("configRef"), namespace)
    if bootstrap is not None:
        await end_provider_object(kit, bootstrap)
    _release(kit, pool)
