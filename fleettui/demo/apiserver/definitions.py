"""CustomResourceDefinition documents: written for seeded types, read from installed ones.

Source: apiextensions.k8s.io/v1.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from fleettui.demo.apiserver.errors import invalid
from fleettui.demo.apiserver.resources import PrinterColumn, Resource, ScalePaths

CREATED_AT = "2025-01-01T00:00:00Z"
_NAMESPACE = uuid.UUID("6f9d7a52-6f3c-4f0e-9a55-0d2f7a1f9b11")


def definition_name(resource: Resource) -> str:
    """The name of a type's definition: `plural.group`."""
    return f"{resource.plural}.{resource.group}"


def definition_of(resource: Resource, *, revision: str) -> dict[str, Any]:
    """The definition of a seeded type, established, with an open schema."""
    names: dict[str, Any] = {
        "plural": resource.plural,
        "singular": resource.singular,
        "kind": resource.kind,
        "listKind": f"{resource.kind}List",
    }
    if resource.short_names:
        names["shortNames"] = list(resource.short_names)
    if resource.categories:
        names["categories"] = list(resource.categories)
    metadata: dict[str, Any] = {
        "name": definition_name(resource),
        "uid": str(uuid.uuid5(_NAMESPACE, definition_name(resource))),
        "resourceVersion": revision,
        "generation": 1,
        "creationTimestamp": CREATED_AT,
    }
    if resource.labels:
        metadata["labels"] = dict(resource.labels)
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {
            "group": resource.group,
            "names": names,
            "scope": "Namespaced" if resource.namespaced else "Cluster",
            "conversion": {"strategy": "None"},
            "versions": [_version(resource, version) for version in resource.served],
        },
        "status": established(names, [resource.version]),
    }


def _version(resource: Resource, version: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "name": version,
        "served": True,
        "storage": version == resource.version,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "properties": {
                    "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                    "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
                "x-kubernetes-preserve-unknown-fields": True,
            }
        },
    }
    subresources: dict[str, Any] = {}
    if resource.has_status:
        subresources["status"] = {}
    if resource.scale is not None:
        subresources["scale"] = {
            "specReplicasPath": resource.scale.spec,
            "statusReplicasPath": resource.scale.status,
            "labelSelectorPath": resource.scale.selector,
        }
    if subresources:
        document["subresources"] = subresources
    if resource.printer_columns:
        document["additionalPrinterColumns"] = [
            {"name": c.name, "type": c.type, "jsonPath": c.json_path}
            | ({"priority": c.priority} if c.priority else {})
            for c in resource.printer_columns
        ]
    return document


def established(names: Mapping[str, Any], stored: list[str]) -> dict[str, Any]:
    """The status of a definition whose type is served."""
    return {
        "conditions": [
            {
                "type": kind,
                "status": "True",
                "lastTransitionTime": CREATED_AT,
                "reason": reason,
                "message": message,
            }
            for kind, reason, message in (
                ("NamesAccepted", "NoConflicts", "no conflicts found"),
                ("Established", "InitialNamesAccepted", "the initial names have been accepted"),
            )
        ],
        "acceptedNames": dict(names),
        "storedVersions": stored,
    }


def resource_of(document: Mapping[str, Any]) -> Resource:
    """The type a definition installs.

    Raises:
        ApiError: 422 if group, names, or a served storage version are missing.
    """
    spec = document.get("spec") or {}
    names = spec.get("names") or {}
    name = str((document.get("metadata") or {}).get("name") or "")
    versions = [v for v in spec.get("versions") or [] if v.get("served")]
    storage = next((v for v in spec.get("versions") or [] if v.get("storage")), None)
    wrong = [f"spec.{key}" for key in ("group", "scope") if not spec.get(key)]
    wrong += [f"spec.names.{key}" for key in ("plural", "kind") if not names.get(key)]
    if not versions or storage is None:
        wrong.append("spec.versions")
    if wrong:
        raise _invalid(name, *((field, "Required value") for field in wrong))
    if name != f"{names['plural']}.{spec['group']}":
        raise _invalid(name, ("metadata.name", 'must be spec.names.plural+"."+spec.group'))
    assert storage is not None
    preferred = next((v for v in versions if v is storage), versions[0])
    subresources = preferred.get("subresources") or {}
    scale = subresources.get("scale")
    return Resource(
        group=spec["group"],
        version=storage["name"],
        kind=names["kind"],
        plural=names["plural"],
        singular=names.get("singular") or str(names["kind"]).lower(),
        served=tuple(v["name"] for v in versions),
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        namespaced=spec["scope"] == "Namespaced",
        has_status="status" in subresources,
        scale=_scale(scale) if scale else None,
        printer_columns=tuple(_column(c) for c in preferred.get("additionalPrinterColumns") or ()),
        labels=dict((document.get("metadata") or {}).get("labels") or {}),
    )


def _invalid(name: str, *causes: tuple[str, str]) -> Exception:
    return invalid("CustomResourceDefinition.apiextensions.k8s.io", name, *causes)


def _scale(document: Mapping[str, Any]) -> ScalePaths:
    return ScalePaths(
        spec=document.get("specReplicasPath", ".spec.replicas"),
        status=document.get("statusReplicasPath", ".status.replicas"),
        selector=document.get("labelSelectorPath", ""),
    )


def _column(document: Mapping[str, Any]) -> PrinterColumn:
    return PrinterColumn(
        name=document["name"],
        type=document["type"],
        json_path=document["jsonPath"],
        priority=int(document.get("priority") or 0),
    )
