"""Status conditions in the dialects that controllers write.

Source: metav1.Condition; Cluster API api/core/v1beta1 Condition (severity, reason only if false);
Azure Service Operator genruntime/conditions; Flux pkg/runtime/conditions.
"""

from __future__ import annotations

from typing import Any

Condition = dict[str, Any]
Document = dict[str, Any]

NEGATIVE = frozenset(
    ("Paused", "Deleting", "RollingOut", "ScalingUp", "ScalingDown", "Updating", "Remediating")
)
"""Types whose True is the abnormal side. Source: clusterctl internal/util/tree."""


def modern(kind: str, status: str, reason: str, message: str = "", **where: Any) -> Condition:
    """A metav1.Condition; `at` is its lastTransitionTime, `generation` what was observed."""
    return {
        "lastTransitionTime": where.get("at", "${t3}"),
        "message": message,
        "observedGeneration": where.get("generation", 1),
        "reason": reason,
        "status": status,
        "type": kind,
    }


def fine(kind: str, **where: Any) -> Condition:
    """The condition in its healthy state, with the reason that controllers give there."""
    if kind in NEGATIVE:
        return modern(kind, "False", f"Not{kind}", **where)
    return modern(kind, "True", GOOD_REASONS.get(kind, kind), **where)


GOOD_REASONS = {
    "RemoteConnectionProbe": "ProbeSucceeded",
    "InfrastructureReady": "Ready",
    "BootstrapConfigReady": "Ready",
    "ControlPlaneInitialized": "Initialized",
    "ControlPlaneAvailable": "Available",
    "WorkersAvailable": "Available",
    "ControlPlaneMachinesReady": "Ready",
    "WorkerMachinesReady": "Ready",
    "ControlPlaneMachinesUpToDate": "UpToDate",
    "WorkerMachinesUpToDate": "UpToDate",
    "MachinesReady": "Ready",
    "MachinesUpToDate": "UpToDate",
    "TopologyReconciled": "ReconcileSucceeded",
    "CertificatesAvailable": "Available",
    "DataSecretAvailable": "Available",
    "EtcdClusterHealthy": "Healthy",
    "ControlPlaneComponentsHealthy": "Healthy",
    "EtcdPodHealthy": "Running",
    "EtcdMemberHealthy": "Healthy",
    "APIServerPodHealthy": "Running",
    "ControllerManagerPodHealthy": "Running",
    "SchedulerPodHealthy": "Running",
    "NodeKubeadmLabelsAndTaintsSet": "Set",
    "APIServerProvisioned": "Provisioned",
    "EtcdProvisioned": "Provisioned",
    "NodeProvisioned": "Provisioned",
    "VMProvisioned": "Provisioned",
    "ResourcesApplied": "Applied",
}


def classic(kind: str, status: str = "True", **more: Any) -> Condition:
    """An old-scheme condition; severity, reason and message only where given."""
    condition: Condition = {"lastTransitionTime": more.get("at", "${t3}")}
    for key in ("message", "reason", "severity"):
        if more.get(key):
            condition[key] = more[key]
    return condition | {"status": status, "type": kind}


def find(conditions: list[Condition] | None, kind: str) -> Condition | None:
    """The condition of a type, None if it is absent."""
    return next((item for item in conditions or () if item["type"] == kind), None)


def put(conditions: list[Condition], condition: Condition) -> bool:
    """Replace the condition of the same type or add it; whether anything changed.

    The time of transition stays when the status does (metav1.SetStatusCondition).
    """
    old = find(conditions, condition["type"])
    if old is None:
        conditions.append(condition)
        return True
    same = {key: old.get(key) for key in condition if key != "lastTransitionTime"}
    if same == {key: condition[key] for key in same} and old.keys() == condition.keys():
        return False
    if old["status"] == condition["status"]:
        condition = condition | {"lastTransitionTime": old["lastTransitionTime"]}
    conditions[conditions.index(old)] = condition
    return True


def modern_of(document: Document) -> list[Condition]:
    """The list of metav1 conditions, made if absent."""
    conditions: list[Condition] = document.setdefault("status", {}).setdefault("conditions", [])
    return conditions


def classic_of(document: Document) -> list[Condition]:
    """The old list of an object of the v1beta2 contract, made if absent."""
    status = document.setdefault("status", {})
    old = status.setdefault("deprecated", {}).setdefault("v1beta1", {})
    conditions: list[Condition] = old.setdefault("conditions", [])
    return conditions
