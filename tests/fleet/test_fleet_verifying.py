"""Joins are checked in the background, a little at a time, and only where somebody looks."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fleettui.errors import FleettuiError
from fleettui.fleet import Fleet, Opening, open_fleet
from fleettui.fleet.pointed_metadata import IN_FLIGHT, read_all_pointed
from fleettui.fleet.refs import one_row
from fleettui.fleet.verifying import AGAIN_S, LOOK_S, Verifier
from fleettui.index import Index, Row
from fleettui.index.joins import BY_NAME, Joins
from fleettui.kinds import load_table
from fleettui.kinds.batch import Batch, Scope
from fleettui.kinds.record import ObjectRef
from fleettui.kube.faults import ApiError, Fault

LABEL = "cluster.x-k8s.io/cluster-name"


def an_object(api_version: str, kind: str, name: str, namespace: str, **parts: Any) -> Any:
    """One object."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def fleet_of(tmp_path: Path, names: tuple[str, ...], *, namespace: str = "a") -> Fleet:
    """Clusters, each with a Kustomization that reaches it by a Secret's name."""
    documents = []
    for name in names:
        documents.append(an_object("cluster.x-k8s.io/v1beta2", "Cluster", name, namespace))
        spec = {"kubeConfig": {"secretRef": {"name": f"{name}-kubeconfig"}}}
        documents.append(
            an_object("kustomize.toolkit.fluxcd.io/v1", "Kustomization", name, namespace, spec=spec)
        )
    path = tmp_path / "one.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return open_fleet(Opening(sources=(path,)))


class Server:
    """Reads Secrets' labels out of a table, or refuses."""

    def __init__(self, fleet: Fleet, labels: Mapping[str, str], *, fault: Fault | None = None):
        self.index: Index = fleet.index
        self.asked: list[str] = []
        self._labels = labels
        self._fault = fault
        self._table = load_table()

    async def read_row(self, ref: ObjectRef) -> None:
        """Answers after others had a turn."""
        self.asked.append(ref.name)
        await asyncio.sleep(0)
        if self._fault is not None:
            raise ApiError("no", fault=self._fault)
        if ref.name not in self._labels:
            raise FleettuiError("not there")
        body = an_object("v1", "Secret", ref.name, ref.namespace)
        body["metadata"]["labels"] = {LABEL: self._labels[ref.name]}
        record = self._table.reader("", "v1", "Secret").convert(body)
        self.index.apply(Batch(Scope(ref.context, "", "Secret", ref.namespace), [record]), 0)

    def settle(self) -> None:
        """Nothing more to take over."""


async def started(fleet: Fleet) -> Fleet:
    """The fleet with everything read."""
    await fleet.start()
    await fleet.wait_synced(120)
    fleet.settle()
    return fleet


async def idle(verifier: Verifier) -> None:
    """Waits until nothing is under way."""
    while verifier.is_busy:
        await asyncio.sleep(0)


def relations(fleet: Fleet, row: Row) -> list[str]:
    """How the tree shows what stands below a cluster by a pointer."""
    joins = Joins(fleet.index)
    joins.refresh()
    return [words for words, _ in joins.links_of(row, everywhere=False)]


async def test_join_looked_at_becomes_right_or_absent(tmp_path: Path) -> None:
    """What was shown by name only is a fact a moment later, or gone."""
    fleet = await started(fleet_of(tmp_path, ("web", "shop")))
    web, shop = (one_row(fleet, f"Cluster/a/{name}") for name in ("web", "shop"))
    assert (relations(fleet, web), relations(fleet, shop)) == ([BY_NAME], [BY_NAME])
    server = Server(fleet, {"web-kubeconfig": "web", "shop-kubeconfig": "web"})
    verifier = Verifier(server, clock=lambda: 0.0)
    verifier.look([web.ref, shop.ref])
    await idle(verifier)
    assert (relations(fleet, web), relations(fleet, shop)) == (["targets"], [])
    await fleet.close()


async def test_join_is_asked_for_once_and_again_later(tmp_path: Path) -> None:
    """A screen that is looked at all day must not read the same Secret every second."""
    fleet = await started(fleet_of(tmp_path, ("web",)))
    server = Server(fleet, {})
    now = [0.0]
    verifier = Verifier(server, clock=lambda: now[0])
    web = one_row(fleet, "Cluster/a/web")
    for moment in (0.0, 1.0, AGAIN_S - 1, AGAIN_S + LOOK_S, AGAIN_S + LOOK_S + 1):
        now[0] = moment
        verifier.look([web.ref])
        await idle(verifier)
    assert server.asked == ["web-kubeconfig", "web-kubeconfig"]
    await fleet.close()


async def test_forbidden_secrets_are_not_asked_for_one_by_one(tmp_path: Path) -> None:
    """Without the right to read Secrets a thousand refusals would only fill the audit log."""
    names = tuple(f"c{number}" for number in range(20))
    fleet = await started(fleet_of(tmp_path, names))
    server = Server(fleet, {}, fault=Fault.FORBIDDEN)
    verifier = Verifier(server, clock=lambda: 0.0)
    for _ in range(3):  # some at each look
        verifier.look([one_row(fleet, f"Cluster/a/{name}").ref for name in names])
        await idle(verifier)
    assert 1 <= len(server.asked) <= 2
    assert relations(fleet, one_row(fleet, "Cluster/a/c7")) == [BY_NAME]
    await verifier.close()
    await fleet.close()


async def test_print_of_a_fleet_gives_up_where_secrets_are_forbidden(tmp_path: Path) -> None:
    """Every print would otherwise leave hundreds of refusals in the audit log."""
    fleet = await started(fleet_of(tmp_path, tuple(f"c{number}" for number in range(40))))
    server = Server(fleet, {}, fault=Fault.FORBIDDEN)
    await read_all_pointed(server)
    assert 1 <= len(server.asked) <= IN_FLIGHT
    await fleet.close()
