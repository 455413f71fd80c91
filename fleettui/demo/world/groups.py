"""Compiled shapes by what they are of and which incident struck, each made once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from fleettui.demo.world.drafts import Drafts
from fleettui.demo.world.fleet import Flavour
from fleettui.demo.world.incidents import all_incidents, strike
from fleettui.demo.world.manifests import manifests_of
from fleettui.demo.world.platform import platform_drafts
from fleettui.demo.world.shapes import Shape, compile_shape
from fleettui.demo.world.teams import team_drafts
from fleettui.demo.world.workload import cluster_drafts


@cache
def healthy_cluster(flavour: Flavour, size: str) -> Drafts:
    """Drafts of a healthy cluster, shared: not to be changed."""
    return cluster_drafts(flavour, size)


@cache
def cluster_manifests(flavour: Flavour, size: str) -> Mapping[str, str]:
    """Desired state of a cluster by file, with holes."""
    return manifests_of(healthy_cluster(flavour, size))


@cache
def cluster_shape(flavour: Flavour, size: str, incident: str = "") -> Shape:
    """Objects of a cluster of a flavour and size, struck by an incident or healthy."""
    drafts = cluster_drafts(flavour, size)
    if incident:
        strike(drafts, all_incidents()[incident])
    return compile_shape(drafts)


@cache
def team_shape(incident: str = "") -> Shape:
    """Objects of a team's namespace, struck by an incident or healthy."""
    drafts = team_drafts()
    if incident:
        strike(drafts, all_incidents()[incident])
    return compile_shape(drafts)


@cache
def platform_shape(incidents: tuple[str, ...] = ()) -> Shape:
    """The platform's objects, struck by incidents or healthy."""
    drafts = platform_drafts()
    for incident in incidents:
        strike(drafts, all_incidents()[incident])
    return compile_shape(drafts)
