"""A server of custom resources that knows their schemas: prunes, fills in, tells owners.

An independent oracle for comparisons with git: it stores what an API server with these
definitions would store after one apply, and answers it at the version it is asked in.
Built-in kinds get the few defaults that their types have everywhere.

Source: apiextensions-apiserver (structural schemas, defaulting, pruning); FieldsV1.
"""

import copy
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

Document = dict[str, Any]
Schema = Mapping[str, Any]

_BUILT_IN: dict[tuple[str, str], Document] = {
    ("apps/v1", "Deployment"): {
        "spec": {
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
            },
        }
    },
    ("v1", "Service"): {
        "spec": {"type": "ClusterIP", "sessionAffinity": "None", "clusterIP": "10.96.0.17"}
    },
    ("v1", "Namespace"): {"spec": {"finalizers": ["kubernetes"]}},
    ("v1", "ConfigMap"): {},
    ("v1", "ServiceAccount"): {},
    ("v1", "Secret"): {"type": "Opaque"},
}
_KEPT = ("apiVersion", "kind", "metadata")


class CrdServer:
    """Objects of kinds whose definitions lie in a folder."""

    def __init__(self, folder: Path, kinds: Iterable[str]) -> None:
        self._schemas = _schemas(folder, frozenset(kinds))
        self._stored: dict[tuple[str, ...], Document] = {}
        self.reads = 0

    def apply(self, document: Document, manager: str) -> bool:
        """Stores what one apply of a manager gives; False: the server would refuse it."""
        stored: Document = json.loads(json.dumps(document))
        key = (document["apiVersion"], document["kind"])
        schema = self._schemas.get(key)
        if schema is None and key not in _BUILT_IN:
            return False
        if schema is not None:
            _prune(stored, schema)
            if stored != document:
                return False  # an apply of fields that are not in the schema is refused
            owned = _fields(stored, schema)
            _fill(stored, schema)
        else:
            owned = _fields(stored, {})
            _overlay(stored, _BUILT_IN[key])
        for name in ("f:apiVersion", "f:kind", "f:status"):
            owned.pop(name, None)
        for name in ("f:name", "f:namespace"):
            owned.get("f:metadata", {}).pop(name, None)
        stored.pop("status", None)
        entry = {
            "manager": manager,
            "operation": "Apply",
            "apiVersion": document["apiVersion"],
            "time": "2026-11-20T08:00:00Z",
            "fieldsType": "FieldsV1",
            "fieldsV1": owned,
        }
        stored["metadata"] |= {
            "uid": "11111111-2222-3333-4444-555555555555",
            "resourceVersion": "7",
            "generation": 1,
            "creationTimestamp": "2026-11-20T08:00:00Z",
            "managedFields": [entry],
        }
        self._stored[_key(document)] = stored
        return True

    def stored(self, document: Document) -> Document:
        """The stored object itself, to be edited by hand."""
        return self._stored[_key(document)]

    async def get(
        self, api_version: str, kind: str, namespace: str, name: str
    ) -> Mapping[str, object] | None:
        """An object, as somebody with the right to get sees it: Secrets without contents."""
        self.reads += 1
        group = api_version.rpartition("/")[0]
        found = copy.deepcopy(self._stored.get((group, kind, namespace, name)))
        if found is None or kind != "Secret":
            return found
        return {"kind": "PartialObjectMetadata", "metadata": found["metadata"], "apiVersion": "v1"}


def _key(document: Document) -> tuple[str, ...]:
    metadata = document["metadata"]
    group = document["apiVersion"].rpartition("/")[0]
    return group, document["kind"], metadata.get("namespace", ""), metadata["name"]


def _schemas(folder: Path, kinds: frozenset[str]) -> dict[tuple[str, str], Schema]:
    found: dict[tuple[str, str], Schema] = {}
    for path in sorted(folder.rglob("*.yaml")):
        text = path.read_text()
        if "cluster-api-v1.10" in str(path) or not any(f"kind: {kind}\n" in text for kind in kinds):
            continue
        for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
            if not document or document.get("kind") != "CustomResourceDefinition":
                continue
            spec = document["spec"]
            for version in spec["versions"]:
                api_version = f"{spec['group']}/{version['name']}"
                found[api_version, spec["names"]["kind"]] = version["schema"]["openAPIV3Schema"]
    return found


def _prune(value: Any, schema: Schema, *, is_root: bool = True) -> None:
    """Drops fields that a schema does not name, in place."""
    if schema.get("x-kubernetes-preserve-unknown-fields") and not schema.get("properties"):
        return
    if isinstance(value, dict):
        known = schema.get("properties") or {}
        extra = schema.get("additionalProperties")
        for name in list(value):
            inner = known.get(name)
            if is_root and name in _KEPT:
                continue
            if inner is None and isinstance(extra, Mapping):
                inner = extra
            if inner is not None:
                _prune(value[name], inner, is_root=False)
            elif not extra and not schema.get("x-kubernetes-preserve-unknown-fields"):
                del value[name]
    elif isinstance(value, list):
        for item in value:
            _prune(item, schema.get("items") or {}, is_root=False)


def _fill(value: Any, schema: Schema) -> None:
    """Adds the defaults of a schema, in place."""
    if isinstance(value, dict):
        for name, inner in (schema.get("properties") or {}).items():
            if name not in value and "default" in inner:
                value[name] = copy.deepcopy(inner["default"])
            if value.get(name) is not None:
                _fill(value[name], inner)
        extra = schema.get("additionalProperties")
        if isinstance(extra, Mapping):
            for item in value.values():
                _fill(item, extra)
    elif isinstance(value, list):
        for item in value:
            _fill(item, schema.get("items") or {})


def _overlay(value: Document, defaults: Document) -> None:
    for name, default in defaults.items():
        if isinstance(default, dict) and isinstance(value.get(name), dict):
            _overlay(value[name], default)
        elif name not in value:
            value[name] = copy.deepcopy(default)


def _fields(value: Any, schema: Schema) -> Document:
    """What a manager owns after applying a value, as FieldsV1."""
    if isinstance(value, dict) and schema.get("x-kubernetes-map-type") != "atomic":
        known, extra = schema.get("properties") or {}, schema.get("additionalProperties")
        below = extra if isinstance(extra, Mapping) else {}
        return {f"f:{name}": _fields(item, known.get(name, below)) for name, item in value.items()}
    if isinstance(value, list):
        kind, inner = schema.get("x-kubernetes-list-type"), schema.get("items") or {}
        if kind == "set":
            return {f"v:{json.dumps(item)}": {} for item in value}
        if kind == "map":
            return {
                _item_key(item, schema["x-kubernetes-list-map-keys"], inner): {
                    ".": {},
                    **_fields(item, inner),
                }
                for item in value
            }
    return {}


def _item_key(item: Document, names: Iterable[str], schema: Schema) -> str:
    defaults = {
        name: (schema.get("properties") or {}).get(name, {}).get("default") for name in names
    }
    keys = {name: item.get(name, defaults[name]) for name in sorted(names)}
    return f"k:{json.dumps(keys, separators=(',', ':'))}"
