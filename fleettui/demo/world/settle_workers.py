"""What controllers write on MachineSets and MachineDeployments from their Machines.

Source: cluster-api internal/controllers/{machineset,machinedeployment} *_status.go and messages
that they wrote in recorded management clusters.
"""

from __future__ import annotations

from typing import Any

from fleettui.demo.world.conditions import (
    classic,
    classic_of,
    find,
    fine,
    modern,
    modern_of,
    put,
)
from fleettui.demo.world.messages import grouped, listed, nested
from fleettui.demo.world.parts import DeploymentParts, Document, MachineParts, SetParts
from fleettui.demo.world.settle_machines import counts, generation_of, tell_versions


def machines_condition(machines: list[MachineParts], source: str, kind: str) -> dict[str, Any]:
    """MachinesReady or MachinesUpToDate over Machines, without time and generation."""
    good = "Ready" if source == "Ready" else "UpToDate"
    messages, statuses = {}, set()
    for part in machines:
        condition = find(part.machine.get("status", {}).get("conditions"), source)
        if condition is None:
            messages[part.machine["metadata"]["name"]] = f"* {source}: Condition not yet reported"
            statuses.add("Unknown")
        elif condition["status"] != "True":
            messages[part.machine["metadata"]["name"]] = condition["message"]
            statuses.add(condition["status"])
    if not machines:
        return {"type": kind, "status": "True", "reason": "NoReplicas", "message": ""}
    if not messages:
        return {"type": kind, "status": "True", "reason": good, "message": ""}
    status = "False" if "False" in statuses else "Unknown"
    reason = f"Not{good}" if status == "False" else f"{good}Unknown"
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": grouped("Machine", messages),
    }


def stamp(condition: dict[str, Any], document: Document, at: str) -> dict[str, Any]:
    """The condition with time and observed generation."""
    return modern(
        condition["type"],
        condition["status"],
        condition["reason"],
        condition["message"],
        at=at,
        generation=generation_of(document),
    )


def settle_set(part: SetParts, *, at: str) -> None:
    """Set counters and conditions of a MachineSet."""
    document, status = part.machine_set, part.machine_set.setdefault("status", {})
    status |= counts(part.machines)
    tell_versions(status, part.machines)
    desired, current = desired_of(document), status["replicas"]
    found = [
        _remediating(part.machines, "MachineSet"),
        scaling("ScalingDown", desired, current, is_set=True),
        scaling("ScalingUp", desired, current, is_set=True),
        machines_condition(part.machines, "Ready", "MachinesReady"),
        machines_condition(part.machines, "UpToDate", "MachinesUpToDate"),
    ]
    _write(document, found, at)
    old = status.setdefault("deprecated", {}).setdefault("v1beta1", {})
    old |= {
        "availableReplicas": status["availableReplicas"],
        "fullyLabeledReplicas": current,
        "readyReplicas": status["readyReplicas"],
    }
    text = f"Scaling up MachineSet to {desired} replicas (actual {status['readyReplicas']})"
    is_short = status["readyReplicas"] < desired and not _is_any_deleting(part.machines)
    trouble = {"reason": "ScalingUp", "severity": "Warning", "message": text} if is_short else {}
    for kind in ("Ready", "MachinesCreated", "MachinesReady", "Resized"):
        is_bad = is_short and kind in ("Ready", "Resized")
        put(
            classic_of(document),
            classic(kind, "False", at=at, **trouble) if is_bad else classic(kind, at=at),
        )
    if document["metadata"].get("generation"):
        status["observedGeneration"] = generation_of(document)


def settle_deployment(part: DeploymentParts, *, at: str) -> None:
    """Set counters, phase and conditions of a MachineDeployment."""
    for own in part.sets:
        settle_set(own, at=at)
    document, status = part.deployment, part.deployment.setdefault("status", {})
    desired = desired_of(document)
    if not part.template_exists:
        _settle_without_template(document, desired, at)
        return
    machines = part.machines
    status |= counts(machines)
    tell_versions(status, machines)
    status["observedGeneration"] = generation_of(document)
    current = status["replicas"]
    found = [
        _available(document, status["availableReplicas"]),
        rolling_out(machines),
        _remediating(machines, "MachineDeployment/MachineSet"),
        scaling("ScalingDown", desired, current),
        scaling("ScalingUp", desired, current),
        machines_condition(machines, "Ready", "MachinesReady"),
        machines_condition(machines, "UpToDate", "MachinesUpToDate"),
    ]
    _write(document, found, at)
    is_growing, is_shrinking = current < desired, current > desired
    status["phase"] = "ScalingUp" if is_growing else "ScalingDown" if is_shrinking else "Running"
    _settle_classic_deployment(document, desired, at)


