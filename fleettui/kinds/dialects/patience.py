"""Whether what a condition says is an unfinished step or a fault.

Knows the phrases in which Cluster API and its providers say that something has not
happened yet. Messages of the newer scheme are bullet lists that repeat what stands
below; a list is patient only if every one of its leaves is. Source: messages in
cluster-api core/reconcilers and controlplane/kubeadm, and recorded ones.
"""

from functools import lru_cache

from fleettui.kinds.dialects.evidence import is_waiting
from fleettui.kinds.record import Condition

_PHRASES = (
    "waiting",
    "not yet reported",
    "not yet initialized",
    "status.initialization.",
    "pod does not exist",
    "doesn't have an etcd member",
    "machine is deleting",
    "deletion in progress",
    "is provisioning",
    "is upgrading",
    "not established yet",
)


@lru_cache(maxsize=8192)
def is_patient(message: str) -> bool:
    """Whether a message only tells of steps that have not happened yet."""
    leaves = [line for line in message.splitlines() if line.strip() and line[-1] != ":"]
    if not leaves:
        return False
    return all(any(phrase in line.lower() for phrase in _PHRASES) for line in leaves)


TOPOLOGY_BUSY = frozenset(
    {
        "ClusterCreating",
        "ClusterUpgrading",
        "Deleting",
        "Paused",
        "MachineDeploymentsCreatePending",
        "MachineDeploymentsUpgradePending",
        "MachineDeploymentsUpgradeDeferred",
        "MachinePoolsCreatePending",
        "MachinePoolsUpgradePending",
        "MachinePoolsUpgradeDeferred",
        "ControlPlaneUpgradePending",
        "LifecycleHookBlocking",
    }
)
"""Reasons of TopologyReconciled=False that are no failure; constants of the API.

Source: api/core/v1beta2/cluster_types.go; only other reasons count in Available.
"""


def can_wait(entry: Condition) -> bool:
    """Whether a condition on its bad side is an unfinished step rather than a fault."""
    if entry.type == "TopologyReconciled" and entry.reason in TOPOLOGY_BUSY:
        return True
    return is_waiting(entry.reason) or is_patient(entry.message)
