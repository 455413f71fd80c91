"""How an answer reaches the client: compression, a slow link, injected faults.

The only place that writes to a connection. Source: k8s.io/apiserver gzip of bodies over
128 KiB at level 1; watches are never compressed.
"""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import msgspec
from aiohttp import web

from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.faults import Fault
from fleettui.demo.apiserver.link import CHUNK_BYTES, Link
from fleettui.demo.apiserver.recorder import Recorded

GZIP_ABOVE_BYTES = 128 * 1024
_STATUS_LINE_BYTES = len("HTTP/1.1 200 OK\r\n\r\n")
_WHOLE_BYTES = 16 * 1024 * 1024
"""Lists up to this size are sent with a Content-Length, larger ones in chunks."""


class Outlet:
    """The way back of one request."""

    def __init__(
        self,
        request: web.BaseRequest,
        recorded: Recorded,
        *,
        link: Link | None,
        headers: Mapping[str, str],
    ) -> None:
        self._request = request
        self._recorded = recorded
        self._link = link
        self._headers = dict(headers)
        self.fault: Fault | None = None
        """The fault that this answer has to act out."""

    async def json(self, document: Mapping[str, Any], *, status: int = 200) -> web.StreamResponse:
        """Send a document."""
        return await self.body(msgspec.json.encode(document) + b"\n", status=status)

    async def error(self, error: ApiError) -> web.StreamResponse:
        """Send an error's Status."""
        headers = {}
        if error.retry_after_s is not None:
            headers["Retry-After"] = str(error.retry_after_s)
        body = msgspec.json.encode(error.status()) + b"\n"
        return await self.body(body, status=error.code, headers=headers)

    async def body(
        self,
        body: bytes,
        *,
        status: int = 200,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> web.StreamResponse:
        """Send a whole body, compressed if it is large and the client accepts it."""
        sent = {**self._headers, "Content-Type": content_type, **(headers or {})}
        if len(body) > GZIP_ABOVE_BYTES and self._accepts_gzip:
            body = await asyncio.to_thread(gzip.compress, body, 1)
            sent |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        self._recorded.status = status
        if self._link is None and not self._is_shaped:
            self._recorded.bytes_sent += len(body)
            return web.Response(body=body, status=status, headers=sent)
        response = web.StreamResponse(status=status, headers=sent)
        response.content_length = len(body)
        await self._start(response)
        await self._write(response, body)
        return response

    @property
    def _accepts_gzip(self) -> bool:
        return "gzip" in self._request.headers.get("Accept-Encoding", "")

    @property
    def _is_shaped(self) -> bool:
        fault = self.fault
        return fault is not None and (
            fault.cut_bytes is not None or fault.freeze or fault.chunk_bytes > 0
        )

    async def pieces(self, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
        """Send a body that comes in pieces: whole if it is small enough, else in chunks."""
        held: list[bytes] = []
        size = 0
        async for piece in pieces:
            held.append(piece)
            size += len(piece)
            if size > _WHOLE_BYTES:
                break
        else:
            return await self.body(held[0] if len(held) == 1 else b"".join(held))
        return await self._chunked(held, pieces)

    async def _chunked(self, held: list[bytes], pieces: AsyncIterator[bytes]) -> web.StreamResponse:
        """Send what is held and what follows; packed here, so that a link carries what leaves."""
        headers = {**self._headers, "Content-Type": "application/json"}
        pack: Callable[[bytes], bytes] | None = None
        if self._accepts_gzip:
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
            pack = packer.compress
        response = web.StreamResponse(headers=headers)
        self._recorded.status = 200
        await self._start(response)
        held.reverse()
        while held:
            await self._pass_on(response, held.pop(), pack)
        async for piece in pieces:
            await self._pass_on(response, piece, pack)
        if pack is not None:
            await self._write(response, packer.flush())
        return response

    async def _pass_on(
        self, response: web.StreamResponse, piece: bytes, pack: Callable[[bytes], bytes] | None
    ) -> None:
        await self._write(response, piece if pack is None else await asyncio.to_thread(pack, piece))

    async def stream(
        self, lines: AsyncIterator[bytes], *, content_type: str = "application/json"
    ) -> web.StreamResponse:
        """Send lines as they come, flushed at once; headers leave before the first line."""
        response = web.StreamResponse(headers={**self._headers, "Content-Type": content_type})
        response.enable_chunked_encoding()
        self._recorded.status = 200
        await self._start(response)
        if self.fault is not None and self.fault.garbage:
            await self._write(response, self.fault.garbage.encode() + b"\n")
        async for group in lines:
            if not group:
                continue
            if self._link is not None:
                await self._link.one_way()
            await self._write(response, group)
            if self._is_at_end:
                break
        return response

    @property
    def _is_at_end(self) -> bool:
        fault = self.fault
        if fault is None or fault.eof_bytes is None:
            return False
        return self._recorded.bytes_sent >= fault.eof_bytes

    async def _start(self, response: web.StreamResponse) -> None:
        await response.prepare(self._request)
        if self._link is not None:
            fields = sum(len(name) + len(text) + 4 for name, text in response.headers.items())
            await self._link.send(fields + _STATUS_LINE_BYTES)
        if self.fault is not None and self.fault.freeze:
            await asyncio.Event().wait()

    async def _write(self, response: web.StreamResponse, data: bytes) -> None:
        cut = self.fault.cut_bytes if self.fault is not None else None
        step = (self.fault.chunk_bytes if self.fault is not None else 0) or (
            CHUNK_BYTES if self._link is not None else len(data) or 1
        )
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            if cut is not None:
                piece = piece[: max(cut - self._recorded.bytes_sent, 0)]
            if self._link is not None:
                await self._link.send(len(piece))
            if piece:
                await response.write(piece)
            self._recorded.bytes_sent += len(piece)
            if cut is not None and self._recorded.bytes_sent >= cut:
                await self._cut()

    async def _cut(self) -> None:
        transport = self._request.transport
        if transport is not None:
            # What was written before the cut has to reach the client first.
            await asyncio.sleep(0.02)
            transport.abort()
        raise ConnectionResetError("cut by an injected fault")
