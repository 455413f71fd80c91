"""A caller that answers from a table, for what asks a server small questions."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import msgspec

from fleettui.kube.calls import Call
from fleettui.kube.faults import error_of


class Told:
    """An answer that was thought up."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.wire_bytes = len(body)

    async def read(self, *, limit_bytes: int = 0) -> bytes:
        """The body."""
        return self.body

    async def chunks(self, *, idle_s: float | None = None) -> AsyncIterator[bytes]:
        """The body at once."""
        yield self.body


class Answers:
    """A caller that answers from a table of paths."""

    def __init__(self, table: Mapping[str, object]) -> None:
        self.table = dict(table)
        self.calls: list[Call] = []

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[Told]:
        """Looks the path up; a number is an error of that status."""
        self.calls.append(call)
        await asyncio.sleep(0)
        found = self.table.get(call.path, 404)
        if callable(found):
            found = found(call)
        if isinstance(found, int):
            raise error_of(found, {}, b"404 page not found\n" if found == 404 else b"")
        tag = {"ETag": f'"{call.path}"'}
        if call.if_none_match == tag["ETag"]:
            yield Told(304, tag, b"")
        else:
            yield Told(200, tag, msgspec.json.encode(found))
