"""v1beta1 and v1beta2 of Cluster API's own kinds, in both directions.

Conditions and counters stand where each version has them; references and durations are written as
each version writes them. Source: cluster-api api/core/{v1beta1,v1beta2} types and conversion.go.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.world.catalogue import api_version, group_of
from fleettui.demo.world.conversion_specs import (
    arguments_down,
    arguments_up,
    check_down,
    check_up,
    class_down,
    class_up,
    seconds,
)

Document = dict[str, Any]

CONVERTED_GROUPS = frozenset(
    (
        "cluster.x-k8s.io",
        "addons.cluster.x-k8s.io",
        "bootstrap.cluster.x-k8s.io",
        "controlplane.cluster.x-k8s.io",
        "ipam.cluster.x-k8s.io",
        "runtime.cluster.x-k8s.io",
    )
)
_KINDS_OF_OTHERS = ("RKE2", "K0s", "Talos", "Kamaji", "AWS", "ROSA", "EKS", "Nodeadm", "GKE")


def is_converted(resource: Resource) -> bool:
    """Whether a type is Cluster API's own, so that its versions differ in more than a name."""
    return resource.group in CONVERTED_GROUPS and not resource.kind.startswith(_KINDS_OF_OTHERS)


def convert(resource: Resource, body: Document, version: str) -> Document:
    """The object in another served version; a fresh document.

    Kinds of other projects and unknown versions only change their apiVersion.
    """
    converted = copy.deepcopy(body)
    old = body["apiVersion"].rpartition("/")[2]
    converted["apiVersion"] = f"{resource.group}/{version}" if resource.group else version
    if not is_converted(resource) or old == version:
        return converted
    if version == "v1beta1" and old == "v1beta2":
        _status_down(resource.kind, converted)
        _spec_down(resource.kind, converted)
    elif version == "v1beta2" and old == "v1beta1":
        _status_up(resource.kind, converted)
        _spec_up(resource.kind, converted)
    return converted


_MOVED = ("readyReplicas", "availableReplicas", "upToDateReplicas", "controlPlane", "workers")
_OLD_COUNTERS = (
    "readyReplicas",
    "availableReplicas",
    "unavailableReplicas",
    "updatedReplicas",
    "fullyLabeledReplicas",
    "failureReason",
    "failureMessage",
)
_FLAGS = (
    ("infrastructureProvisioned", "infrastructureReady"),
    ("bootstrapDataSecretCreated", "bootstrapReady"),
    ("dataSecretCreated", "ready"),
)


def _status_down(kind: str, document: Document) -> None:
    status = document.get("status")
    if not status:
        return
    modern: Document = {}
    if "conditions" in status:
        modern["conditions"] = status.pop("conditions")
    for key in _MOVED:
        if key in status:
            modern[key] = status.pop(key)
    old = status.pop("deprecated", {}).get("v1beta1", {})
    if kind == "Machine":
        status.pop("failureDomain", None)
    status |= {key: value for key, value in old.items() if key != "conditions"}
    if "conditions" in old:
        status["conditions"] = old["conditions"]
    if modern:
        status["v1beta2"] = modern
    done = status.pop("initialization", {})
    for new, flag in _FLAGS:
        if new in done:
            status[flag] = done[new]
    if "controlPlaneInitialized" in done:
        is_plane = kind == "KubeadmControlPlane"
        status["initialized" if is_plane else "controlPlaneReady"] = done["controlPlaneInitialized"]
        if is_plane:
            status["ready"] = done["controlPlaneInitialized"]


def _status_up(kind: str, document: Document) -> None:
    status = document.get("status")
    if not status:
        return
    modern = status.pop("v1beta2", {})
    old: Document = {key: status.pop(key) for key in _OLD_COUNTERS if key in status}
    if "conditions" in status:
        old["conditions"] = status.pop("conditions")
    status |= modern
    if old:
        status["deprecated"] = {"v1beta1": old}
    done: Document = {}
    if kind == "KubeadmControlPlane":
        status.pop("ready", None)
        if "initialized" in status:
            done["controlPlaneInitialized"] = status.pop("initialized")
    elif "controlPlaneReady" in status:
        done["controlPlaneInitialized"] = status.pop("controlPlaneReady")
    for new, flag in _FLAGS:
        if flag in status:
            done[new] = status.pop(flag)
    if done:
        status["initialization"] = done


