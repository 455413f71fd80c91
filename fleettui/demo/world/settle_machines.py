"""What the Machine controller writes on a Machine from its objects; counts of Machines.

Source: cluster-api internal/controllers/machine/machine_controller_status.go.
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
from fleettui.demo.world.messages import nested
from fleettui.demo.world.parts import Document, MachineParts

COMPONENTS = (
    "APIServerPodHealthy",
    "ControllerManagerPodHealthy",
    "SchedulerPodHealthy",
    "EtcdPodHealthy",
    "EtcdMemberHealthy",
)
_ORDER = (
    "BootstrapConfigReady",
    "InfrastructureReady",
    "NodeHealthy",
    "HealthCheckSucceeded",
    "NodeKubeadmLabelsAndTaintsSet",
    *COMPONENTS,
)


def generation_of(document: Document) -> int:
    """metadata.generation."""
    return int(document["metadata"].get("generation", 1))


def ready_of(document: Document) -> tuple[str, str]:
    """(status, message) of a provider object's Ready, from whichever scheme it has."""
    status = document.get("status", {})
    for conditions in (status.get("v1beta2", {}).get("conditions"), status.get("conditions")):
        ready = find(conditions, "Ready")
        if ready:
            return ready["status"], ready.get("message") or (
                "" if ready["status"] == "True" else ready.get("reason", "")
            )
    done = is_provisioned(document)
    text = f"{document['kind']} status.initialization.provisioned is false"
    return ("True", "") if done else ("False", text)


def is_provisioned(document: Document | None) -> bool:
    """Whether an infrastructure or bootstrap object reports that it is done."""
    status = (document or {}).get("status", {})
    initialization = status.get("initialization", {})
    return bool(
        status.get("ready")
        or initialization.get("provisioned")
        or initialization.get("dataSecretCreated")
    )


def settle_machine(parts: MachineParts, *, at: str) -> None:
    """Set the conditions of a Machine that follow from its infrastructure and bootstrap."""
    machine = parts.machine
    conditions = modern_of(machine)
    where: dict[str, Any] = {"at": at, "generation": generation_of(machine)}
    _mirror(machine, "InfrastructureReady", parts.infrastructure, "infrastructureRef", where)
    if parts.bootstrap is not None or machine["spec"].get("bootstrap", {}).get("configRef"):
        _mirror(machine, "BootstrapConfigReady", parts.bootstrap, "configRef", where)
    _settle_node(machine, where)
    put(conditions, _summary(machine, where))
    is_ready = _is(machine, "Ready")
    available = fine("Available", **where) if is_ready else None
    put(conditions, available or modern("Available", "False", "NotReady", **where))
    deleting = "deletionTimestamp" in machine["metadata"]
    machine["status"]["phase"] = "Deleting" if deleting else _phase(machine)
    _settle_classic(parts, at)


def _mirror(
    machine: Document, kind: str, target: Document | None, field: str, where: dict[str, Any]
) -> None:
    spec = machine["spec"]
    reference = spec.get(field) or spec.get("bootstrap", {}).get(field) or {"kind": "Object"}
    name = "BootstrapConfigReady" if field == "configRef" else "InfrastructureReady"
    done = machine.setdefault("status", {}).setdefault("initialization", {})
    if target is None:
        was = done.get("infrastructureProvisioned")
        text = f"{reference['kind']} has been deleted"
        if "deletionTimestamp" not in machine["metadata"]:
            text += " while the Machine still exists"
        missing = modern(name, "False", "ObjectDeleted", text, **where)
        if not was or field == "configRef":
            missing = modern(
                name, "False", "ObjectDoesNotExist", f"{reference['kind']} does not exist", **where
            )
        put(modern_of(machine), missing)
        return
    status, message = ready_of(target)
    key = "bootstrapDataSecretCreated" if field == "configRef" else "infrastructureProvisioned"
    if is_provisioned(target):
        done[key] = True
    reason = {"True": "Ready", "False": "NotReady"}.get(status, "ReadyUnknown")
    put(modern_of(machine), modern(kind, status, reason, message, **where))


