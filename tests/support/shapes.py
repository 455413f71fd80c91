"""What a structural schema says against a document, path by path.

Knows the keywords that CRDs use but their CEL rules; unknown fields are told as well, since a
server would drop them. Source: apiextensions-apiserver, structural schemas and validation.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
_FORMATS = {"date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")}
_TOP = ("apiVersion", "kind", "metadata")


def faults_of(document: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    """Lines such as `status.versions: has 0 items, at least 1 wanted`, in order of fields.

    Args:
        document: a whole object; its metadata is the API server's own business.
        schema: openAPIV3Schema of its version.
    """
    body = {key: value for key, value in document.items() if key not in _TOP}
    own = {key: value for key, value in schema.get("properties", {}).items() if key not in _TOP}
    required = [key for key in schema.get("required", ()) if key not in _TOP]
    top = {**schema, "properties": own, "required": required}
    for path, fault in _faults(body, top, ""):
        yield f"{path}: {fault}"


def _faults(value: Any, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    if value is None:
        if not schema.get("nullable") and schema.get("type"):
            yield path, "is null"
        return
    if schema.get("x-kubernetes-int-or-string"):
        if not isinstance(value, (int, str)) or isinstance(value, bool):
            yield path, "is neither a number nor a text"
        return
    wanted = schema.get("type")
    if wanted in _TYPES and not _is_of(value, wanted):
        yield path, f"is a {type(value).__name__}, {wanted} wanted"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield path, f"is {value!r}, one of {schema['enum']} wanted"
    if isinstance(value, dict):
        yield from _of_mapping(value, schema, path)
    elif isinstance(value, list):
        yield from _of_list(value, schema, path)
    elif isinstance(value, str):
        yield from _of_text(value, schema, path)
    elif not isinstance(value, bool) and not (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
    ):
        yield path, f"is {value}, out of bounds"


def _is_of(value: Any, wanted: str) -> bool:
    return isinstance(value, _TYPES[wanted]) and (
        wanted == "boolean" or not isinstance(value, bool)
    )


def _of_mapping(value: dict[str, Any], schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    known = schema.get("properties", {})
    more = schema.get("additionalProperties")
    keeps = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get(
        "x-kubernetes-embedded-resource"
    )
    for key in schema.get("required", ()):
        if key not in value:
            yield f"{path}.{key}".lstrip("."), "is missing"
    if len(value) < schema.get("minProperties", 0):
        yield path, "has too few fields"
    for key, item in value.items():
        below = f"{path}.{key}".lstrip(".")
        if key in known:
            yield from _faults(item, known[key], below)
        elif isinstance(more, Mapping):
            yield from _faults(item, more, below)
        elif not more and not keeps:
            yield below, "is no field of the kind"


def _of_list(value: list[Any], schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    least, most = schema.get("minItems", 0), schema.get("maxItems", len(value))
    if not least <= len(value) <= most:
        yield path, f"has {len(value)} items, {least} to {most} wanted"
    keys = schema.get("x-kubernetes-list-map-keys")
    if keys:
        found = [tuple(item.get(key) for key in keys) for item in value]
        if len(set(found)) < len(found):
            yield path, f"has two items of the same {', '.join(keys)}"
    for item in value:
        yield from _faults(item, schema.get("items", {}), f"{path}[]")


def _of_text(value: str, schema: Schema, path: str) -> Iterator[tuple[str, str]]:
    least, most = schema.get("minLength", 0), schema.get("maxLength", len(value))
    if not least <= len(value) <= most:
        yield path, f"is {len(value)} long, {least} to {most} wanted"
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield path, f"is {value!r}, which does not match {schema['pattern']}"
    form = _FORMATS.get(schema.get("format", ""))
    if form is not None and not form.fullmatch(value):
        yield path, f"is {value!r}, no {schema['format']}"
