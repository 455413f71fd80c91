"""Objects while they are put together: plain dicts with a role, before they become templates.

Knows Kubernetes metadata (owners, uids, managedFields), refuses to know what any kind means.
Source: apimachinery metav1.ObjectMeta; structured-merge-diff FieldsV1 (shape of managedFields).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from hashlib import blake2b
from typing import Any

import msgspec

from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.world.catalogue import group_of, resource_of_document

Document = dict[str, Any]

CONTROLLER_ANNOTATIONS = (
    "machinedeployment.clusters.x-k8s.io/revision",
    "sigs.k8s.io/cluster-api-provider-azure-owned-aso-kinds",
    "cluster.x-k8s.io/replicas-managed-by",
)
"""Annotations that controllers write on what people declared."""
_GIT_WRITER = "kustomize-controller"

RESOURCE_VERSION = "@RV@"


@dataclass(slots=True)
class Draft:
    """One object being made."""

    role: str
    """What it is within its group, such as `machine/md-0/1`; unique there."""
    document: Document
    writer: str = _GIT_WRITER
    """Field manager of labels, annotations and spec."""
    operation: str = "Apply"
    controller: str = "manager"
    """Field manager of finalizers, owners and status."""
    file: str = ""
    """File in the cluster's folder of the git repository that declares it; "" for none."""
    written: str = "${t0}"
    updated: str = "${t5}"
    edits: list[tuple[str, Document]] = field(default_factory=list)
    """What somebody changed by hand: field manager and merge patch."""

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

    def copy(self) -> Drafts:
        """The same drafts, whose documents can be changed on their own."""
        return Drafts({role: _copied(draft) for role, draft in self.by_role.items()})


def _copied(draft: Draft) -> Draft:
    document = msgspec.json.decode(msgspec.json.encode(draft.document))
    return replace(draft, document=document, edits=list(draft.edits))


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
    meta = draft.document["metadata"] | {"managedFields": _managed_fields(draft)}
    document = draft.document | {"metadata": meta}
    head = {"apiVersion": document["apiVersion"], "kind": document["kind"]}
    rest = {key: value for key, value in document.items() if key not in head}
    return msgspec.json.encode(head)[:-1] + b"," + msgspec.json.encode(rest, order="sorted")[1:]


def is_filled_by_controllers(name: str, value: Any) -> bool:
    """Whether a field of spec is what a controller found out, not what people declared."""
    if name == "endpoint":
        return isinstance(value, dict)
    return name in ("controlPlaneEndpoint", "providerIDList")


def _managed_fields(draft: Draft) -> list[Document]:
    document, meta = draft.document, draft.document["metadata"]
    declared, own = _written_fields(draft)
    ours: Document = own.setdefault("f:metadata", {})
    if meta.get("finalizers"):
        ours["f:finalizers"] = {".": {}} | {f'v:"{item}"': {} for item in meta["finalizers"]}
    if meta.get("ownerReferences"):
        ours["f:ownerReferences"] = {".": {}} | {
            f'k:{{"uid":"{item["uid"]}"}}': {} for item in meta["ownerReferences"]
        }
    if not ours:
        del own["f:metadata"]
    edits = [(manager, _fields(patch)) for manager, patch in draft.edits]
    for _, fields in edits:
        _take_away(declared, fields)
    entries = [_entry(draft, draft.writer, draft.operation, declared, draft.written)]
    entries += [_entry(draft, manager, "Update", fields, "${since}") for manager, fields in edits]
    if own:
        entries.append(_entry(draft, draft.controller, "Update", own, draft.written))
    if document.get("status"):
        status: Document = {"f:status": {".": {}} | _fields(document["status"])}
        entry = _entry(draft, draft.controller, "Update", status, draft.updated)
        if draft.resource.has_status:
            entry["subresource"] = "status"
        entries.append(entry)
    return entries


def _written_fields(draft: Draft) -> tuple[Document, Document]:
    """Fields of labels, annotations and spec: the writer's, and those that its controller fills."""
    document, meta = draft.document, draft.document["metadata"]
    is_from_git = draft.writer == _GIT_WRITER
    annotations = meta.get("annotations") or {}
    filled = {key for key in annotations if is_from_git and key in CONTROLLER_ANNOTATIONS}
    parts = {
        "labels": meta.get("labels") or {},
        "annotations": {key: text for key, text in annotations.items() if key not in filled},
    }
    told = {f"f:{key}": _fields(values) for key, values in parts.items() if values}
    declared: Document = {"f:metadata": told} if told else {}
    own: Document = {}
    if filled:
        own["f:metadata"] = {"f:annotations": {f"f:{key}": {} for key in sorted(filled)}}
    for key, value in document.items():
        if key in ("apiVersion", "kind", "metadata", "status"):
            continue
        if key == "spec" and is_from_git:
            found = {k: v for k, v in value.items() if is_filled_by_controllers(k, v)}
            value = {k: v for k, v in value.items() if k not in found}
            if found:
                own["f:spec"] = _fields(found)
        declared[f"f:{key}"] = _fields(value)
    return declared, own


def _take_away(fields: Document, taken: Document) -> None:
    """Remove leaves from a set of fields, and what becomes empty by that."""
    for key, below in taken.items():
        if key not in fields:
            continue
        if below and fields[key]:
            _take_away(fields[key], below)
            if set(fields[key]) - {"."}:
                continue
        del fields[key]


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
    is_conditions = is_conditions and all("type" in item and "status" in item for item in value)
    if is_conditions and len({item["type"] for item in value}) == len(value):
        return {".": {}} | {
            f'k:{{"type":"{item["type"]}"}}': _condition_fields(tuple(item)) for item in value
        }
    return {}


@cache
def _condition_fields(keys: tuple[str, ...]) -> Document:
    """Ownership of all fields of a condition; the same few sets over and over."""
    return {".": {}} | {f"f:{key}": {} for key in keys}
