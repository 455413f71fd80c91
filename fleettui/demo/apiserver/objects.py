"""What the server itself writes into an object, and which writes may change what.

Pure: documents in, documents out. Source: k8s.io/apiserver registry/rest (create, update,
delete strategies) and the custom resource strategy (generation, status subresource).
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from fleettui.demo.apiserver.errors import bad_request, conflict, invalid
from fleettui.demo.apiserver.managed import Writer, after_update
from fleettui.demo.apiserver.resources import Resource

Document = dict[str, Any]

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.:]*[a-z0-9])?")
_KEPT_METADATA = (
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "name",
    "namespace",
    "selfLink",
)
_EMPTY_DROPPED = ("labels", "annotations", "finalizers", "ownerReferences", "managedFields")
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"


def timestamp(now: datetime) -> str:
    """A moment as the API spells it: whole seconds, UTC."""
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def encoded(document: Mapping[str, Any]) -> bytes:
    """Compact JSON with apiVersion and kind first."""
    head = {key: document[key] for key in ("apiVersion", "kind", "metadata") if key in document}
    return msgspec.json.encode({**head, **document})


def created(
    resource: Resource, body: Document, *, namespace: str, uid: str, now: datetime, writer: Writer
) -> Document:
    """A new object as it will be stored (managedFields by `writer`, no resourceVersion yet).

    Raises:
        ApiError: 422 for a bad or missing name, 400 if namespaces disagree.
    """
    metadata = dict(body.get("metadata") or {})
    if metadata.get("namespace") and resource.namespaced and metadata["namespace"] != namespace:
        raise bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if not metadata.get("name") and metadata.get("generateName"):
        tail = "".join(random.choices(_SUFFIX, k=5))
        metadata["name"] = f"{metadata['generateName']}{tail}"
    name = metadata.get("name") or ""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > 253:
        raise invalid(
            f"{resource.kind}.{resource.group}".rstrip("."),
            str(name),
            ("metadata.name", f'Invalid value: "{name}": a lowercase RFC 1123 subdomain is needed'),
        )
    for key in ("resourceVersion", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"):
        metadata.pop(key, None)
    metadata["uid"] = uid
    metadata["creationTimestamp"] = timestamp(now)
    metadata.pop("managedFields", None)
    if resource.namespaced:
        metadata["namespace"] = namespace
    else:
        metadata.pop("namespace", None)
    if resource.is_crd:
        metadata["generation"] = 1
    document = {**body, "kind": resource.kind, "metadata": metadata}
    if resource.has_status and resource.is_crd:
        document.pop("status", None)
    metadata["managedFields"] = after_update({}, document, writer=writer, time=timestamp(now))
    return document


def updated(
    resource: Resource,
    old: Document,
    new: Document,
    *,
    writer: Writer | None,
    subresource: str,
    now: datetime,
) -> Document | None:
    """`new` restricted to what this write may change; None if nothing changes.

    Without a writer managedFields are taken from `new` (server-side apply has set them).

    Raises:
        ApiError: 409 for a stale resourceVersion or another uid.
    """
    before = old["metadata"]
    _check_identity(resource, before, new.get("metadata") or {})
    metadata = dict(new.get("metadata") or {})
    if subresource == "status":
        fields = metadata.get("managedFields")
        metadata = dict(before)
        if fields is not None:
            metadata["managedFields"] = fields
        new = {**old, "metadata": metadata, **_only(new, "status")}
        if "status" not in _only(new, "status"):
            new.pop("status", None)
    elif resource.has_status:
        new = {k: v for k, v in new.items() if k != "status"} | _only(old, "status")
    for key in _KEPT_METADATA:
        metadata.pop(key, None)
        if key in before:
            metadata[key] = before[key]
    metadata["resourceVersion"] = before["resourceVersion"]
    document = {**new, "apiVersion": old["apiVersion"], "kind": old["kind"], "metadata": metadata}
    if writer is not None:
        metadata["managedFields"] = before.get("managedFields") or []
        metadata["managedFields"] = after_update(old, document, writer=writer, time=timestamp(now))
    for key in _EMPTY_DROPPED:
        if key in metadata and not metadata[key]:
            del metadata[key]
    if _same(document, old):
        return None
    if resource.is_crd and _desired(document, resource) != _desired(old, resource):
        metadata["generation"] = int(before.get("generation") or 0) + 1
    return document


def _check_identity(resource: Resource, before: Document, after: Document) -> None:
    name = str(before.get("name"))
    if after.get("uid") and after["uid"] != before.get("uid"):
        raise conflict(
            resource.qualified,
            name,
            f"Precondition failed: UID in precondition: {after['uid']}, "
            f"UID in object meta: {before.get('uid')}",
        )
    revision = after.get("resourceVersion")
    if revision and revision != before.get("resourceVersion"):
        raise conflict(
            resource.qualified,
            name,
            "the object has been modified; please apply your changes to the latest version and "
            "try again",
        )


def _only(document: Document, key: str) -> Document:
    return {key: document[key]} if key in document else {}


def _same(one: Document, other: Document) -> bool:
    return _comparable(one) == _comparable(other)


def _comparable(document: Document) -> Document:
    metadata = {k: v for k, v in document["metadata"].items() if v or k == "generation"}
    fields = metadata.get("managedFields")
    if fields:
        metadata["managedFields"] = [{**entry, "time": ""} for entry in fields]
    return {**document, "metadata": metadata}


def _desired(document: Document, resource: Resource) -> Document:
    left_out = ("metadata", "status") if resource.has_status else ("metadata",)
    return {k: v for k, v in document.items() if k not in left_out}


def terminating(resource: Resource, old: Document, *, now: datetime) -> Document:
    """The object marked for deletion while finalizers hold it."""
    metadata = dict(old["metadata"])
    metadata["deletionTimestamp"] = timestamp(now)
    metadata["deletionGracePeriodSeconds"] = 0
    if resource.is_crd:
        metadata["generation"] = int(metadata.get("generation") or 0) + 1
    return {**old, "metadata": metadata}


def is_free(document: Document) -> bool:
    """Whether no finalizer would hold the object if it were deleted."""
    if document.get("kind") == "Namespace" and (document.get("spec") or {}).get("finalizers"):
        return False
    return not document["metadata"].get("finalizers")


def is_released(document: Document) -> bool:
    """Whether a deleted object is held by no finalizer any more."""
    return bool(document["metadata"].get("deletionTimestamp")) and is_free(document)


def check_preconditions(
    resource: Resource, old: Document, *, uid: str | None, resource_version: str | None
) -> None:
    """Let a deletion pass only if its preconditions hold.

    Raises:
        ApiError: 409 naming the precondition that failed.
    """
    metadata = old["metadata"]
    for word, key, wanted in (
        ("UID", "uid", uid),
        ("ResourceVersion", "resourceVersion", resource_version),
    ):
        if wanted and wanted != metadata[key]:
            raise conflict(
                resource.qualified,
                metadata["name"],
                f"Precondition failed: {word} in precondition: {wanted}, "
                f"{word} in object meta: {metadata[key]}",
            )
