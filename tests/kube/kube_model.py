"""A model server in memory and an event loop whose time passes by itself."""

import asyncio
import json
import selectors
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from kube_server import MACHINE, machine

from fleettui.kinds.batch import Scope
from fleettui.kinds.record import Record
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.framing import read_page
from fleettui.kube.resource import Resource
from fleettui.kube.rhythm import Rhythm
from fleettui.kube.source import PageBody, Slice

SCOPE = Scope("here", "cluster.x-k8s.io", "Machine")


class _Selector(selectors.DefaultSelector):
    """Lets time jump to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self.now += timeout
        return ready


class QuickLoop(asyncio.SelectorEventLoop):
    """An event loop in which an hour takes milliseconds."""

    def __init__(self) -> None:
        self._quick = _Selector()
        super().__init__(self._quick)

    def time(self) -> float:
        """Seconds that jump."""
        return self._quick.now


def run_quickly(main: Coroutine[Any, Any, None]) -> None:
    """Runs a coroutine in time that jumps."""
    with asyncio.Runner(loop_factory=QuickLoop) as runner:
        runner.run(main)


def quick_rhythm(chance: float = 0.5) -> Rhythm:
    """Clocks of the running loop."""
    clock = asyncio.get_running_loop().time
    return Rhythm(clock=clock, wall=clock, chance=lambda: chance)


class ModelServer:
    """The truth of one kind, with a history that can be compacted."""

    def __init__(self) -> None:
        self.version = 10
        self.objects: dict[str, dict[str, Any]] = {}
        self.log: list[tuple[int, dict[str, Any]]] = []
        self.compacted = 0
        self.faults: list[ApiError] = []
        """Raised, one each, instead of an answer."""
        self.served: Resource | None = MACHINE
        self.chunk_bytes = 64
        self.requests = 0
        self._streams: set[asyncio.Queue[object]] = set()

    @property
    def held(self) -> dict[str, str]:
        """Names and versions."""
        return {n: d["metadata"]["resourceVersion"] for n, d in self.objects.items()}

    def put(self, name: str) -> None:
        """Makes or changes an object."""
        kind = "MODIFIED" if name in self.objects else "ADDED"
        self.version += 1
        self.objects[name] = machine(name, self.version)
        self._log(kind, self.objects[name])

    def drop(self, name: str) -> None:
        """Deletes an object if it is there."""
        if name not in self.objects:
            return
        self.version += 1
        gone = self.objects.pop(name)
        self._log(
            "DELETED",
            {**gone, "metadata": {**gone["metadata"], "resourceVersion": str(self.version)}},
        )

    def compact(self) -> None:
        """Forgets history: every version of before is too old."""
        self.compacted = self.version
        self.version += 1

    def cut(self, error: ApiError | None) -> None:
        """Ends every stream, with an error or properly."""
        for queue in self._streams:
            queue.put_nowait(error)

    def _log(self, kind: str, document: dict[str, Any]) -> None:
        event = {"type": kind, "object": document}
        self.log.append((self.version, event))
        for queue in self._streams:
            queue.put_nowait(event)

    def _answer(self) -> None:
        self.requests += 1
        if self.faults:
            raise self.faults.pop(0)

    async def resolve(
        self, group: str, kind: str, *, versions: Sequence[str], fresh: bool
    ) -> Resource | None:
        """What serves the kind."""
        await asyncio.sleep(0.01)
        self._answer()
        return self.served

    async def read_page(self, part: Slice, *, limit: int, token: str) -> PageBody:
        """A page of the objects as they were when the list began."""
        await asyncio.sleep(0.01)
        self._answer()
        start, version, snapshot = 0, self.version, sorted(self.objects)
        if token:
            begun, start_text, *names = token.split("/")
            version, start, snapshot = int(begun), int(start_text), names
            if version < self.compacted:
                raise ApiError("gone", fault=Fault.GONE, code=410)
        limit = min(limit, 3)
        shown = [self._at(name, version) for name in snapshot[start : start + limit]]
        metadata: dict[str, Any] = {"resourceVersion": str(version)}
        if start + limit < len(snapshot):
            metadata["continue"] = "/".join([str(version), str(start + limit), *snapshot])
            metadata["remainingItemCount"] = len(snapshot) - start - limit
        body = json.dumps({"metadata": metadata, "items": shown}).encode()
        return PageBody(read_page(body), len(body))

    def _at(self, name: str, version: int) -> dict[str, Any]:
        for at, event in reversed(self.log):
            if at <= version and event["object"]["metadata"]["name"] == name:
                return event["object"]  # type: ignore[no-any-return]  # documents are plain dicts
        raise AssertionError(name)

    @asynccontextmanager
    async def open_watch(
        self, part: Slice, *, resource_version: str, timeout_s: int, idle_s: float, is_initial: bool
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Events since a version, in chunks that cut anywhere."""
        await asyncio.sleep(0.01)
        self._answer()
        if is_initial:
            raise ApiError("unknown parameter", fault=Fault.INVALID, code=422)
        queue: asyncio.Queue[object] = asyncio.Queue()
        version = int(resource_version)
        if version < self.compacted:
            status = {"kind": "Status", "code": 410, "reason": "Expired"}
            queue.put_nowait({"type": "ERROR", "object": status})
            queue.put_nowait(None)
        for at, event in self.log:
            if at > version:
                queue.put_nowait(event)
        self._streams.add(queue)
        try:
            yield self._chunks(queue, idle_s)
        finally:
            self._streams.discard(queue)

    async def _chunks(self, queue: "asyncio.Queue[object]", idle_s: float) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(idle_s):
                    event = await queue.get()
            except TimeoutError:
                raise ApiError("silent", fault=Fault.CUT) from None
            if event is None:
                return
            if isinstance(event, ApiError):
                raise event
            line = json.dumps(event).encode() + b"\n"
            for start in range(0, len(line), self.chunk_bytes):
                yield line[start : start + self.chunk_bytes]


class Table:
    """Rows as an index would hold them: epochs sweep, forgotten scopes do not delete."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.seen: set[str] | None = None

    def upsert(self, record: Record) -> None:
        """Takes a record."""
        self.rows[record.name] = record.resource_version
        if self.seen is not None:
            self.seen.add(record.name)
