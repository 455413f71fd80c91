"""Objects while they are put together: plain dicts with a role, before they become templates.

Knows Kubernetes metadata (owners, uids, managedFields), refuses to know what any kind means.
Source: apimachinery metav1.ObjectMeta; structured-merge-diff FieldsV1 (shape of managedFields).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from hashlib import blake2b
from typing import Any

import msgspec

from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.world.catalogue import group_of, resource_of_document

Document = dict[str, Any]

RESOURCE_VERSION = "@RV@"


@dataclass(slots=True)
class Draft:
    """One object being made."""

    role: str
    """What it is within its group, such as `machine/md-0/1`; unique there."""
    document: Document
    writer: str = "kustomize-controller"
    """Field manager of labels, annotations and spec."""
    operation: str = "Apply"
    controller: str = "manager"
    """Field manager of finalizers, owners and status."""
    file: str = ""
    """File in the cluster's folder of the git repository that declares it; "" for none."""
    written: str = "${t0}"
    updated: str = "${t5}"

    @property
    def resource(self) -> Resource:
        """The resource type of the document."""
        return resource_of_document(self.document)

    @property
    def name(self) -> str:
        """metadata.name, possibly with holes."""
        return str(self.document["metadata"]["name"])

    @property
    def kind(self) -> str:
        """The kind."""
        return str(self.document["kind"])


@dataclass(slots=True)
class Drafts:
    """All objects of one group (a cluster, a team, the platform) by role."""

    by_role: dict[str, Draft] = field(default_factory=dict)

    def add(self, draft: Draft) -> Draft:
        """Put in a draft.

        Raises:
            ValueError: the role is taken.
        """
        if draft.role in self.by_role:
            raise ValueError(f"role {draft.role} is taken")
        self.by_role[draft.role] = draft
        return draft

    def __iter__(self) -> Iterator[Draft]:
        return iter(self.by_role.values())

    def __getitem__(self, role: str) -> Draft:
        return self.by_role[role]

    def __contains__(self, role: str) -> bool:
        return role in self.by_role

    def find(self, role: str) -> Document | None:
        """The document of a role, None if there is none."""
        draft = self.by_role.get(role)
        return draft.document if draft else None

    def matching(self, pattern: str) -> list[Draft]:
        """Drafts whose role matches a shell-style pattern, in order of creation."""
        return [draft for role, draft in self.by_role.items() if fnmatchcase(role, pattern)]

    def remove(self, role: str) -> None:
        """Take out a draft."""
        del self.by_role[role]


def metadata(
    name: str, *, namespace: str = "${ns}", role: str = "", created: str = "${t0}", **more: Any
) -> Document:
    """ObjectMeta of a new object; the uid follows from the role."""
    data: Document = {
        "creationTimestamp": created,
        "generation": 1,
        "name": name,
        "resourceVersion": RESOURCE_VERSION,
        "uid": uid_of(role or name),
    }
    if namespace:
        data["namespace"] = namespace
    data.update({key: value for key, value in more.items() if value})
    return data


def uid_of(role: str) -> str:
    """A uid: its head follows from the role, its tail is filled in per group."""
    return blake2b(role.encode(), digest_size=4).hexdigest() + "${u}"


def owner_of(document: Document, *, controller: bool = False) -> Document:
    """An ownerReference to a document."""
    reference: Document = {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "name": document["metadata"]["name"],
        "uid": document["metadata"]["uid"],
    }
    if controller:
        reference |= {"blockOwnerDeletion": True, "controller": True}
    return reference


def contract_reference(document: Document) -> Document:
    """A reference as the v1beta2 core API spells it."""
    return {
        "apiGroup": group_of(document["apiVersion"]),
        "kind": document["kind"],
        "name": document["metadata"]["name"],
    }


def finish(draft: Draft) -> bytes:
    """Compact JSON as a server would return it: fields sorted, managedFields told."""
    document = draft.document
    meta = document["metadata"]
    meta["managedFields"] = _managed_fields(draft)
    head = {"apiVersion": document["apiVersion"], "kind": document["kind"]}
    rest = {key: value for key, value in document.items() if key not in head}
    return msgspec.json.encode(head)[:-1] + b"," + msgspec.json.encode(rest, order="sorted")[1:]


def _managed_fields(draft: Draft) -> list[Document]:
    document, meta = draft.document, draft.document["metadata"]
    declared: Document = {}
    own: Document = {}
    labels = [key for key in ("labels", "annotations") if meta.get(key)]
    if labels:
        declared["f:metadata"] = {f"f:{key}": _fields(meta[key]) for key in labels}
    for key in document:
        if key not in ("apiVersion", "kind", "metadata", "status"):
            declared[f"f:{key}"] = _fields(document[key])
    if meta.get("finalizers"):
        own["f:finalizers"] = {".": {}} | {f'v:"{item}"': {} for item in meta["finalizers"]}
    if meta.get("ownerReferences"):
        own["f:ownerReferences"] = {".": {}} | {
            f'k:{{"uid":"{item["uid"]}"}}': {} for item in meta["ownerReferences"]
        }
    entries = [_entry(draft, draft.writer, draft.operation, declared, draft.written)]
    if own:
        entries.append(
            _entry(draft, draft.controller, "Update", {"f:metadata": own}, draft.written)
        )
    if document.get("status"):
        status: Document = {"f:status": {".": {}} | _fields(document["status"])}
        entry = _entry(draft, draft.controller, "Update", status, draft.updated)
        if draft.resource.has_status:
            entry["subresource"] = "status"
        entries.append(entry)
    return entries


def _entry(draft: Draft, manager: str, operation: str, fields: Document, time: str) -> Document:
    return {
        "apiVersion": draft.document["apiVersion"],
        "fieldsType": "FieldsV1",
        "fieldsV1": fields,
        "manager": manager,
        "operation": operation,
        "time": time,
    }


def _fields(value: Any) -> Document:
    if not isinstance(value, dict):
        return {}
    return {f"f:{key}": _field(item) for key, item in value.items()}


def _field(value: Any) -> Document:
    if isinstance(value, dict):
        return _fields(value)
    is_conditions = isinstance(value, list) and bool(value) and isinstance(value[0], dict)
    if is_conditions and all("type" in item and "status" in item for item in value):
        return {".": {}} | {
            f'k:{{"type":"{item["type"]}"}}': _condition_fields(tuple(item)) for item in value
        }
    return {}


@cache
def _condition_fields(keys: tuple[str, ...]) -> Document:
    """Ownership of all fields of a condition; the same few sets over and over."""
    return {".": {}} | {f"f:{key}": {} for key in keys}
