"""What is asked of a server, as values that need no HTTP library.

Knows the parts of a request that callers may choose; the transport chooses the
rest (address, credentials, encoding, time-outs) and the gate judges the whole.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

JSON = "application/json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
METADATA = f"{METADATA_ONLY},{JSON}"
METADATA_LIST = f"{METADATA_LIST_ONLY},{JSON}"
TABLE = f"application/json;as=Table;g=meta.k8s.io;v=v1,{JSON}"

MAX_PAGE_BYTES = 512 << 20
"""Largest body that is read as a whole, decoded."""


class Purpose(StrEnum):
    """How long an answer may take, and what it competes with."""

    SHORT = "short"
    LIST = "list"
    WATCH = "watch"
    PROBE = "probe"
    """Goes out at once, on a connection that nothing else waits for."""
    ACT = "act"
    """What a person has confirmed, and reads around it: its plan has a pace of its own."""


HEADERS_S: dict[Purpose, float] = {
    Purpose.SHORT: 60.0,
    Purpose.LIST: 90.0,
    Purpose.WATCH: 40.0,
    Purpose.PROBE: 5.0,
    Purpose.ACT: 60.0,
}
"""Seconds in which an answer has to begin."""
READ_S: dict[Purpose, float | None] = {
    Purpose.SHORT: 30.0,
    Purpose.LIST: 60.0,
    Purpose.WATCH: None,
    Purpose.PROBE: 5.0,
    Purpose.ACT: 30.0,
}
"""Seconds between two parts of an answer."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, before credentials."""

    path: str
    method: str = "GET"
    query: tuple[tuple[str, str], ...] = ()
    accept: str = JSON
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    purpose: Purpose = Purpose.SHORT
    rank: int = 0
    """Lower goes first among lists that wait."""
    if_none_match: str = ""

    @property
    def where(self) -> str:
        """Method and path, for messages."""
        return f"{self.method} {self.path}"


class Answer(Protocol):
    """A successful answer whose body has not been read yet."""

    status: int
    headers: Mapping[str, str]

    @property
    def wire_bytes(self) -> int:
        """Bytes of the body that came over the wire so far."""
        ...

    async def read(self, *, limit_bytes: int = ...) -> bytes:
        """The whole body, decoded."""
        ...

    def chunks(self, *, idle_s: float | None = ...) -> AsyncIterator[bytes]:
        """The body as it arrives, decoded."""
        ...


class Caller(Protocol):
    """Whatever sends calls: the transport."""

    def open(self, call: Call) -> AbstractAsyncContextManager[Answer]:
        """Sends a call; raises ApiError for everything but success."""
        ...
