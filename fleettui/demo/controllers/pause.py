"""Paused conditions after somebody pauses or resumes. Source: cluster-api util/paused."""

from __future__ import annotations

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.kit import Document, Kit, annotation, is_paused
from fleettui.demo.controllers.view import CORE, cluster_of
from fleettui.demo.world.catalogue import all_resources
from fleettui.demo.world.conditions import find, fine, modern, put

_PAUSED = "cluster.x-k8s.io/paused"
_GROUPS = (
    CORE,
    "controlplane.cluster.x-k8s.io",
    "bootstrap.cluster.x-k8s.io",
    "infrastructure.cluster.x-k8s.io",
)


async def on_pause(kit: Kit, change: Change) -> None:
    """Tell by conditions that an object, or all of a cluster, is paused or not."""
    new, old = change.new, change.old
    if new is None or old is None or is_paused(new) == is_paused(old):
        return
    await kit.pace.wait(0.15)
    if new["kind"] != "Cluster":
        if annotation(new, _PAUSED) != annotation(old, _PAUSED):
            _tell(kit, new, _cluster_of(kit, new))
        return
    for resource in all_resources():
        if resource.group in _GROUPS and resource.has_status:
            for document in kit.labelled(
                resource.group, resource.kind, change.namespace, change.name
            ):
                _tell(kit, document, new)
    _tell(kit, new, new)


def _cluster_of(kit: Kit, document: Document) -> Document | None:
    namespace, name = cluster_of(document)
    return kit.get(CORE, "Cluster", namespace, name)


def _tell(kit: Kit, document: Document, cluster: Document | None) -> None:
    def edit(own: Document) -> None:
        status = own.setdefault("status", {})
        where = {"at": kit.now(), "generation": own["metadata"].get("generation", 1)}
        causes = []
        if cluster is not None and cluster["spec"].get("paused"):
            causes.append("Cluster spec.paused is set to true")
        if annotation(own, _PAUSED) is not None:
            causes.append(f"{own['kind']} has the {_PAUSED} annotation")
        condition = fine("Paused", **where)
        if causes:
            condition = modern("Paused", "True", "Paused", ", ".join(causes), **where)
        for conditions in (
            status.get("conditions"),
            status.get("v1beta2", {}).get("conditions"),
        ):
            if conditions is not None and find(conditions, "Paused"):
                put(conditions, condition)
        if "observedGeneration" in status and own["kind"] == "Cluster":
            status["observedGeneration"] = where["generation"]

    kit.change_status(document, edit)
