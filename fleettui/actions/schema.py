"""Which fields a kind has on one server, as its OpenAPI documents say.

Knows OpenAPI v3 as API servers publish it for one group and version; knows no
kind and fetches nothing. "Not known" is an answer: a part that takes anything
says nothing about its fields.

Source: KEP-2896 (OpenAPI v3), structural schemas of CustomResourceDefinitions
(``x-kubernetes-preserve-unknown-fields``, ``additionalProperties``).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

Shape = Mapping[str, Any]
"""Field to the shape below it; the key ``""`` stands for any other name, None for anything."""

MAX_DEPTH = 40
_ANY = ""


class _Named(msgspec.Struct):
    group: str = ""
    version: str = ""
    kind: str = ""


class _Head(msgspec.Struct):
    names: list[_Named] = msgspec.field(
        default_factory=list, name="x-kubernetes-group-version-kind"
    )


class _Components(msgspec.Struct):
    schemas: dict[str, msgspec.Raw] = msgspec.field(default_factory=dict)


class _Document(msgspec.Struct):
    components: _Components = msgspec.field(default_factory=_Components)


class Schema:
    """The fields of one kind at one version."""

    def __init__(self, shape: Shape | None) -> None:
        """Take the shape of the whole object."""
        self._shape = shape

    def has(self, path: Sequence[str]) -> bool | None:
        """Whether the kind has a field; None when its schema does not say.

        Args:
            path: names of fields; lists are passed through without an index.
        """
        shape = self._shape
        for name in path:
            if shape is None:
                return None
            if name in shape:
                shape = shape[name]
            elif _ANY not in shape:
                return False
            elif (shape := shape[_ANY]) is None:
                return None
        return True


def schemas_of(document: bytes) -> Mapping[str, Schema]:
    """Kind to schema, of an OpenAPI v3 document of one group and version.

    Costs some ten milliseconds a megabyte.

    Raises:
        msgspec.MsgspecError: it is no such document.
    """
    raw = msgspec.json.decode(document, type=_Document).components.schemas
    definitions = _Definitions(raw)
    return {kind: Schema(definitions.shape_of(name)) for name, kind in _kinds(raw)}


def _kinds(raw: Mapping[str, msgspec.Raw]) -> Iterator[tuple[str, str]]:
    """Names of definitions that are kinds of their own; lists and options are left out."""
    for name, text in raw.items():
        names = msgspec.json.decode(text, type=_Head).names
        if len(names) == 1 and names[0].kind:
            yield name, names[0].kind


class _Definitions:
    """Definitions of one document, decoded when they are first pointed at."""

    def __init__(self, raw: Mapping[str, msgspec.Raw]) -> None:
        self._raw = raw
        self._decoded: dict[str, Any] = {}

    def shape_of(self, name: str) -> Shape | None:
        """The shape of a definition."""
        return self._shape(self._named(name), 0)

    def _named(self, name: str) -> Any:
        if name not in self._decoded:
            text = self._raw.get(name)
            self._decoded[name] = msgspec.json.decode(text) if text is not None else None
        return self._decoded[name]

    def _shape(self, node: Any, depth: int) -> Shape | None:
        if not isinstance(node, dict) or depth > MAX_DEPTH:
            return None
        if "$ref" in node:
            return self._shape(self._named(str(node["$ref"]).rpartition("/")[2]), depth + 1)
        if len(node.get("allOf", ())) == 1:
            return self._shape(node["allOf"][0], depth + 1)
        if "items" in node:
            return self._shape(node["items"], depth + 1)
        if node.get("type", "object") != "object":
            return {}
        return self._object(node, depth)

    def _object(self, node: Mapping[str, Any], depth: int) -> Shape | None:
        more = node.get("additionalProperties")
        is_open = more is True or node.get("x-kubernetes-preserve-unknown-fields") is True
        properties = node.get("properties") or {}
        if not properties and not isinstance(more, dict):
            return None
        shape = {name: self._shape(below, depth + 1) for name, below in properties.items()}
        if isinstance(more, dict):
            shape[_ANY] = self._shape(more, depth + 1)
        elif is_open:
            shape[_ANY] = None
        return shape
