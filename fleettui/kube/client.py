"""Asks one API server for things: pages, watches, bodies, logs, tables.

Knows paths, parameters and representations; sends through whatever ``Caller`` it
is given, so it can reach nothing that the gate does not let out. Knows nothing
of reflectors' states and never writes (``writer`` does).

Source: Kubernetes API concepts (chunks, watches, Table and PartialObjectMetadata
representations); core/v1 Event and Pod log reference.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import msgspec

from fleettui.kube.calls import (
    JSON,
    METADATA_LIST,
    METADATA_LIST_ONLY,
    METADATA_ONLY,
    TABLE,
    Call,
    Caller,
    Purpose,
)
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.framing import DECODE_ERRORS, read_head, read_page
from fleettui.kube.pace import LinkPace
from fleettui.kube.resource import Resource
from fleettui.kube.source import PageBody, Slice

MAX_OBJECT_BYTES = 16 << 20
MAX_LOG_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class LogRequest:
    """What part of a container's log is wanted."""

    container: str = ""
    tail_lines: int = 500
    previous: bool = False
    follow: bool = False
    since_s: int = 0
    timestamps: bool = False

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """The parameters of the log subresource."""
        pairs = (
            ("container", self.container),
            ("tailLines", str(self.tail_lines) if self.tail_lines else ""),
            ("previous", "true" if self.previous else ""),
            ("follow", "true" if self.follow else ""),
            ("sinceSeconds", str(self.since_s) if self.since_s else ""),
            ("timestamps", "true" if self.timestamps else ""),
            ("limitBytes", "" if self.follow else str(MAX_LOG_BYTES)),
        )
        return tuple((name, value) for name, value in pairs if value)


def _is_secret(resource: Resource) -> bool:
    return resource.group == "" and resource.plural == "secrets"


def _list_accept(part: Slice) -> str:
    if _is_secret(part.resource):
        return METADATA_LIST_ONLY
    return METADATA_LIST if part.metadata_only else JSON


FEW = 20
"""Objects of a page that is a question, not a list: it does not wait behind lists."""


