"""All objects of one workload cluster by flavour, before anything goes wrong with it."""

from __future__ import annotations

from fleettui.demo.world.clusters import add_self_managed
from fleettui.demo.world.drafts import Drafts
from fleettui.demo.world.fleet import Flavour
from fleettui.demo.world.managed import add_managed
from fleettui.demo.world.objects import add_objects
from fleettui.demo.world.providers import data_file
from fleettui.demo.world.settle import settle_cluster

ARGO_FLAVOURS = ("eks", "gke", "aws-class", "openstack", "hetzner")
"""Flavours whose clusters Argo CD deploys to besides Flux."""

_APPLIED_BY = {
    "kustomize.toolkit.fluxcd.io/name": "clusters-${ns}",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
}
"""What kustomize-controller writes on everything that it applies."""


def cluster_drafts(flavour: Flavour, size: str) -> Drafts:
    """Drafts of a healthy cluster, derived status included."""
    drafts = Drafts()
    add = add_managed if flavour.is_managed else add_self_managed
    settle_cluster(add(drafts, flavour, size), at="${t3}")
    add_objects(drafts, data_file("cluster/addons.yaml"))
    add_objects(drafts, data_file("cluster/flux.yaml"))
    if flavour.name in ARGO_FLAVOURS:
        add_objects(drafts, data_file("cluster/argo.yaml"))
    for draft in drafts:
        if draft.file:
            draft.document["metadata"].setdefault("labels", {}).update(_APPLIED_BY)
    return drafts
