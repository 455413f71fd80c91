"""First lists and warm starts, near and behind a slow link, beside their floors."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figure import Figure
from servers import Servers

from fleettui.kinds import load_table
from fleettui.kube.framing import read_page

WORKER = Path(__file__).with_name("worker_sync.py")
CONTINUE = re.compile(rb'"continue":\s*"([^"]+)"')
MACHINES = "/apis/cluster.x-k8s.io/v1beta2/machines"
CLUSTERS = "/apis/cluster.x-k8s.io/v1beta2/clusters"


def run_worker(
    servers: Servers, folder: Path, depth: str, *words: str, timeout_s: int = 600
) -> dict[str, Any]:
    """What one process measured."""
    environment = {**os.environ, "FLEETTUI_CACHE_HOME": str(folder / "cache")}
    environment["FLEETTUI_STATE_HOME"] = str(folder / "state")
    environment["FLEETTUI_CONFIG_HOME"] = str(folder / "config")
    arguments = [sys.executable, str(WORKER), str(servers.kubeconfig), depth, str(timeout_s)]
    done = subprocess.run(
        [*arguments, *words], env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _kubectl(servers: Servers) -> list[str]:
    """kubectl on these servers; empty when there is none."""
    beside = Path(sys.executable).with_name("kubectl")
    found = str(beside) if beside.exists() else shutil.which("kubectl")
    if not found:
        return []
    return [found, "--kubeconfig", str(servers.kubeconfig), "--context", servers.context]


def pages(servers: Servers, path: str) -> list[bytes]:
    """Every page of a list, read and kept."""
    found: list[bytes] = []
    token = ""
    while True:
        body = servers.get(f"{path}?limit=500&continue={token}" if token else f"{path}?limit=500")
        found.append(body)
        token = json.loads(body)["metadata"].get("continue", "")
        if not token:
            return found


def decode_figures(read: list[bytes], size: int, json_s: float) -> Iterator[Figure]:
    """How fast pages of machines become records, beside json.loads of the same pages."""
    reader = load_table([]).reader("cluster.x-k8s.io", "v1beta2", "Machine")
    begun = time.process_time()
    for page in read:
        for document in read_page(page, where="bench").documents:
            reader.read(bytes(document))
    seconds = time.process_time() - begun
    yield Figure("decode of machines to records", size / 1e6 / seconds, "MB/s", size / 1e6 / json_s)


def thrown_away_s(servers: Servers) -> float:
    """How long every list that was asked for takes when its pages are read and dropped."""
    paths = {
        request["path"]
        for request in servers.requests()
        if request["verb"] == "list" and "labelSelector" not in request["query"]
    }
    begun = time.perf_counter()
    for path in sorted(paths):
        token = ""
        while True:
            body = servers.get(f"{path}?limit=500{f'&continue={token}' if token else ''}")
            found = CONTINUE.search(body, 0, 2000) or CONTINUE.search(
                body, max(len(body) - 2000, 0)
            )
            token = found[1].decode() if found else ""
            if not token:
                break
    return time.perf_counter() - begun


def floors(servers: Servers) -> Iterator[Figure]:
    """What the server gives, what kubectl takes, what json.loads takes."""
    begun = time.perf_counter()
    size = len(servers.get(MACHINES))
    yield Figure(
        "server: one list of machines",
        size / 1e6 / (time.perf_counter() - begun),
        "MB/s",
        None,
        ">= 100",
    )
    read = pages(servers, MACHINES)
    begun = time.process_time()
    for page in read:
        json.loads(page)
    json_s = time.process_time() - begun
    yield Figure("floor: json.loads of machines", size / 1e6 / json_s, "MB/s")
    yield from decode_figures(read, size, json_s)
    if _kubectl(servers):
        begun = time.perf_counter()
        subprocess.run(
            [*_kubectl(servers), "get", "--raw", MACHINES],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        yield Figure("floor: kubectl get --raw of machines", time.perf_counter() - begun, "s")


def sync_figures(servers: Servers, folder: Path, *, rows: str) -> Iterator[Figure]:
    """One whole first list."""
    servers.clear()
    begun = time.perf_counter()
    found = run_worker(servers, folder, "full")
    wall = time.perf_counter() - begun
    stats = servers.stats()
    thrown_s = thrown_away_s(servers)
    yield Figure(f"floor: the same pages read and thrown away, {rows}", thrown_s, "s")
    synced_s = found.get("synced_s", wall)
    yield Figure(f"first lists of everything, {rows}", synced_s, "s", thrown_s, "<= 1.3 x")
    yield Figure(f"processor time per row, {rows}", found["cpu_s"] / found["rows"] * 1e6, "us")
    yield Figure(
        f"memory per row, all in, {rows}", found["bytes_per_row"], "B", None, "<= 900 at 100k"
    )
    yield Figure(f"rows, {rows}", found["rows"], "")
    yield Figure(
        f"slowest slice while reading, {rows}", found["slowest_slice_ms"], "ms", None, "<= 5"
    )
    yield Figure(f"objects scanned by the server, full, {rows}", stats["scanned"], "")
    yield Figure(f"bytes from the server, full, {rows}", stats["bytes_sent"] / 1e6, "MB")
    servers.clear()
    spine = run_worker(servers, folder / "spine", "spine")
    less = servers.stats()
    yield Figure(f"rows, spine, {rows}", spine["rows"], "", found["rows"])
    yield Figure(f"memory per row, spine, {rows}", spine["bytes_per_row"], "B")
    scanned, sent = less["scanned"], less["bytes_sent"] / 1e6
    yield Figure(f"objects scanned by the server, spine, {rows}", scanned, "", stats["scanned"])
    yield Figure(f"bytes from the server, spine, {rows}", sent, "MB", stats["bytes_sent"] / 1e6)


def link_figures(servers: Servers, folder: Path, *, rows: str) -> Iterator[Figure]:
    """Cold and warm starts of the spine behind a link."""
    servers.clear()
    cold = run_worker(servers, folder, "spine", "save", "open")
    stats = servers.stats()
    yield Figure(
        f"link, cold: every Cluster read, {rows}",
        cold.get("clusters_live_s", 1e9),
        "s",
        None,
        "<= 10",
    )
    healthy_s = cold.get("healthy_s", 1e9)
    yield Figure(f"link, cold: every Cluster with its true health, {rows}", healthy_s, "s")
    yield Figure(f"link, cold: whole spine, {rows}", cold.get("synced_s", 1e9), "s", goal="<= 40")
    yield Figure(f"link, cold: bytes on the wire, {rows}", stats["bytes_sent"] / 1e6, "MB")
    yield Figure(f"link, cold: objects scanned, {rows}", stats["scanned"], "")
    yield Figure(
        f"link, cold: processor time a row, {rows}", cold["cpu_s"] / cold["rows"] * 1e6, "us"
    )
    yield Figure(
        f"link: failing cluster opened to its machines, {rows}", cold["opened_s"], "s", None, "<= 1"
    )
    servers.clear()
    warm = run_worker(servers, folder, "spine", "save")
    stats = servers.stats()
    yield Figure(
        f"link, warm: Clusters resumed, {rows}", warm.get("clusters_live_s", 1e9), "s", None, "<= 2"
    )
    yield Figure(f"link, warm: processor time, {rows}", warm["cpu_s"], "s")
    yield Figure(f"link, warm: whole spine resumed, {rows}", warm.get("synced_s", 1e9), "s")
    yield Figure(f"link, warm: bytes on the wire, {rows}", stats["bytes_sent"] / 1e6, "MB")
    if _kubectl(servers):
        servers.clear()
        begun = time.perf_counter()
        subprocess.run(
            [*_kubectl(servers), "get", "clusters.cluster.x-k8s.io", "-A", "-o", "json"],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        yield Figure(
            f"link: kubectl get clusters -o json, {rows}", time.perf_counter() - begun, "s"
        )
        sent = servers.stats()["bytes_sent"] / 1e6
        yield Figure(f"link: kubectl get clusters, bytes on the wire, {rows}", sent, "MB")
