"""What controllers write on control planes and Clusters from everything below them.

One entry, `settle_cluster`, brings all derived conditions and counters of one cluster up to date.
Source: cluster-api internal/controllers/cluster/cluster_controller_status.go,
controlplane/kubeadm/internal/controllers/status.go, and recorded management clusters.
"""

from __future__ import annotations

from typing import Any

from fleettui.demo.world.conditions import (
    classic,
    classic_of,
    find,
    fine,
    modern_of,
    put,
)
from fleettui.demo.world.messages import grouped, nested
from fleettui.demo.world.parts import ClusterParts, Document, MachineParts
from fleettui.demo.world.settle_machines import (
    COMPONENTS,
    counts,
    generation_of,
    is_provisioned,
    ready_of,
    settle_machine,
    tell_versions,
    versions,
)
from fleettui.demo.world.settle_workers import (
    desired_of,
    machines_condition,
    rolling_out,
    scaling,
    settle_deployment,
    stamp,
)

Finding = dict[str, Any]

SUMMARY = (
    "Deleting",
    "RemoteConnectionProbe",
    "InfrastructureReady",
    "ControlPlaneAvailable",
    "WorkersAvailable",
    "TopologyReconciled",
)


def settle_cluster(parts: ClusterParts, *, at: str) -> None:
    """Bring every derived condition and counter of the cluster's objects up to date.

    Args:
        parts: documents, changed in place.
        at: time of transition given to conditions that change.
    """
    for machine in (*parts.machines, *parts.workers):
        settle_machine(machine, at=at)
    if parts.control_plane is not None and parts.control_plane["kind"] == "KubeadmControlPlane":
        settle_kubeadm(parts.control_plane, parts.machines, at=at)
    elif parts.control_plane is not None and parts.machines:
        _count_plane(parts.control_plane, parts.machines)
    for deployment in parts.deployments:
        settle_deployment(deployment, at=at)
    _settle_top(parts, at)


def _count_plane(document: Document, machines: list[MachineParts]) -> None:
    """Counters of another control plane, as far as its kind has them."""
    status = document.setdefault("status", {})
    found = counts(machines)
    is_first = "readyReplicas" not in status
    status |= {key: value for key, value in found.items() if is_first or key in status}


def settle_kubeadm(document: Document, machines: list[MachineParts], *, at: str) -> None:
    """Set counters and conditions of a KubeadmControlPlane from its Machines."""
    status = document.setdefault("status", {})
    status |= counts(machines)
    tell_versions(status, machines)
    status["observedGeneration"] = generation_of(document)
    desired, current = desired_of(document), status["replicas"]
    components = _component_trouble(machines, COMPONENTS[:4])
    etcd = _component_trouble(machines, ("EtcdMemberHealthy",))
    healthy = len(machines) - len(set(components) | set(etcd))
    found = [
        _kubeadm_available(document, healthy, machines, etcd),
        _health("EtcdClusterHealthy", etcd),
        _health("ControlPlaneComponentsHealthy", components),
        rolling_out(machines),
        scaling("ScalingDown", desired, current),
        scaling("ScalingUp", desired, current),
        machines_condition(machines, "Ready", "MachinesReady"),
        machines_condition(machines, "UpToDate", "MachinesUpToDate"),
    ]
    if components or etcd:
        for condition in found:
            if condition["type"] in ("ScalingUp", "ScalingDown") and condition["status"] == "True":
                condition["message"] += (
                    " is blocked because:\n* waiting for control plane components to become healthy"
                )
    for condition in found:
        put(modern_of(document), stamp(condition, document, at))
    status.setdefault("deprecated", {}).setdefault("v1beta1", {}).update(
        readyReplicas=status["readyReplicas"],
        unavailableReplicas=max(0, desired - status["readyReplicas"]),
        updatedReplicas=status["upToDateReplicas"],
    )
    _settle_classic_kubeadm(document, components, etcd, at)


def _component_trouble(machines: list[MachineParts], kinds: tuple[str, ...]) -> dict[str, str]:
    trouble = {}
    for part in machines:
        lines = []
        for kind in kinds:
            condition = find(part.machine.get("status", {}).get("conditions"), kind)
            if condition and condition["status"] != "True":
                lines.append(nested(kind, condition["message"]))
        if lines:
            trouble[part.machine["metadata"]["name"]] = "\n".join(lines)
    return trouble


