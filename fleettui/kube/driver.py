"""Runs one reflector: does what its steps ask for and tells the news as batches.

Knows tasks, clocks and slices; decides nothing (``reflector`` does) and opens no
connection itself (its ``Source`` does). Work on documents is done in slices of
about a millisecond with a real pause between them, so that a first list of
half a million objects never holds up a key.

Source: measurements of event-loop latency: slices separated by ``sleep(0)``
starve everything else, slices separated by a sleep above zero do not.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass

import msgspec

from fleettui.errors import FleettuiError
from fleettui.kinds.batch import Batch, Event, Scope
from fleettui.kinds.record import Record
from fleettui.kube.ahead import PagesAhead
from fleettui.kube.events import ChunkReader, read_document
from fleettui.kube.faults import Fault, api_error_of
from fleettui.kube.framing import Page
from fleettui.kube.limits import Turnstile
from fleettui.kube.reflection import (
    Begin,
    CatalogChanged,
    Closed,
    CredentialsChanged,
    Due,
    Failed,
    Input,
    LinkChanged,
    Mode,
    Opened,
    PageRead,
    Probe,
    Probed,
    ReadPage,
    Request,
    Resolve,
    Resolved,
    Retry,
    Saved,
    State,
    Tell,
    Wait,
    Watch,
)
from fleettui.kube.reflector import step
from fleettui.kube.resource import Resource
from fleettui.kube.rhythm import SLICE_S, Rhythm
from fleettui.kube.source import Slice, Source
from fleettui.kube.teller import Teller

FIRST_RANK = 1
"""Rank of what everything else is shown below, and of what somebody looks at."""

Read = Callable[[bytes], Record]
ReaderFor = Callable[[Resource], Read]
"""Gives the reader for a kind at the version that is served."""

Signal = LinkChanged | Retry | CredentialsChanged | CatalogChanged


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be followed, and how."""

    scope: Scope
    reader_for: ReaderFor
    versions: tuple[str, ...] = ()
    """API versions that the readers understand, best first; empty: the server's choice."""
    label_selector: str = ""
    metadata_only: bool = False
    streams_first: bool = False
    rank: int = 0
    saved: Saved | None = None


