"""Fetches the objects of one cluster for its description.

The index knows which there are; bodies are read now, a few at a time. What cannot
be read is left out and named, so that a row missing from the tree is explained.
"""

import asyncio

from fleettui.errors import FleettuiError
from fleettui.fleet.describe.inventory import Body, Inventory
from fleettui.fleet.fleet import Fleet
from fleettui.index import Row
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

IN_FLIGHT = 16
_ROLES = frozenset(
    {
        Role.CLUSTER,
        Role.INFRA_CLUSTER,
        Role.CONTROL_PLANE,
        Role.WORKERS,
        Role.MACHINE_SET,
        Role.MACHINE,
        Role.MACHINE_POOL,
        Role.INFRA_MACHINE,
        Role.INFRA_POOL,
        Role.BOOTSTRAP,
    }
)
_POINTERS = frozenset({"infrastructure", "control_plane", "bootstrap", "template"})


def refs_of_cluster(fleet: Fleet, cluster: Row, *, with_sets: bool) -> list[ObjectRef]:
    """Everything that a description of the cluster can show, the Cluster first."""
    refs = dict.fromkeys([cluster.ref])
    for row in fleet.index.rows(context=cluster.ref.context, namespace=cluster.namespace):
        belongs = row.cluster == cluster.name and row.spec.role in _ROLES
        is_binding = with_sets and row.spec.role is Role.ADDON and row.name == cluster.name
        if belongs or is_binding or row is cluster:
            refs[row.ref] = None
            for edge in fleet.index.edges(row):
                if edge.relation in _POINTERS:
                    refs[edge.key] = None
    return list(refs)


async def gather(
    fleet: Fleet, cluster: Row, *, with_sets: bool = False
) -> tuple[Body, Inventory, list[str]]:
    """The Cluster, the inventory around it, and what could not be read, in words.

    Raises:
        FleettuiError: the Cluster itself cannot be read.
    """
    gate = asyncio.Semaphore(IN_FLIGHT)
    missing: list[str] = []

    async def fetch(ref: ObjectRef) -> Body | None:
        async with gate:
            try:
                return await fleet.body(ref)
            except FleettuiError as error:
                if ref == cluster.ref:
                    raise
                missing.append(f"{ref}: {error}")
                return None

    refs = refs_of_cluster(fleet, cluster, with_sets=with_sets)
    bodies = await asyncio.gather(*(fetch(ref) for ref in refs))
    found = [body for body in bodies if body is not None]
    return found[0], Inventory(found, fleet.table), missing
