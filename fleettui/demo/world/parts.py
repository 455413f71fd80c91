"""The objects of one workload cluster arranged as its controllers look at them.

Made from drafts while a world is built and from a store's objects while it runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Document = dict[str, Any]


@dataclass(slots=True)
class MachineParts:
    """A Machine with what it refers to."""

    machine: Document
    infrastructure: Document | None
    bootstrap: Document | None


@dataclass(slots=True)
class SetParts:
    """A MachineSet with its Machines."""

    machine_set: Document
    machines: list[MachineParts] = field(default_factory=list)


@dataclass(slots=True)
class DeploymentParts:
    """A MachineDeployment with its MachineSets, newest first."""

    deployment: Document
    sets: list[SetParts] = field(default_factory=list)
    template_exists: bool = True
    """False if the infrastructure template that it names is missing."""

    @property
    def machines(self) -> list[MachineParts]:
        """All Machines, newest set first."""
        return [machine for part in self.sets for machine in part.machines]


@dataclass(slots=True)
class PoolParts:
    """A MachinePool with its infrastructure."""

    pool: Document
    infrastructure: Document | None


@dataclass(slots=True)
class ClusterParts:
    """A Cluster with everything that its conditions are made from."""

    cluster: Document
    infrastructure: Document | None = None
    control_plane: Document | None = None
    machines: list[MachineParts] = field(default_factory=list)
    """Control-plane Machines."""
    deployments: list[DeploymentParts] = field(default_factory=list)
    pools: list[PoolParts] = field(default_factory=list)

    @property
    def workers(self) -> list[MachineParts]:
        """Machines of all MachineDeployments."""
        return [machine for part in self.deployments for machine in part.machines]
