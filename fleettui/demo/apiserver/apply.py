"""Server-side apply: merge an applied configuration and keep account of who owns what.

Works without a schema, with the list rules of `managed`. Refuses to know about storage.
Source: KEP-555 and sigs.k8s.io/structured-merge-diff (merge, prune, conflicts).
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.managed import (
    Path,
    Writer,
    difference,
    from_fields,
    is_set,
    item_element,
    leaves_of,
    list_key,
    owned_part,
    spell,
    to_fields,
)


def applied(
    live: Mapping[str, Any],
    config: Mapping[str, Any],
    *,
    writer: Writer,
    force: bool,
    time: str,
) -> dict[str, Any]:
    """The object after applying `config` (own documents, nothing shared).

    `live` is an empty mapping with metadata for an object that does not exist yet.

    Raises:
        ApiError: 409 naming every manager and field in the way, unless `force`.
    """
    wanted = _without_nulls(owned_part(config))
    owned = leaves_of(wanted) if wanted else set()
    entries = list((live.get("metadata") or {}).get("managedFields") or [])
    others = [entry for entry in entries if not writer.owns(entry)]
    sets = [from_fields(entry.get("fieldsV1") or {}) for entry in others]
    before: set[Path] = set()
    for entry in entries:
        if writer.owns(entry):
            before |= from_fields(entry.get("fieldsV1") or {})
    merged: dict[str, Any] = _merged(dict(deepcopy(live)), wanted, "")
    changed = difference(live, merged).changed & owned
    conflicts = [
        (entry, sorted(changed & paths)) for entry, paths in zip(others, sets, strict=True)
    ]
    conflicts = [(entry, paths) for entry, paths in conflicts if paths]
    if conflicts and not force:
        raise _conflict(conflicts)
    shared = set().union(*sets)
    for path in sorted(before - owned - shared, key=_removal_order, reverse=True):
        _remove(merged, path)
    kept = [
        entry if not paths & changed else {**entry, "fieldsV1": to_fields(paths - changed)}
        for entry, paths in zip(others, sets, strict=True)
        if paths - changed
    ]
    if owned:
        own = next((entry for entry in entries if writer.owns(entry)), None)
        unchanged = own is not None and before == owned and not changed
        kept.append(own if unchanged and own else writer.entry(owned, time=time))
    kept.sort(key=lambda entry: str(entry.get("operation")))
    merged.setdefault("metadata", {})["managedFields"] = kept
    return merged


def _removal_order(path: Path) -> tuple[int, bool]:
    """Deepest first, and of one list item its key last: it finds the others."""
    return len(path), path[-1] not in ("f:name", "f:type", "f:uid")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    return value


def _merged(live: Any, wanted: Any, name: str) -> Any:
    if isinstance(live, dict) and isinstance(wanted, dict):
        out = dict(live)
        for key, value in wanted.items():
            out[key] = _merged(live[key], value, key) if key in live else deepcopy(value)
        return out
    if is_set(name, live) and is_set(name, wanted):
        return [*live, *(item for item in wanted if item not in live)]
    key_field = list_key(name, live)
    if key_field is not None and list_key(name, wanted) is not None:
        out_items = {item_element(key_field, item): item for item in live}
        for item in wanted:
            at = item_element(key_field, item)
            out_items[at] = _merged(out_items.get(at, {}), item, "")
        return list(out_items.values())
    return deepcopy(wanted)


def _remove(document: dict[str, Any], path: Path) -> None:
    parents: list[tuple[Any, Any]] = []
    node: Any = document
    for depth, element in enumerate(path):
        where = _locate(node, element, path[depth - 1][2:] if depth else "")
        if where is None:
            return
        parents.append((node, where))
        node = node[where]
    container, where = parents.pop()
    del container[where]
    while parents:
        container, where = parents.pop()
        if container[where] or where == "metadata":
            return
        del container[where]


def _locate(node: Any, element: str, name: str) -> Any:
    kind, rest = element[:2], element[2:]
    if kind == "f:":
        return rest if isinstance(node, dict) and rest in node else None
    if not isinstance(node, list):
        return None
    key = list_key(name, node)
    for index, item in enumerate(node):
        if kind == "k:" and key is not None and item_element(key, item) == element:
            return index
        if kind == "v:" and f'"{item}"' == rest:
            return index
    return None


def _who(entry: Mapping[str, Any]) -> str:
    text = f'"{entry.get("manager", "")}"'
    if entry.get("subresource"):
        text += f' with subresource "{entry["subresource"]}"'
    if entry.get("operation") == "Update":
        text += f" using {entry.get('apiVersion', '')}"
    return text


def _conflict(conflicts: list[tuple[dict[str, Any], list[Path]]]) -> ApiError:
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {_who(entry)}", "field": at}
        for entry, paths in conflicts
        for at in map(spell, paths)
    ]
    if len(causes) == 1:
        text = f"conflict: {causes[0]['message']}: {causes[0]['field']}"
    else:
        parts = [
            f"conflicts with {_who(entry)}:\n" + "\n".join(f"- {spell(p)}" for p in paths)
            for entry, paths in conflicts
        ]
        text = "conflicts: " + "\n".join(parts)
    return ApiError(
        409,
        "Conflict",
        f"Apply failed with {len(causes)} {text}",
        details={"causes": causes},
    )
