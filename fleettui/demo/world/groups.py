"""Compiled shapes by what they are of and which incident struck, each made once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

from fleettui.demo.world.courses import take_course
from fleettui.demo.world.drafts import Document
from fleettui.demo.world.fleet import Flavour
from fleettui.demo.world.incidents import all_incidents, strike
from fleettui.demo.world.manifests import manifests_of
from fleettui.demo.world.platform import inventory_id, platform_drafts
from fleettui.demo.world.shapes import Compiled, Shape, compile_shape
from fleettui.demo.world.teams import team_drafts
from fleettui.demo.world.workload import cluster_drafts

_KEPT_DRAFTS = 2
"""Drafts are some fifteen times larger than what they are compiled to; whoever needs many
shapes asks for those of one flavour and size in a row."""


@lru_cache(_KEPT_DRAFTS)
def _healthy(flavour: Flavour, size: str) -> Compiled:
    """A healthy cluster, shared: not to be changed."""
    drafts = cluster_drafts(flavour, size)
    return Compiled(drafts, compile_shape(drafts))


@cache
def cluster_manifests(flavour: Flavour, size: str) -> Mapping[str, str]:
    """Desired state of a cluster by file, with holes."""
    return manifests_of(_healthy(flavour, size).drafts)


@cache
def cluster_declared(flavour: Flavour, size: str) -> tuple[Document, ...]:
    """Inventory entries, with holes, of what git declares of a cluster."""
    drafts = _healthy(flavour, size).drafts
    return tuple(inventory_id(draft.document) for draft in drafts if draft.file)


@cache
def cluster_shape(flavour: Flavour, size: str, incident: str = "", course: str = "") -> Shape:
    """Objects of a cluster of a flavour and size, struck by an incident, busy or at rest."""
    cluster_declared(flavour, size)
    healthy = _healthy(flavour, size)
    if not incident and not course:
        return healthy.shape
    drafts = healthy.drafts.copy()
    if course:
        take_course(drafts, course)
    if incident:
        strike(drafts, all_incidents()[incident])
    return compile_shape(drafts, healthy)


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
