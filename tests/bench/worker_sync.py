"""Reads one demo fleet through the library, in a process of its own; prints JSON.

Arguments: kubeconfig, depth, seconds to wait at most, and optionally ``open`` to open
a failing cluster at the end and ``save`` to save for the next start.
"""

import asyncio
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

gc.disable()

from fleettui.fleet import Fleet  # noqa: E402 - the collector's policy comes first
from fleettui.fleet.opening import Opening, open_fleet  # noqa: E402
from fleettui.index.spine import TAKING_ROLES  # noqa: E402
from fleettui.kinds.batch import Phase  # noqa: E402

CAPI = "cluster.x-k8s.io"
UNREAD = (Phase.PENDING, Phase.SYNCING)


def resident_bytes() -> int:
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def phase_of(fleet: Fleet, kind: str) -> Phase | None:
    """How far a kind is known as a whole."""
    for scope, status in fleet.index.coverage.scopes().items():
        if (scope.group, scope.kind) == (CAPI, kind) and not scope.cluster:
            return status.phase
    return None


def is_healthy(fleet: Fleet) -> bool:
    """Whether nothing that the health of a Cluster takes into account is still being read."""
    scopes = fleet.index.coverage.scopes().items()
    reading = (s for s, status in scopes if status.phase in UNREAD and not s.cluster)
    specs = (fleet.table.spec_for(scope.group, scope.kind) for scope in reading)
    return bool(scopes) and not any(spec and spec.role in TAKING_ROLES for spec in specs)


async def measure(kubeconfig: str, depth: str, timeout_s: float, words: set[str]) -> dict[str, Any]:
    """Times, counts and memory."""
    opening = Opening(
        kubeconfig=Path(kubeconfig),
        all_contexts=True,
        read_only=True,
        depth=depth,
        on_screen=True,
        cache="save" in words,
    )
    found: dict[str, Any] = {}
    memory = resident_bytes()
    begun = time.perf_counter()

    def note(name: str, is_true: bool) -> None:
        if is_true and name not in found:
            found[name] = time.perf_counter() - begun

    fleet = open_fleet(opening)
    found["head_clusters"] = sum(head.total for head in fleet.heads().values())
    await fleet.start()
    slowest, last = 0.0, time.perf_counter()
    while time.perf_counter() - begun < timeout_s and not fleet.is_synced():
        await asyncio.sleep(0.01)
        now = time.perf_counter()
        slowest, last = max(slowest, now - last - 0.01), now
        clusters = phase_of(fleet, "Cluster")
        note("clusters_cached_s", clusters is Phase.CACHED)
        note("clusters_live_s", clusters is Phase.LIVE)
        note("healthy_s", clusters is Phase.LIVE and is_healthy(fleet))
    note("synced_s", fleet.is_synced())
    note("healthy_s", fleet.is_synced())
    found["slowest_slice_ms"] = slowest * 1000
    found["cpu_s"] = time.process_time()
    found["rows"] = len(fleet.index)
    found["bytes_per_row"] = (resident_bytes() - memory) / max(len(fleet.index), 1)
    found["rss"] = resident_bytes()
    if "open" in words:
        found["opened_s"] = await opened_s(fleet)
    if "save" in words:
        begun = time.perf_counter()
        fleet.save(within_s=120)
        found["save_s"] = time.perf_counter() - begun
    await fleet.close()
    return found


async def opened_s(fleet: Fleet) -> float:
    """Seconds from opening a failing cluster to its first machine."""
    rows = fleet.index.rows((CAPI, "Cluster"))
    cluster = next(
        (
            row
            for row in rows
            if row.has_faults and any(c.kind == "KubeadmControlPlane" for c in row.children)
        ),
        None,
    )
    if cluster is None:
        return float("nan")
    begun = time.perf_counter()
    fleet.want("bench", [cluster.ref])
    while time.perf_counter() - begun < 30:
        await asyncio.sleep(0.005)
        machines = fleet.index.rows((CAPI, "Machine"), namespace=cluster.namespace)
        if any(row.cluster == cluster.name for row in machines):
            return time.perf_counter() - begun
    return float("inf")


if __name__ == "__main__":
    kubeconfig, depth, timeout_s, *words = sys.argv[1:]
    print(json.dumps(asyncio.run(measure(kubeconfig, depth, float(timeout_s), set(words)))))
