"""Reads what joins need of kubeconfig Secrets and ConfigMaps, when somebody asks.

Of a Secret only the metadata leaves the server (labels and owners tell whose it is);
a ConfigMap that stands in for a kubeconfig is read whole. Both become rows, so that
every later join knows them. Listing them all would cost far more, and most people
may not. Source: domain.md section 16; the gate refuses contents of Secrets.
"""

import asyncio
from collections.abc import Iterable
from typing import Protocol

from fleettui.errors import FleettuiError
from fleettui.index import Index, Row
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role


class RowReader(Protocol):
    """What reads single objects into an index."""

    @property
    def index(self) -> Index:
        """Where the rows are."""
        ...

    async def read_row(self, ref: ObjectRef) -> None:
        """Fetch an object and make it a row."""
        ...

    def settle(self) -> None:
        """Take over what came."""
        ...


IN_FLIGHT = 8
MOST_READ = 200
"""Most objects read for one question."""
_RELATIONS = ("kubeconfig_secret", "kubeconfig_config")


def users_of_kubeconfigs(index: Index, row: Row) -> list[Row]:
    """Appliers whose kubeconfig matters for what is known of the row.

    An applier itself; for anything that stands in a cluster's tree, and for the cluster,
    every applier of its namespace that acts elsewhere: a Secret with any name may be the
    cluster's by its label.
    """
    if row.spec.role is Role.APPLIER:
        return [row]
    root = row.root
    if root.spec.role is not Role.CLUSTER:
        return []
    return [
        user
        for spec in index.kinds(root.context)
        if spec.role is Role.APPLIER
        for user in index.rows(
            (spec.group, spec.kind), context=root.context, namespace=root.namespace
        )
    ]


async def read_pointed(fleet: RowReader, users: Iterable[Row]) -> list[str]:
    """Reads the kubeconfig objects that these rows point at and that are no rows yet.

    Returns:
        what could not be read, in words, unsafe to show without ``safe_text``.
    """
    wanted: dict[ObjectRef, None] = {}
    for user in users:
        for relation in _RELATIONS:
            for edge in fleet.index.edges(user, relation):
                if edge.target is None:
                    wanted[edge.key] = None
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def read(ref: ObjectRef) -> str:
        async with gate:
            try:
                await fleet.read_row(ref)
            except FleettuiError as error:
                return f"{ref}: {error}"
        return ""

    refs = list(wanted)[:MOST_READ]
    missing = [words for words in await asyncio.gather(*map(read, refs)) if words]
    if len(wanted) > MOST_READ:
        missing.append(f"{len(wanted) - MOST_READ} more kubeconfig objects")
    fleet.settle()
    return missing
