"""Which kinds the product knows and the demo never shows, each with its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from fnmatch import fnmatchcase

from demo_truth import load_table

from fleettui.demo.world import build_world

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
ABSENT = {
    "*Template.*": "only the classes of AWS and Azure are shown; templates carry no status",
    "Docker*.infrastructure.cluster.x-k8s.io": "the Dev kinds of the same provider stand for them",
    "Remote*.infrastructure.cluster.x-k8s.io": "k0smotron is shown on AWS, not on machines by SSH",
    "GKEConfig.*": "GKE's own node pools need no bootstrap object",
    "HetznerBareMetal*": "Hetzner is shown with virtual machines, bare metal with Metal3",
    "Metal3Remediation.*": "lives for minutes, while a host is being restarted",
    "OpenStackFloatingIPPool.*": "machines of the demo have fixed addresses",
    "*.vmware.infrastructure.cluster.x-k8s.io": "the supervisor mode of vSphere is not shown",
    "*.operator.cluster.x-k8s.io": "the operator is shown with its core and infrastructure kinds",
    "*.upbound.io": "Crossplane is shown with EKS",
    "*.azure.com": "landing zones are shown with a network and a managed cluster",
    "*.apps": "controllers of the demo are Deployments with one Pod",
    "*.batch": "nothing in the demo runs in a management cluster but controllers",
    "PersistentVolumeClaim.": "no controller of the demo keeps data",
    "ServiceAccount.": "served for clients that look; holds nothing to show",
    "ValidatingAdmissionPolicyBinding.*": "the policy alone is what an incident names",
}
"""Pattern of `Kind.group` to why no demo object is of that kind."""


def test_world_has_objects_of_every_kind_but_those_with_a_reason() -> None:
    """A kind could be added to the product that nobody ever sees in the demo."""
    world = build_world(0, 1, clusters=60, seed=11, now=NOW, incidents=())
    shown = {(r.group, r.kind) for r in world.resources() if len(world.keys(r))}
    absent = {
        f"{spec.kind}.{spec.group}" for spec in load_table() if (spec.group, spec.kind) not in shown
    }
    unexplained = {
        name for name in absent if not any(fnmatchcase(name, pattern) for pattern in ABSENT)
    }
    assert unexplained == set()
    stale = {
        pattern for pattern in ABSENT if not any(fnmatchcase(name, pattern) for name in absent)
    }
    assert stale == set(), "explains kinds that are shown, or that nobody knows any more"
