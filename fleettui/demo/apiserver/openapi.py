"""OpenAPI documents, just enough for kubectl's apply, patch, create and explain.

Every schema is open: the demo validates nothing by schema. Source: kubectl's query verifiers
(they look for the dryRun and fieldValidation parameters of a kind's PATCH).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fleettui.demo.apiserver.discovery import groups_of
from fleettui.demo.apiserver.resources import Resource

PROTOBUF_V2 = b"\x0a\x032.0"
"""An empty Swagger 2.0 document as kubectl's protobuf reader takes it."""


def swagger() -> dict[str, Any]:
    """The JSON answer to GET /openapi/v2: no definitions."""
    return {
        "swagger": "2.0",
        "info": {"title": "Kubernetes", "version": "demo"},
        "paths": {},
        "definitions": {},
    }


def index(resources: Iterable[Resource]) -> dict[str, Any]:
    """The answer to GET /openapi/v3."""
    found = list(resources)
    places = ["api/v1"] + [
        f"apis/{group}/{version}"
        for group, versions in groups_of(found).items()
        for version in versions
    ]
    return {
        "paths": {place: {"serverRelativeURL": f"/openapi/v3/{place}"} for place in places},
    }


def document(resources: Iterable[Resource], group: str, version: str) -> dict[str, Any]:
    """The answer to GET /openapi/v3/apis/GROUP/VERSION (or /api/v1)."""
    prefix = f"/apis/{group}/{version}" if group else "/api/v1"
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for resource in resources:
        if resource.group != group or version not in resource.served:
            continue
        kind = {"group": group, "version": version, "kind": resource.kind}
        scope = "/namespaces/{namespace}" if resource.namespaced else ""
        paths[f"{prefix}{scope}/{resource.plural}"] = {"post": _operation(kind, "post")}
        paths[f"{prefix}{scope}/{resource.plural}/{{name}}"] = {
            verb: _operation(kind, verb) for verb in ("get", "put", "patch", "delete")
        }
        schemas[f"{group or 'core'}.{version}.{resource.kind}"] = _schema(resource, kind)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "demo"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(kind: dict[str, str], verb: str) -> dict[str, Any]:
    names = () if verb == "get" else ("dryRun", "fieldManager", "fieldValidation")
    return {
        "parameters": [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for name in names
        ],
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": verb,
        "x-kubernetes-group-version-kind": kind,
    }


def _schema(resource: Resource, kind: dict[str, str]) -> dict[str, Any]:
    text = {"type": "string"}
    properties: dict[str, Any] = {
        "apiVersion": {**text, "description": "The version of this representation."},
        "kind": {**text, "description": "The kind of this object."},
        "metadata": {"type": "object", "description": "Standard object metadata."},
    }
    if resource.is_crd:
        for name, words in (("spec", "The desired state."), ("status", "The observed state.")):
            properties[name] = {
                "type": "object",
                "description": words,
                "x-kubernetes-preserve-unknown-fields": True,
            }
    return {
        "type": "object",
        "description": f"{resource.kind} of the demo.",
        "properties": properties,
        "x-kubernetes-preserve-unknown-fields": True,
        "x-kubernetes-group-version-kind": [kind],
    }
