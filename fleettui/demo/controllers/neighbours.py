"""Argo CD, Azure Service Operator and tofu-controller as far as people's actions reach.

Source: argo-cd application controller; ASO reconcile_policy.go; tofu-controller approvePlan.
"""

from __future__ import annotations

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.kit import Document, Kit, annotation
from fleettui.demo.world.conditions import find, modern, modern_of, put

_REFRESH = "argocd.argoproj.io/refresh"
_SKIP = "argocd.argoproj.io/skip-reconcile"
_ARGO = "argocd-application-controller"
_POLICY = "serviceoperator.azure.com/reconcile-policy"


async def on_argo(kit: Kit, change: Change) -> None:
    """Refresh when asked by annotation; run a requested operation."""
    new = change.new
    if new is None or annotation(new, _SKIP) == "true":
        return
    if annotation(new, _REFRESH) is not None:
        await kit.pace.wait(0.3)
        kit.change(new, lambda own: _refreshed(kit, own), manager=_ARGO)
    elif new.get("operation") and not (change.old or {}).get("operation"):
        await _sync(kit, new)


def _refreshed(kit: Kit, own: Document) -> None:
    own["metadata"].get("annotations", {}).pop(_REFRESH, None)
    own["status"]["reconciledAt"] = kit.now()


async def _sync(kit: Kit, document: Document) -> None:
    operation = document["operation"]

    def begin(own: Document) -> None:
        own.pop("operation", None)
        own["status"]["operationState"] = {
            "operation": operation,
            "phase": "Running",
            "message": "waiting for completion of hooks",
            "startedAt": kit.now(),
        }

    kit.change(document, begin, manager=_ARGO)
    await kit.pace.wait(0.8)

    def finish(own: Document) -> None:
        status = own["status"]
        if status["operationState"]["phase"] == "Terminating":
            status["operationState"] |= {"phase": "Failed", "message": "Operation terminated"}
            return
        status["operationState"] |= {
            "phase": "Succeeded",
            "message": "successfully synced (all tasks run)",
            "finishedAt": kit.now(),
        }
        if operation.get("sync", {}).get("dryRun"):
            return
        status.pop("conditions", None)
        status["health"] = {"status": "Healthy", "lastTransitionTime": kit.now()}
        status["sync"]["status"] = "Synced"
        status["reconciledAt"] = kit.now()

    kit.change(document, finish, manager=_ARGO)


async def on_aso(kit: Kit, change: Change) -> None:
    """Reconcile when the policy changes to or from skip, or the spec does."""
    new, old = change.new, change.old
    if new is None or old is None:
        return
    policies = (annotation(old, _POLICY), annotation(new, _POLICY))
    is_flipped = policies[0] != policies[1] and "skip" in policies
    is_changed = new["metadata"].get("generation") != old["metadata"].get("generation")
    if not is_flipped and not is_changed:
        return
    await kit.pace.wait(0.5)
    if policies[1] == "skip" and not is_flipped:
        return

    def edit(own: Document) -> None:
        generation = own["metadata"].get("generation", 1)
        where = {"at": kit.now(), "generation": generation}
        put(modern_of(own), modern("Ready", "True", "Succeeded", **where))

    ready: Document = next(iter(new.get("status", {}).get("conditions", [])), {})
    if ready.get("severity") != "Error" or is_changed:
        kit.change_status(new, edit, manager="controller")


async def on_terraform(kit: Kit, change: Change) -> None:
    """Apply an approved plan; make a new one when the last was cleared."""
    new, old = change.new, change.old
    if new is None or old is None or new["spec"].get("suspend"):
        return
    pending = new.get("status", {}).get("plan", {}).get("pending", "")
    approval = new["spec"].get("approvePlan", "")
    if pending and approval and (approval == "auto" or pending.startswith(approval)):
        await _apply_plan(kit, new, pending)
        return
    was_planned = old.get("status", {}).get("lastPlannedRevision")
    if was_planned and not pending and not new["status"].get("lastPlannedRevision"):
        await _replan(kit, new)


async def _apply_plan(kit: Kit, document: Document, plan: str) -> None:
    await kit.pace.wait(1.0)

    def edit(own: Document) -> None:
        status = own["status"]
        if status.get("plan", {}).get("pending") != plan:
            return
        generation = own["metadata"].get("generation", 1)
        applied = find(modern_of(own), "Apply")
        if applied is not None and applied["status"] == "False":
            # The same sources fail as they failed before; the plan is used up all the same.
            status["plan"].pop("pending")
            status["reconciliationFailures"] = status.get("reconciliationFailures", 0) + 1
            for kind in ("Apply", "Ready"):
                told = (applied["reason"], applied["message"])
                failed = modern(kind, "False", *told, at=kit.now(), generation=generation)
                put(modern_of(own), failed)
            status["observedGeneration"] = generation
            return
        revision = status.get("lastAttemptedRevision", "")
        status["plan"] = {"lastApplied": plan}
        status["lastAppliedRevision"] = revision
        text = f"Applied successfully: {revision}"
        where = {"at": kit.now(), "generation": generation}
        for kind in ("Ready", "Apply"):
            put(modern_of(own), modern(kind, "True", "TerraformAppliedSucceed", text, **where))
        status["observedGeneration"] = generation

    kit.change_status(document, edit, manager="tf-controller")


async def _replan(kit: Kit, document: Document) -> None:
    await kit.pace.wait(1.0)

    def edit(own: Document) -> None:
        status = own["status"]
        revision = status.get("lastAppliedRevision", "main@sha1:0")
        plan = f"plan-main-{revision.rpartition(':')[2][:10]}"
        status["plan"] = {"pending": plan}
        status["lastPlannedRevision"] = status["lastAttemptedRevision"] = revision
        status["lastPlanAt"] = kit.now()
        text = f'Plan generated: set approvePlan: "{plan}" to approve this plan.'
        generation = own["metadata"].get("generation", 1)
        where = {"at": kit.now(), "generation": generation}
        reason = "TerraformPlannedWithChanges"
        put(modern_of(own), modern("Ready", "Unknown", reason, text, **where))

    kit.change_status(document, edit, manager="tf-controller")
