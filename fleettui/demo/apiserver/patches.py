"""The patch types of the API, on plain documents.

Source: RFC 7396 (merge), RFC 6902 (JSON patch), strategic merge for compiled-in types with
the list keys of `managed`.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import jsonpatch
import jsonpointer

from fleettui.demo.apiserver.errors import ApiError, bad_request


def merge_patched(target: Any, patch: Any) -> Any:
    """RFC 7396: null deletes, maps merge, everything else replaces."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge_patched(out.get(key), value)
    return out


def json_patched(target: dict[str, Any], operations: Any) -> dict[str, Any]:
    """RFC 6902.

    Raises:
        ApiError: 400 for a malformed patch, 422 if a test fails or a path is missing.
    """
    if not isinstance(operations, list):
        raise bad_request("error decoding patch: json: cannot unmarshal object into a JSON patch")
    try:
        patched: dict[str, Any] = jsonpatch.apply_patch(target, operations)
    except jsonpatch.InvalidJsonPatch as exc:
        raise bad_request(f"error decoding patch: {exc}") from exc
    except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as exc:
        raise ApiError(
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        ) from exc
    return patched


_MERGE_KEYS = ("name", "type", "uid")


def strategic_patched(target: Any, patch: Any) -> Any:
    """Strategic merge without a schema: lists of maps merge by name, type or uid."""
    if isinstance(patch, dict):
        return _strategic_map(target if isinstance(target, dict) else {}, patch)
    if isinstance(patch, list) and isinstance(target, list):
        return _strategic_list(target, patch)
    return deepcopy(patch)


def _strategic_map(target: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    if patch.get("$patch") == "replace":
        return {k: deepcopy(v) for k, v in patch.items() if k != "$patch"}
    out = dict(target)
    for key, value in patch.items():
        if key.startswith("$deleteFromPrimitiveList/"):
            name = key.partition("/")[2]
            out[name] = [item for item in out.get(name) or [] if item not in value]
        elif key.startswith("$"):
            continue
        elif value is None or (isinstance(value, dict) and value.get("$patch") == "delete"):
            out.pop(key, None)
        else:
            out[key] = strategic_patched(out.get(key), value)
    return out


def _strategic_list(target: list[Any], patch: list[Any]) -> list[Any]:
    everything = [*target, *patch]
    key = next(
        (k for k in _MERGE_KEYS if all(isinstance(i, dict) and k in i for i in everything)), None
    )
    if key is None:
        return deepcopy(patch)
    items = {item[key]: item for item in target}
    for item in patch:
        if item.get("$patch") == "delete":
            items.pop(item[key], None)
        else:
            items[item[key]] = strategic_patched(items.get(item[key]), item)
    return list(items.values())