def _health(kind: str, trouble: dict[str, str]) -> Finding:
    if not trouble:
        return {"type": kind, "status": "True", "reason": "Healthy", "message": ""}
    text = grouped("Machine", trouble)
    return {"type": kind, "status": "False", "reason": "NotHealthy", "message": text}


def _kubeadm_available(
    document: Document, healthy: int, machines: list[MachineParts], etcd: dict[str, str]
) -> Finding:
    # A Machine without a Node has no etcd member yet.
    joined = {m.machine["metadata"]["name"] for m in machines if m.machine["status"].get("nodeRef")}
    total, members = len(machines), len(joined - set(etcd))
    certificates = find(document["status"].get("conditions"), "CertificatesAvailable")
    lines = []
    if "deletionTimestamp" in document["metadata"]:
        lines.append("* Control plane metadata.deletionTimestamp is set")
    if certificates and certificates["status"] != "True":
        lines.append("* Control plane certificates are not available")
    quorum = len(joined) // 2 + 1
    if members < quorum and joined:
        lines.append(
            f"* {members} of {len(joined)} etcd members are healthy, "
            f"at least {quorum} healthy member{'s' if quorum > 1 else ''} required for etcd quorum"
        )
    if healthy == 0 and total:
        lines.append(
            "* There are no Machines with healthy control plane components, at least 1 required"
        )
    if lines:
        text = "\n".join(lines)
        return {"type": "Available", "status": "False", "reason": "NotAvailable", "message": text}
    text = ""
    if healthy < total:
        text = (
            f"* {healthy} of {total} Machines have healthy control plane components, "
            "at least 1 required"
        )
    return {"type": "Available", "status": "True", "reason": "Available", "message": text}


def _settle_classic_kubeadm(
    document: Document, components: dict[str, str], etcd: dict[str, str], at: str
) -> None:
    old = classic_of(document)
    for kind, trouble in (
        ("ControlPlaneComponentsHealthy", components),
        ("EtcdClusterHealthy", etcd),
    ):
        if not trouble:
            put(old, classic(kind, at=at))
            continue
        names = ", ".join(sorted(trouble))
        text = f"Following Machines are reporting {_SPOKEN[kind]} errors: {names}"
        reason = f"{kind.removesuffix('Healthy')}Unhealthy"
        more = {"reason": reason, "severity": "Error", "message": text}
        put(old, classic(kind, "False", at=at, **more))
    bad = next((item for item in old if item["status"] != "True" and item["type"] != "Ready"), None)
    more = {key: bad[key] for key in ("reason", "severity", "message") if bad and key in bad}
    put(old, classic("Ready", "False" if bad else "True", at=at, **more))


_SPOKEN = {"ControlPlaneComponentsHealthy": "control plane", "EtcdClusterHealthy": "etcd member"}


def _settle_top(parts: ClusterParts, at: str) -> None:
    cluster = parts.cluster
    status = cluster.setdefault("status", {})
    found = [
        _infrastructure_ready(parts),
        _control_plane_available(parts),
        _workers_available(parts),
        *(_collected(parts, kind) for kind in ("RollingOut", "Remediating", "ScalingDown")),
        _collected(parts, "ScalingUp"),
        machines_condition(parts.machines, "Ready", "ControlPlaneMachinesReady"),
        machines_condition(parts.workers, "Ready", "WorkerMachinesReady"),
        machines_condition(parts.machines, "UpToDate", "ControlPlaneMachinesUpToDate"),
        machines_condition(parts.workers, "UpToDate", "WorkerMachinesUpToDate"),
    ]
    for condition in found:
        put(modern_of(cluster), stamp(condition, cluster, at))
    for kind in ("RemoteConnectionProbe", "ControlPlaneInitialized", "Paused", "Deleting"):
        if not find(status["conditions"], kind):
            put(modern_of(cluster), fine(kind, at=at, generation=generation_of(cluster)))
    put(modern_of(cluster), stamp(_cluster_available(cluster), cluster, at))
    status["conditions"].sort(key=lambda item: _CLUSTER_ORDER.get(item["type"], 50))
    status["observedGeneration"] = generation_of(cluster)
    status["phase"] = _phase(cluster)
    _settle_counters(parts)
    for kind in ("Ready", "ControlPlaneInitialized", "ControlPlaneReady", "InfrastructureReady"):
        if not find(classic_of(cluster), kind):
            put(classic_of(cluster), classic(kind, at=at))


