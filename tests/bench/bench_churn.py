"""Twelve hours of churn in a minute: memory stays flat, roll-ups equal a recount.

Run as ``python tests/bench/bench_churn.py [clusters]``. Every hour a tenth of the machines is
replaced by others with names, uids and messages never seen before, and ten times as many changes
come in; a tree, a search, causes and a history follow as they do in the program.
"""

import gc
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from bench_index import BOOT, CAPI, INFRA, NOW, build, record, rss
from figure import Figure

from fleettui.index.causes import CauseBoard
from fleettui.index.history import History
from fleettui.index.index import Index
from fleettui.index.rollup import Rollup
from fleettui.index.rows import Row
from fleettui.index.search import Searcher
from fleettui.index.view import TreeView
from fleettui.kinds.batch import Batch, Deleted, Scope
from fleettui.kinds.record import Record, Reference

HOURS = 12
WARM_UP = 6
"""Hours after which memory has its size: logs, free lists and tables are full."""


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


KEPT = 500
"""Objects with a history: few, so that it is full after the warm-up, as after days."""


class Fleet:
    """An index under churn, and everything that follows it."""

    def __init__(self, clusters: int) -> None:
        self.index, *_ = build(clusters)
        self.rng = random.Random(11)
        self.revision = 10**10
        self.now = NOW
        self.history = History(objects=KEPT)
        self.view = TreeView(self.index)
        self.view.expand_all()
        self.board = CauseBoard(self.index)
        self.searcher = Searcher(self.index)
        self.events = 0

    def apply(self, *events: Record | Deleted) -> None:
        """Bring news of the machines in."""
        self.events += len(events)
        for event in events:
            scope = Scope("one", event.group, event.kind)
            self.history.add(self.index.apply(Batch(scope, [event]), self.now))

    def hour(self) -> None:
        """A tenth of the machines is replaced, and many change; readers keep up."""
        machines = list(self.index.rows((CAPI, "Machine")))
        for machine in self.rng.sample(machines, len(machines) // 10):
            self._replace(machine)
            self._follow()
        for machine in self.rng.choices(list(self.index.rows((CAPI, "Machine"))), k=len(machines)):
            self.apply(self._changed(machine))
            if self.events % 64 == 0:
                self._follow()

    def _follow(self) -> None:
        self.now += 5
        self.index.advance(self.now)
        self.view.settle()
        for _ in self.view.work():
            pass
        self.searcher.refresh()
        self.board.refresh(self.now)

    def _replace(self, machine: Row) -> None:
        below = [row for row in machine.children if row.kind in ("AzureMachine", "KubeadmConfig")]
        for row in (*below, machine):
            self.apply(Deleted(row.group, row.kind, row.namespace, row.name, row.uid))
        stem = machine.name.rpartition("-")[0]
        name = f"{stem}-{self.rng.getrandbits(40):010x}"
        owner = machine.owners[0]
        references = [
            *[r for r in machine.references if r.relation == "cluster"],
            Reference("bootstrap", BOOT, "KubeadmConfig", machine.namespace, name, "spec"),
            Reference("infrastructure", INFRA, "AzureMachine", machine.namespace, name, "spec"),
        ]
        place = (machine.namespace, name, machine.cluster)
        above = (owner.group, owner.kind, owner.name, owner.uid)
        facts = [("node", name), ("provider_id", f"azure:///vm/{name}")]
        uid, made = record(self.rng, CAPI, "Machine", *place, above, references, facts)
        mine = (CAPI, "Machine", name, uid)
        others = [
            record(self.rng, group, kind, *place, mine)[1]
            for group, kind in ((INFRA, "AzureMachine"), (BOOT, "KubeadmConfig"))
        ]
        self.apply(made, *others)

    def _changed(self, machine: Row) -> Record:
        """The machine as its controller last saw it; one in twenty fails with words of its own."""
        self.revision += 1
        verdict = "failed" if self.rng.random() < 0.05 else "current"
        place = (machine.namespace, machine.name, machine.cluster)
        owner = machine.owners[0]
        _, found = record(
            self.rng,
            CAPI,
            "Machine",
            *place,
            (owner.group, owner.kind, owner.name, owner.uid),
            machine.references,
            machine.facts,
            verdict,
        )
        fields = {name: getattr(found, name) for name in found.__struct_fields__}
        return Record(**{**fields, "uid": machine.uid, "resource_version": str(self.revision)})


def churn_figures(clusters: int) -> Iterator[Figure]:
    """Figures of a soak."""
    fleet = Fleet(clusters)
    sizes, times = [], []
    for _ in range(HOURS + WARM_UP):
        begun = time.process_time()
        fleet.hour()
        times.append(time.process_time() - begun)
        gc.collect()
        sizes.append(rss() / 1e6)
    rows, events = f"{len(fleet.index):,} rows", f"{fleet.events:,} events"
    grown = sizes[-1] - sizes[WARM_UP - 1]
    yield Figure(f"churn: memory after {HOURS} hours, {rows}", sizes[-1], "MB", sizes[WARM_UP - 1])
    yield Figure(f"churn: growth within them, {events}", grown, "MB", None, "flat")
    yield Figure("churn: last hour's work to the first one's", times[-1] / times[0], "x", None, "1")
    yield Figure(
        "churn: roots whose roll-up differs from a recount", recount(fleet.index), "", goal="0"
    )
    wrong = int(fleet.view.lines(0, len(fleet.view)) != rebuilt(fleet))
    yield Figure("churn: trees that differ from one made anew", wrong, "", goal="0")


def rebuilt(fleet: Fleet) -> list[object]:
    """The lines of a tree that was just opened and expanded."""
    view = TreeView(fleet.index)
    view.expand_all()
    for _ in view.work():
        pass
    return list(view.lines(0, len(view)))


def main() -> None:
    """Prints the figures."""
    gc.disable()
    for figure in churn_figures(int(sys.argv[1]) if len(sys.argv) > 1 else 170):
        print(f"{figure.name:60} {figure.value:10.2f} {figure.unit:4} {figure.goal}")


if __name__ == "__main__":
    main()
