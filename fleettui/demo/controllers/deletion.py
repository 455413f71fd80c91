"""Deleted Machines go through the stages that people wait for. Source: Machine deletion flow."""

from __future__ import annotations

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.controllers.view import (
    cluster_of,
    is_cluster_paused,
    machine_parts,
    settle,
)
from fleettui.demo.world.conditions import find, modern, modern_of, put

_HOOK = "pre-drain.delete.hook.machine.cluster.x-k8s.io"


async def on_machine_deletion(kit: Kit, change: Change) -> None:
    """Walk a Machine that was just deleted to its end, unless something holds it."""
    new, old = change.new, change.old
    if new is None or old is None or change.type == "DELETED":
        return
    is_new = "deletionTimestamp" in new["metadata"] and "deletionTimestamp" not in old["metadata"]
    if not is_new or is_cluster_paused(kit, new):
        return
    async with kit.lock(new):
        await _end(kit, new)


async def _end(kit: Kit, machine: Document) -> None:
    if any(key.startswith(_HOOK) for key in machine["metadata"].get("annotations", {})):
        _stage(kit, machine, "WaitingForPreDrainHook", "Waiting for pre-drain hooks to succeed")
        return
    _stage(kit, machine, "DrainingNode", f"Drain not completed yet (started at {kit.now()})")
    await kit.pace.wait(0.6)
    infra = machine_parts(kit, machine).infrastructure
    if infra is not None:
        text = f"Waiting for {infra['kind']} to be deleted"
        _stage(kit, machine, "WaitingForInfrastructureDeletion", text)
        kit.delete(infra)
        await kit.pace.wait(0.6)
        kit.release(infra, _is_providers)
        if kit.refresh(infra) is not None:
            return
    bootstrap = machine_parts(kit, machine).bootstrap
    if bootstrap is not None:
        kit.delete(bootstrap)
    namespace, cluster = cluster_of(machine)
    kit.release(machine, lambda finalizer: finalizer == "machine.cluster.x-k8s.io")
    settle(kit, namespace, cluster)


def _is_providers(finalizer: str) -> bool:
    return finalizer.partition("/")[0].endswith("cluster.x-k8s.io")


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
