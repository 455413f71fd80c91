"""How deep a fleet is read does not change what is known of its clusters."""

import asyncio
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleettui.fleet import Fleet
from fleettui.fleet.depth import (
    FULL_BUDGET_BYTES,
    SAMPLES,
    SMALL_BYTES,
    Cost,
    Wishes,
    cost_of,
    fits,
    sampling,
)
from fleettui.fleet.opening import Opening, open_fleet
from fleettui.index import Index
from fleettui.kinds import load_table
from fleettui.kinds.batch import Batch, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import ObjectRef, Record, Verdict
from fleettui.kinds.spec import Role

CAPI = "cluster.x-k8s.io"
NOW = 1_790_000_000


@dataclass
class Servers:
    """A running demo fleet of one context."""

    kubeconfig: Path

    def get(self, path: str, method: str = "GET") -> Any:
        document = yaml.safe_load(self.kubeconfig.read_text())
        cluster = document["clusters"][0]["cluster"]
        token = document["users"][0]["user"]["token"]
        authority = b64decode(cluster["certificate-authority-data"]).decode()
        request = urllib.request.Request(
            cluster["server"] + path, method=method, headers={"Authorization": f"Bearer {token}"}
        )
        trust = ssl.create_default_context(cadata=authority)
        with urllib.request.urlopen(request, timeout=20, context=trust) as answer:
            return json.loads(answer.read())


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """A demo fleet with managed clusters, paused objects, upgrades and incidents."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "fleettui", "demo", "--serve", "--seed", "4"),
            *("--clusters", "80", "--contexts", "1", "--churn", "0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    assert line
    yield Servers(Path(line))
    os.killpg(process.pid, signal.SIGTERM)
    process.wait(10)
    process.stdout.close()


async def _read(servers: Servers, depth: str) -> Fleet:
    fleet = open_fleet(
        Opening(
            kubeconfig=servers.kubeconfig,
            all_contexts=True,
            read_only=True,
            depth=depth,
            on_screen=True,
            cache=False,
        )
    )
    await fleet.start()
    assert await fleet.wait_synced(60)
    fleet.settle()
    fleet.housekeep()
    return fleet


def _told(fleet: Fleet) -> dict[ObjectRef, tuple[str, bool, bool]]:
    """Health and flags of every cluster, as the tree shows them."""
    return {
        row.ref: (row.health.value, row.is_paused, row.is_deleting)
        for spec in fleet.index.kinds()
        if spec.role in (Role.CLUSTER, Role.CLOUD_CLUSTER, Role.CONTROL_PLANE, Role.MACHINE_POOL)
        for row in fleet.index.rows((spec.group, spec.kind))
    }


async def test_depth_spine_and_full_agree_on_every_cluster(servers: Servers) -> None:
    """Who reads less to spare a link would see green where others see red."""
    before = servers.get("/demo/stats")["scanned"]
    spine = await _read(servers, "spine")
    between = servers.get("/demo/stats")["scanned"]
    full = await _read(servers, "full")
    after = servers.get("/demo/stats")["scanned"]
    try:
        told = _told(full)
        assert _told(spine) == told
        healths = {health for health, _, _ in told.values()}
        assert {"failed", "current"} <= healths
        assert any(paused for _, paused, _ in told.values())
        assert len(spine.index) < len(full.index)
        assert 0 < between - before < after - between
    finally:
        await spine.close()
        await full.close()


async def test_depth_spine_counts_at_least(servers: Servers) -> None:
    """Counts above machines that nobody read would look exact."""
    fleet = await _read(servers, "spine")
    try:
        clusters = list(fleet.index.rows((CAPI, "Cluster")))
        assert clusters
        assert all(fleet.index.rollup(row).at_least for row in clusters)
        (plan,) = fleet.load_plan()
        assert (CAPI, "Machine") in plan.known_through_parent
        assert (CAPI, "Cluster") in plan.loaded
    finally:
        await fleet.close()


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.02)


async def test_depth_opened_cluster_shows_its_machines(servers: Servers) -> None:
    """Opening a red cluster on a slow link would not lead to its failing machine."""
    fleet = await _read(servers, "spine")
    full = await _read(servers, "full")
    try:
        machines = (CAPI, "Machine")
        wanted = next(iter(full.index.rows(machines)))
        cluster = full.index.get(
            ObjectRef(wanted.context, CAPI, "Cluster", wanted.namespace, wanted.cluster)
        )
        assert cluster is not None
        assert fleet.index.get(wanted.ref) is None
        fleet.want("test", [cluster.ref])
        await _until(lambda: fleet.index.get(wanted.ref) is not None)
        row = fleet.index.get(cluster.ref)
        assert row is not None
        await _until(lambda: not fleet.index.rollup(row).at_least)
        assert fleet.index.rollup(row)[:8] == full.index.rollup(cluster)[:8]
    finally:
        await fleet.close()
        await full.close()


async def test_depth_auto_reads_a_small_fleet_whole(servers: Servers) -> None:
    """Everybody with a small fleet would have to ask for their machines."""
    fleet = await _read(servers, "auto")
    try:
        (plan,) = fleet.load_plan()
        assert not plan.known_through_parent
        assert any(True for _ in fleet.index.rows((CAPI, "Machine")))
    finally:
        await fleet.close()


def test_cost_of_a_large_fleet_does_not_fit_a_slow_link() -> None:
    """A fleet tool would fill the VPN of everybody on call."""
    sizes = {("g", "Machine"): (500_000, 6000)}
    cost = cost_of(sizes, json_bytes_per_s=10e6, wire_share=0.12, is_near=False)
    assert cost.objects == 500_000
    assert cost.wire_bytes > FULL_BUDGET_BYTES
    assert not fits(cost)
    assert fits(Cost(json_bytes=SMALL_BYTES, seconds=1e9))


def test_wishes_linger_then_leave() -> None:
    """Folding a cluster by mistake would read it all again; never folding keep it for ever."""
    wishes = Wishes()
    ref = ObjectRef("c", CAPI, "Cluster", "ns", "a")
    assert wishes.want("tree", [ref])
    assert not wishes.want("tree", [ref])
    assert wishes.clusters("c", NOW) == {("ns", "a")}
    wishes.want("tree", [])
    assert wishes.clusters("c", NOW + 60) == {("ns", "a")}
    assert wishes.clusters("c", NOW + 600) == frozenset()


def _failing(name: str, reason: str) -> Record:
    return Record(
        group=CAPI,
        version="v1beta2",
        kind="Cluster",
        namespace="fleet",
        name=name,
        uid=f"uid-{name}",
        resource_version="1",
        verdict=Verdict.FAILED,
        reason=reason,
        message=f"{name}: {reason}",
    )


def test_sampling_of_an_outage_reads_a_few_of_each_kind() -> None:
    """A thousand red clusters would become a thousand lists."""
    index = Index(load_table([]))
    records = [_failing(f"c-{n}", "Quota" if n % 2 else "Credentials") for n in range(1000)]
    scope = Scope("one", CAPI, "Cluster")
    index.apply(
        Batch(scope, [Mark.INIT, *records, Mark.INIT_DONE, ScopeStatus(Phase.LIVE, NOW)]), NOW
    )
    work = sampling(index, ["one"])
    while True:
        try:
            next(work)
        except StopIteration as end:
            found = end.value
            break
    assert len(found) == 2 * SAMPLES