def _spec_down(kind: str, document: Document) -> None:
    spec = document.get("spec", {})
    namespace = document["metadata"].get("namespace", "")
    _references(spec, lambda reference: _reference_down(reference, namespace))
    if kind == "MachineHealthCheck":
        check_down(spec, namespace)
    if kind == "ClusterClass":
        class_down(spec)
    if kind.startswith("Kubeadm"):
        arguments_down(spec)
    for owner in _timeouts(spec):
        for key, value in owner.pop("deletion", {}).items():
            owner[key.removesuffix("Seconds")] = f"{value}s"
    rollout = spec.pop("rollout", None) if kind in _ROLLED else None
    if rollout:
        if "after" in rollout:
            spec["rolloutAfter"] = rollout["after"]
        if "strategy" in rollout:
            spec["strategy" if kind == "MachineDeployment" else "rolloutStrategy"] = rollout[
                "strategy"
            ]
    topology = spec.get("topology")
    if topology and "classRef" in topology:
        reference = topology.pop("classRef")
        topology["class"] = reference["name"]
        if "namespace" in reference:
            topology["classNamespace"] = reference["namespace"]
    if kind == "KubeadmControlPlane":
        template = spec.get("machineTemplate", {})
        template |= template.pop("spec", {})


def _spec_up(kind: str, document: Document) -> None:
    spec = document.get("spec", {})
    _references(spec, _reference_up)
    if kind == "MachineHealthCheck":
        check_up(spec)
    if kind == "ClusterClass":
        class_up(spec)
    if kind.startswith("Kubeadm"):
        arguments_up(spec)
    for owner in _timeouts(spec):
        found = {key: owner.pop(key) for key in _TIMEOUTS if key in owner}
        if found:
            owner["deletion"] = {f"{key}Seconds": seconds(text) for key, text in found.items()}
    strategy = "strategy" if kind == "MachineDeployment" else "rolloutStrategy"
    rollout: Document = {}
    if kind in _ROLLED and strategy in spec:
        rollout["strategy"] = spec.pop(strategy)
    if kind in _ROLLED and "rolloutAfter" in spec:
        rollout["after"] = spec.pop("rolloutAfter")
    if rollout:
        spec["rollout"] = rollout
    topology = spec.get("topology")
    if topology and "class" in topology:
        topology["classRef"] = {"name": topology.pop("class")}
        if "classNamespace" in topology:
            topology["classRef"]["namespace"] = topology.pop("classNamespace")
    template = spec.get("machineTemplate", {})
    if kind == "KubeadmControlPlane" and "infrastructureRef" in template:
        template["spec"] = {"infrastructureRef": template.pop("infrastructureRef")}
        if "deletion" in template:
            template["spec"]["deletion"] = template.pop("deletion")


_ROLLED = ("MachineDeployment", "KubeadmControlPlane")
_TIMEOUTS = ("nodeDrainTimeout", "nodeVolumeDetachTimeout", "nodeDeletionTimeout")
_REFERENCES = ("infrastructureRef", "controlPlaneRef", "configRef")


def _references(value: Any, fn: Callable[[Document], Document]) -> None:
    if isinstance(value, list):
        for item in value:
            _references(item, fn)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in _REFERENCES and isinstance(item, dict):
                value[key] = fn(item)
            else:
                _references(item, fn)


def _reference_down(reference: Document, namespace: str) -> Document:
    group, kind = reference.get("apiGroup", ""), reference["kind"]
    try:
        version = api_version(group, kind)
    except KeyError:
        version = f"{group}/v1beta1"
    return {"apiVersion": version, "kind": kind, "name": reference["name"], "namespace": namespace}


def _reference_up(reference: Document) -> Document:
    if "apiGroup" in reference:
        return reference
    group = group_of(reference.get("apiVersion", ""))
    return {"apiGroup": group, "kind": reference["kind"], "name": reference["name"]}


def _timeouts(spec: Document) -> list[Document]:
    """Places that carry node timeouts: the spec itself or a Machine template in it."""
    places = [spec, spec.get("template", {}).get("spec"), spec.get("machineTemplate", {})]
    if isinstance(spec.get("machineTemplate"), dict):
        places.append(spec["machineTemplate"].get("spec"))
    return [
        place
        for place in places
        if place and ("deletion" in place or any(key in place for key in _TIMEOUTS))
    ]
