"""Reads what joins need of kubeconfig Secrets and ConfigMaps, when somebody asks.

Of a Secret only the metadata leaves the server (labels and owners tell whose it is), those
by which Argo CD knows clusters included; a ConfigMap that stands in for a kubeconfig is
read whole. They become rows, so that every later join knows them. Each is read by its
name: listing them all would cost far more, and most people may not. Source: domain.md
section 16; the gate refuses contents of Secrets.
"""

import asyncio
import contextlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from fleettui.errors import FleettuiError
from fleettui.index import Index, Row
from fleettui.index.addresses import address_form
from fleettui.index.joins import Joins
from fleettui.index.targets import ARGO_NAMESPACE, registered_name
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role
from fleettui.kube.faults import ApiError, Fault


class RowReader(Protocol):
    """What reads single objects into an index."""

    @property
    def index(self) -> Index:
        """Where the rows are."""
        ...

    async def read_row(self, ref: ObjectRef) -> None:
        """Fetch an object and make it a row, or take away the row of one that is gone."""
        ...

    def settle(self) -> None:
        """Take over what came."""
        ...


class Pointed(NamedTuple):
    """An object that decides a join."""

    ref: ObjectRef
    is_optional: bool
    """Whether it may well not be there: nothing points at it, its name is a convention."""


IN_FLIGHT = 8
MOST_READ = 200
"""Most objects read for one question."""
WITHIN_S = 5.0
"""Longest time that a print of the whole fleet waits for them."""
_RELATIONS = ("kubeconfig_secret", "kubeconfig_config")


def users_of_kubeconfigs(index: Index, row: Row) -> list[Row]:
    """Appliers whose kubeconfig matters for what is known of the row.

    An applier itself; for anything that stands in a cluster's tree, and for the cluster,
    every applier of its namespace that acts elsewhere (a Secret with any name may be the
    cluster's by its label), and those that may mean it from other namespaces.
    """
    if row.spec.role is Role.APPLIER:
        return [row]
    root = row.root
    if root.spec.role is not Role.CLUSTER:
        return []
    joins = Joins(index)
    joins.refresh()
    near = (
        user
        for spec in index.kinds(root.context)
        if spec.role is Role.APPLIER
        for user in index.rows(
            (spec.group, spec.kind), context=root.context, namespace=root.namespace
        )
    )
    return list(dict.fromkeys([*near, *joins.candidates_of(root)]))


def pointed_by(index: Index, joins: Joins, user: Row) -> Iterator[Pointed]:
    """What decides which cluster an applier deploys into.

    Args:
        index: holds the applier.
        joins: of this index, refreshed.
        user: the applier.
    """
    for relation in _RELATIONS:
        for edge in index.edges(user, relation):
            yield Pointed(edge.key, is_optional=False)
    for edge in index.edges(user, "destination"):
        wanted = edge.key.name
        if address_form(wanted) or not joins.named_like(user.context, wanted):
            continue  # an address speaks for itself; a name of nobody needs no proof
        for namespace in dict.fromkeys((user.namespace, ARGO_NAMESPACE)):
            ref = ObjectRef(user.context, "", "Secret", namespace, registered_name(wanted))
            yield Pointed(ref, is_optional=True)


async def read_pointed(
    fleet: RowReader, users: Iterable[Row], *, gives_up: bool = False
) -> list[str]:
    """Reads the objects that decide the joins of these appliers, as they are now.

    Args:
        fleet: reads them.
        users: the appliers.
        gives_up: ask for nothing more in a namespace after the first refusal there; a right
            may be about single names, which is worth a try when somebody asked for these.

    Returns:
        what could not be read, in words, unsafe to show without ``safe_text``.
    """
    joins = Joins(fleet.index)
    joins.refresh()
    wanted = {found.ref: found for user in users for found in pointed_by(fleet.index, joins, user)}
    gate = asyncio.Semaphore(IN_FLIGHT)
    closed: set[tuple[str, str]] = set()

    async def read(pointed: Pointed) -> str:
        place = (pointed.ref.context, pointed.ref.namespace)
        async with gate:
            if place in closed:
                return ""
            try:
                await fleet.read_row(pointed.ref)
            except FleettuiError as error:
                if gives_up and isinstance(error, ApiError) and error.fault is Fault.FORBIDDEN:
                    closed.add(place)
                return "" if pointed.is_optional else f"{pointed.ref}: {error}"
        return ""

    chosen = list(wanted.values())[:MOST_READ]
    missing = [words for words in await asyncio.gather(*map(read, chosen)) if words]
    if len(wanted) > MOST_READ:
        missing.append(f"{len(wanted) - MOST_READ} more kubeconfig objects")
    fleet.settle()
    return missing


async def read_all_pointed(fleet: RowReader, *, within_s: float = WITHIN_S) -> None:
    """Reads what decides the joins of the fleet, as much as there is time for.

    What is left out stays joined by name only, which its links say.
    """
    index = fleet.index
    users = [
        row
        for spec in index.kinds()
        if spec.role is Role.APPLIER
        for row in index.rows((spec.group, spec.kind))
    ]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(read_pointed(fleet, users, gives_up=True), within_s)
    fleet.settle()
