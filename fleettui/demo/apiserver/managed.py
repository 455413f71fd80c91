"""Field ownership: managedFields as sets of paths.

A path is a tuple of FieldsV1 elements (`f:spec`, `k:{"type":"Ready"}`, `v:"x"`).
Lists are atomic but for conditions, ownerReferences, finalizers and containers, as in the
upstream definitions. Source: sigs.k8s.io/structured-merge-diff, fieldpath serialisation.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]

_LIST_KEYS: Mapping[str, str] = {
    "conditions": "type",
    "ownerReferences": "uid",
    "containers": "name",
    "initContainers": "name",
    "containerStatuses": "name",
    "volumes": "name",
    "env": "name",
}
_SETS = frozenset({"finalizers"})
_SERVER_FIELDS = frozenset(
    {
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "managedFields",
        "generateName",
    }
)


def list_key(name: str, items: object) -> str | None:
    """The key field by which items of this list merge, None if it is atomic."""
    key = _LIST_KEYS.get(name)
    if key is None or not isinstance(items, list):
        return None
    if all(isinstance(item, dict) and key in item for item in items):
        return key
    return None


def is_set(name: str, items: object) -> bool:
    """Whether the list is a set of scalars."""
    return name in _SETS and isinstance(items, list)


def item_element(key: str, item: Mapping[str, Any]) -> str:
    """The FieldsV1 element of one item of a keyed list."""
    return "k:" + json.dumps({key: item[key]}, separators=(",", ":"))


def owned_part(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what only the server writes."""
    part = {k: v for k, v in document.items() if k not in ("apiVersion", "kind", "metadata")}
    metadata = {
        k: v for k, v in (document.get("metadata") or {}).items() if k not in _SERVER_FIELDS
    }
    if metadata:
        part["metadata"] = metadata
    return part


def leaves_of(value: Any, prefix: Path = ()) -> set[Path]:
    """The paths a person who applies `value` would own: leaves and keyed items."""
    name = prefix[-1][2:] if prefix else ""
    if isinstance(value, dict) and (value or not prefix):
        found: set[Path] = set()
        for key, child in value.items():
            found |= leaves_of(child, (*prefix, f"f:{key}"))
        return found
    if isinstance(value, list) and value:
        if is_set(name, value):
            return {(*prefix, "v:" + json.dumps(item)) for item in value}
        key = list_key(name, value)
        if key is not None:
            found = set()
            for item in value:
                at = (*prefix, item_element(key, item))
                found |= {at} | leaves_of(item, at)
            return found
    return {prefix}


def _added(value: Any, prefix: Path) -> set[Path]:
    found = leaves_of(value, prefix)
    containers = {path[:n] for path in found for n in range(len(prefix), len(path))}
    return found | {path for path in containers if path != ("f:metadata",)}


@dataclass(frozen=True, slots=True)
class Difference:
    """Paths that differ between two documents."""

    changed: frozenset[Path]
    """Added or modified."""
    removed: frozenset[Path]
    """Gone, with everything below."""


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> Difference:
    """What a write changed, server-written fields left out."""
    changed: set[Path] = set()
    removed: set[Path] = set()
    _compare(owned_part(old), owned_part(new), (), changed, removed)
    return Difference(frozenset(changed), frozenset(removed))


def _compare(old: Any, new: Any, prefix: Path, changed: set[Path], removed: set[Path]) -> None:
    if type(old) is type(new) and old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        _compare_maps({f"f:{k}": v for k, v in old.items()}, new, prefix, changed, removed)
        return
    name = prefix[-1][2:] if prefix else ""
    if is_set(name, old) and is_set(name, new):
        changed |= {(*prefix, "v:" + json.dumps(v)) for v in new if v not in old}
        removed |= {(*prefix, "v:" + json.dumps(v)) for v in old if v not in new}
        return
    key_old, key_new = list_key(name, old), list_key(name, new)
    if key_old is not None and key_new is not None:
        before = {item_element(key_old, item): item for item in old}
        after = {item_element(key_new, item): item for item in new}
        _compare_children(before, after, prefix, changed, removed)
        return
    changed.add(prefix)


