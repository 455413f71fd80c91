"""Who would put a field back: prediction from managedFields.

Knows the form of managedFields and the labels by which appliers mark what they
apply; guesses nothing about fields that nobody claims.

Source: Kubernetes server-side apply, FieldsV1; kustomize-controller and
helm-controller owner labels; Argo CD resource tracking; Cluster API topology
reconciler (field manager capi-topology).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleettui.actions.documents import (
    annotation,
    controller_of,
    group_of,
    items_at,
    label,
    value_at,
)
from fleettui.actions.facts import Document
from fleettui.actions.forms import forms
from fleettui.kinds.record import ObjectRef


@dataclass(frozen=True, slots=True)
class Reverter:
    """Who owns a field and will write it again."""

    manager: str
    words: str
    owner: ObjectRef | None
    """The object whose pause keeps the field; None when it cannot be told."""


def managers_of(document: Document, path: Sequence[str]) -> Iterator[str]:
    """Managers that claim exactly this path (or all of a list or map at it)."""
    for entry in items_at(document, ("metadata", "managedFields")):
        if entry.get("subresource"):
            continue
        if _claims(entry.get("fieldsV1"), path):
            yield str(entry.get("manager", ""))


def _claims(fields: object, path: Sequence[str]) -> bool:
    """Whether a FieldsV1 tree holds the path; an empty leaf above it claims all below."""
    node = fields
    for part in path:
        if not isinstance(node, Mapping):
            return False
        child = _child(node, part)
        if child is None:
            return False
        if not child:
            return True
        node = child
    return isinstance(node, Mapping)


def _child(node: Mapping[str, Any], part: str) -> Any:
    """The child for a field name, or for a list entry with that ``name``."""
    if f"f:{part}" in node:
        return node[f"f:{part}"]
    for key, value in node.items():
        if key.startswith("k:") and _entry_name(key[2:]) == part:
            return value
    return None


def _entry_name(text: str) -> str:
    try:
        keys = json.loads(text)
    except ValueError:
        return ""
    return str(keys.get("name", "")) if isinstance(keys, dict) else ""


def reverter_of(document: Document, path: Sequence[str], *, context: str) -> Reverter | None:
    """Who will put the field back, None when nobody known claims it."""
    table = forms().reverting_managers
    for manager in managers_of(document, path):
        entry = table.get(manager)
        if entry is not None:
            return Reverter(manager, entry.words, _owner(entry.by, document, context))
    return None


def appliers_of(document: Document, context: str) -> tuple[ObjectRef, ...]:
    """Objects that, by its labels and annotations, apply this one from git."""
    found = (_owner(by, document, context) for by in _APPLIERS)
    return tuple(dict.fromkeys(owner for owner in found if owner is not None))


def _owner(by: str, document: Document, context: str) -> ObjectRef | None:
    finder = _OWNERS.get(by)
    return finder(document, context) if finder else None


def _labelled(
    group: str, kind: str, prefix: str, document: Document, context: str
) -> ObjectRef | None:
    name = label(document, f"{prefix}/name")
    namespace = label(document, f"{prefix}/namespace")
    return ObjectRef(context, group, kind, namespace, name) if name and namespace else None


def _kustomize(document: Document, context: str) -> ObjectRef | None:
    group = "kustomize.toolkit.fluxcd.io"
    return _labelled(group, "Kustomization", group, document, context)


def _helm(document: Document, context: str) -> ObjectRef | None:
    group = "helm.toolkit.fluxcd.io"
    return _labelled(group, "HelmRelease", group, document, context)


def _resource_set(document: Document, context: str) -> ObjectRef | None:
    group = "fluxcd.controlplane.io"
    return _labelled(group, "ResourceSet", f"resourceset.{group}", document, context)


def _argo(document: Document, context: str) -> ObjectRef | None:
    """``<app>:<group>/<kind>:<ns>/<name>``; apps in other namespaces read ``<ns>_<app>``."""
    tracking = annotation(document, "argocd.argoproj.io/tracking-id")
    if not tracking:
        return None
    app = tracking.partition(":")[0]
    namespace, found, name = app.partition("_")
    if not found:
        namespace, name = "argocd", app
    return ObjectRef(context, "argoproj.io", "Application", namespace, name)


def _topology(document: Document, context: str) -> ObjectRef | None:
    return cluster_ref(document, context)


def _controller(document: Document, context: str) -> ObjectRef | None:
    owner = controller_of(document)
    if owner is None:
        return None
    namespace = str(value_at(document, ("metadata", "namespace")) or "")
    group = group_of(str(owner.get("apiVersion", "")))
    return ObjectRef(
        context, group, str(owner.get("kind", "")), namespace, str(owner.get("name", ""))
    )


_APPLIERS = ("kustomize", "helm", "argo", "resourceset")
_OWNERS = {
    "kustomize": _kustomize,
    "helm": _helm,
    "argo": _argo,
    "resourceset": _resource_set,
    "topology": _topology,
    "controller": _controller,
}


def cluster_ref(document: Document, context: str) -> ObjectRef | None:
    """The Cluster API Cluster that the object belongs to, None when it names none."""
    group = "cluster.x-k8s.io"
    name = label(document, f"{group}/cluster-name") or str(
        value_at(document, ("spec", "clusterName")) or ""
    )
    namespace = str(value_at(document, ("metadata", "namespace")) or "")
    if not name or not namespace:
        return None
    return ObjectRef(context, group, "Cluster", namespace, name)


def is_stopped(document: Document | None) -> bool:
    """Whether an applier is suspended, so that it puts nothing back for now."""
    if document is None:
        return False
    automated = value_at(document, ("spec", "syncPolicy", "automated"))
    is_argo = str(value_at(document, ("apiVersion",)) or "").startswith("argoproj.io/")
    manual = is_argo and (
        automated is None
        or value_at(document, ("spec", "syncPolicy", "automated", "enabled")) is False
    )
    return (
        value_at(document, ("spec", "suspend")) is True
        or annotation(document, "argocd.argoproj.io/skip-reconcile") == "true"
        or annotation(document, "fluxcd.controlplane.io/reconcile") == "disabled"
        or manual
    )
