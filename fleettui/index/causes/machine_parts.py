"""What a machine is made of, in the order in which clusters come into being.

Knows when a cluster came into being, which parts nobody took over, and what a worker's
part has to wait for. Source: Cluster API creates bootstrap and infrastructure objects for
the set first and lets the Machine take them over; a worker's bootstrap data is not made
before the control plane is initialized (``ControlPlaneInitialized`` of the Cluster).
"""

from typing import Final

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import Condition
from fleettui.kinds.spec import Role

_BORN: Final = frozenset({"ControlPlaneInitialized"})
"""Conditions that, once True, tell that the cluster came into being."""
_PARTS: Final = frozenset({Role.BOOTSTRAP, Role.INFRA_MACHINE})
_SETS: Final = frozenset({Role.MACHINE_SET, Role.CONTROL_PLANE, Role.WORKERS})
CATCHING_UP_S: Final = 60
"""How long after the cluster came into being its workers' parts may still say they wait."""


def is_born(cluster: Row) -> bool:
    """Whether a Cluster once had a control plane that answered."""
    return _birth_of(cluster) is not None


def _birth_of(cluster: Row) -> Condition | None:
    return next((c for c in cluster.conditions if c.type in _BORN and c.status == "True"), None)


def is_left_over(index: Index, row: Row) -> bool:
    """Whether the row is a part that a set made for a Machine which never took it over.

    Its controller ignores it for ever, and rightly: the set has made another one since.
    """
    if row.spec.role not in _PARTS or row.parent is None or row.parent.spec.role not in _SETS:
        return False
    return not any(e.relation in ("bootstrap", "infrastructure") for e in index.reverse(row))


def is_expected(row: Row, since: int, now: int) -> bool:
    """Whether a worker's bootstrap object is not ready because its cluster is not yet.

    Args:
        row: any row; others than bootstrap objects of workers are not waited for here.
        since: when its condition turned, Unix seconds.
        now: Unix seconds.
    """
    if row.spec.role is not Role.BOOTSTRAP:
        return False
    at: Row | None = row
    while at is not None and at.spec.role is not Role.CLUSTER:
        if at.spec.role is Role.CONTROL_PLANE:
            return False
        at = at.parent
    if at is None:
        return False
    birth = _birth_of(at)
    return birth is None or (since <= birth.since and now - birth.since < CATCHING_UP_S)
