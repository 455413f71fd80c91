"""The body of an answer as it arrives, unpacked within limits.

Knows content encodings and how a broken stream is told; takes the stream from
whoever made the connection.

Source: RFC 9110 section 8.4 (content codings).
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable, Mapping

from fleettui.kube.calls import MAX_PAGE_BYTES, Call
from fleettui.kube.faults import ApiError, Fault


def _nobody() -> None:
    """Who listens to answers that are no sign of a server that is well."""


class HttpAnswer:
    """A successful answer whose body has not been read yet."""

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        stream: AsyncIterator[bytes],
        *,
        call: Call,
        broken: tuple[type[Exception], ...],
    ) -> None:
        """Keep the head of an answer and the stream of its body.

        Args:
            status: HTTP status.
            headers: mapping whose keys do not care for case.
            stream: the body as it comes over the wire.
            call: what was asked, for messages.
            broken: what the stream raises when the connection breaks.
        """
        self.status = status
        self.headers = headers
        self.wire_bytes = 0
        self._stream = stream
        self._call = call
        self._broken = broken
        self.arrived: Callable[[], None] = _nobody
        """Told of every piece that comes."""

    async def read(self, *, limit_bytes: int = MAX_PAGE_BYTES) -> bytes:
        """The whole body, decoded.

        Raises:
            ApiError: MALFORMED beyond the limit, CUT when the connection breaks.
        """
        parts: list[bytes] = []
        size = 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > limit_bytes:
                raise ApiError(
                    f"the answer is larger than {limit_bytes >> 20} MiB",
                    fault=Fault.MALFORMED,
                    where=self._call.where,
                )
            parts.append(chunk)
        return b"".join(parts)

    async def chunks(self, *, idle_s: float | None = None) -> AsyncIterator[bytes]:
        """The body as it arrives, decoded.

        Args:
            idle_s: longest silence, seconds; None leaves it to the purpose.

        Raises:
            ApiError: CUT when the connection breaks or stays silent.
        """
        inflate = _inflater(self.headers.get("Content-Encoding", ""), self._call)
        while True:
            try:
                async with asyncio.timeout(idle_s):
                    chunk = await anext(self._stream)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise ApiError(
                    "no bytes arrived in time", fault=Fault.CUT, where=self._call.where
                ) from error
            except self._broken as error:
                raise ApiError(
                    "the connection broke in the middle of an answer",
                    fault=Fault.CUT,
                    where=self._call.where,
                ) from error
            self.arrived()
            self.wire_bytes += len(chunk)
            decoded = inflate(chunk)
            if decoded:
                yield decoded


def _inflater(encoding: str, call: Call) -> Callable[[bytes], bytes]:
    if encoding.lower() not in ("gzip", "deflate"):
        return lambda chunk: chunk
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)
    budget = MAX_PAGE_BYTES

    def inflate(chunk: bytes) -> bytes:
        nonlocal budget
        try:
            decoded = inflater.decompress(chunk, budget + 1)
        except zlib.error as error:
            raise ApiError(
                "the answer is compressed wrongly", fault=Fault.MALFORMED, where=call.where
            ) from error
        budget -= len(decoded)
        if budget < 0:
            raise ApiError(
                "the answer unpacks without end", fault=Fault.MALFORMED, where=call.where
            )
        return decoded

    return inflate
