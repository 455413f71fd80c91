"""How deep a fleet is read does not change what is known of its clusters."""

import asyncio
import json
import math
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
from fleettui.index.rows import Row
from fleettui.kinds import load_table
from fleettui.kinds.batch import Batch, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import ObjectRef, Record, Verdict
from fleettui.kinds.spec import Depth, Role

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
        with urllib.request.urlopen(request, timeout=120, context=trust) as answer:
            return json.loads(answer.read())


@contextmanager
def _served(*options: str) -> Iterator[Servers]:
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "fleettui", "demo", "--serve", "--seed", "4"),
            *("--contexts", "1", "--churn", "0", *options),
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


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    """A demo fleet with managed clusters, paused objects, upgrades and incidents."""
    with _served("--clusters", "80") as found:
        yield found


@pytest.fixture
def pools() -> Iterator[Servers]:
    """The same, where incidents are in pools of managed clusters, and pauses were forgotten."""
    names = "eks-nodegroup-role,gke-pool-stuck,agent-pool-quota,forgotten-pause"
    with _served("--clusters", "80", "--incidents", names) as found:
        yield found


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
    assert await fleet.wait_synced(120)
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
        with suppress(TimeoutError):  # of what is read anew behind a cut connection
            await _until(lambda: _told(spine) == _told(full))
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


def _below(fleet: Fleet, cluster: Row) -> list[Row]:
    """Rows of the spine that stand below a cluster."""
    specs = [spec for spec in fleet.index.kinds() if spec.depth is Depth.SPINE]
    return [
        row
        for spec in specs
        for row in fleet.index.rows((spec.group, spec.kind), namespace=cluster.namespace)
        if row.cluster == cluster.name
    ]


def _cases(fleet: Fleet) -> dict[str, set[str]]:
    """Clusters on which Available and Ready tell less than the truth, by what is with them."""
    found: dict[str, set[str]] = {"managed, one pool fails": set(), "paused": set()}
    found["mid-upgrade"] = set()
    for cluster in fleet.index.rows((CAPI, "Cluster")):
        below = _below(fleet, cluster)
        pools = [row for row in below if row.spec.role in (Role.MACHINE_POOL, Role.INFRA_POOL)]
        is_managed = any(
            row.spec.role is Role.CONTROL_PLANE and "Managed" in row.kind for row in below
        )
        if is_managed and any(row.health is Verdict.FAILED for row in pools):
            found["managed, one pool fails"].add(cluster.name)
        if cluster.is_paused or any(row.is_paused for row in below):
            found["paused"].add(cluster.name)
        versions = {row.kubernetes_version for row in below if row.kubernetes_version}
        if len(versions) > 1:
            found["mid-upgrade"].add(cluster.name)
    return found


async def test_depth_agrees_where_cluster_api_tells_less_than_the_truth(
    pools: Servers, record_property: Callable[[str, object], None]
) -> None:
    """Failing pools of managed clusters, pauses and upgrades would show with their machines only.

    What the server scanned for both depths is kept in the test report.
    """
    scanned = [pools.get("/demo/stats")["scanned"]]
    spine = await _read(pools, "spine")
    scanned.append(pools.get("/demo/stats")["scanned"])
    full = await _read(pools, "full")
    scanned.append(pools.get("/demo/stats")["scanned"])
    try:
        cases = _cases(full)
        assert _cases(spine) == cases
        for case, names in cases.items():
            assert names, f"the demo fleet holds no cluster: {case}"
            for name in names:
                seen, true = (
                    [r for r in fleet.index.rows((CAPI, "Cluster")) if r.name == name]
                    for fleet in (spine, full)
                )
                assert [r.health for r in seen] == [r.health for r in true], f"{case}: {name}"
        record_property("objects scanned, spine", scanned[1] - scanned[0])
        record_property("objects scanned, full", scanned[2] - scanned[1])
        assert scanned[1] - scanned[0] < scanned[2] - scanned[1]
    finally:
        await spine.close()
        await full.close()


@pytest.mark.long
async def test_depth_opening_every_cluster_scans_no_more_than_one_list(servers: Servers) -> None:
    """An outage that turns all clusters red would become a list for each of them."""
    fleet = await _read(servers, "spine")
    try:
        clusters = [row.ref for row in fleet.index.rows((CAPI, "Cluster"))]
        servers.get("/demo/requests", method="DELETE")
        fleet.want("test", clusters)
        scope = Scope(clusters[0].context, CAPI, "Machine", clusters[0].namespace, clusters[0].name)

        def is_read() -> bool:
            known = fleet.index.coverage.scopes()
            found = known.get(scope) or known.get(Scope(scope.context, CAPI, "Machine"))
            return found is not None and found.phase is Phase.LIVE

        await _until(is_read)
        lists = [
            request
            for request in servers.get("/demo/requests")
            if request["verb"] == "list" and "labelSelector=" in request["query"]
        ]
        machines = [request for request in lists if request["resource"] == f"machines.{CAPI}"]
        namespaces = {ref.namespace for ref in clusters}
        assert len(machines) <= min(len(namespaces), len(clusters) // 2)
        held = len(servers.get(f"/apis/{CAPI}/v1beta2/machines")["items"])
        assert sum(request["scanned"] for request in machines) <= held
    finally:
        await fleet.close()


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
    async with asyncio.timeout(120):
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


async def test_depth_auto_reads_a_small_fleet_whole(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody with a small fleet would have to ask for their machines."""
    # A busy machine looks like a slow link.
    monkeypatch.setattr("fleettui.fleet.depth.FULL_BUDGET_S", math.inf)
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
