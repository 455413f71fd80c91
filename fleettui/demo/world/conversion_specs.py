"""What the two versions of Cluster API's kinds write differently inside of spec.

Health checks, classes, arguments of Kubernetes' own programs. Source: cluster-api
api/{core,bootstrap/kubeadm}/v1beta1 conversion.go.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]


def seconds(text: str) -> int:
    units = {"h": 3600, "m": 60, "s": 1}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([hms])", text))


def check_down(spec: Document, namespace: str) -> None:
    """Write a MachineHealthCheck the old way."""
    checks = spec.pop("checks", {})
    if "nodeStartupTimeoutSeconds" in checks:
        spec["nodeStartupTimeout"] = f"{checks['nodeStartupTimeoutSeconds']}s"
    if "unhealthyNodeConditions" in checks:
        spec["unhealthyConditions"] = [
            {
                "status": item["status"],
                "timeout": f"{item['timeoutSeconds']}s",
                "type": item["type"],
            }
            for item in checks["unhealthyNodeConditions"]
        ]
    remediation = spec.pop("remediation", {})
    if "templateRef" in remediation:
        spec["remediationTemplate"] = remediation["templateRef"] | {"namespace": namespace}
    limit = remediation.get("triggerIf", {})
    if "unhealthyLessThanOrEqualTo" in limit:
        spec["maxUnhealthy"] = limit["unhealthyLessThanOrEqualTo"]


def check_up(spec: Document) -> None:
    """Write a MachineHealthCheck the new way."""
    checks: Document = {}
    if "nodeStartupTimeout" in spec:
        checks["nodeStartupTimeoutSeconds"] = seconds(spec.pop("nodeStartupTimeout"))
    if "unhealthyConditions" in spec:
        checks["unhealthyNodeConditions"] = [
            {
                "status": item["status"],
                "timeoutSeconds": seconds(item["timeout"]),
                "type": item["type"],
            }
            for item in spec.pop("unhealthyConditions")
        ]
    if checks:
        spec["checks"] = checks
    remediation: Document = {}
    if "maxUnhealthy" in spec:
        remediation["triggerIf"] = {"unhealthyLessThanOrEqualTo": spec.pop("maxUnhealthy")}
    if "remediationTemplate" in spec:
        template = spec.pop("remediationTemplate")
        remediation["templateRef"] = {k: v for k, v in template.items() if k != "namespace"}
    if remediation:
        spec["remediation"] = remediation


_ARGUMENTS = ("extraArgs", "kubeletExtraArgs")


def arguments_down(value: Any) -> None:
    """Write arguments of programs as a mapping, wherever they stand."""
    for owner, key in _arguments(value):
        if isinstance(owner[key], list):
            owner[key] = {item["name"]: item["value"] for item in owner[key]}


def arguments_up(value: Any) -> None:
    """Write arguments of programs as a list, wherever they stand."""
    for owner, key in _arguments(value):
        if isinstance(owner[key], dict):
            owner[key] = [{"name": k, "value": v} for k, v in sorted(owner[key].items())]


def _arguments(value: Any) -> Iterator[tuple[Document, str]]:
    if not isinstance(value, dict):
        return
    for key, item in list(value.items()):
        if key in _ARGUMENTS:
            yield value, key
        else:
            yield from _arguments(item)


_WORKERS = ("machineDeployments", "machinePools")
_PARTS = ("bootstrap", "infrastructure")


def class_down(spec: Document) -> None:
    """Write a ClusterClass the old way: `ref`, and a template around workers' parts."""
    for owner in _class_owners(spec):
        owner["ref"] = owner.pop("templateRef")
    for kind in _WORKERS:
        for worker in spec.get("workers", {}).get(kind, ()):
            parts = {part: {"ref": worker.pop(part)["templateRef"]} for part in _PARTS}
            worker["template"] = parts | ({"metadata": worker.pop("metadata", {})})


def class_up(spec: Document) -> None:
    """Write a ClusterClass the new way."""
    for owner in _class_owners(spec):
        owner["templateRef"] = owner.pop("ref")
    for kind in _WORKERS:
        for worker in spec.get("workers", {}).get(kind, ()):
            template = worker.pop("template")
            worker |= {part: {"templateRef": template[part]["ref"]} for part in _PARTS}
            if template.get("metadata"):
                worker["metadata"] = template["metadata"]


def _class_owners(spec: Document) -> list[Document]:
    plane = spec.get("controlPlane", {})
    found = [spec.get("infrastructure"), plane, plane.get("machineInfrastructure")]
    return [owner for owner in found if owner]
