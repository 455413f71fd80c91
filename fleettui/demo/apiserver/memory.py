"""Seeds made of plain documents: for small servers and for recorded objects.

Holds every document as bytes; meant for thousands of objects, not for a whole fleet.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fleettui.demo.apiserver.objects import encoded
from fleettui.demo.apiserver.resources import Resource

_NAMESPACE = uuid.UUID("0e2a1a52-5d3f-4b60-8a8e-5f6c2f3a9a10")
_CREATED_AT = "2025-01-01T00:00:00Z"
Key = tuple[str, str]


class MemorySeeds:
    """Seeds that hold the documents they were given."""

    def __init__(
        self,
        resources: Sequence[Resource],
        documents: Iterable[Mapping[str, Any]] = (),
        *,
        logs: Mapping[Key, Sequence[str]] | None = None,
    ) -> None:
        """`logs` are lines by (namespace, pod).

        Raises:
            ValueError: a document's kind is none of the resources'.
        """
        self._resources = tuple(resources)
        self._logs = dict(logs or {})
        self._bodies: dict[tuple[str, str], dict[Key, bytes]] = {r.key: {} for r in resources}
        kinds = {(r.group, r.kind): r for r in resources}
        for document in documents:
            group, _, _ = str(document.get("apiVersion", "")).rpartition("/")
            resource = kinds.get((group, str(document.get("kind", ""))))
            if resource is None:
                raise ValueError(f"no resource for {document.get('kind')} of group {group!r}")
            key, body = _prepared(resource, document)
            self._bodies[resource.key][key] = body
        self._keys = {key: sorted(bodies) for key, bodies in self._bodies.items()}

    def resources(self) -> Sequence[Resource]:
        """The resources given."""
        return self._resources

    def keys(self, resource: Resource) -> Sequence[Key]:
        """(namespace, name) ascending; empty for a resource not given."""
        return self._keys.get(resource.key, [])

    def body(self, resource: Resource, index: int) -> bytes:
        """The document with the revision mark in place."""
        return self._bodies[resource.key][self._keys[resource.key][index]]

    def log(self, namespace: str, pod: str, container: str) -> Iterable[str]:
        """The lines given for the pod, whatever the container."""
        return self._logs.get((namespace, pod), ())


def _prepared(resource: Resource, document: Mapping[str, Any]) -> tuple[Key, bytes]:
    metadata = dict(document.get("metadata") or {})
    namespace = str(metadata.get("namespace") or "") if resource.namespaced else ""
    if resource.namespaced and not namespace:
        namespace = metadata["namespace"] = "default"
    key = (namespace, str(metadata["name"]))
    metadata.setdefault("uid", str(uuid.uuid5(_NAMESPACE, "/".join((*resource.key, *key)))))
    metadata.setdefault("creationTimestamp", _CREATED_AT)
    if resource.is_crd:
        metadata.setdefault("generation", 1)
    metadata["resourceVersion"] = "@RV@"
    return key, encoded({**document, "apiVersion": resource.api_version, "metadata": metadata})
