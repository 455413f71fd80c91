"""Looking things up in a document, and the arithmetic of merge patches.

Knows JSON values and Kubernetes' metadata, conditions and moments; knows no
kind. Source: RFC 7386 (merge patch), RFC 6901 (pointer).
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

ANNOTATIONS = ("metadata", "annotations")
LABELS = ("metadata", "labels")
_OPEN_MAPS = (("metadata",), ("spec",), ("status",), ANNOTATIONS, LABELS)
"""Maps that others write to as well: never removed whole."""


def value_at(document: object, path: Sequence[str]) -> Any:
    """The value at a path of keys, None when any part is missing."""
    value = document
    for part in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(part)
    return value


def text_at(document: object, path: Sequence[str]) -> str:
    """The text at a path of keys, empty when it is missing or not a text."""
    value = value_at(document, path)
    return value if isinstance(value, str) else ""


def items_at(document: object, path: Sequence[str]) -> list[Mapping[str, Any]]:
    """The objects of the list at a path, empty when there is none."""
    value = value_at(document, path)
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def annotation(document: object, name: str) -> str | None:
    """The annotation's text, None when absent."""
    value = value_at(document, (*ANNOTATIONS, name))
    return value if isinstance(value, str) else None


def label(document: object, name: str) -> str:
    """The label's text, empty when absent."""
    return text_at(document, (*LABELS, name))


def uid_of(document: object) -> str:
    """metadata.uid."""
    return text_at(document, ("metadata", "uid"))


def generation_of(document: object) -> int:
    """metadata.generation, 0 when the object has none."""
    value = value_at(document, ("metadata", "generation"))
    return value if isinstance(value, int) else 0


def is_deleting(document: object) -> bool:
    """Whether deletion has been asked for."""
    return value_at(document, ("metadata", "deletionTimestamp")) is not None


def conditions_of(document: object) -> Iterator[Mapping[str, Any]]:
    """Every condition, the scheme in use first, deprecated ones last."""
    for path in (
        ("status", "v1beta2", "conditions"),
        ("status", "conditions"),
        ("status", "deprecated", "v1beta1", "conditions"),
    ):
        yield from items_at(document, path)


def condition(document: object, kind: str) -> Mapping[str, Any] | None:
    """The first condition of that type, None when there is none."""
    return next((entry for entry in conditions_of(document) if entry.get("type") == kind), None)


def controller_of(document: object) -> Mapping[str, Any] | None:
    """The ownerReference of the controlling owner, None when there is none."""
    for owner in items_at(document, ("metadata", "ownerReferences")):
        if owner.get("controller"):
            return owner
    return None


def group_of(api_version: str) -> str:
    """The group of an apiVersion, empty for the core group."""
    return api_version.rpartition("/")[0]


def nested(path: Sequence[str], value: object) -> dict[str, Any]:
    """The merge object that sets one path."""
    result: Any = value
    for part in reversed(path):
        result = {part: result}
    assert isinstance(result, dict)  # paths are never empty
    return result


def merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both merge objects as one; the second wins where they meet. Nulls are kept."""
    result = dict(first)
    for key, value in second.items():
        old = result.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result


def apply_merge(document: object, patch: object) -> Any:
    """What the server makes of a merge patch.

    Source: RFC 7386 section 2.
    """
    if not isinstance(patch, Mapping):
        return patch
    result = dict(document) if isinstance(document, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = apply_merge(result.get(key), value)
    return result


def leaves(patch: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths that a merge object sets or removes."""
    for key, value in patch.items():
        here = (*path, key)
        if isinstance(value, Mapping) and value:
            yield from leaves(value, here)
        else:
            yield here


def inverse_merge(
    document: object, patch: Mapping[str, Any], path: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The merge object that puts back what ``patch`` changes in ``document``.

    A map that the patch creates is removed whole, because many schemas refuse an
    empty one; annotations and labels are put back one by one, because others
    write there too. Applying both leaves the document as it was, but for empty
    maps of annotations and labels.
    """
    result: dict[str, Any] = {}
    for key, value in patch.items():
        here = (*path, key)
        old = value_at(document, (key,))
        if isinstance(value, Mapping) and (isinstance(old, Mapping) or here in _OPEN_MAPS):
            result[key] = inverse_merge(old, value, here)
        else:
            result[key] = old
    return result


def pointer(path: Sequence[str]) -> str:
    """The JSON pointer of a path (RFC 6901)."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)


def moment_of(text: object) -> datetime | None:
    """An RFC 3339 text as an aware moment, None when it is not one."""
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def seconds_text(moment: datetime) -> str:
    """RFC 3339 in UTC with whole seconds, as ``rollout.after`` and expiries take it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def token_text(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds: a token that no earlier request carried."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
