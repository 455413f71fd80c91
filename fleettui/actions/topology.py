"""Fields that a Cluster's topology decides, and how to write them there.

Knows ``spec.topology`` and its named lists; knows no verb.

Source: Cluster API ClusterClass (topology labels, SSA by ``capi-topology``); list
entries are addressed by index, so the name is tested and the version pinned.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fleettui.actions.documents import label, nested, pointer, text_at, uid_of, value_at
from fleettui.actions.drafts import merge_patch, still, undo_merge
from fleettui.actions.facts import Document, Facts, refuse
from fleettui.actions.forms import ReplicaForm
from fleettui.actions.managed import cluster_ref
from fleettui.actions.plan import (
    Acknowledgement,
    Check,
    ContentType,
    Patch,
    Preconditions,
    Refusal,
    Signal,
    Target,
)
from fleettui.actions.precheck import entry_index
from fleettui.kinds.record import ObjectRef

TOPOLOGY = ("spec", "topology")
OWNED = "topology.cluster.x-k8s.io/owned"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the topology speaks of an object."""

    cluster: ObjectRef
    target: Target
    document: Document
    """The Cluster."""
    path: tuple[str, ...]
    """Of the control plane's entry, or of the list."""
    name: str = ""
    """Of the entry in that list; empty for the control plane."""

    @property
    def entry(self) -> Any:
        """What stands there, None when nothing does."""
        if not self.name:
            return value_at(self.document, self.path)
        index = entry_index(self.document, self.path, self.name)
        entries = value_at(self.document, self.path)
        return entries[index] if index >= 0 else None


def place_of(
    facts: Facts, ref: ObjectRef, body: Document, form: ReplicaForm
) -> Place | Refusal | None:
    """Where the topology speaks of the object, None when no topology owns it."""
    if value_at(body, ("metadata", "labels", OWNED)) is None:
        return None
    if not form.topology_list and not form.topology_control_plane:
        return None
    cluster = cluster_ref(body, ref.context)
    document = facts.body(cluster)
    target = facts.target(cluster) if cluster else None
    if cluster is None or document is None or target is None:
        return refuse(ref, "a topology owns it, and its Cluster cannot be read")
    if form.topology_control_plane:
        return Place(cluster, target, document, (*TOPOLOGY, "controlPlane"))
    name = label(body, form.topology_name_label)
    place = Place(cluster, target, document, (*TOPOLOGY, "workers", form.topology_list), name)
    if not name or place.entry is None:
        return refuse(ref, f"a topology owns it, and {cluster} has no entry {name!r} for it")
    return place


def topology_patch(place: Place, path: Sequence[str], value: Any) -> tuple[Patch, Patch]:
    """The patch that sets a field of the entry, and the one that puts it back."""
    if not place.name:
        patch = merge_patch(
            place.target,
            place.document,
            nested((*place.path, *path), value),
            relies_on=(still(place.document, (*place.path, *path)),),
            acknowledged_by=topology_acknowledgement(place.document),
        )
        return patch, undo_merge(patch, place.document)
    return _entry_patches(place, path, value)


def topology_acknowledgement(document: Document) -> Acknowledgement:
    """The topology has been reconciled for the new generation."""
    return Acknowledgement(
        checks=(
            Check(Signal.GENERATION),
            Check(Signal.OBSERVED, ("TopologyReconciled",)),
        ),
        words="condition TopologyReconciled of the new generation",
        timeout_s=300,
    )


def _entry_patches(place: Place, path: Sequence[str], value: Any) -> tuple[Patch, Patch]:
    index = entry_index(place.document, place.path, place.name)
    root = (*place.path, str(index))
    first, rest = path[0], tuple(path[1:])
    old = place.entry.get(first)
    new = _with(old, rest, value)
    test_name = {"op": "test", "path": pointer((*root, "name")), "value": place.name}
    where = pointer((*root, first))
    tests_old = [{"op": "test", "path": where, "value": old}] if old is not None else []
    back = (
        {"op": "remove", "path": where}
        if old is None
        else ({"op": "add", "path": where, "value": old})
    )
    forth = [test_name, *tests_old, {"op": "add", "path": where, "value": new}]
    undone = [test_name, {"op": "test", "path": where, "value": new}, back]
    return _json_patch(place, forth), _json_patch(place, undone)


def _with(old: Any, rest: tuple[str, ...], value: Any) -> Any:
    """The old content with one field set; the rest of it is kept."""
    if not rest:
        return value
    content = dict(old) if isinstance(old, dict) else {}
    content[rest[0]] = _with(content.get(rest[0]), rest[1:], value)
    return content


def _json_patch(place: Place, operations: list[dict[str, Any]]) -> Patch:
    return Patch(
        target=place.target,
        content_type=ContentType.JSON,
        body=operations,
        preconditions=Preconditions(
            uid=uid_of(place.document),
            pin_resource_version=True,
            resource_version=text_at(place.document, ("metadata", "resourceVersion")),
        ),
        acknowledged_by=topology_acknowledgement(place.document),
        named_entry=(*place.path, place.name),
    )
