"""Renders a Flux Kustomization: the objects its controller would apply, and why.

Knows the order of the controller's steps after the build: encrypted values, variables,
common metadata, owner labels, normalisation. Never decrypts. Knows nothing of what is
in the cluster.

Source: kustomize-controller v1.9 reconcile and build; github.com/fluxcd/pkg/ssa
normalize at e2cfd1a.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass

from fleettui.desired.build import Builder
from fleettui.desired.build_cache import Built
from fleettui.desired.files import FileTree
from fleettui.desired.objects import (
    OWNER_LABELS,
    Manifest,
    ObjectId,
    id_of,
    items_of,
    mapping_of,
    nested,
    text_of,
)
from fleettui.desired.substitution import Variables, substituted
from fleettui.desired.unknown import is_unknown, unknown_text

_POD_SPECS: dict[tuple[str, str], tuple[str, ...]] = {
    ("v1", "Pod"): ("spec",),
    ("apps/v1", "Deployment"): ("spec", "template", "spec"),
    ("apps/v1", "StatefulSet"): ("spec", "template", "spec"),
    ("apps/v1", "DaemonSet"): ("spec", "template", "spec"),
    ("apps/v1", "ReplicaSet"): ("spec", "template", "spec"),
    ("batch/v1", "Job"): ("spec", "template", "spec"),
    ("batch/v1", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One object as it should be."""

    id: ObjectId
    api_version: str
    document: dict[str, object]
    source: str
    """File of the repository that declares it; empty if that is not known."""
    is_encrypted: bool = False
    """Values are encrypted in git and not known here."""


@dataclass(frozen=True, slots=True)
class Render:
    """Everything a Kustomization should hold."""

    objects: tuple[Rendered, ...]
    notes: tuple[str, ...] = ()


async def render_kustomization(
    kustomization: Manifest, tree: FileTree, variables: Variables, builder: Builder
) -> Render:
    """Objects that a Flux Kustomization describes at a tree, sorted by identity.

    Raises:
        RenderError: the controller would fail too, or no kustomize is installed.
        RefusedError: something leads out of the tree or is remote.
        UnreadableError: a file is not YAML.
        SubstitutionError: a variable is missing or an expression malformed.
    """
    spec = mapping_of(kustomization.get("spec"))
    build = await builder.build(tree, text_of(spec.get("path")) or ".", spec)
    notes = list(build.notes)
    if variables.unread:
        notes.append(
            f"not readable: {', '.join(variables.unread)}; values from there are not compared"
        )
    objects = [_finished(built, kustomization, variables) for built in build.objects]
    hidden = [str(item.id) for item in objects if item.is_encrypted]
    if hidden:
        notes.append(f"encrypted, compared by name only: {', '.join(hidden)}")
    return Render(tuple(sorted(objects, key=lambda item: item.id)), tuple(notes))


def _finished(built: Built, kustomization: Manifest, variables: Variables) -> Rendered:
    document, is_encrypted = without_secrets(built.document)
    document = _mapped(substituted(document, variables), lambda value: value)
    common = mapping_of(nested(kustomization, "spec", "commonMetadata"))
    metadata = mapping_of(kustomization.get("metadata"))
    labels = dict(mapping_of(common.get("labels")))
    labels[OWNER_LABELS[0]] = metadata.get("name")
    labels[OWNER_LABELS[1]] = metadata.get("namespace")
    _add_metadata(document, "labels", labels)
    _add_metadata(document, "annotations", mapping_of(common.get("annotations")))
    normalise(document)
    return Rendered(
        id_of(document), text_of(document.get("apiVersion")), document, built.source, is_encrypted
    )


def _mapped(value: object, change: Callable[[object], object]) -> dict[str, object]:
    """A deep copy with every leaf changed."""

    def walk(item: object) -> object:
        if isinstance(item, dict):
            return {key: walk(child) for key, child in item.items()}
        if isinstance(item, list):
            return [walk(child) for child in item]
        return change(item)

    result = walk(value)
    assert isinstance(result, dict)
    return result


def without_secrets(document: dict[str, object]) -> tuple[dict[str, object], bool]:
    """An object without its SOPS stanza, encrypted values marked as unknown.

    Source: SOPS stores its metadata under the top-level key ``sops`` and each value
    as ``ENC[…]``; Flux decrypts whole objects.
    """
    stanza = document.get("sops")
    if not isinstance(stanza, dict) or "mac" not in stanza:
        return document, False

    def hide(value: object) -> object:
        encrypted = isinstance(value, str) and value.startswith("ENC[")
        return unknown_text("encrypted") if encrypted else value

    kept = {key: value for key, value in document.items() if key != "sops"}
    return _mapped(kept, hide), True


def _add_metadata(document: dict[str, object], key: str, values: Manifest) -> None:
    if not values:
        return
    metadata = document.setdefault("metadata", {})
    if isinstance(metadata, dict):
        metadata[key] = {**mapping_of(metadata.get(key)), **values}


def normalise(document: dict[str, object]) -> None:
    """Brings an object into the form that the controller sends, in place.

    Status and creation time go (a CRD keeps its status), a Secret's ``stringData``
    enters ``data``, ports get their protocol.
    """
    kind, api_version = text_of(document.get("kind")), text_of(document.get("apiVersion"))
    metadata = document.get("metadata")
    if isinstance(metadata, dict):
        for name in ("creationTimestamp", "managedFields", "resourceVersion", "uid", "generation"):
            metadata.pop(name, None)
    if kind != "CustomResourceDefinition":
        document.pop("status", None)
    if (api_version, kind) == ("v1", "Secret"):
        _fold_secret(document)
    if (api_version, kind) == ("v1", "Service"):
        _add_protocols(nested(document, "spec", "ports"))
    place = _POD_SPECS.get((api_version, kind))
    if place:
        for container in items_of(nested(document, *place, "containers")):
            _add_protocols(nested(container, "ports"))


def _fold_secret(document: dict[str, object]) -> None:
    plain = document.pop("stringData", None)
    if not isinstance(plain, dict):
        return
    data = dict(mapping_of(document.get("data")))
    for key, value in plain.items():
        text = value if isinstance(value, str) else str(value)
        data[key] = text if is_unknown(text) else base64.b64encode(text.encode()).decode()
    document["data"] = data


def _add_protocols(ports: object) -> None:
    for port in items_of(ports):
        if isinstance(port, dict) and not port.get("protocol"):
            port["protocol"] = "TCP"
