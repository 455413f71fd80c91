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


SMALL_BYTES = 32 << 10
"""Bodies below this are unpacked at once: a thread would cost more."""


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
        async for chunk in self._arriving(None):
            if self.wire_bytes > limit_bytes:
                raise self._too_large(limit_bytes)
            parts.append(chunk)
        body = b"".join(parts)
        encoding = self.headers.get("Content-Encoding", "")
        inflate = _inflater(encoding, self._call, budget=limit_bytes)
        # The library frees the interpreter's lock while it unpacks, so that others go on.
        is_small = len(body) < SMALL_BYTES
        decoded = inflate(body) if is_small else await asyncio.to_thread(inflate, body)
        if len(decoded) > limit_bytes:
            raise self._too_large(limit_bytes)
        return decoded

    def _too_large(self, limit_bytes: int) -> ApiError:
        return ApiError(
            f"the answer is larger than {limit_bytes >> 20} MiB",
            fault=Fault.MALFORMED,
            where=self._call.where,
        )

    async def chunks(self, *, idle_s: float | None = None) -> AsyncIterator[bytes]:
        """The body as it arrives, decoded.

        Args:
            idle_s: longest silence, seconds; None leaves it to the purpose.

        Raises:
            ApiError: CUT when the connection breaks or stays silent.
        """
        inflate = _inflater(self.headers.get("Content-Encoding", ""), self._call)
        async for chunk in self._arriving(idle_s):
            decoded = inflate(chunk)
            if decoded:
                yield decoded

    async def _arriving(self, idle_s: float | None) -> AsyncIterator[bytes]:
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
            yield chunk


def _inflater(
    encoding: str, call: Call, *, budget: int = MAX_PAGE_BYTES
) -> Callable[[bytes], bytes]:
    if encoding.lower() not in ("gzip", "deflate"):
        return lambda chunk: chunk
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 32)

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
