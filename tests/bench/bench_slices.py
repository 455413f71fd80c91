"""How long the program's loop is held up at a time: no server, one process, processor time.

Run as ``python tests/bench/bench_slices.py [clusters] [--seconds N]``. The whole program runs
over an index that is filled as first lists fill it, then changed 1,000 times a second as watches
do, while keys come in. Every callback of the event loop is timed by the processor time of the
loop's thread, so other programs on the machine do not count; of every long one it is told what
it was busy with. Records are made outside of what is timed.
"""

import argparse
import asyncio
import gc
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fleettui.tui.startup import prepare

prepare()

import bench_index  # noqa: E402 - the policy of start-up comes first
from figure import Figure  # noqa: E402
from terminal import percentile  # noqa: E402
from textual import events  # noqa: E402

from fleettui.config import Settings  # noqa: E402
from fleettui.fleet.context import ContextInfo, ContextState, Emit, EventLine  # noqa: E402
from fleettui.fleet.depth import LoadPlan  # noqa: E402
from fleettui.fleet.fleet import Fleet  # noqa: E402
from fleettui.fleet.pacer import Pacer  # noqa: E402
from fleettui.fleet.warm import Owner, WarmContext  # noqa: E402
from fleettui.index.index import Index  # noqa: E402
from fleettui.index.view import TreeView  # noqa: E402
from fleettui.kinds.batch import Batch, Mark, Phase, Scope, ScopeStatus  # noqa: E402
from fleettui.kinds.record import ObjectRef, Record, Verdict  # noqa: E402
from fleettui.recorded.shards import Head, ShardFolder  # noqa: E402
from fleettui.tui.app import FleetApp  # noqa: E402

CONTEXT = "one"
LONG_S = 0.005
PORTION = 24
"""Records of one slice of a first list: what is decoded within 1.5 ms."""
EVENTS_PER_S = 1000
WATCH_EVERY_S = 0.02
KEYS = ("j", "j", "j", "k", "pagedown", "pagedown", "pageup")
CHANGING = 100
"""Clusters whose objects change: their records are kept, and count in the memory."""
PAGE = 5_000
"""Records made before they are told one portion after another."""


class Meter:
    """Processor time of every callback of the loop."""

    def __init__(self) -> None:
        self.slices: list[float] = []
        self.culprits: Counter[str] = Counter()
        self.worst: dict[str, float] = {}
        self.excluded = 0.0
        """Time within the present callback that is none of the program's."""
        self._began = 0.0
        self._where = ""

    def install(self) -> None:
        """Times every callback from now on."""
        original = asyncio.events.Handle._run

        def run(handle: asyncio.Handle) -> None:
            self.excluded, self._where = 0.0, ""
            self._began = time.thread_time()
            original(handle)
            took = time.thread_time() - self._began - self.excluded
            self._began = 0.0
            self.slices.append(took)
            if took > LONG_S:
                self._where = self._where or _name_of(handle)
                self.culprits[self._where] += 1
                self.worst[self._where] = max(self.worst.get(self._where, 0.0), took)

        asyncio.events.Handle._run = run  # type: ignore[method-assign]  # no other way in
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, 0.001, 0.001)

    def _sample(self, _number: int, frame: FrameType | None) -> None:
        if not self._began or time.thread_time() - self._began - self.excluded < LONG_S * 0.7:
            return
        names: list[str] = []
        while frame is not None:
            if "/fleettui/" in frame.f_code.co_filename or not names:
                names.append(_code_name(frame))
            frame = frame.f_back
        self._where = " < ".join(names[:4])

    def take(self) -> "tuple[list[float], dict[str, tuple[int, float]]]":
        """Slices so far and where long ones were, and starts over."""
        found = {name: (count, self.worst[name]) for name, count in self.culprits.most_common()}
        slices, self.slices = self.slices, []
        self.culprits.clear()
        self.worst.clear()
        return slices, found


def _code_name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{Path(code.co_filename).stem}.{getattr(code, 'co_qualname', code.co_name)}"


def _name_of(handle: asyncio.Handle) -> str:
    """What a callback is, as far as it says so."""
    callback: Any = getattr(handle, "_callback", None)
    return f"outside: {getattr(callback, '__qualname__', type(callback).__name__)}"


