"""How long the program's loop is held up at a time: no server, one process, processor time.

Run as ``python tests/bench/bench_slices.py [clusters] [--seconds N] [--pretend]``. The whole
program runs over an index that is filled as first lists fill it, then changed 1,000 times a second
as watches do, while keys come in. Every callback of the event loop is timed by the processor time
of the loop's thread, so other programs on the machine do not count; of every long one it is told
what it was busy with. Records are made outside of what is timed. With ``--pretend`` they are those
of the pretend fleet, with all that GitOps joins.
"""

import argparse
import asyncio
import gc
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fleettui.tui.startup import prepare

prepare()

import bench_index  # noqa: E402 - the policy of start-up comes first
from figure import Figure  # noqa: E402
from loop_meter import Meter  # noqa: E402
from memory_link import MemoryLink  # noqa: E402
from supplies import Pretend, Synthetic  # noqa: E402
from terminal import percentile  # noqa: E402
from textual import events  # noqa: E402

from fleettui.config import Settings  # noqa: E402
from fleettui.fleet.fleet import Fleet  # noqa: E402
from fleettui.fleet.pacer import Pacer  # noqa: E402
from fleettui.index.view import TreeView  # noqa: E402
from fleettui.tui.app import FleetApp  # noqa: E402

LONG_S = 0.005
EVENTS_PER_S = 1000
KEYS = ("j", "j", "j", "k", "pagedown", "pagedown", "pageup")


def figures_of(name: str, meter: Meter, *, seconds: float) -> Iterator[Figure]:
    """Figures of the slices since the last time, and a word about long ones."""
    slices, culprits = meter.take()
    longest = max(slices) * 1000
    yield Figure(f"longest hold of the loop, {name}", longest, "ms", None, "<= 5")
    yield Figure(f"holds above 5 ms, {name}", sum(s > LONG_S for s in slices), "", None, "0")
    yield Figure(f"load of the loop, {name}", sum(slices) / seconds * 100, "%")
    for where, (count, worst) in culprits.items():
        print(f"    {count} x up to {worst * 1000:.1f} ms: {where}", file=sys.stderr)


async def press_keys(app: FleetApp, meter: Meter, *, seconds: float) -> list[float]:
    """Processor milliseconds from a key to the end of its paint, other work included."""
    rng = random.Random(5)
    found = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        await asyncio.sleep(rng.uniform(0.02, 0.07))
        painted = asyncio.Event()
        begun = time.thread_time()
        excluded = meter.excluded
        app.post_message(events.Key(rng.choice(KEYS), None))
        app.main.tree_pane.call_after_refresh(painted.set)
        await painted.wait()
        found.append((time.thread_time() - begun - max(meter.excluded - excluded, 0.0)) * 1000)
    return found


async def measure(supply: Any, clusters: int, seconds: float, folder: Path) -> list[Figure]:
    """Everything at one size."""
    meter = Meter(long_s=LONG_S)
    pacer = Pacer()
    link = MemoryLink(supply, folder, meter=meter, turn=pacer.turn)
    fleet = Fleet(supply.table, [link], read_only=True, pacer=pacer)
    app = FleetApp(
        fleet, fleet.index, TreeView(fleet.index), settings=Settings(first_screen="tree")
    )
    found: list[Figure] = []
    rows = f"{clusters * 60 // 1000}k rows"
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        meter.install()
        begun = time.perf_counter()
        times = []
        while not link.is_synced.is_set():
            times += await press_keys(app, meter, seconds=1)
            await asyncio.sleep(8)  # while keys come, reading rests
        took = time.perf_counter() - begun
        found += figures_of(f"{rows}, first lists", meter, seconds=took)
        found.append(Figure(f"first lists, {rows}", took, "s"))
        found += _keys(times, f"{rows}, first lists")
        found.append(Figure(f"RSS, {rows}", bench_index.rss() / 1e6, "MB", None, "<= 600"))
        app.triage.follow()
        app.main.reshape(app.main.source.view.expand_all)
        link.events_per_s = EVENTS_PER_S
        await press_keys(app, meter, seconds=3)
        found += figures_of(f"{rows}, causes read for the first time", meter, seconds=3)
        before = link.applied
        begun = time.perf_counter()
        times = await press_keys(app, meter, seconds=seconds)
        took = time.perf_counter() - begun
        words = f"{rows}, {EVENTS_PER_S} events/s"
        found += figures_of(words, meter, seconds=took)
        found.append(Figure("events applied a second", (link.applied - before) / took, "1/s"))
        found += _keys(times, words)
        link.events_per_s = 0
        await asyncio.sleep(1)
        meter.take()
        fleet.upkeep.save_at = 0.0
        await asyncio.sleep(1.5)
        while pacer.is_running("save"):
            await asyncio.sleep(0.1)
        found += figures_of(f"{rows}, saving everything", meter, seconds=1)
        found.append(Figure(f"RSS at the end, {rows}", bench_index.rss() / 1e6, "MB"))
        signal.setitimer(signal.ITIMER_PROF, 0)
    return found


def _keys(times: list[float], name: str) -> Iterator[Figure]:
    yield Figure(f"key to painted, processor time, {name}, p50", percentile(times, 0.5), "ms")
    yield Figure(
        f"key to painted, processor time, {name}, p99", percentile(times, 0.99), "ms", None, "<= 10"
    )


def slice_figures(clusters: int, *, seconds: float = 20, pretend: bool = False) -> list[Figure]:
    """Figures of a run."""
    supply = Pretend(clusters) if pretend else Synthetic(clusters)
    with tempfile.TemporaryDirectory(prefix="fleettui-bench-") as folder:
        return asyncio.run(measure(supply, clusters, seconds, Path(folder)))


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clusters", nargs="?", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--pretend", action="store_true")
    asked = parser.parse_args()
    gc.disable()
    for figure in slice_figures(asked.clusters, seconds=asked.seconds, pretend=asked.pretend):
        print(f"{figure.name:70} {figure.value:10.2f} {figure.unit:4} {figure.goal}")


if __name__ == "__main__":
    main()
