"""The few protobuf bodies that kubectl's typed commands send.

Decodes reviews, namespaces, config maps, secrets and delete options; answers are always JSON.
Source: generated.proto of k8s.io/api and k8s.io/apimachinery (field numbers), the `k8s\\0`
envelope of runtime/serializer/protobuf.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

MAGIC = b"k8s\x00"
Field = tuple[str, Any]
Schema = Mapping[int, Field]
"""Field number → (JSON name, type); a type is a word or a nested schema."""

_META: Schema = {
    1: ("name", "string"),
    2: ("generateName", "string"),
    3: ("namespace", "string"),
    5: ("uid", "string"),
    6: ("resourceVersion", "string"),
    11: ("labels", "map"),
    12: ("annotations", "map"),
    14: ("finalizers", "strings"),
}
_SCHEMAS: Mapping[str, Schema] = {
    "SelfSubjectAccessReview": {
        1: ("metadata", _META),
        2: (
            "spec",
            {
                1: (
                    "resourceAttributes",
                    {
                        number: (name, "string")
                        for number, name in enumerate(
                            (
                                "namespace",
                                "verb",
                                "group",
                                "version",
                                "resource",
                                "subresource",
                                "name",
                            ),
                            1,
                        )
                    },
                ),
                2: ("nonResourceAttributes", {1: ("path", "string"), 2: ("verb", "string")}),
            },
        ),
    },
    "SelfSubjectRulesReview": {
        1: ("metadata", _META),
        2: ("spec", {1: ("namespace", "string")}),
    },
    "SelfSubjectReview": {1: ("metadata", _META)},
    "Namespace": {1: ("metadata", _META), 2: ("spec", {1: ("finalizers", "strings")})},
    "ConfigMap": {1: ("metadata", _META), 2: ("data", "map")},
    "Secret": {1: ("metadata", _META), 2: ("data", "bytes map"), 3: ("type", "string")},
    "DeleteOptions": {
        1: ("gracePeriodSeconds", "integer"),
        2: ("preconditions", {1: ("uid", "string"), 2: ("resourceVersion", "string")}),
        4: ("propagationPolicy", "string"),
        5: ("dryRun", "strings"),
    },
}


def decoded_protobuf(body: bytes) -> dict[str, Any] | None:
    """The document of an enveloped body, None if its kind is not among those known.

    Raises:
        ValueError: the bytes are no such message.
    """
    if not body.startswith(MAGIC):
        raise ValueError("no protobuf envelope")
    api_version = kind = ""
    raw = b""
    for number, value in _fields(body[len(MAGIC) :]):
        if number == 1 and isinstance(value, bytes):
            type_meta = _message(value, {1: ("apiVersion", "string"), 2: ("kind", "string")})
            api_version, kind = type_meta.get("apiVersion", ""), type_meta.get("kind", "")
        elif number == 2 and isinstance(value, bytes):
            raw = value
    schema = _SCHEMAS.get(kind)
    if schema is None:
        return None
    return {"apiVersion": api_version, "kind": kind, **_message(raw, schema)}


def _message(data: bytes, schema: Schema) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for number, value in _fields(data):
        if number not in schema:
            continue
        name, kind = schema[number]
        if kind == "integer":
            out[name] = value
        elif not isinstance(value, bytes):
            raise ValueError(f"field {name} is no message")
        elif isinstance(kind, Mapping):
            out[name] = _message(value, kind)
        elif kind == "string":
            if value:
                out[name] = value.decode()
        elif kind == "strings":
            out.setdefault(name, []).append(value.decode())
        else:
            key, text = _pair(value)
            out.setdefault(name, {})[key] = (
                base64.b64encode(text).decode() if kind == "bytes map" else text.decode()
            )
    return out


def _pair(data: bytes) -> tuple[str, bytes]:
    found = dict(_fields(data))
    key, value = found.get(1, b""), found.get(2, b"")
    if not isinstance(key, bytes) or not isinstance(value, bytes):
        raise ValueError("a map entry is no pair of texts")
    return key.decode(), value


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == 0:
            value, position = _varint(data, position)
            yield tag >> 3, value
        elif wire == 2:
            size, position = _varint(data, position)
            if position + size > len(data):
                raise ValueError("a field ends behind its message")
            yield tag >> 3, data[position : position + size]
            position += size
        elif wire in (1, 5):
            position += 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if position >= len(data) or shift > 63:
            raise ValueError("a number ends behind its message")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
