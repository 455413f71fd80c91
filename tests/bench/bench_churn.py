"""Hours of churn in minutes: memory stays flat, roll-ups equal a recount."""

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_index import build, events, rss
from figure import Figure

from fleettui.index.index import Index
from fleettui.index.rollup import Rollup
from fleettui.index.rows import Row

ROUNDS = 8
EVENTS = 20_000


def recount(index: Index) -> int:
    """Roots whose counts differ from a walk over everything below them."""
    wrong = 0
    for root in index.roots():
        rows: list[Row] = [root]
        for row in rows:
            rows.extend(row.children)
        counted: Rollup = index.rollup(root)
        failed = sum(row.health.value == "failed" for row in rows)
        if counted.total != len(rows) or counted.failed != failed:
            wrong += 1
    return wrong


def churn_figures(clusters: int) -> Iterator[Figure]:
    """Figures of a soak."""
    index, *_ = build(clusters)
    events(index, EVENTS, first=10**9 * 2)
    gc.collect()
    before = rss()
    for number in range(ROUNDS):
        events(index, EVENTS, first=10**9 * (3 + number))
        index.advance(1_790_000_000 + number)
    gc.collect()
    total = ROUNDS * EVENTS
    yield Figure(
        f"churn: memory after {total:,} events", (rss() - before) / 1e6, "MB", None, "flat"
    )
    yield Figure("churn: roots whose roll-up differs from a recount", recount(index), "", goal="0")