def _settle_node(machine: Document, where: dict[str, Any]) -> None:
    if machine["spec"].get("providerID") or machine["status"].get("nodeRef"):
        for kind in ("NodeHealthy", "NodeReady"):
            if not find(machine["status"]["conditions"], kind):
                put(modern_of(machine), fine(kind, **where))
        return
    infrastructure = machine["spec"]["infrastructureRef"]["kind"]
    text = f"Waiting for {infrastructure} to report spec.providerID"
    for kind in ("NodeHealthy", "NodeReady"):
        put(modern_of(machine), modern(kind, "Unknown", "InspectionFailed", text, **where))


def _summary(machine: Document, where: dict[str, Any]) -> dict[str, Any]:
    conditions = machine["status"]["conditions"]
    lines, statuses, components = [], [], []
    deleting = find(conditions, "Deleting")
    if deleting and deleting["status"] == "True":
        stage = f"Machine deletion in progress, stage: {deleting['reason']}"
        return modern("Ready", "False", "NotReady", f"* Deleting: {stage}", **where)
    for kind in _ORDER:
        condition = find(conditions, kind)
        if condition is None or condition["status"] == "True":
            continue
        statuses.append(condition["status"])
        if kind in COMPONENTS:
            components.append((kind, condition["message"]))
        else:
            lines.append(nested(kind, condition["message"]))
    texts = {text for _, text in components}
    if len(components) > 2 and len(texts) == 1:
        lines.append(f"* Control plane components: {texts.pop()}")
    else:
        lines += [nested(kind, text) for kind, text in components]
    if "False" in statuses:
        return modern("Ready", "False", "NotReady", "\n".join(lines), **where)
    if statuses:
        return modern("Ready", "Unknown", "ReadyUnknown", "\n".join(lines), **where)
    return fine("Ready", **where)


def _phase(machine: Document) -> str:
    status = machine["status"]
    done = status.get("initialization", {})
    if status.get("nodeRef"):
        return "Running"
    if machine["spec"].get("providerID"):
        return "Provisioned"
    return "Provisioning" if done.get("bootstrapDataSecretCreated") else "Pending"


def _settle_classic(parts: MachineParts, at: str) -> None:
    machine = parts.machine
    old = classic_of(machine)
    conditions = machine["status"]["conditions"]
    for new, kind in (
        ("BootstrapConfigReady", "BootstrapReady"),
        ("InfrastructureReady", "InfrastructureReady"),
    ):
        condition = find(conditions, new)
        if condition is None:
            continue
        if condition["status"] == "True":
            reason = _mirrored_reason(parts) if kind == "InfrastructureReady" else ""
            put(old, classic(kind, at=at, reason=reason))
        else:
            text = {"reason": condition["reason"], "message": condition["message"]}
            put(old, classic(kind, condition["status"], severity="Info", at=at, **text))
    bad = next((item for item in old if item["status"] != "True" and item["type"] != "Ready"), None)
    more = {key: bad[key] for key in ("reason", "severity", "message") if bad and key in bad}
    put(old, classic("Ready", bad["status"] if bad else "True", at=at, **more))


def _mirrored_reason(parts: MachineParts) -> str:
    """The reason that an infrastructure object with metav1 conditions gives even when True."""
    status = (parts.infrastructure or {}).get("status", {})
    ready = find(status.get("conditions"), "Ready")
    return str(ready.get("reason", "")) if ready else ""


def _is(document: Document, kind: str) -> bool:
    condition = find(document.get("status", {}).get("conditions"), kind)
    return bool(condition and condition["status"] == "True")


def counts(machines: list[MachineParts]) -> dict[str, int]:
    """replicas, ready, available and up-to-date as the v1beta2 API counts Machines."""
    documents = [part.machine for part in machines]
    return {
        "availableReplicas": sum(_is(item, "Available") for item in documents),
        "readyReplicas": sum(_is(item, "Ready") for item in documents),
        "replicas": len(documents),
        "upToDateReplicas": sum(_is(item, "UpToDate") for item in documents),
    }


def tell_versions(status: Document, machines: list[MachineParts]) -> None:
    """Set status.versions, or leave it out where nothing runs: the field may not be empty."""
    status.pop("versions", None)
    if machines:
        status["versions"] = versions(machines)


def versions(machines: list[MachineParts]) -> list[Document]:
    """status.versions[]: how many Machines run which version, oldest first."""
    tally: dict[str, int] = {}
    for part in machines:
        version = part.machine["spec"].get("version", "")
        if version:
            tally[version] = tally.get(version, 0) + 1
    return [{"replicas": tally[version], "version": version} for version in sorted(tally)]
