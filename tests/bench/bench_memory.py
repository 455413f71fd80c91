"""Memory of the whole program on a fleet that changes: what it takes, and whether it stays.

Run as ``python tests/bench/bench_memory.py [clusters] [--depth full] [--churn 0,100,1000]
[--minutes 3]``: one program in a pseudo-terminal for each rate, with everything expanded and keys
now and then. Also tells the processor time that the program took for the first lists.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_screen import filter_keys, keys, synced_screen
from figure import Figure, table
from servers import Servers

LOOK_S = 5.0
"""Between two looks at the memory."""


def memory_figures(
    clusters: int, folder: Path, *, churn: float, depth: str, minutes: float
) -> Iterator[Figure]:
    """Figures of one program on one fleet."""
    name = f"{clusters:,} clusters, {depth}, {churn:.0f} ev/s"
    with closing(Servers(clusters, churn=churn)) as servers:
        yield Figure(f"demo server ready, {name}", servers.ready_s, "s")
        terminal, found = synced_screen(
            servers, folder, rows=name, timeout_s=3600, options=("--depth", depth)
        )
        yield from found
        yield Figure(f"processor time until then, {name}", terminal.cpu_s(), "s")
        terminal.press(b"*")
        terminal.drain(2)
        yield from keys(terminal, name)
        yield from filter_keys(terminal, name)
        sizes = [terminal.resident_bytes() / 1e6]
        until = time.perf_counter() + 60 * minutes
        while time.perf_counter() < until:
            terminal.drain(LOOK_S)
            terminal.press(b"j")
            sizes.append(terminal.resident_bytes() / 1e6)
        goal = "<= 1200" if clusters > 20_000 else "<= 600"
        yield Figure(f"memory, most, {name}", max(sizes), "MB", None, goal)
        half = len(sizes) // 2
        grown = max(sizes[half:]) - max(sizes[: half + 1])
        yield Figure(f"memory, growth in the second half, {name}", grown, "MB", None, "flat")
        terminal.close()


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clusters", nargs="?", type=int, default=10_000)
    parser.add_argument("--depth", default="full")
    parser.add_argument("--churn", default="0,100,1000")
    parser.add_argument("--minutes", type=float, default=3)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers end with this program
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="fleettui-bench-") as folder:
        for rate in map(float, asked.churn.split(",")):
            for figure in memory_figures(
                asked.clusters,
                Path(folder),
                churn=rate,
                depth=asked.depth,
                minutes=asked.minutes,
            ):
                figures.append(figure)
                print(f"  {figure.name}: {figure.value:.4g} {figure.unit}", file=sys.stderr)
    print("\n".join(table(figures)))


if __name__ == "__main__":
    main()
