"""Desired state as YAML texts with holes, made from the same drafts as the live objects."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING

import yaml

from fleettui.demo.world.drafts import (
    CONTROLLER_ANNOTATIONS,
    Document,
    Drafts,
    is_filled_by_controllers,
)

if TYPE_CHECKING:
    _BaseDumper = yaml.SafeDumper
else:
    _BaseDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

_LIVE_LABELS = ("kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace")


def manifests_of(drafts: Drafts) -> Mapping[str, str]:
    """Documents that git declares, by file, with holes; a kustomization.yaml lists the files."""
    files: dict[str, list[Document]] = {}
    for draft in drafts:
        if draft.file:
            files.setdefault(draft.file, []).append(declared(draft.document))
    texts = {
        file: "---\n".join(dumped(document) for document in documents)
        for file, documents in files.items()
    }
    texts["kustomization.yaml"] = dumped(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": "${ns}",
            "resources": sorted(files),
        }
    )
    return texts


def owned_manifests(drafts: Drafts, owner: str, *, is_namespaced: bool = True) -> str:
    """Documents that carry the owner label of a Kustomization, as one YAML text.

    Args:
        drafts: where to look.
        owner: value of the owner label, with holes.
        is_namespaced: False leaves metadata.namespace to the Kustomization's targetNamespace.
    """
    documents = []
    for draft in drafts:
        labels = draft.document["metadata"].get("labels", {})
        if labels.get(_LIVE_LABELS[0]) == owner:
            document = declared(draft.document)
            if not is_namespaced:
                document["metadata"].pop("namespace", None)
            documents.append(dumped(document))
    return "---\n".join(documents)


def declared(document: Document) -> Document:
    """What a person wrote of an object: no status, no fields that controllers fill."""
    meta = document["metadata"]
    own: Document = {"name": meta["name"]}
    if "namespace" in meta:
        own["namespace"] = meta["namespace"]
    for key, live in (("labels", _LIVE_LABELS), ("annotations", CONTROLLER_ANNOTATIONS)):
        kept = {name: text for name, text in meta.get(key, {}).items() if name not in live}
        if kept:
            own[key] = kept
    rest = {
        key: copy.deepcopy(value)
        for key, value in document.items()
        if key not in ("apiVersion", "kind", "metadata", "status")
    }
    if "spec" in rest:
        rest["spec"] = {
            key: value
            for key, value in rest["spec"].items()
            if not is_filled_by_controllers(key, value)
        }
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": own,
        **rest,
    }


def dumped(document: Document) -> str:
    """A document as YAML, keys in their order; texts with holes are always quoted."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=1000)
    return text


class _Dumper(_BaseDumper):
    """Quotes what a filled hole could turn into a number or a date."""


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if "${" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)