class BenchLink:
    """Supplies first lists and then changes, out of memory, in the portions of real ones."""

    name = CONTEXT

    def __init__(self, clusters: int, folder: Path, table: Any, meter: Meter, turn: Any) -> None:
        self.clusters = clusters
        self.is_synced = asyncio.Event()
        self.applied = 0
        self.events_per_s = 0
        self.loaded = 0
        self._meter = meter
        self._turn = turn
        self._rng = random.Random(7)
        self._hot: list[Record] = []
        self._every = max(clusters // CHANGING, 1)
        self._warm = WarmContext(ShardFolder(folder), context=CONTEXT, table=table, clock=time.time)
        self._warm.belongs_to(Owner("cluster", "me"))
        self._kinds = list(bench_index.SPECS)

    def info(self) -> ContextInfo:
        state = ContextState.LIVE if self.is_synced.is_set() else ContextState.SYNCING
        return ContextInfo(CONTEXT, state=state, loaded=self.loaded, read_only=False)

    @property
    def served_kinds(self) -> frozenset[tuple[str, str]]:
        return frozenset(self._kinds)

    def need(self, clusters: frozenset[Any], *, by_namespace: Mapping[str, int]) -> None: ...
    def ask(self, kinds: frozenset[tuple[str, str]]) -> None: ...
    def load_all(self) -> None: ...
    def set_namespace(self, namespace: str) -> None: ...

    def load_plan(self) -> LoadPlan:
        return LoadPlan(CONTEXT, "auto", True, (), (("x", "Leaf"),))

    def head(self) -> Head | None:
        return None

    def auditing(self, index: Index) -> Iterator[None]:
        """Nothing was resumed."""
        return iter(())

    def saving(self, index: Index) -> Iterator[None]:
        positions = {
            Scope(CONTEXT, group, kind): (str(self.applied), "v1beta2")
            for group, kind in self._kinds
        }
        return self._warm.saving(index, positions)

    async def run(self, emit: Emit, changed: Callable[[], None]) -> None:
        def tell(batch: Batch) -> None:
            self._warm.note(batch)
            emit(batch)

        for group, kind in self._kinds:
            tell(Batch(Scope(CONTEXT, group, kind), [ScopeStatus(Phase.PENDING)]))
        for group, kind in self._kinds:
            tell(Batch(Scope(CONTEXT, group, kind), [Mark.INIT]))
        for page in self._pages():
            for scope, records in page.items():
                for first in range(0, len(records), PORTION):
                    await self._turn()
                    tell(Batch(scope, records[first : first + PORTION]))
                    self.loaded += PORTION
        for group, kind in self._kinds:
            await self._turn()
            tell(
                Batch(
                    Scope(CONTEXT, group, kind),
                    [Mark.INIT_DONE, ScopeStatus(Phase.LIVE, loaded=self.loaded)],
                )
            )
        self.is_synced.set()
        changed()
        number = 0
        while True:
            await asyncio.sleep(WATCH_EVERY_S)
            for _ in range(int(self.events_per_s * WATCH_EVERY_S)):
                number += 1
                begun = time.thread_time()
                record = self._change(number)
                self._meter.excluded += time.thread_time() - begun
                tell(Batch(Scope(CONTEXT, record.group, record.kind), [record]))
                self.applied += 1

    def _pages(self) -> Iterator[dict[Scope, list[Record]]]:
        """Records by kind, some clusters at a time; made within the callback but not timed."""
        per_page = PAGE // 60
        for first in range(0, self.clusters, per_page):
            begun = time.thread_time()
            page: dict[Scope, list[Record]] = {}
            for number in range(first, min(first + per_page, self.clusters)):
                for record in bench_index.cluster_records(number, self._rng):
                    page.setdefault(Scope(CONTEXT, record.group, record.kind), []).append(record)
                    if number % self._every == 0:
                        self._hot.append(record)
            self._meter.excluded += time.thread_time() - begun
            yield page

    def _change(self, number: int) -> Record:
        known = self._rng.choice(self._hot)
        turns = self._rng.random() < 0.05
        return _replaced(
            known,
            resource_version=str(10**10 + number),
            verdict=Verdict.FAILED if turns else known.verdict,
            reason="Broken" if turns else known.reason,
        )

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        raise LookupError(ref)

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        return ()

    async def logs(self, ref: ObjectRef, *, container: str, tail: int) -> AsyncIterator[str]:
        return
        yield ""

    async def close(self) -> None: ...


def _replaced(record: Record, **changes: Any) -> Record:
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return Record(**{**fields, **changes})


class Table(bench_index.Table):
    """The kinds of the bench, as the fleet asks for them."""

    def __iter__(self) -> Iterator[Any]:
        return iter(bench_index.SPECS.values())

    def of_role(self, role: Any) -> tuple[Any, ...]:
        return tuple(spec for spec in self if spec.role is role)

    def find(self, word: str) -> list[Any]:
        return [spec for spec in self if spec.kind.lower() == word.lower()]

    def words(self) -> list[str]:
        return [spec.kind.lower() for spec in self]

    def reader(self, group: str, version: str, kind: str) -> Any:
        return self

    fingerprint = "bench"


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


async def measure(clusters: int, seconds: float, folder: Path) -> list[Figure]:
    """Everything at one size."""
    meter = Meter()
    table: Any = Table()
    pacer = Pacer()
    link = BenchLink(clusters, folder, table, meter, pacer.turn)
    fleet = Fleet(table, [link], read_only=True, pacer=pacer)
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


def slice_figures(clusters: int, *, seconds: float = 20) -> list[Figure]:
    """Figures of a run."""
    with tempfile.TemporaryDirectory(prefix="fleettui-bench-") as folder:
        return asyncio.run(measure(clusters, seconds, Path(folder)))


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("clusters", nargs="?", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=20)
    asked = parser.parse_args()
    gc.disable()
    for figure in slice_figures(asked.clusters, seconds=asked.seconds):
        print(f"{figure.name:70} {figure.value:10.2f} {figure.unit:4} {figure.goal}")


if __name__ == "__main__":
    main()
