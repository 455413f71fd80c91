"""What a context in memory holds: objects made for figures, or the pretend fleet's own."""

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import bench_index

from fleettui.demo.world import build_world
from fleettui.kinds import load_table
from fleettui.kinds.batch import Deleted, Event
from fleettui.kinds.record import Record, Verdict
from fleettui.kinds.spec import Depth

CHANGING = 100
"""Clusters whose objects change: their records are kept, and count in the memory."""
PAGE = 5_000
"""Records made before they are told one portion after another."""
TURNING = 0.05
"""Share of changes that change health."""
CLUSTER_EVERY = 500
"""Changes of which one is a cluster that goes, and the one half way that it comes again."""
Kind = tuple[str, str]


class _Table(bench_index.Table):
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


class Changing:
    """Records that change: mostly to the same again, some to broken and back."""

    def __init__(self) -> None:
        self.hot: list[Record] = []
        self._rng = random.Random(7)
        self._gone: Record | None = None

    def change(self, number: int) -> Iterator[tuple[Kind, list[Event]]]:
        """What comes with the next change."""
        if number % CLUSTER_EVERY == 0 and self._gone is None:
            clusters = [record for record in self.hot if record.kind == "Cluster"]
            gone = self._gone = self._rng.choice(clusters)
            yield (
                (gone.group, gone.kind),
                [Deleted(gone.group, gone.kind, gone.namespace, gone.name)],
            )
            return
        known = self._rng.choice(self.hot)
        if number % CLUSTER_EVERY == CLUSTER_EVERY // 2 and self._gone is not None:
            known, self._gone = self._gone, None
        elif known is self._gone:
            return
        turns = self._rng.random() < TURNING
        record = _replaced(
            known,
            resource_version=str(10**10 + number),
            verdict=Verdict.FAILED if turns else known.verdict,
            reason="Broken" if turns else known.reason,
        )
        yield (record.group, record.kind), [record]


def _replaced(record: Record, **changes: Any) -> Record:
    fields = {name: getattr(record, name) for name in record.__struct_fields__}
    return Record(**{**fields, **changes})


class Synthetic(Changing):
    """Sixty objects a cluster, as regular as figures of memory need."""

    def __init__(self, clusters: int) -> None:
        super().__init__()
        self.table: Any = _Table()
        self.kinds: Sequence[Kind] = list(bench_index.SPECS)
        self._clusters = clusters

    def pages(self) -> Iterator[Mapping[Kind, Sequence[Record]]]:
        """Everything once."""
        rng = random.Random(7)
        every = max(self._clusters // CHANGING, 1)
        per_page = PAGE // 60
        for first in range(0, self._clusters, per_page):
            page: dict[Kind, list[Record]] = {}
            for number in range(first, min(first + per_page, self._clusters)):
                for record in bench_index.cluster_records(number, rng):
                    page.setdefault((record.group, record.kind), []).append(record)
                    if number % every == 0:
                        self.hot.append(record)
            yield page


class Pretend(Changing):
    """The pretend fleet's own objects: providers, GitOps, inventories and Secrets of all sorts."""

    def __init__(self, clusters: int) -> None:
        super().__init__()
        self.table: Any = load_table()
        now = datetime.now(UTC)
        self._world = build_world(0, 1, clusters=clusters, seed=1, now=now, incidents=())
        self._resources = [
            resource
            for resource in self._world.resources()
            if len(self._world.keys(resource))
            and self.table.spec_for(resource.group, resource.kind)
        ]
        self.kinds: Sequence[Kind] = [(found.group, found.kind) for found in self._resources]

    def pages(self) -> Iterator[Mapping[Kind, Sequence[Record]]]:
        """Everything once, a kind after the other as lists do."""
        rng = random.Random(3)
        for resource in self._resources:
            reader = self.table.reader(resource.group, resource.version, resource.kind)
            count = len(self._world.keys(resource))
            every = 0.05 if resource.kind != "Cluster" else 1.0
            for low in range(0, count, PAGE):
                page = [
                    reader.read(body)
                    for body in self._world.bodies(resource, low, min(low + PAGE, count))
                ]
                self.hot += [record for record in page if rng.random() < every]
                yield {(resource.group, resource.kind): page}


def _is_followed(table: Any, resource: Any) -> bool:
    """Whether the program follows a kind by itself."""
    spec = table.spec_for(resource.group, resource.kind)
    return spec is not None and spec.depth is not Depth.ASKED
