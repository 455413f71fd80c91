"""Measures everything and prints one table; keeps the figures for comparison.

    python tests/bench/run.py                  some 5 minutes: 1,000 clusters
    python tests/bench/run.py --clusters 10000 the full size
    python tests/bench/run.py --compare FILE   beside the figures of an earlier run
    python tests/bench/run.py --only screen    one part: floors sync link screen index churn
    python tests/bench/run.py --growth         1,000 to 600,000 objects in one table: what grows

Ratios against floors of the same run are what to compare between machines.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_churn import churn_figures
from bench_growth import SIZES, growth_figures, growth_table
from bench_screen import first_frames, screen_figures
from bench_sync import floors, link_figures, run_worker, sync_figures
from figure import Figure, table
from servers import Servers

RESULTS = Path(__file__).with_name("results")
PARTS = ("floors", "sync", "link", "screen", "index", "churn")
LINK = "20mbit,80ms"


def index_figures(sizes: list[int]) -> Iterator[Figure]:
    """Growth of the index over synthetic fleets of so many clusters."""
    script = Path(__file__).with_name("bench_index.py")
    done = subprocess.run(
        [sys.executable, str(script), *map(str, sizes), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    for column in json.loads(done.stdout):
        count = int(column["objects"])
        for name, value in column.items():
            if name != "objects":
                label, _, unit = name.partition(", ")
                yield Figure(f"index, {count:,} rows: {label}", value, unit)


def measured(parts: list[str], clusters: int, folder: Path) -> Iterator[Figure]:
    """Every figure that was asked for."""
    size = f"{clusters:,} clusters"
    if {"floors", "sync"} & set(parts):
        with closing(Servers(clusters)) as servers:
            yield Figure("demo server ready", servers.ready_s, "s")
            if "floors" in parts:
                yield from floors(servers)
            if "sync" in parts:
                yield from sync_figures(servers, folder / "sync", rows=size)
    if "link" in parts:
        with closing(Servers(clusters, link=LINK)) as servers:
            yield from link_figures(servers, folder / "link", rows=size)
    if "screen" in parts:
        with closing(Servers(clusters)) as servers:
            run_worker(servers, folder / "first", "spine", "save")
            yield from first_frames(servers, folder / "first")
            yield from screen_figures(servers, folder / "still", rows=size, churn=0)
        with closing(Servers(clusters, churn=1000)) as servers:
            options = ("--depth", "full")
            yield from screen_figures(
                servers, folder / "churn", rows=size, churn=1000, options=options
            )
    if "index" in parts:
        yield from index_figures([17, 170, max(clusters // 6, 170)])
    if "churn" in parts:
        yield from churn_figures(170)


def main() -> None:
    """Measures, prints, keeps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--clusters", type=int, default=1000)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--compare", type=Path)
    parser.add_argument("--growth", action="store_true", help="the same at several sizes")
    parser.add_argument(
        "--sizes", default=",".join(map(str, SIZES)), help="clusters, with --growth"
    )
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # servers end with this program
    before = None
    if asked.compare:
        before = {f["name"]: f["value"] for f in json.loads(asked.compare.read_text())["figures"]}
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="fleettui-bench-") as folder:
        if asked.growth:
            work = growth_figures([int(size) for size in asked.sizes.split(",")], Path(folder))
        else:
            work = measured(asked.only or list(PARTS), asked.clusters, Path(folder))
        for figure in work:
            figures.append(figure)
            print(f"  {figure.name}: {figure.value:.3g} {figure.unit}", file=sys.stderr)
    if asked.growth:
        print("\n".join(growth_table(figures)))
    if before or not asked.growth:
        print("\n".join(table(figures, before)))
    RESULTS.mkdir(exist_ok=True)
    size = "growth" if asked.growth else str(asked.clusters)
    path = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}-{size}.json"
    rows = [{"name": f.name, "value": f.value, "unit": f.unit, "floor": f.floor} for f in figures]
    path.write_text(json.dumps({"clusters": asked.clusters, "figures": rows}, indent=1))
    print(f"kept in {path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}")


if __name__ == "__main__":
    main()
