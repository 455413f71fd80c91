"""Incidents as data: which objects they change, and what is true of them.

An incident file patches objects by role; what follows on parents is settled by the same rules
that make healthy objects. Steps are told in `incident_steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from fleettui.demo.world.clusters import parts_of
from fleettui.demo.world.drafts import Drafts
from fleettui.demo.world.fleet import ClusterPlan
from fleettui.demo.world.incident_steps import apply_step
from fleettui.demo.world.platform_controllers import settle_replica_sets
from fleettui.demo.world.settle import settle_cluster

SCOPES = ("cluster", "team", "platform")


class Occurrence(StrEnum):
    """In which fleets an incident is planted without being asked for."""

    USUAL = "usual"
    LARGE = "large"
    """Those of hundreds of clusters: a small one would show little else."""
    ASKED = "asked"
    """None: it keeps clients from reading something."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One incident file."""

    name: str
    scope: str
    state: str
    story: str
    flavours: tuple[str, ...]
    """Flavours of clusters that can have it; empty for all self-managed kubeadm ones."""
    sizes: tuple[str, ...]
    steps: tuple[Mapping[str, Any], ...]
    after: tuple[Mapping[str, Any], ...]
    """Steps applied once parents are settled."""
    truth: Mapping[str, Any]
    logs: Mapping[str, tuple[str, ...]]
    """Lines that a controller's Pod logs, by Deployment."""
    is_settled: bool
    occurrence: Occurrence
    faults: tuple[Mapping[str, Any], ...]
    """What the API server does wrong meanwhile, in the words of its injected faults."""

    def fits(self, plan: ClusterPlan) -> bool:
        """Whether a cluster can have this incident."""
        if self.scope != "cluster" or plan.size not in self.sizes or plan.course:
            return False
        if self.flavours:
            return plan.flavour.name in self.flavours
        return plan.flavour.control_plane == "kubeadm" and not plan.flavour.has_pools


@cache
def all_incidents() -> Mapping[str, Incident]:
    """Every incident of the catalogue by name.

    Raises:
        ValueError: a file names an unknown scope or kind of fleet, or lacks its truth.
    """
    folder = files(__package__).joinpath("incidents")
    found = {}
    for file in sorted(folder.iterdir(), key=lambda item: item.name):
        if file.name.endswith(".yaml"):
            incident = _parse(file.name.removesuffix(".yaml"), file.read_text(encoding="utf-8"))
            found[incident.name] = incident
    return found


def _parse(name: str, text: str) -> Incident:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    data = yaml.load(text, Loader=loader)  # noqa: S506  a safe loader, the faster one if built
    scope = data.get("scope", "cluster")
    if scope not in SCOPES or "root" not in data.get("truth", {}):
        raise ValueError(f"incident {name}: needs a known scope and truth.root")
    return Incident(
        name=name,
        scope=scope,
        state=data["state"],
        story=data["story"],
        flavours=tuple(data.get("flavours", ())),
        sizes=tuple(data.get("sizes", ("M", "L"))),
        steps=tuple(data.get("steps", ())),
        after=tuple(data.get("after", ())),
        truth=data["truth"],
        logs={key: tuple(lines) for key, lines in data.get("logs", {}).items()},
        is_settled=data.get("settle", True),
        occurrence=Occurrence(data.get("occurrence", "usual")),
        faults=tuple(data.get("faults", ())),
    )


def strike(drafts: Drafts, incident: Incident) -> None:
    """Change the drafts as the incident does, with all that follows on parents."""
    for step in incident.steps:
        apply_step(drafts, step)
    parts = parts_of(drafts) if incident.scope == "cluster" else None
    if parts is not None and incident.is_settled:
        settle_cluster(parts, at="${since}")
    if incident.scope == "platform":
        settle_replica_sets(drafts)
    for step in incident.after:
        apply_step(drafts, step)