_CLUSTER_ORDER = {
    kind: index
    for index, kind in enumerate(
        (
            "Available",
            "RemoteConnectionProbe",
            "InfrastructureReady",
            "ControlPlaneInitialized",
            "ControlPlaneAvailable",
            "WorkersAvailable",
            "TopologyReconciled",
            "RollingOut",
            "Remediating",
            "ScalingDown",
            "ScalingUp",
            "ControlPlaneMachinesReady",
            "WorkerMachinesReady",
            "ControlPlaneMachinesUpToDate",
            "WorkerMachinesUpToDate",
        )
    )
} | {"Paused": 60, "Deleting": 61}


def _phase(cluster: Document) -> str:
    if "deletionTimestamp" in cluster["metadata"]:
        return "Deleting"
    if not cluster["spec"].get("infrastructureRef"):
        return "Pending"
    done = cluster["status"].get("initialization", {}).get("infrastructureProvisioned")
    return "Provisioned" if done else "Provisioning"


def _infrastructure_ready(parts: ClusterParts) -> Finding:
    kind = "InfrastructureReady"
    reference = parts.cluster["spec"].get("infrastructureRef")
    done = parts.cluster.setdefault("status", {}).setdefault("initialization", {})
    if reference is None:
        text = "Waiting for cluster topology to be reconciled"
        return {"type": kind, "status": "False", "reason": "ObjectDoesNotExist", "message": text}
    if parts.infrastructure is None:
        was = done.get("infrastructureProvisioned")
        text = f"{reference['kind']} does not exist"
        if was:
            text = _has_been_deleted(parts.cluster, reference["kind"])
        reason = "ObjectDeleted" if was else "ObjectDoesNotExist"
        return {"type": kind, "status": "False", "reason": reason, "message": text}
    if is_provisioned(parts.infrastructure):
        done["infrastructureProvisioned"] = True
    status, message = ready_of(parts.infrastructure)
    reason = {"True": "Ready", "False": "NotReady"}.get(status, "ReadyUnknown")
    return {"type": kind, "status": status, "reason": reason, "message": message}


def _has_been_deleted(cluster: Document, kind: str) -> str:
    is_going = "deletionTimestamp" in cluster["metadata"]
    return f"{kind} has been deleted" + ("" if is_going else " while the cluster still exists")


def _control_plane_available(parts: ClusterParts) -> Finding:
    kind, document = "ControlPlaneAvailable", parts.control_plane
    done = parts.cluster["status"].setdefault("initialization", {})
    available = find((document or {}).get("status", {}).get("conditions"), "Available")
    if document is not None and _is_initialized(document):
        done["controlPlaneInitialized"] = True
    reference = parts.cluster["spec"].get("controlPlaneRef")
    if document is None and reference and done.get("controlPlaneInitialized"):
        text = _has_been_deleted(parts.cluster, reference["kind"])
        return {"type": kind, "status": "False", "reason": "ObjectDeleted", "message": text}
    if available and "severity" not in available and "reason" in available:
        return available | {"type": kind}
    if done.get("controlPlaneInitialized"):
        return {"type": kind, "status": "True", "reason": "Available", "message": ""}
    text = "Control plane not yet initialized"
    return {"type": kind, "status": "False", "reason": "NotAvailable", "message": text}


def _is_initialized(document: Document) -> bool:
    status = document.get("status", {})
    modern = status.get("initialization", {}).get("controlPlaneInitialized")
    return bool(modern or status.get("initialized") or status.get("ready"))