def _compare_maps(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    prefix: Path,
    changed: set[Path],
    removed: set[Path],
) -> None:
    after = {f"f:{k}": v for k, v in new.items()}
    _compare_children(old, after, prefix, changed, removed)


def _compare_children(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    prefix: Path,
    changed: set[Path],
    removed: set[Path],
) -> None:
    for element, value in after.items():
        at = (*prefix, element)
        if element in before:
            _compare(before[element], value, at, changed, removed)
        else:
            changed |= _added(value, at)
    removed |= {(*prefix, element) for element in before if element not in after}


def without(paths: Iterable[Path], removed: frozenset[Path]) -> set[Path]:
    """The paths that do not lie at or below a removed one."""
    if not removed:
        return set(paths)
    return {p for p in paths if not any(p[:n] in removed for n in range(1, len(p) + 1))}


def to_fields(paths: Iterable[Path]) -> dict[str, Any]:
    """FieldsV1 of a set of paths."""
    tree: dict[str, Any] = {}
    every = set(paths)
    inner = {path[:n] for path in every for n in range(1, len(path))}
    for path in sorted(every):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        if path in inner:
            node["."] = {}
    return tree


def from_fields(fields: Mapping[str, Any], prefix: Path = ()) -> set[Path]:
    """The set of paths FieldsV1 spells."""
    paths: set[Path] = set()
    for element, child in fields.items():
        if element == ".":
            paths.add(prefix)
        elif not child:
            paths.add((*prefix, element))
        else:
            paths |= from_fields(child, (*prefix, element))
    return paths


def spell(path: Path) -> str:
    """A path as conflict messages spell it: `.spec.conditions[type="Ready"].status`."""
    out = []
    for element in path:
        kind, rest = element[:2], element[2:]
        if kind == "k:":
            items = json.loads(rest).items()
            out.append("[" + ",".join(f"{k}={json.dumps(v)}" for k, v in items) + "]")
        elif kind == "v:":
            out.append(f"[={rest}]")
        else:
            out.append("." + rest)
    return "".join(out)


@dataclass(frozen=True, slots=True)
class Writer:
    """Who writes, and how: what one managedFields entry is keyed by."""

    manager: str
    operation: str
    api_version: str
    subresource: str = ""

    def owns(self, entry: Mapping[str, Any]) -> bool:
        """Whether a managedFields entry belongs to this writer."""
        return (
            entry.get("manager") == self.manager
            and entry.get("operation") == self.operation
            and entry.get("subresource", "") == self.subresource
        )

    def entry(self, paths: Iterable[Path], *, time: str) -> dict[str, Any]:
        """A managedFields entry of these paths."""
        entry: dict[str, Any] = {
            "manager": self.manager,
            "operation": self.operation,
            "apiVersion": self.api_version,
            "time": time,
            "fieldsType": "FieldsV1",
            "fieldsV1": to_fields(paths),
        }
        if self.subresource:
            entry["subresource"] = self.subresource
        return entry


def _is_touched(fields: Mapping[str, Any], changes: Difference) -> bool:
    for path in (*changes.changed, *changes.removed):
        node: Any = fields
        for element in path:
            node = node.get(element)
            if node is None:
                break
        else:
            return True
    return False


def after_update(
    old: Mapping[str, Any], new: Mapping[str, Any], *, writer: Writer, time: str
) -> list[dict[str, Any]]:
    """managedFields after an ordinary write that turned `old` into `new`."""
    entries = list((old.get("metadata") or {}).get("managedFields") or [])
    changes = difference(old, new)
    if not changes.changed and not changes.removed:
        return entries
    own: set[Path] = set()
    kept = []
    for entry in entries:
        fields = entry.get("fieldsV1") or {}
        if not writer.owns(entry) and not _is_touched(fields, changes):
            kept.append(entry)
            continue
        before = from_fields(fields)
        left = without(before, changes.removed)
        if writer.owns(entry):
            own |= left
            continue
        left -= changes.changed
        if left == before:
            kept.append(entry)
        elif left:
            kept.append({**entry, "fieldsV1": to_fields(left)})
    own |= changes.changed
    if own:
        kept.append(writer.entry(own, time=time))
    return sorted(kept, key=lambda entry: str(entry.get("operation")))
