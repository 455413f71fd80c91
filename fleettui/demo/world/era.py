"""A management cluster of an earlier era: Cluster API's own kinds at v1beta1 only.

The same objects as the world it wraps, stored and served the way Cluster API 1.10 does.
Source: cluster-api release 1.10, CRDs of core, kubeadm bootstrap and control plane.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.world.conversion import is_converted
from fleettui.demo.world.world import World

OLD = "v1beta1"
_NEW_CONTRACT = "cluster.x-k8s.io/v1beta2"


class OldWorld:
    """Seeds of a store, one API version back."""

    def __init__(self, world: World) -> None:
        """Wrap a world; it must not be changed otherwise while it is served."""
        self._world = world
        self._modern = {resource.key: resource for resource in world.resources()}

    def resources(self) -> Sequence[Resource]:
        """The world's types; those of Cluster API at the old version alone."""
        return [_aged(resource) for resource in self._world.resources()]

    def keys(self, resource: Resource) -> Sequence[tuple[str, str]]:
        """Namespaces and names of all objects of a type, sorted."""
        return self._world.keys(self._modern[resource.key])

    def body(self, resource: Resource, index: int) -> bytes:
        """Compact JSON of one object in its storage version."""
        modern = self._modern[resource.key]
        body = self._world.body(modern, index)
        if modern.version == resource.version:
            return body
        old = self._world.convert(modern, msgspec.json.decode(body), resource.version)
        _forget_later_fields(old)
        return msgspec.json.encode(old)

    def convert(self, resource: Resource, body: dict[str, Any], version: str) -> dict[str, Any]:
        """The same object in another served version."""
        return self._world.convert(self._modern[resource.key], body, version)

    def log(self, namespace: str, pod: str, container: str) -> Iterable[str]:
        """Lines of a container's log, oldest first."""
        return self._world.log(namespace, pod, container)


def _forget_later_fields(document: dict[str, Any]) -> None:
    """Drop what the types of that release do not have yet."""
    document.get("spec", {}).pop("kubernetesVersions", None)
    status = document.get("status", {})
    status.pop("versions", None)
    for part in ("controlPlane", "workers"):
        counted = status.get("v1beta2", {}).get(part, {})
        for key in ("versions", "upgradePlan"):
            counted.pop(key, None)


def _aged(resource: Resource) -> Resource:
    if not is_converted(resource) or OLD not in resource.served:
        return resource
    labels = {key: value for key, value in resource.labels.items() if key != _NEW_CONTRACT}
    return replace(resource, version=OLD, served=(OLD,), labels=labels)
