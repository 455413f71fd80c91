"""ClusterClasses of the platform with the templates that they name, told by one data file.

Source: cluster-api api/core/v1beta2 ClusterClass; the templates' own providers.
"""

from __future__ import annotations

from typing import Any

from fleettui.demo.world.catalogue import api_version
from fleettui.demo.world.drafts import Document, Drafts
from fleettui.demo.world.objects import add_object
from fleettui.demo.world.providers import INFRASTRUCTURE, data_file

NAMESPACE = "fleet-classes"
_LABELS = {
    "kustomize.toolkit.fluxcd.io/name": "infra-configs",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
}
_GROUPS = {
    "infrastructure": INFRASTRUCTURE,
    "controlPlane": "controlplane.cluster.x-k8s.io",
    "bootstrap": "bootstrap.cluster.x-k8s.io",
}
"""Group of a slot's templates, unless they say another."""


def add_classes(drafts: Drafts) -> None:
    """Add every class of the data file, and behind each its templates."""
    for told in data_file("platform/classes.yaml"):
        _add_class(drafts, told)


def _add_class(drafts: Drafts, told: dict[str, Any]) -> None:
    name, plane = told["name"], told["controlPlane"]
    templates: list[Document] = []

    def reference(slot: str, template: dict[str, Any], suffix: str = "") -> Document:
        group = template.get("group", _GROUPS[slot])
        made = {"group": group, "name": f"{name}{suffix}"} | template
        templates.append(made)
        version = api_version(group, template["kind"])
        return {
            "templateRef": {"apiVersion": version, "kind": template["kind"], "name": made["name"]}
        }

    spec: Document = {
        "infrastructure": reference("infrastructure", told["infrastructure"]),
        "controlPlane": reference("controlPlane", plane),
        "workers": {},
    }
    if "machine" in plane:
        spec["controlPlane"]["machineInfrastructure"] = reference(
            "infrastructure", plane["machine"], "-cp"
        )
    for kind in ("machineDeployments", "machinePools"):
        workers = [
            {"class": worker["class"]}
            | {
                slot: reference(slot, worker[slot], f"-{worker['class']}")
                for slot in ("bootstrap", "infrastructure")
            }
            for worker in told.get(kind, ())
        ]
        if workers:
            spec["workers"][kind] = workers
    role = f"class/{name}"
    add_object(drafts, _common(role, "cluster.x-k8s.io", "ClusterClass", name) | _settled(spec))
    for template in templates:
        own = _common(
            f"class-template/{template['kind']}/{template['name']}",
            template["group"],
            template["kind"],
            template["name"],
        )
        spec = {"template": {"spec": template["spec"]}}
        add_object(drafts, own | {"owner": f"{role} plain", "spec": spec})


def _common(role: str, group: str, kind: str, name: str) -> Document:
    return {
        "role": role,
        "group": group,
        "kind": kind,
        "namespace": NAMESPACE,
        "name": name,
        "labels": _LABELS,
    }


def _settled(spec: Document) -> Document:
    return {
        "conditions": ["RefVersionsUpToDate", "VariablesReady", "Paused"],
        "spec": spec,
        "status": {"observedGeneration": 1},
    }