def _settle_classic_deployment(document: Document, desired: int, at: str) -> None:
    status = document["status"]
    available = status["availableReplicas"]
    status.setdefault("deprecated", {}).setdefault("v1beta1", {}).update(
        availableReplicas=available,
        readyReplicas=status["readyReplicas"],
        unavailableReplicas=max(0, desired - available),
        updatedReplicas=status["upToDateReplicas"],
    )
    text = f"Minimum availability requires {desired} replicas, current {available} available"
    bad = {"reason": "WaitingForAvailableMachines", "severity": "Warning", "message": text}
    for kind in ("Ready", "Available", "MachineSetReady"):
        is_bad = available < desired - unavailable_allowed(document) and kind != "MachineSetReady"
        put(
            classic_of(document),
            classic(kind, "False", at=at, **bad) if is_bad else classic(kind, at=at),
        )


def _settle_without_template(document: Document, desired: int, at: str) -> None:
    kind = document["spec"]["template"]["spec"]["infrastructureRef"]["kind"]
    current = document["status"].get("replicas", 0)
    text = (
        f"Scaling up from {current} to {desired} replicas is blocked because {kind} does not exist"
    )
    found = [{"type": "ScalingUp", "status": "True", "reason": "ScalingUp", "message": text}]
    if "availableReplicas" not in document["status"]:
        waiting = "Waiting for status.availableReplicas set"
        found.append(
            {
                "type": "Available",
                "status": "Unknown",
                "reason": "WaitingForAvailableReplicasSet",
                "message": waiting,
            }
        )
    document["status"]["phase"] = "ScalingUp"
    _write(document, found, at)


def unavailable_allowed(document: Document) -> int:
    """spec.rollout.strategy.rollingUpdate.maxUnavailable as a number."""
    strategy = document["spec"].get("rollout", {}).get("strategy", {})
    return int(strategy.get("rollingUpdate", {}).get("maxUnavailable", 0))


def _available(document: Document, available: int) -> dict[str, Any]:
    desired = int(document["spec"].get("replicas", 1))
    allowed = unavailable_allowed(document)
    if available >= desired - allowed:
        return {"type": "Available", "status": "True", "reason": "Available", "message": ""}
    text = (
        f"{available} available replicas, at least {desired - allowed} required "
        f"(spec.strategy.rollout.maxUnavailable is {allowed}, spec.replicas is {desired})"
    )
    if "deletionTimestamp" in document["metadata"]:
        text = "Deletion in progress"
    return {"type": "Available", "status": "False", "reason": "NotAvailable", "message": text}


def rolling_out(machines: list[MachineParts]) -> dict[str, Any]:
    """RollingOut: how many Machines are not up to date, and why."""
    reasons: list[str] = []
    old = 0
    for part in machines:
        condition = find(part.machine["status"]["conditions"], "UpToDate")
        if condition and condition["status"] == "False":
            old += 1
            reasons += [line for line in condition["message"].split("\n") if line not in reasons]
    if not old:
        return {
            "type": "RollingOut",
            "status": "False",
            "reason": "NotRollingOut",
            "message": "",
        }
    text = "\n".join([f"Rolling out {old} not up-to-date replicas", *reasons])
    return {"type": "RollingOut", "status": "True", "reason": "RollingOut", "message": text}


def desired_of(document: Document) -> int:
    """spec.replicas; none are wanted of what is being deleted."""
    if "deletionTimestamp" in document["metadata"]:
        return 0
    return int(document["spec"].get("replicas", 1))


def scaling(kind: str, desired: int, current: int, *, is_set: bool = False) -> dict[str, Any]:
    """ScalingUp or ScalingDown from the numbers of replicas."""
    is_up = kind == "ScalingUp"
    if (desired > current) if is_up else (desired < current):
        way = "up" if is_up else "down"
        text = f"Scaling {way} from {current} to {desired} replicas"
        return {"type": kind, "status": "True", "reason": kind, "message": text}
    return {"type": kind, "status": "False", "reason": f"Not{kind}", "message": ""}


def _remediating(machines: list[MachineParts], by: str) -> dict[str, Any]:
    sick, waiting = [], {}
    for part in machines:
        conditions = part.machine["status"].get("conditions")
        check = find(conditions, "HealthCheckSucceeded")
        owner = find(conditions, "OwnerRemediated")
        name = part.machine["metadata"]["name"]
        if owner and owner["status"] == "False":
            waiting[name] = owner["message"]
        elif check and check["status"] == "False":
            sick.append(name)
    if waiting:
        text = "\n".join(nested(f"Machine {name}", waiting[name]) for name in sorted(waiting))
        return {"type": "Remediating", "status": "True", "reason": "Remediating", "message": text}
    text = ""
    if sick:
        several = len(sick) > 1
        text = (
            f"Machine{'s' if several else ''} {listed(sick)} {'are' if several else 'is'} "
            f"not healthy (not to be remediated by {by})"
        )
    return {"type": "Remediating", "status": "False", "reason": "NotRemediating", "message": text}


def _is_any_deleting(machines: list[MachineParts]) -> bool:
    return any("deletionTimestamp" in part.machine["metadata"] for part in machines)


def _write(document: Document, found: list[dict[str, Any]], at: str) -> None:
    for condition in found:
        put(modern_of(document), stamp(condition, document, at))
    for kind in ("Paused", "Deleting"):
        if not find(document["status"]["conditions"], kind):
            put(modern_of(document), fine(kind, at=at, generation=generation_of(document)))
