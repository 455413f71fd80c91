"""How fast the demo serves lists: wall clock of a client that only reads, and server CPU.

Run as ``python tests/demo/bench_demo_lists.py [--clusters N] [--kinds A,B]``. The client is a
plain TLS connection that reads pages of 500 and looks at nothing but the continue token.
Every kind is listed twice: with what the server has to compute first, and once more.
"""

import argparse
import base64
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import yaml

PAGE = 500
KINDS = {
    "clusters": "cluster.x-k8s.io/v1beta2",
    "machines": "cluster.x-k8s.io/v1beta2",
    "kubeadmconfigs": "bootstrap.cluster.x-k8s.io/v1beta2",
    "awsmachines": "infrastructure.cluster.x-k8s.io/v1beta2",
    "kustomizations": "kustomize.toolkit.fluxcd.io/v1",
    "helmcharts": "source.toolkit.fluxcd.io/v1",
    "clusterresourcesetbindings": "addons.cluster.x-k8s.io/v1beta2",
    "secrets": "v1",
}
_TOKEN = re.compile(rb'"continue":"([^"]+)"')
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Listed:
    """One whole list."""

    size_bytes: int
    pages: int
    wall_s: float
    server_cpu_s: float

    @property
    def line(self) -> str:
        """Figures in words."""
        megabytes = self.size_bytes / 1e6
        return (
            f"{megabytes:8.1f} MB {self.pages:4} pages  {megabytes / self.wall_s:6.0f} MB/s wall  "
            f"{megabytes / max(self.server_cpu_s, 1 / _TICKS):6.0f} MB per CPU second of the server"
        )


class Reader:
    """A keep-alive connection over which bodies are read and thrown away."""

    def __init__(self, kubeconfig: Path) -> None:
        document = yaml.safe_load(kubeconfig.read_text())
        cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
        url = urlsplit(cluster["server"])
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        trust = ssl.create_default_context(cadata=authority)
        raw = socket.create_connection((url.hostname, url.port))
        self._socket = trust.wrap_socket(raw, server_hostname=url.hostname)
        self._head = f"Host: {url.netloc}\r\nAuthorization: Bearer {user['token']}\r\n\r\n"
        self._buffer = bytearray(1 << 20)

    def get(self, path: str) -> tuple[int, bytes]:
        """(bytes of the body, its last 2 KB and first 2 KB); raises on anything but 200."""
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{self._head}".encode())
        start = b""
        while b"\r\n\r\n" not in start:
            start += self._socket.recv(65536)
        head, _, body = start.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode(errors="replace"))
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        first, last, left = body[:2048], body[-2048:], length - len(body)
        view = memoryview(self._buffer)
        while left:
            count = self._socket.recv_into(view[: min(left, len(view))])
            last = (last + bytes(view[max(0, count - 2048) : count]))[-2048:]
            left -= count
        return length, first + last


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def listed(reader: Reader, path: str, pid: int) -> Listed:
    """Read a whole list page by page."""
    begun, cpu = time.perf_counter(), cpu_s(pid)
    size, pages, token = 0, 0, ""
    while pages == 0 or token:
        more = f"&continue={quote(token)}" if token else ""
        length, ends = reader.get(f"{path}?limit={PAGE}{more}")
        found = _TOKEN.findall(ends)
        token = found[-1].decode() if found else ""
        size, pages = size + length, pages + 1
    return Listed(size, pages, time.perf_counter() - begun, cpu_s(pid) - cpu)


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clusters", type=int, default=10_000)
    parser.add_argument("--kinds", default=",".join(KINDS))
    options = parser.parse_args()
    begun = time.perf_counter()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "fleettui.demo", "--contexts", "1", "--churn", "0"),
            *("--clusters", str(options.clusters)),
        ],
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        kubeconfig = Path(server.stdout.readline().strip())
        print(
            f"ready after {time.perf_counter() - begun:.1f} s ({cpu_s(server.pid):.1f} s of CPU), "
            f"{resident_mb(server.pid):.0f} MB resident"
        )
        reader = Reader(kubeconfig)
        for kind in options.kinds.split(","):
            version = KINDS[kind]
            path = f"/api{'s' if '/' in version else ''}/{version}/{kind}"
            for name in ("first", "again"):
                print(f"{kind:27} {name}  {listed(reader, path, server.pid).line}")
        print(f"afterwards {resident_mb(server.pid):.0f} MB resident")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(20)


if __name__ == "__main__":
    main()
