"""Rollouts of MachineDeployments and control planes: one new Machine, one old one less.

Source: spec.rollout.after and version changes as the two controllers treat them.
"""

from __future__ import annotations

import copy

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.births import give_birth, new_suffix
from fleettui.demo.controllers.kit import Document, Kit, is_paused
from fleettui.demo.controllers.replicas import machines_of, newest_set, remove_one, sets_of
from fleettui.demo.controllers.view import cluster_of, is_cluster_paused, settle
from fleettui.demo.world.conditions import modern, modern_of, put


async def on_rollout(kit: Kit, change: Change) -> None:
    """Replace all Machines when asked by time, or when the version changed."""
    new, old = change.new, change.old
    if new is None or old is None or change.type == "DELETED":
        return
    reason = _reason(new, old, kit.now())
    if not reason or is_paused(new) or is_cluster_paused(kit, new):
        return
    if new["kind"] == "MachineDeployment":
        await _roll_deployment(kit, new, reason)
    else:
        await _roll_plane(kit, new, reason)


def _reason(new: Document, old: Document, now: str) -> str:
    after = new["spec"].get("rollout", {}).get("after")
    if after and after != old["spec"].get("rollout", {}).get("after") and after <= now:
        return f"* {new['kind']} spec.rolloutAfter expired"
    before, wanted = _version(old), _version(new)
    if before != wanted:
        return f"* Version {before}, {wanted} required"
    return ""


def _version(document: Document) -> str:
    spec = document["spec"]
    template = spec.get("template", {}).get("spec", {})
    return str(spec.get("version") or template.get("version", ""))


def _mark_old(kit: Kit, machines: list[Document], reason: str) -> None:
    for machine in machines:

        def edit(own: Document) -> None:
            generation = own["metadata"].get("generation", 1)
            where = {"at": kit.now(), "generation": generation}
            put(modern_of(own), modern("UpToDate", "False", "NotUpToDate", reason, **where))

        kit.change_status(machine, edit)


async def _roll_plane(kit: Kit, plane: Document, reason: str) -> None:
    async with kit.lock(plane):
        old = machines_of(kit, plane)
        _mark_old(kit, old, reason)
        settle(kit, *cluster_of(plane))
        for machine in old:
            fresh = kit.refresh(plane)
            if fresh is None or is_paused(fresh) or is_cluster_paused(kit, fresh):
                return
            if await give_birth(kit, fresh) is None:
                return
            if not await remove_one(kit, [machine]):
                return
            settle(kit, *cluster_of(plane))
        _note_version(kit, plane)


def _note_version(kit: Kit, plane: Document) -> None:
    def edit(own: Document) -> None:
        own["status"]["version"] = own["spec"].get("version", "")

    kit.change_status(plane, edit)


async def _roll_deployment(kit: Kit, deployment: Document, reason: str) -> None:
    async with kit.lock(deployment):
        before = newest_set(kit, deployment)
        if before is None:
            return
        old = machines_of(kit, before)
        fresh = _new_set(kit, deployment, before)
        _mark_old(kit, old, reason)
        settle(kit, *cluster_of(deployment))
        for machine in old:
            current = kit.refresh(deployment)
            if current is None or is_paused(current) or is_cluster_paused(kit, current):
                return
            if await _grow(kit, fresh) is None:
                return
            async with kit.lock(before):
                _count(kit, before, -1)
                if not await remove_one(kit, [machine]):
                    return
            settle(kit, *cluster_of(deployment))


async def continue_rollout(kit: Kit, deployment: Document) -> None:
    """Take the other steps of a rollout that had begun before anybody watched."""
    async with kit.lock(deployment):
        sets = sets_of(kit, deployment)
        before = next((each for each in sets[1:] if machines_of(kit, each)), None)
        while before is not None and (old := machines_of(kit, before)):
            fresh = sets[0]
            current = kit.refresh(deployment)
            if current is None or is_paused(current) or is_cluster_paused(kit, current):
                return
            wanted = int(current["spec"].get("replicas", 1))
            if len(machines_of(kit, fresh)) < wanted and await _grow(kit, fresh) is None:
                return
            async with kit.lock(before):
                _count(kit, before, -1)
                if not await remove_one(kit, [old[0]]):
                    return
            settle(kit, *cluster_of(deployment))


async def _grow(kit: Kit, machine_set: Document) -> str | None:
    async with kit.lock(machine_set):
        _count(kit, machine_set, 1)
        owner = kit.refresh(machine_set)
        return await give_birth(kit, owner) if owner is not None else None


def _count(kit: Kit, machine_set: Document, step: int) -> None:
    def edit(own: Document) -> None:
        own["spec"]["replicas"] = max(0, int(own["spec"].get("replicas", 0)) + step)

    kit.change(machine_set, edit, manager="capi-machinedeployment")


def _new_set(kit: Kit, deployment: Document, before: Document) -> Document:
    suffix = new_suffix()
    name = f"{deployment['metadata']['name']}-{suffix}"
    made = copy.deepcopy(before)
    meta = made["metadata"]
    for key in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"):
        meta.pop(key, None)
    label = "machine-template-hash"
    hash_ = f"{deployment['metadata']['generation']}{len(suffix)}02-{suffix}"
    meta["name"] = name
    meta["labels"][label] = hash_
    annotations = meta.setdefault("annotations", {})
    revision = "machinedeployment.clusters.x-k8s.io/revision"
    annotations[revision] = str(int(annotations.get(revision, "1")) + 1)
    spec = made["spec"]
    spec["replicas"] = 0
    spec["selector"]["matchLabels"][label] = hash_
    spec["template"]["metadata"]["labels"][label] = hash_
    spec["template"]["spec"] = copy.deepcopy(deployment["spec"]["template"]["spec"])
    made["status"] = {}
    created = kit.create(made, manager="capi-machinedeployment")
    kit.change(
        deployment,
        lambda own: (
            own["metadata"].setdefault("annotations", {}).update({revision: annotations[revision]})
        ),
    )
    return created
