"""The remediate annotation: marked unhealthy by a health check, deleted and replaced.

Source: cluster-api machinehealthcheck_targets.go (HasRemediateAnnotation).
"""

from __future__ import annotations

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.kit import Document, Kit, annotation, is_paused
from fleettui.demo.controllers.replicas import on_machine_gone
from fleettui.demo.controllers.view import CORE, cluster_of, is_cluster_paused, settle
from fleettui.demo.world.conditions import find, modern, modern_of, put

_REMEDIATE = "cluster.x-k8s.io/remediate-machine"


async def on_remediation(kit: Kit, change: Change) -> None:
    """Mark and delete an annotated Machine that a health check selects; replace lost ones."""
    if change.type == "DELETED":
        await on_machine_gone(kit, change)
        return
    new, old = change.new, change.old
    if new is None or old is None or annotation(new, _REMEDIATE) is None:
        return
    if annotation(old, _REMEDIATE) is not None or is_paused(new) or is_cluster_paused(kit, new):
        return
    check = next((item for item in _checks(kit, new) if _is_allowed(item)), None)
    if check is None:
        return
    await kit.pace.wait(0.3)
    kit.change_status(new, lambda own: _mark(kit, own))
    settle(kit, *cluster_of(new))
    await kit.pace.wait(0.5)
    kit.delete(new)


def _checks(kit: Kit, machine: Document) -> list[Document]:
    labels = machine["metadata"]["labels"].items()
    found = kit.labelled(CORE, "MachineHealthCheck", *cluster_of(machine))
    return [
        check
        for check in found
        if check["spec"]["selector"].get("matchLabels", {}).items() <= labels
        and not is_paused(check)
    ]


def _is_allowed(check: Document) -> bool:
    allowed = find(check.get("status", {}).get("conditions"), "RemediationAllowed")
    return not allowed or allowed["status"] == "True"


def _mark(kit: Kit, own: Document) -> None:
    where = {"at": kit.now(), "generation": own["metadata"].get("generation", 1)}
    text = f"Health check failed:\n  * Marked for remediation via {_REMEDIATE} annotation"
    failed = modern("HealthCheckSucceeded", "False", "HasRemediateAnnotation", text, **where)
    put(modern_of(own), failed)
    waiting = modern(
        "OwnerRemediated", "False", "WaitingForRemediation", "Waiting for remediation", **where
    )
    put(modern_of(own), waiting)