@dataclass(slots=True)
class Versions:
    """Which objects a server holds."""

    of: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """Uid and resourceVersion, by namespace and name."""
    resource_version: str = ""
    """When that was so."""
    is_whole: bool = False


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a list would cost."""

    objects: int
    """At least this many: selectors hide how many remain."""
    decoded_bytes: int


class Client:
    """Reads from one context."""

    def __init__(self, caller: Caller, *, pace: LinkPace) -> None:
        """Read through a caller; ``pace`` learns from the lists that are read."""
        self._caller = caller
        self._pace = pace

    async def get_raw(
        self,
        path: str,
        *,
        accept: str = JSON,
        query: tuple[tuple[str, str], ...] = (),
        purpose: Purpose = Purpose.SHORT,
    ) -> bytes:
        """The body at a path.

        Raises:
            ApiError: no success.
        """
        call = Call(path, accept=accept, query=query, purpose=purpose)
        async with self._caller.open(call) as answer:
            return await answer.read(limit_bytes=MAX_OBJECT_BYTES)

    async def body(
        self, resource: Resource, *, namespace: str, name: str, purpose: Purpose = Purpose.SHORT
    ) -> bytes:
        """One object as the server has it now, JSON.

        Of a Secret only the metadata is asked for.

        Raises:
            ApiError: NOT_FOUND, FORBIDDEN and what else can go wrong.
        """
        accept = METADATA_ONLY if _is_secret(resource) else JSON
        path = resource.path(namespace=namespace, name=name)
        return await self.get_raw(path, accept=accept, purpose=purpose)

    async def read_page(self, part: Slice, *, limit: int, token: str) -> PageBody:
        """One page of a list.

        Args:
            part: what is listed.
            limit: most objects wanted; 0 for all.
            token: where the page begins; empty for the first.

        Raises:
            ApiError: no success, or no list.
        """
        query = [("limit", str(limit))] if limit else []
        if token:
            query.append(("continue", token))
        if part.label_selector:
            query.append(("labelSelector", part.label_selector))
        call = Call(
            part.resource.path(namespace=part.namespace),
            accept=_list_accept(part),
            query=tuple(query),
            purpose=Purpose.SHORT if 0 < limit <= FEW and not token else Purpose.LIST,
            rank=part.rank,
        )
        started = asyncio.get_running_loop().time()
        async with self._caller.open(call) as answer:
            body = await answer.read()
            seconds = asyncio.get_running_loop().time() - started
            self._pace.note_list(
                wire_bytes=answer.wire_bytes, decoded_bytes=len(body), seconds=seconds
            )
        return PageBody(read_page(body, where=call.where), len(body))

    @asynccontextmanager
    async def open_watch(
        self, part: Slice, *, resource_version: str, timeout_s: int, idle_s: float, is_initial: bool
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """A watch as the bytes that arrive.

        Args:
            part: what is watched.
            resource_version: where the watch begins; unused for an initial one.
            timeout_s: how long the server should keep it open.
            idle_s: longest silence before it counts as dead.
            is_initial: begin with the whole list as events.

        Raises:
            ApiError: no success, or later CUT.
        """
        query = [
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("timeoutSeconds", str(timeout_s)),
        ]
        if is_initial:
            query += [("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan")]
        else:
            query.append(("resourceVersion", resource_version))
        if part.label_selector:
            query.append(("labelSelector", part.label_selector))
        accept = _list_accept(part).replace("PartialObjectMetadataList", "PartialObjectMetadata")
        call = Call(
            part.resource.path(namespace=part.namespace),
            accept=accept,
            query=tuple(query),
            purpose=Purpose.WATCH,
        )
        async with self._caller.open(call) as answer:
            kind = answer.headers.get("Content-Type", "")
            if "json" not in kind:
                raise ApiError(
                    "a proxy answered instead of the API server",
                    fault=Fault.SERVER,
                    where=call.where,
                )
            yield _within(answer.chunks(idle_s=idle_s), timeout_s + 15.0, call)

    async def list_objects(
        self,
        resource: Resource,
        *,
        namespace: str = "",
        label_selector: str = "",
        field_selector: str = "",
        limit: int = 500,
    ) -> Sequence[bytes]:
        """All objects of a small list, as JSON, page by page.

        Raises:
            ApiError: no success; a list whose token expired half-way is not repeated.
        """
        pairs = (("labelSelector", label_selector), ("fieldSelector", field_selector))
        selectors = tuple(pair for pair in pairs if pair[1])
        found: list[bytes] = []
        token = ""
        while True:
            page_query = (("limit", str(limit)), *((("continue", token),) if token else ()))
            call = Call(
                resource.path(namespace=namespace),
                accept=_list_accept(Slice(resource)),
                query=(*page_query, *selectors),
                purpose=Purpose.LIST,
            )
            async with self._caller.open(call) as answer:
                page = read_page(await answer.read(), where=call.where)
            found.extend(bytes(document) for document in page.documents)
            token = page.metadata.continue_
            if not token:
                return found

    async def versions(self, part: Slice, *, pages: int = 0) -> "Versions":
        """Uid and resourceVersion of objects; metadata only.

        For comparing with what is shown, after a watch was resumed.

        Args:
            part: whose.
            pages: most pages of 2,000 objects; 0 for all.

        Raises:
            ApiError: no success.
        """
        found = Versions()
        lean, token = replace(part, metadata_only=True), ""
        while True:
            page = (await self.read_page(lean, limit=2000, token=token)).page
            for document in page.documents:
                meta = read_head(document).metadata
                found.of[meta.namespace, meta.name] = (meta.uid, meta.resource_version)
            found.resource_version = found.resource_version or page.metadata.resource_version
            token = page.metadata.continue_
            pages -= 1
            if not token or pages == 0:
                found.is_whole = not token
                return found

    async def estimate(self, part: Slice, *, sample: int = 20) -> Estimate:
        """What listing everything would cost, judged by the first few objects.

        Raises:
            ApiError: no success.
        """
        body = await self.read_page(part, limit=sample, token="")
        seen = len(body.page.documents)
        objects = seen + (body.page.metadata.remaining_item_count or 0)
        mean = sum(len(bytes(document)) for document in body.page.documents) / max(seen, 1)
        return Estimate(objects, round(objects * mean))

    async def events(
        self, kind: str, *, namespace: str, name: str, uid: str = ""
    ) -> Sequence[bytes]:
        """Events about one object, as JSON, in the server's order.

        Raises:
            ApiError: no success.
        """
        resource = Resource("", "v1", "events", "Event")
        terms = [f"involvedObject.kind={kind}", f"involvedObject.name={name}"]
        if uid:
            terms.append(f"involvedObject.uid={uid}")
        return await self.list_objects(
            resource, namespace=namespace or "default", field_selector=",".join(terms)
        )

    async def logs(self, *, namespace: str, pod: str, wanted: LogRequest) -> AsyncIterator[bytes]:
        """A container's log as it arrives; never ends by itself when followed.

        Raises:
            ApiError: no success, or CUT.
        """
        path = Resource("", "v1", "pods", "Pod").path(
            namespace=namespace, name=pod, subresource="log"
        )
        purpose = Purpose.WATCH if wanted.follow else Purpose.SHORT
        call = Call(path, accept="*/*", query=wanted.query, purpose=purpose)
        async with self._caller.open(call) as answer:
            async for chunk in answer.chunks():
                yield chunk

    async def table(self, resource: Resource, *, namespace: str = "", limit: int = 500) -> "Table":
        """Rows as the server itself would print them: for kinds nobody described.

        Raises:
            ApiError: no success, or no Table.
        """
        body = await self.get_raw(
            resource.path(namespace=namespace),
            accept=TABLE,
            query=(("limit", str(limit)), ("includeObject", "Metadata")),
            purpose=Purpose.LIST,
        )
        try:
            return _table_decoder.decode(body)
        except DECODE_ERRORS as error:
            raise ApiError("the answer is no Table", fault=Fault.MALFORMED) from error


async def _within(chunks: AsyncIterator[bytes], cap_s: float, call: Call) -> AsyncIterator[bytes]:
    """Ends a watch that outlives what the server promised."""
    clock = asyncio.get_running_loop().time
    until = clock() + cap_s
    async for chunk in chunks:
        yield chunk
        if clock() > until:
            raise ApiError("the watch did not end in time", fault=Fault.CUT, where=call.where)


class Column(msgspec.Struct, frozen=True, rename="camel"):
    """One column of a server's Table."""

    name: str
    type: str = "string"
    priority: int = 0


class TableRow(msgspec.Struct, frozen=True):
    """One row of a server's Table; the object holds metadata only."""

    cells: list[object]
    object: msgspec.Raw = msgspec.Raw(b"null")


class Table(msgspec.Struct, frozen=True, rename="camel"):
    """A server's own idea of a kind's columns."""

    column_definitions: list[Column]
    rows: list[TableRow] | None = None


_table_decoder = msgspec.json.Decoder(Table)
