"""The management cluster's own content: controllers, the platform's GitOps, other operators.

Told by data/platform.
"""

from __future__ import annotations

from fleettui.demo.world.classes import add_classes
from fleettui.demo.world.drafts import Document, Drafts
from fleettui.demo.world.objects import add_object, add_objects
from fleettui.demo.world.platform_controllers import add_controller
from fleettui.demo.world.providers import data_file

_NAMESPACES = (
    "azure-landing",
    "aws-landing",
    "edge-network",
    "fleet-classes",
    "fleet-extensions",
    "google-landing",
    "kube-system",
    "default",
    "monitoring",
)


def platform_drafts() -> Drafts:
    """Everything in a management cluster that belongs to no team."""
    drafts = Drafts()
    controllers = data_file("platform/controllers.yaml")
    namespaces = {entry["namespace"] for entry in controllers} | set(_NAMESPACES)
    for name in sorted(namespaces):
        _add_namespace(drafts, name)
    for entry in controllers:
        add_controller(drafts, entry)
    for file in ("gitops", "argo", "clouds", "landing", "operators", "identities", "everyday"):
        add_objects(drafts, data_file(f"platform/{file}.yaml"))
    add_classes(drafts)
    _fill_inventories(drafts)
    return drafts


def _add_namespace(drafts: Drafts, name: str) -> None:
    add_object(
        drafts,
        {
            "role": f"namespace/{name}",
            "kind": "Namespace",
            "namespace": "",
            "name": name,
            "labels": {"kubernetes.io/metadata.name": name},
            "spec": {"finalizers": ["kubernetes"]},
            "status": {"phase": "Active"},
        },
    )


def inventory_id(document: Document) -> dict[str, str]:
    """An inventory entry as kustomize-controller writes it."""
    group, slash, version = document["apiVersion"].rpartition("/")
    namespace = document["metadata"].get("namespace", "")
    name = document["metadata"]["name"].replace(":", "__")
    return {
        "id": f"{namespace}_{name}_{group if slash else ''}_{document['kind']}",
        "v": version,
    }


APPLIES_TO_TEAMS = {"flux-system": "inventorysync", "tenants": "inventorytenants"}
"""Kustomizations of the platform that also apply objects of every team, with the hole for them."""


def _fill_inventories(drafts: Drafts) -> None:
    prefix = "kustomize.toolkit.fluxcd.io"
    for draft in drafts.matching("ks/*"):
        document = draft.document
        entries = document["status"]["inventory"]["entries"]
        for other in drafts:
            labels = other.document["metadata"].get("labels", {})
            if labels.get(f"{prefix}/name") != document["metadata"]["name"]:
                continue
            entry = inventory_id(other.document)
            if other is not draft and entry not in entries:
                entries.append(entry)
        name = document["metadata"]["name"]
        if name in APPLIES_TO_TEAMS:
            entries.append(f"${{{APPLIES_TO_TEAMS[name]}}}")
