"""Request bodies and write options.

Source: k8s.io/apimachinery metav1 validation (patch, create, update, delete options).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from fleettui.demo.apiserver.errors import ApiError, bad_request, unsupported_media_type
from fleettui.demo.apiserver.protobuf import MAGIC, decoded_protobuf

MAX_BODY_BYTES = 3 * 1024 * 1024
"""A real server refuses larger bodies with 413."""


class _PlainLoader(yaml.SafeLoader):
    """YAML as the API reads it: timestamps stay strings."""


_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """The parameters that all writes share."""

    manager: str
    dry_run: bool
    force: bool


def options_of(
    query: Mapping[str, str], *, dry_run_values: list[str], user_agent: str, kind: str
) -> WriteOptions:
    """The write options of a URL's query (`kind` is CreateOptions, PatchOptions…).

    Raises:
        ApiError: 422 for values a real server refuses; a misspelled parameter is ignored.
    """
    for value in dry_run_values:
        if value != "All":
            raise invalid_option(
                kind, "dryRun", f'Unsupported value: "{value}": supported values: "All"'
            )
    manager = query.get("fieldManager", "")
    if len(manager) > 128:
        raise invalid_option(kind, "fieldManager", "Too long: may not be more than 128 bytes")
    return WriteOptions(
        manager=manager or user_agent.split("/")[0][:128] or "unknown",
        dry_run=bool(dry_run_values),
        force=query.get("force") in ("true", "1"),
    )


def invalid_option(kind: str, name: str, message: str) -> ApiError:
    """422 naming one parameter."""
    return ApiError(
        422,
        "Invalid",
        f'{kind}.meta.k8s.io "" is invalid: {name}: {message}',
        details={
            "group": "meta.k8s.io",
            "kind": kind,
            "causes": [{"reason": "FieldValueInvalid", "message": message, "field": name}],
        },
    )


def decoded(body: bytes, content_type: str) -> Any:
    """The value of a JSON or YAML body.

    Raises:
        ApiError: 400 if it cannot be parsed, 415 for other encodings.
    """
    media = content_type.split(";")[0].strip().lower()
    if body.startswith(MAGIC):
        return _from_protobuf(body)
    if "protobuf" in media or "cbor" in media:
        raise _unknown_format()
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as exc:
        if "yaml" not in media:
            raise bad_request(f"error decoding body: {exc}") from exc
    try:
        return yaml.load(body, Loader=_PlainLoader)  # noqa: S506  a SafeLoader subclass
    except yaml.YAMLError as exc:
        raise bad_request(f"error decoding YAML: {exc}") from exc


def _from_protobuf(body: bytes) -> dict[str, Any]:
    try:
        document = decoded_protobuf(body)
    except ValueError as exc:
        raise bad_request(f"error decoding protobuf: {exc}") from exc
    if document is None:
        raise _unknown_format()
    return document


def _unknown_format() -> ApiError:
    return unsupported_media_type(
        "the body of the request was in an unknown format - accepted media types include: "
        "application/json, application/yaml"
    )


def document_of(body: bytes, content_type: str) -> dict[str, Any]:
    """The object of a body, with a metadata map.

    Raises:
        ApiError: 400 if it is no object.
    """
    document = decoded(body, content_type)
    if not isinstance(document, dict) or not isinstance(document.get("metadata", {}), dict):
        raise bad_request("the body of the request is not an API object")
    return {**document, "metadata": dict(document.get("metadata") or {})}
