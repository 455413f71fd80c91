"""Deleted Machines go through the stages that people wait for. Source: Machine deletion flow."""

from __future__ import annotations

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.beside import release_host
from fleettui.demo.controllers.endings import end_provider_object, is_deleted_now, is_deleting
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.controllers.view import (
    CORE,
    cluster_of,
    is_cluster_paused,
    machine_parts,
    settle,
)
from fleettui.demo.world.conditions import find, modern, modern_of, put

_HOOK = "pre-drain.delete.hook.machine.cluster.x-k8s.io"


async def on_machine_deletion(kit: Kit, change: Change) -> None:
    """Walk a Machine that was just deleted to its end, unless something holds it."""
    new = change.new if is_deleted_now(change) else None
    if new is None or is_cluster_paused(kit, new):
        return
    async with kit.lock(new):
        await _end(kit, new)


async def _end(kit: Kit, machine: Document) -> None:
    if any(key.startswith(_HOOK) for key in machine["metadata"].get("annotations", {})):
        _stage(kit, machine, "WaitingForPreDrainHook", "Waiting for pre-drain hooks to succeed")
        return
    if not _is_whole_cluster_going(kit, machine):
        _stage(kit, machine, "DrainingNode", f"Drain not completed yet (started at {kit.now()})")
        await kit.pace.wait(0.6)
    infra = machine_parts(kit, machine).infrastructure
    if infra is not None:
        text = f"Waiting for {infra['kind']} to be deleted"
        _stage(kit, machine, "WaitingForInfrastructureDeletion", text)
        if not await end_provider_object(kit, infra):
            return
        release_host(kit, infra)
    bootstrap = machine_parts(kit, machine).bootstrap
    if bootstrap is not None:
        await end_provider_object(kit, bootstrap)
    namespace, cluster = cluster_of(machine)
    kit.release(machine, lambda finalizer: finalizer == "machine.cluster.x-k8s.io")
    settle(kit, namespace, cluster)


def _is_whole_cluster_going(kit: Kit, machine: Document) -> bool:
    """Whether its Cluster is deleted too: then nobody drains the node."""
    namespace, name = cluster_of(machine)
    cluster = kit.get(CORE, "Cluster", namespace, name)
    return cluster is not None and is_deleting(cluster)


def _stage(kit: Kit, machine: Document, reason: str, message: str) -> None:
    def edit(own: Document) -> None:
        generation = own["metadata"].get("generation", 1)
        condition = modern("Deleting", "True", reason, message, at=kit.now(), generation=generation)
        put(modern_of(own), condition)
        own["status"].setdefault("deletion", {}).setdefault("nodeDrainStartTime", kit.now())

    old = find(machine.get("status", {}).get("conditions"), "Deleting")
    if old and old["status"] == "True" and old["reason"] == reason:
        return
    kit.change_status(machine, edit)
    namespace, cluster = cluster_of(machine)
    settle(kit, namespace, cluster)
