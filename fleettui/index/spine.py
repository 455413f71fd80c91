"""Which rows speak for those above them, and in which order they stand.

Knows roles alone, so that unknown providers have their place, too.
"""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fleettui.index.rows import Row

FEEDING_ROLES: Final = frozenset(
    {
        "infra_cluster",
        "control_plane",
        "workers",
        "machine_pool",
        "infra_pool",
        "health_check",
        "cloud_cluster",
        "cloud_pool",
    }
)
"""Roles whose health is the health of what stands above: the spine of a cluster."""
TAKING_ROLES: Final = FEEDING_ROLES | {"cluster"}


def feeds(child: "Row", parent: "Row") -> bool:
    """Whether the parent's health takes the child's into account.

    Leaves never feed: a cluster must show the same health whether they have been
    read or not. Kinds with nothing but a flag speak through whatever they own.

    Source: Cluster's Available never covers pools and managed control planes
    (cluster_controller_status.go); ASO-managed and GCP kinds have no conditions.
    """
    if child.place.spec.depth != "spine":
        return False
    spec = parent.place.spec
    if spec.dialect == "flag":
        return True
    return spec.role in TAKING_ROLES and child.place.spec.role in FEEDING_ROLES


def sibling_order(row: "Row") -> tuple[int, str, str, str]:
    """Return the key that sorts rows of one parent: role, kind, name, namespace."""
    spec = row.place.spec
    return (ROLE_ORDER.get(spec.role, 99), spec.kind, row.name, row.place.namespace)


ROLE_ORDER: Final = {
    role: place
    for place, role in enumerate(
        (
            "cluster",
            "cloud_cluster",
            "infra_cluster",
            "control_plane",
            "workers",
            "machine_pool",
            "infra_pool",
            "cloud_pool",
            "machine_set",
            "machine",
            "infra_machine",
            "bootstrap",
            "health_check",
            "addon",
            "source",
            "applier",
        )
    )
}
