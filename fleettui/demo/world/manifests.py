"""Desired state as YAML texts with holes, made from the same drafts as the live objects."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import yaml

from fleettui.demo.world.drafts import Document, Drafts

_LIVE_LABELS = ("kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace")
_LIVE_ANNOTATIONS = (
    "machinedeployment.clusters.x-k8s.io/revision",
    "sigs.k8s.io/cluster-api-provider-azure-owned-aso-kinds",
    "cluster.x-k8s.io/replicas-managed-by",
)


def manifests_of(drafts: Drafts) -> Mapping[str, str]:
    """Documents that git declares, by file, with holes; a kustomization.yaml lists the files."""
    files: dict[str, list[Document]] = {}
    for draft in drafts:
        if draft.file:
            files.setdefault(draft.file, []).append(declared(draft.document))
    texts = {
        file: "---\n".join(_dump(document) for document in documents)
        for file, documents in files.items()
    }
    texts["kustomization.yaml"] = _dump(
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": "${ns}",
            "resources": sorted(files),
        }
    )
    return texts


def declared(document: Document) -> Document:
    """What a person wrote of an object: no status, no fields that controllers fill."""
    meta = document["metadata"]
    own: Document = {"name": meta["name"]}
    if "namespace" in meta:
        own["namespace"] = meta["namespace"]
    for key, live in (("labels", _LIVE_LABELS), ("annotations", _LIVE_ANNOTATIONS)):
        kept = {name: text for name, text in meta.get(key, {}).items() if name not in live}
        if kept:
            own[key] = kept
    rest = {
        key: copy.deepcopy(value)
        for key, value in document.items()
        if key not in ("apiVersion", "kind", "metadata", "status")
    }
    spec = rest.get("spec", {})
    for field in ("controlPlaneEndpoint", "providerIDList", "endpoint"):
        spec.pop(field, None)
    return {
        "apiVersion": document["apiVersion"],
        "kind": document["kind"],
        "metadata": own,
        **rest,
    }


def _dump(document: Document) -> str:
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    text: str = yaml.dump(document, Dumper=dumper, sort_keys=False, width=1000)
    return text
