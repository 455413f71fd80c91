"""How objects end: provider objects with all they own, and what is told meanwhile.

Source: cluster-api deletion flows of Cluster, Machine, MachineSet and MachineDeployment; providers
delete what they made before they release their finalizers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.world.catalogue import all_resources
from fleettui.demo.world.conditions import find, modern, modern_of, put

_PROVIDERS = ("cluster.x-k8s.io", "azure.com")
"""Ends of API groups and of finalizers of providers."""
_NAMES_SHOWN = 5
"""Source: cluster-api internal/util/log StringListToString."""
_LONGEST_WAIT_S = 2.0


def is_deleted_now(change: Change) -> bool:
    """Whether a change is the one that began an object's deletion; decodes as little as it can."""
    if b'"deletionTimestamp":' not in (change.new_bytes or b""):
        return False
    new, old = change.new, change.old
    if new is None or old is None or change.type == "DELETED":
        return False
    return is_deleting(new) and not is_deleting(old)


def is_deleting(document: Document) -> bool:
    """Whether somebody deleted an object that something still holds."""
    return "deletionTimestamp" in document["metadata"]


def is_providers(finalizer: str) -> bool:
    """Whether a finalizer belongs to one of the demo's own controllers."""
    return finalizer.partition("/")[0].endswith(_PROVIDERS)


async def end_provider_object(kit: Kit, document: Document) -> bool:
    """Delete an object and what it owns, as its provider would; whether all of it is gone.

    A finalizer that no controller of the demo serves holds it, and then so do its owners.
    """
    kit.delete(document)
    ended = [await end_provider_object(kit, child) for child in owned(kit, document)]
    await kit.pace.wait(0.6)
    if not all(ended):
        return False
    kit.release(document, is_providers)
    return kit.refresh(document) is None


def owned(kit: Kit, owner: Document) -> Iterator[Document]:
    """Objects of Cluster API's groups and the providers' that an object owns."""
    marker = f'"uid":"{owner["metadata"]["uid"]}"'.encode()
    for resource in all_resources():
        if not resource.namespaced or not resource.group.endswith(_PROVIDERS):
            continue
        for _, data in kit.store.table(resource).scan(namespace=owner["metadata"]["namespace"]):
            if marker not in data:
                continue
            document: Document = msgspec.json.decode(data)
            owners = document["metadata"].get("ownerReferences", ())
            if any(item["uid"] == owner["metadata"]["uid"] for item in owners):
                yield document


def tell_deleting(kit: Kit, document: Document, reason: str, message: str) -> bool:
    """Set the Deleting condition; whether that changed anything."""
    fresh = kit.refresh(document)
    if fresh is None:
        return False
    old = find(modern_of(fresh), "Deleting")
    if old and (old["status"], old["reason"], old["message"]) == ("True", reason, message):
        return False

    def edit(own: Document) -> None:
        where = {"at": kit.now(), "generation": own["metadata"].get("generation", 1)}
        put(modern_of(own), modern("Deleting", "True", reason, message, **where))

    kit.change_status(fresh, edit)
    return True


def counted(machines: Sequence[Document]) -> str:
    """The message while Machines of an owner go away."""
    if not machines:
        return "Deletion completed"
    return f"Deleting {len(machines)} Machine{'s' if len(machines) > 1 else ''}"


def shortened(documents: Sequence[Document]) -> str:
    """Names of objects, at most five of them spelled out."""
    names = sorted(document["metadata"]["name"] for document in documents)
    text = ", ".join(names[:_NAMES_SHOWN])
    more = len(names) - _NAMES_SHOWN
    return f"{text}, ... ({more} more)" if more > 0 else text


def waits() -> Iterator[float]:
    """Seconds between looks at something that is to go away: longer the longer it takes."""
    pause = 0.1
    while True:
        yield pause
        pause = min(pause * 1.5, _LONGEST_WAIT_S)