def _workers_available(parts: ClusterParts) -> Finding:
    kind = "WorkersAvailable"
    if not parts.deployments:
        return {"type": kind, "status": "True", "reason": "NoWorkers", "message": ""}
    messages, statuses = [], set()
    for part in parts.deployments:
        condition = find(part.deployment["status"].get("conditions"), "Available")
        if condition and condition["status"] != "True":
            name = part.deployment["metadata"]["name"]
            messages.append(nested(f"MachineDeployment {name}", condition["message"]))
            statuses.add(condition["status"])
    if not messages:
        return {"type": kind, "status": "True", "reason": "Available", "message": ""}
    status = "False" if "False" in statuses else "Unknown"
    reason = "NotAvailable" if status == "False" else "AvailableUnknown"
    return {"type": kind, "status": status, "reason": reason, "message": "\n".join(messages)}


def _collected(parts: ClusterParts, kind: str) -> Finding:
    """A Cluster condition that is True when it is so on the control plane or a deployment."""
    lines = []
    documents = [parts.control_plane] if parts.control_plane is not None else []
    documents += [part.deployment for part in parts.deployments]
    for document in documents:
        condition = find(document.get("status", {}).get("conditions"), kind)
        if condition and condition["status"] == "True":
            name = f"{document['kind']} {document['metadata']['name']}"
            text = condition.get("message", "")
            if "\n" in text:
                first, _, rest = text.partition("\n")
                deeper = "\n".join(f"    {line}" for line in rest.split("\n"))
                lines.append(f"* {name}:\n  * {first}\n{deeper}")
            else:
                lines.append(f"* {name}: {text}" if text else f"* {name}")
    if lines:
        text = "\n".join(lines)
        return {"type": kind, "status": "True", "reason": kind, "message": text}
    return {"type": kind, "status": "False", "reason": f"Not{kind}", "message": ""}


def _cluster_available(cluster: Document) -> Finding:
    lines, statuses = [], set()
    notes = []
    for kind in SUMMARY:
        condition = find(cluster["status"]["conditions"], kind)
        if condition is None:
            continue
        expected = "False" if kind == "Deleting" else "True"
        if condition["status"] == expected:
            if condition["message"] and kind != "Deleting":
                notes.append(nested(kind, condition["message"]))
            continue
        if kind == "TopologyReconciled" and condition["reason"] not in _TOPOLOGY_FAILURES:
            continue
        if condition["reason"] == "ObjectDeleted" and "deletionTimestamp" in cluster["metadata"]:
            continue
        lines.append(nested(kind, condition["message"]))
        statuses.add("False" if kind == "Deleting" else condition["status"])
    if not lines:
        text = "\n".join(notes)
        return {"type": "Available", "status": "True", "reason": "Available", "message": text}
    status = "False" if "False" in statuses else "Unknown"
    reason = "NotAvailable" if status == "False" else "AvailableUnknown"
    text = "\n".join(lines)
    return {"type": "Available", "status": status, "reason": reason, "message": text}


_TOPOLOGY_FAILURES = ("ReconcileFailed", "ClusterClassNotReconciled")


def _settle_counters(parts: ClusterParts) -> None:
    status = parts.cluster["status"]
    plane = parts.control_plane
    if plane is not None and "replicas" in plane.get("spec", {}):
        own = counts(parts.machines) if parts.machines else _copied(plane)
        status["controlPlane"] = own | {"desiredReplicas": plane["spec"]["replicas"]}
        if parts.machines:
            status["controlPlane"]["versions"] = versions(parts.machines)
    workers = counts(parts.workers)
    desired = sum(int(part.deployment["spec"].get("replicas", 1)) for part in parts.deployments)
    for pool in parts.pools:
        own = _copied(pool.pool)
        workers = {key: workers[key] + own[key] for key in workers}
        desired += int(pool.pool["spec"].get("replicas", 1))
    status["workers"] = workers | {"desiredReplicas": desired}
    if parts.workers:
        status["workers"]["versions"] = versions(parts.workers)


def _copied(document: Document) -> dict[str, int]:
    status = document.get("status", {})
    keys = ("availableReplicas", "readyReplicas", "replicas", "upToDateReplicas")
    return {key: int(status.get(key, status.get("replicas", 0))) for key in keys}
