"""The same figures at several sizes: what should grow with the fleet, and what should not.

Time and memory are told for each row more than at the size before: the same number in every
column is linear growth. Latency of keys and bytes of frames should not grow at all.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

from bench_screen import filter_keys, keys, one_line, synced_screen
from bench_sync import run_worker
from figure import Figure
from servers import Servers

SIZES = (17, 170, 1667, 10_000)
"""Clusters of 1,000, 10,000, 100,000 and 600,000 objects."""
PREFIX = "growth, "
INDEX_LABELS = {
    "bytes/object": ("index alone, bytes a row", "B", "same"),
    "build us/object": ("index alone, applied, processor time a row", "us", "same"),
    "expand all, ms": ("expand all, processor time", "ms", "<= 100"),
    "50 lines in the middle, ms": ("50 lines in the middle", "ms", "same"),
    "position, ms": ("line of an object", "ms", "same"),
    "settle after 70 events, ms": ("tree after 70 events", "ms", "same"),
    "filter rare, ms": ("filter, rare word", "ms", "<= 25"),
    "filter common, ms": ("filter, word in every tree", "ms", "<= 25"),
    "filter none, ms": ("filter, word nowhere", "ms", "<= 25"),
    "filter typed, ms": ("filter, kind and health", "ms", "<= 25"),
    "sort by health, ms": ("sort by health", "ms", "<= 100"),
}


def _index_figures(clusters: int) -> Iterator[Figure]:
    script = Path(__file__).with_name("bench_index.py")
    done = subprocess.run(
        [sys.executable, str(script), str(clusters), "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    (found,) = json.loads(done.stdout)
    for name, (label, unit, goal) in INDEX_LABELS.items():
        yield Figure(label, found[name], unit, None, goal)


def _screen_figures(servers: Servers, folder: Path) -> Iterator[Figure]:
    terminal, found = synced_screen(
        servers, folder, rows="", timeout_s=900, options=("--depth", "full")
    )
    rss = next(figure for figure in found if figure.name.startswith("RSS"))
    terminal.press(b"*")
    terminal.drain(2)
    for figure in keys(terminal, "everything expanded"):
        yield Figure(figure.name, figure.value, figure.unit, None, "same")
    yield Figure(
        "bytes of a frame that moves the cursor", one_line(terminal).value, "B", None, "same"
    )
    for figure in filter_keys(terminal, "typed"):
        yield Figure(figure.name, figure.value, figure.unit, None, figure.goal or "<= 25+frame")
    yield Figure("memory of the screen", rss.value, "MB", None, "<= 600 at 600k")
    terminal.close()


def _at_size(clusters: int, folder: Path) -> Iterator[Figure]:
    with closing(Servers(clusters)) as servers:
        found = run_worker(servers, folder / f"sync-{clusters}", "full", timeout_s=1800)
        yield Figure("rows", found["rows"], "")
        yield Figure("first lists", found.get("synced_s", float("inf")), "s")
        yield Figure("first lists, processor time", found["cpu_s"], "s")
        yield Figure("memory of the library", found["rss"] / 1e6, "MB")
        yield Figure("longest slice while reading", found["slowest_slice_ms"], "ms", None, "<= 5")
        yield from _screen_figures(servers, folder / f"screen-{clusters}")
    yield from _index_figures(clusters)


def growth_figures(sizes: Sequence[int], folder: Path) -> Iterator[Figure]:
    """Every figure at every size, named after its size."""
    before: dict[str, float] = {}
    for clusters in sizes:
        now: dict[str, float] = {}
        for figure in _at_size(clusters, folder):
            now[figure.name] = figure.value
            yield _named(clusters, figure)
        more = now["rows"] - before.get("rows", 0)
        for name, label, unit, scale in (
            ("first lists, processor time", "processor time for each row more", "us", 1e6),
            ("memory of the library", "memory for each row more", "B", 1e6),
            ("memory of the screen", "memory of the screen for each row more", "B", 1e6),
        ):
            if before:
                each = (now[name] - before[name]) / more * scale
                yield _named(clusters, Figure(label, each, unit, None, "same"))
        before = now


def _named(clusters: int, figure: Figure) -> Figure:
    name = f"{PREFIX}{clusters:,} clusters: {figure.name}"
    return Figure(name, figure.value, figure.unit, None, figure.goal)


def growth_table(figures: Sequence[Figure]) -> Iterator[str]:
    """Lines of a table with a column for each size, and what the last is of the one before."""
    columns: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        size, _, label = figure.name.removeprefix(PREFIX).partition(": ")
        columns.setdefault(size, {})[label] = figure
    labels = dict.fromkeys(label for column in columns.values() for label in column)
    head = "".join(f"{size:>17}" for size in columns)
    yield f"{'figure':<46}{'':<4}{head}{'last/before':>13}  should be"
    for label in labels:
        found = [column.get(label) for column in columns.values()]
        known = [figure for figure in found if figure is not None]
        cells = "".join(f"{figure.value:>17,.5g}" if figure else f"{'':>17}" for figure in found)
        ratio = ""
        if len(known) > 1 and known[-2].value > 0:
            ratio = f"{known[-1].value / known[-2].value:.2f}"
        line = f"{label:<46}{known[0].unit:<4}{cells}{ratio:>13}  {known[0].goal}"
        yield line.rstrip()
