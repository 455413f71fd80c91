"""Struct types made to measure: what one kind's reader decodes, and nothing else.

Knows how to turn key sequences into nested msgspec types and how to take the same
values out of a plain mapping. Knows no kind. Source: msgspec ``defstruct``; measured:
a typed decode of only the needed fields costs a fifteenth of a decode into mappings.
"""

import keyword
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import msgspec

from fleettui.kinds.conditions import RawCondition, raw_conditions
from fleettui.kinds.paths import Values


class RawOwner(msgspec.Struct, frozen=True, gc=False):
    """One ownerReference as documents write it."""

    apiVersion: str = ""
    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool | None = None


METADATA: tuple[tuple[tuple[str, ...], Any], ...] = (
    (("apiVersion",), str),
    (("metadata", "name"), str),
    (("metadata", "namespace"), str),
    (("metadata", "uid"), str),
    (("metadata", "resourceVersion"), str),
    (("metadata", "generation"), int),
    (("metadata", "creationTimestamp"), str),
    (("metadata", "deletionTimestamp"), str),
    (("metadata", "labels"), dict[str, str]),
    (("metadata", "annotations"), dict[str, str]),
    (("metadata", "finalizers"), list[str]),
    (("metadata", "ownerReferences"), list[RawOwner]),
    (("metadata", "managedFields"), msgspec.Raw),
)
"""What every document has, in the order in which readers know it."""

STATUS: tuple[tuple[tuple[str, ...], Any], ...] = (
    (("status", "conditions"), list[RawCondition]),
    (("status", "v1beta2", "conditions"), list[RawCondition]),
    (("status", "deprecated", "v1beta1", "conditions"), list[RawCondition]),
    (("status", "observedGeneration"), int),
)
"""What follows it when the kind has a status that is read."""


def _field_name(key: str, taken: set[str]) -> str:
    name = key if key.isidentifier() and not keyword.iskeyword(key) else f"field_{len(taken)}"
    taken.add(name)
    return name


def struct_type(
    leaves: tuple[tuple[str, ...], ...], types: Mapping[tuple[str, ...], Any]
) -> tuple[type[msgspec.Struct], Callable[[Any], Values]]:
    """A type that decodes the leaves, and a function that gives their values in order.

    Absent leaves read None. A null where an object should stand does not fit the type.
    """
    tree: dict[str, Any] = {}
    for keys in leaves:
        node = tree
        for key in keys[:-1]:
            node = node.setdefault(key, {})
        node[keys[-1]] = keys
    attributes: dict[tuple[str, ...], str] = {}

    def built(node: dict[str, Any], trail: str) -> type[msgspec.Struct]:
        fields: list[tuple[str, Any, Any]] = []
        rename: dict[str, str] = {}
        taken: set[str] = set()
        for key, child in node.items():
            name = _field_name(key, taken)
            if name != key:
                rename[name] = key
            if isinstance(child, tuple):
                attributes[child] = f"{trail}{name}"
                wanted = types.get(child)
                form = object if wanted is None else wanted
                # Raw takes a null as it is, and cannot stand beside None in a type.
                fields.append((name, form if form is msgspec.Raw else form | None, None))
            else:
                below = built(child, f"{trail}{name}.")
                fields.append((name, below, below()))
        return msgspec.defstruct("Document", fields, rename=rename, frozen=True, gc=False)

    made = built(tree, "")
    return made, attrgetter(*(attributes[keys] for keys in leaves))


class Misfit(Exception):
    """A mapping lacks the shape that its kind promises."""


def _owners(value: object) -> list[RawOwner] | None:
    if not isinstance(value, list):
        return None
    return [
        RawOwner(
            str(item.get("apiVersion") or ""),
            str(item.get("kind") or ""),
            str(item.get("name") or ""),
            str(item.get("uid") or ""),
            item.get("controller") is True,
        )
        for item in value
        if isinstance(item, Mapping)
    ]


def _texts(value: object) -> dict[str, str] | None:
    if not isinstance(value, Mapping):
        return None
    return {str(key): "" if item is None else str(item) for key, item in value.items()}


def _lenient(value: object, wanted: object) -> object:
    """A value brought to the type that the struct would have given; None if it has none."""
    if value is None or wanted is None or wanted is msgspec.Raw:
        return value
    if wanted is str:
        return value if isinstance(value, str) else str(value)
    if wanted is int:
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    if wanted == list[RawCondition]:
        return raw_conditions(value)
    if wanted == list[RawOwner]:
        return _owners(value)
    if wanted == dict[str, str]:
        return _texts(value)
    return [str(item) for item in value] if isinstance(value, list) else None


def mapping_values(
    document: Mapping[str, Any],
    leaves: tuple[tuple[str, ...], ...],
    types: Mapping[tuple[str, ...], Any],
) -> Values:
    """The same values out of a mapping, forgiving nulls and odd leaves.

    Raises:
        Misfit: something else than an object stands where the leaves lie deeper.
    """
    found: list[object] = []
    for keys in leaves:
        value: object = document
        for key in keys:
            if isinstance(value, Mapping):
                value = value.get(key)
            elif value is None:
                break
            else:
                raise Misfit(".".join(keys))
        found.append(_lenient(value, types.get(keys)))
    return tuple(found)