class Following:
    """One scope being listed and watched; iterate over ``batches`` once."""

    def __init__(
        self,
        source: Source,
        wanted: Wanted,
        *,
        rhythm: Rhythm | None = None,
        is_link_up: bool = True,
        troubled: Callable[[Fault, Resource | None], None] | None = None,
        readers: Turnstile | None = None,
    ) -> None:
        """Fix what is followed; nothing is asked until ``batches`` is iterated.

        Args:
            source: what is asked.
            wanted: what is followed.
            rhythm: clocks, chance and pauses.
            is_link_up: whether the link is thought to be up.
            troubled: told the class of every failure, and the kind if it is known.
            readers: lets few pages be read at once, so that what goes first is whole first.
        """
        self._troubled = troubled
        self._readers = readers or Turnstile(1)
        self._source = source
        self._wanted = wanted
        self._rhythm = rhythm or Rhythm()
        self._is_link_up = is_link_up
        self._signals: deque[Signal] = deque()
        self._called = asyncio.Event()
        self._teller = Teller(wanted.scope, self._rhythm)
        if wanted.saved is not None:
            self._teller.loaded = wanted.saved.loaded
        self._pages = PagesAhead(source)
        self._read: Read | None = None
        self.state = State(
            metadata_only=wanted.metadata_only,
            streams_first=wanted.streams_first,
            saved=wanted.saved,
        )

    @property
    def scope(self) -> Scope:
        """What is followed."""
        return self._wanted.scope

    @property
    def part(self) -> Slice | None:
        """What is asked for, in the server's words; None before that is known."""
        return self._part() if self.state.resource is not None else None

    @property
    def decoded_bytes(self) -> int:
        """Bytes of documents read so far."""
        return self._teller.decoded_bytes

    @property
    def last_event_at(self) -> float:
        """Unix seconds of the last watch event, 0 for never."""
        return self._teller.last_event_at

    def signal(self, happened: Signal) -> None:
        """Tells the reflector what happened elsewhere; it matters only while it waits."""
        if isinstance(happened, LinkChanged):
            self._is_link_up = happened.is_up
        self._signals.append(happened)
        self._called.set()

    async def batches(self) -> AsyncGenerator[Batch, None]:
        """News of the scope, in order, for as long as it is iterated."""
        request = self._advance(Begin(self._is_link_up))
        try:
            while request is not None:
                if self._teller.has_news:
                    yield self._teller.flush()
                async with aclosing(self._perform(request)) as activity:
                    request = None
                    async for outcome in activity:
                        if isinstance(outcome, Batch):
                            yield outcome
                            continue
                        request = self._advance(outcome)
                        if request is not None:
                            break
                        if self._teller.has_news:
                            yield self._teller.flush()
        finally:
            self._pages.drop()

    # Steps -----------------------------------------------------------------------

    def _advance(self, happened: Input) -> Request | None:
        now = self._rhythm.clock()
        if isinstance(happened, Failed) and self._troubled is not None:
            self._troubled(happened.error.fault, self.state.resource)
        self.state, effects = step(self.state, happened, now=now, chance=self._rhythm.chance)
        request: Request | None = None
        for effect in effects:
            if isinstance(effect, Tell):
                self._teller.tell(effect.mark, self.state, now=now)
            else:
                request = effect
        return request

    def _part(self) -> Slice:
        resource = self.state.resource
        assert resource is not None  # every request but Resolve comes after it
        return Slice(
            resource,
            namespace=self._wanted.scope.namespace,
            label_selector=self._wanted.label_selector,
            metadata_only=self.state.metadata_only,
            rank=self._wanted.rank,
        )

    # Requests --------------------------------------------------------------------

    async def _perform(self, request: Request) -> AsyncGenerator[Input | Batch, None]:
        try:
            if isinstance(request, Wait):
                async for happened in self._wait(request.delay_s):
                    yield happened
            elif isinstance(request, Resolve):
                yield await self._resolve(request)
            elif isinstance(request, Probe):
                body = await self._source.read_page(self._part(), limit=1, token="")
                yield Probed(body.page.metadata.resource_version)
            elif isinstance(request, ReadPage):
                async for outcome in self._list(request):
                    yield outcome
            else:
                async for outcome in self._watch(request):
                    yield outcome
        except FleettuiError as error:
            yield Failed(api_error_of(error))

    async def _wait(self, delay_s: float) -> AsyncGenerator[Input, None]:
        if self.state.mode is Mode.BACKOFF and not self._is_link_up:
            # The whole link is down: wait for its probe instead of knocking too.
            yield LinkChanged(is_up=False)
        until = None
        if delay_s != float("inf"):
            until = asyncio.get_running_loop().time() + delay_s
        while True:
            while self._signals:
                yield self._signals.popleft()
            self._called.clear()
            try:
                async with asyncio.timeout_at(until):
                    await self._called.wait()
            except TimeoutError:
                yield Due()
                return

    async def _resolve(self, request: Resolve) -> Input:
        scope = self._wanted.scope
        resource = await self._source.resolve(
            scope.group, scope.kind, versions=self._wanted.versions, fresh=request.fresh
        )
        if resource is not None and (self._read is None or resource != self.state.resource):
            self._read = self._wanted.reader_for(resource)
        return Resolved(resource)

    async def _list(self, request: ReadPage) -> AsyncGenerator[Input | Batch, None]:
        part = self._part()
        body = await self._pages.read(part, request)
        metadata = body.page.metadata
        self._teller.decoded_bytes += body.decoded_bytes
        garbled = 0
        async with self._reading():
            # Not before: sixty kinds that wait for their turn hold one page each, not two.
            if metadata.continue_:
                self._pages.look_ahead(part, ReadPage(request.limit, metadata.continue_))
            async for batch in self._decoded(body.page):
                garbled -= len(batch.events)
                self._teller.loaded += len(batch.events)
                yield batch
        garbled += len(body.page.documents)
        yield PageRead(
            items=len(body.page.documents),
            resource_version=metadata.resource_version,
            token=metadata.continue_,
            remaining=metadata.remaining_item_count,
            decoded_bytes=body.decoded_bytes,
            garbled=garbled,
        )

    def _reading(self) -> AbstractAsyncContextManager[None]:
        """A place to read a page; what goes first does not wait until others have read theirs."""
        rank = self._wanted.rank
        return nullcontext() if rank <= FIRST_RANK else self._readers.hold(rank=rank)

    async def _decoded(self, page: Page) -> AsyncGenerator[Batch, None]:
        read = self._reader()
        documents: deque[msgspec.Raw] = deque(page.documents)
        while documents:
            # What the records become is done before the next portion, within the same slice.
            slice_s = await self._rhythm.pause(self._wanted.rank)
            until = time.perf_counter() + slice_s
            while documents and time.perf_counter() < until:
                events: list[Event] = []
                for _ in range(min(_PORTION, len(documents))):
                    event = read_document(bytes(documents.popleft()), read)
                    if event is not None:
                        events.append(event)
                yield Batch(self._wanted.scope, events)

    def _reader(self) -> Read:
        assert self._read is not None  # set with the resource
        return self._read

    async def _watch(self, request: Watch) -> AsyncGenerator[Input | Batch, None]:
        reader = ChunkReader(self._wanted.scope, self._reader())
        opened_at: float | None = None
        total = 0
        try:
            async with self._source.open_watch(
                self._part(),
                resource_version=request.resource_version,
                timeout_s=request.timeout_s,
                idle_s=request.idle_s,
                is_initial=request.is_initial,
            ) as chunks:
                opened_at = self._rhythm.clock()
                yield Opened()
                slice_s, worked_s = SLICE_S, 0.0
                async for chunk in chunks:
                    self._teller.decoded_bytes += len(chunk)
                    for lines in _portions(reader.lines(chunk)):
                        begun = time.perf_counter()
                        events, seen = reader.read(lines)
                        if events:
                            total += seen.events
                            if request.is_initial and not self.state.is_synced:
                                self._teller.loaded += seen.events
                            self._teller.last_event_at = self._rhythm.wall()
                            yield Batch(self._wanted.scope, events)
                        yield seen
                        if reader.failure is not None:
                            raise reader.failure
                        worked_s += time.perf_counter() - begun
                        if worked_s > slice_s:
                            worked_s = 0.0
                            slice_s = await self._rhythm.pause(self._wanted.rank)
        except FleettuiError as error:
            lasted_s = 0.0 if opened_at is None else self._rhythm.clock() - opened_at
            yield Failed(api_error_of(error), lasted_s=lasted_s)
            return
        yield Closed(self._rhythm.clock() - opened_at, total)


_PORTION = 8
"""Documents between two looks at the clock: well below the slice for any object."""


def _portions(lines: Sequence[bytes]) -> Iterable[Sequence[bytes]]:
    if len(lines) <= _PORTION:
        return (lines,)
    return (lines[start : start + _PORTION] for start in range(0, len(lines), _PORTION))
