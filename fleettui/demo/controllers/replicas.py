"""Replicas wanted and replicas there: MachineDeployments, sets, control planes, pools.

Source: cluster-api machineset, kubeadm control plane and MachinePool controllers.
"""

from __future__ import annotations

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.births import donor_for, give_birth, owner_document
from fleettui.demo.controllers.endings import is_deleting
from fleettui.demo.controllers.kit import Document, Kit, is_paused
from fleettui.demo.controllers.view import CORE, cluster_of, is_cluster_paused, settle
from fleettui.demo.world.conditions import find

_DELETE_FIRST = "cluster.x-k8s.io/delete-machine"


async def on_replicas(kit: Kit, change: Change) -> None:
    """Pass a MachineDeployment's replicas to its newest set; add or remove Machines."""
    new, old = change.new, change.old
    if new is None or old is None or change.type == "DELETED":
        return
    wanted = new["spec"].get("replicas")
    if wanted == old["spec"].get("replicas") or is_cluster_paused(kit, new):
        return
    if new["kind"] == "MachineDeployment":
        newest = newest_set(kit, new)
        if newest is not None:
            kit.change(
                newest,
                lambda own: own["spec"].update(replicas=wanted),
                manager="capi-machinedeployment",
            )
        return
    if is_paused(new):
        return
    await converge(kit, new)


async def on_machine_gone(kit: Kit, change: Change) -> None:
    """Replace a Machine that is gone if its owner still wants it."""
    if change.type != "DELETED" or change.old is None:
        return
    owner = owner_document(kit, change.old)
    if owner is None or is_deleting(owner) or is_paused(owner):
        return
    if owner["kind"] in ("MachineSet", "KubeadmControlPlane"):
        await converge(kit, owner, donor=change.old)


async def converge(kit: Kit, owner: Document, *, donor: Document | None = None) -> None:
    """Add or delete Machines of an owner, one after the other, until the number is right."""
    async with kit.lock(owner):
        while True:
            fresh = kit.refresh(owner)
            if fresh is None or is_deleting(fresh) or is_cluster_paused(kit, fresh):
                return
            machines = machines_of(kit, fresh)
            wanted = int(fresh["spec"].get("replicas", 1))
            settle(kit, *cluster_of(fresh))
            if len(machines) < wanted:
                if await give_birth(kit, fresh, donor_for(kit, fresh) or donor) is None:
                    return
            elif len(machines) > wanted:
                if not await remove_one(kit, machines):
                    return
            else:
                return


async def remove_one(kit: Kit, machines: list[Document]) -> bool:
    """Delete the Machine that is missed least; whether it went away in time."""
    leaving = [item for item in machines if is_deleting(item)]
    victim = min(leaving or machines, key=_keep_rank)
    kit.delete(victim)
    for _ in range(40):
        await kit.pace.wait(0.1)
        if kit.refresh(victim) is None:
            return True
    return False


def _keep_rank(machine: Document) -> tuple[bool, bool, str]:
    """Order of deletion: marked ones, unready ones, then the oldest."""
    meta = machine["metadata"]
    ready = find(machine.get("status", {}).get("conditions"), "Ready")
    is_marked = _DELETE_FIRST in meta.get("annotations", {})
    return not is_marked, bool(ready and ready["status"] == "True"), meta["creationTimestamp"]


def machines_of(kit: Kit, owner: Document) -> list[Document]:
    """Machines whose controller the owner is."""
    uid = owner["metadata"]["uid"]
    return [
        machine
        for machine in kit.labelled(CORE, "Machine", *cluster_of(owner))
        if any(item["uid"] == uid for item in machine["metadata"].get("ownerReferences", ()))
    ]


def sets_of(kit: Kit, deployment: Document) -> list[Document]:
    """MachineSets of a MachineDeployment, newest first."""
    uid = deployment["metadata"]["uid"]
    own = [
        item
        for item in kit.labelled(CORE, "MachineSet", *cluster_of(deployment))
        if any(owner["uid"] == uid for owner in item["metadata"].get("ownerReferences", ()))
    ]
    key = "machinedeployment.clusters.x-k8s.io/revision"
    return sorted(own, key=lambda item: -int(item["metadata"].get("annotations", {}).get(key, "0")))


def newest_set(kit: Kit, deployment: Document) -> Document | None:
    """The MachineSet of the current template."""
    return next(iter(sets_of(kit, deployment)), None)


async def on_pool(kit: Kit, change: Change) -> None:
    """Let a MachinePool follow its spec.replicas one instance at a time."""
    new, old = change.new, change.old
    if new is None or old is None or change.type == "DELETED":
        return
    if new["spec"].get("replicas") == old["spec"].get("replicas") or is_cluster_paused(kit, new):
        return
    async with kit.lock(new):
        while True:
            fresh = kit.refresh(new)
            if fresh is None:
                return
            wanted = int(fresh["spec"].get("replicas", 1))
            current = int(fresh["status"].get("replicas", 0))
            if wanted == current:
                return
            step = 1 if wanted > current else -1
            await kit.pace.wait(0.6)
            _resize_pool(kit, fresh, current + step, wanted)


def _resize_pool(kit: Kit, pool: Document, count: int, wanted: int) -> None:
    reference = pool["spec"]["template"]["spec"]["infrastructureRef"]
    infra = kit.referred(reference, pool["metadata"]["namespace"])
    base = pool["metadata"]["name"]
    ids = [f"{base}-{index}" for index in range(count)]

    def resize_infra(own: Document) -> None:
        own["status"]["replicas"] = count
        instances = own["status"].get("instances")
        if instances:
            own["status"]["instances"] = [instances[0] | {} for _ in range(count)]

    if infra is not None:
        kit.change(infra, lambda own: own["spec"].update(providerIDList=ids))
        kit.change_status(infra, resize_infra)

    def resize(own: Document) -> None:
        status = own["status"]
        for key in ("replicas", "readyReplicas", "availableReplicas", "upToDateReplicas"):
            status[key] = count
        status["nodeRefs"] = [{"name": name} for name in ids]
        status["observedGeneration"] = own["metadata"].get("generation", 1)
        growing = "ScalingUp" if wanted > count else "ScalingDown"
        status["phase"] = "Running" if count == wanted else growing

    kit.change(pool, lambda own: own["spec"].update(providerIDList=ids))
    kit.change_status(pool, resize)
    settle(kit, *cluster_of(pool))
