"""Objects told by data files: role, kind, metadata, spec, status and conditions.

The data files say what; this module adds what every object has (uid, owners, times).
"""

from __future__ import annotations

import copy
from typing import Any

from fleettui.demo.world.catalogue import api_version
from fleettui.demo.world.conditions import classic, fine, modern
from fleettui.demo.world.drafts import Document, Draft, Drafts, metadata, owner_of, uid_of
from fleettui.demo.world.filled import digest_of_filled
from fleettui.demo.world.providers import marked

_DRAFT_FIELDS = ("writer", "operation", "controller", "file", "written", "updated")
_META_FIELDS = ("annotations", "finalizers", "labels", "generation", "created")
_UNCOUNTED_GROUPS = ("", "coordination.k8s.io", "discovery.k8s.io")
_COUNTED = ("Pod", "EndpointSlice")
"""Kinds of those groups that do carry metadata.generation."""
_OWN = {
    "role",
    "group",
    "kind",
    "name",
    "namespace",
    "owner",
    "conditions",
    "scheme",
    "repeat",
    "foreign",
}


def add_objects(
    drafts: Drafts, entries: list[dict[str, Any]], marks: dict[str, str] | None = None
) -> None:
    """Add every object of a data file, in order.

    Args:
        drafts: gets the objects; owners are looked up there by role.
        entries: the file's list; `repeat: [{mark: text}, …]` makes one object of each.
        marks: texts for `@mark@`.
    """
    for entry in entries:
        for more in entry.get("repeat", ({},)):
            own = (marks or {}) | {key: str(value) for key, value in more.items()}
            without = {key: value for key, value in entry.items() if key != "repeat"}
            told_entry = marked(without, own) if own else without
            _drop_no_dependency(told_entry.get("spec", {}))
            add_object(drafts, told_entry)


def _drop_no_dependency(spec: dict[str, Any]) -> None:
    """`depends: none` in a repeated entry means that this one depends on nothing."""
    named = [item["name"] for item in spec.get("dependsOn", ()) if "name" in item]
    if not named or named[0].endswith("none"):
        spec.pop("dependsOn", None)


def add_object(drafts: Drafts, entry: dict[str, Any]) -> Document:
    """Add one object told by data and return its document."""
    role, kind = entry["role"], entry["kind"]
    fields = {key: copy.deepcopy(entry[key]) for key in _META_FIELDS if key in entry}
    meta = metadata(entry["name"], role=role, namespace=entry.get("namespace", "${ns}"), **fields)
    if entry.get("owner"):
        own, _, flag = str(entry["owner"]).partition(" ")
        meta["ownerReferences"] = [owner_of(drafts[own].document, controller=flag != "plain")]
    if "foreign" in entry:
        meta["ownerReferences"] = [_foreign_owner(entry["foreign"])]
    generation = meta["generation"]
    if entry.get("group", "") in _UNCOUNTED_GROUPS and kind not in _COUNTED:
        del meta["generation"]
    document: Document = {
        "apiVersion": api_version(entry.get("group", ""), kind),
        "kind": kind,
        "metadata": meta,
    }
    for key, value in entry.items():
        if key not in _OWN and key not in _DRAFT_FIELDS and key not in _META_FIELDS:
            document[key] = copy.deepcopy(value)
    if "conditions" in entry:
        document.setdefault("status", {})["conditions"] = [
            told(item, entry.get("scheme", "modern"), generation) for item in entry["conditions"]
        ]
    if kind == "HelmRelease":
        _record_values(document)
    draft = Draft(role, document)
    for key in _DRAFT_FIELDS:
        if key in entry:
            setattr(draft, key, entry[key])
    drafts.add(draft)
    return document


def _record_values(release: Document) -> None:
    """The digest of the values that the deployed release was made with."""
    digest = digest_of_filled(release["spec"].get("values") or {})
    status = release["status"]
    if "lastAttemptedConfigDigest" in status:
        status["lastAttemptedConfigDigest"] = digest
    for item in status.get("history", ())[:1]:
        item["configDigest"] = digest


def _foreign_owner(told_owner: dict[str, str]) -> Document:
    """An owner among the team's or the platform's objects, whose uids end in another tail."""
    tail = "${pu}" if told_owner.get("of") == "platform" else "${tu}"
    owner = {
        "apiVersion": api_version(told_owner["group"], told_owner["kind"]),
        "kind": told_owner["kind"],
        "name": told_owner["name"],
        "uid": uid_of(told_owner["role"]).replace("${u}", tail),
    }
    is_controller = told_owner.get("controller", False)
    return owner | ({"blockOwnerDeletion": True, "controller": True} if is_controller else {})


def told(item: str | dict[str, Any], scheme: str, generation: int = 1) -> Document:
    """A condition from its short form: a type, or a mapping of what is not usual."""
    if isinstance(item, str):
        item = {"type": item}
    kind, status = item["type"], str(item.get("status", "True"))
    at = item.get("at", "${t3}")
    if scheme == "classic":
        return classic(kind, status, at=at, **_texts(item))
    if scheme == "aso":
        condition = modern(
            kind,
            status,
            item.get("reason", "Succeeded"),
            item.get("message", ""),
            at=at,
            generation=generation,
        )
        return condition | ({"severity": item["severity"]} if "severity" in item else {})
    if scheme == "bare":
        return {"lastTransitionTime": at} | item
    if "status" not in item and "reason" not in item:
        return fine(kind, at=at, generation=generation)
    return modern(
        kind,
        status,
        item.get("reason", kind),
        item.get("message", ""),
        at=at,
        generation=item.get("generation", generation),
    )


def _texts(item: dict[str, Any]) -> dict[str, Any]:
    return {key: item[key] for key in ("severity", "reason", "message") if key in item}
