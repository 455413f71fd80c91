"""Cuts bytes into documents: lines of a watch, items of a list page.

Knows how the API server frames its answers; knows neither HTTP nor what the
documents mean. Any cutting of the same bytes into chunks gives the same
documents.

Source: Kubernetes API concepts, "Efficient detection of changes" (a watch is a
sequence of JSON documents, one a line) and "Retrieving large results sets in
chunks".
"""

from collections.abc import Sequence

import msgspec

from fleettui.kube.faults import ApiError, Fault

MAX_LINE_BYTES = 64 << 20
"""Longest line of a watch that is kept; etcd refuses objects of more than 1.5 MB."""


class LineSplitter:
    """Gives the complete lines of a stream, and remembers the rest.

    A line beyond ``max_line_bytes`` is dropped as it streams by, and counted.
    """

    def __init__(self, *, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        """Start at the beginning of a line."""
        self._limit = max_line_bytes
        self._parts: list[bytes] = []
        self._size = 0
        self._dropping = False
        self.skipped = 0
        """Lines dropped because of their size."""

    @property
    def pending_bytes(self) -> int:
        """Bytes kept of a line that is not complete."""
        return self._size

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes, without their line feeds and blanks."""
        pieces = chunk.split(b"\n")
        tail = pieces.pop()
        lines = []
        for piece in pieces:
            line = self._complete(piece)
            if line:
                lines.append(line)
        self._keep(tail)
        return lines

    def _complete(self, piece: bytes) -> bytes:
        if self._dropping:
            self._dropping = False
            return b""
        if self._size + len(piece) > self._limit:
            self._reset()
            self.skipped += 1
            return b""
        line = b"".join((*self._parts, piece)) if self._parts else piece
        self._reset()
        return line.strip()

    def _keep(self, tail: bytes) -> None:
        if not tail or self._dropping:
            return
        if self._size + len(tail) > self._limit:
            self._reset()
            self._dropping = True
            self.skipped += 1
            return
        self._parts.append(tail)
        self._size += len(tail)

    def _reset(self) -> None:
        self._parts = []
        self._size = 0


class WatchEvent(msgspec.Struct, frozen=True, gc=False):
    """One line of a watch; the object is still bytes."""

    type: str
    object: msgspec.Raw = msgspec.Raw(b"null")


class ObjectMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The little of an object's metadata that list and watch themselves need."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    annotations: dict[str, str] | None = None


class ObjectHead(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Identity of an object that was deleted, or of a bookmark."""

    api_version: str = ""
    kind: str = ""
    metadata: ObjectMeta = ObjectMeta()


class ListMeta(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """Metadata of a list page."""

    resource_version: str = ""
    continue_: str = msgspec.field(default="", name="continue")
    remaining_item_count: int | None = None


class Page(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One page of a list; the items are still bytes."""

    kind: str = ""
    api_version: str = ""
    metadata: ListMeta = ListMeta()
    items: list[msgspec.Raw] | None = None

    @property
    def documents(self) -> Sequence[msgspec.Raw]:
        """The items; ``items: null`` is an empty list."""
        return self.items or ()


_event_decoder = msgspec.json.Decoder(WatchEvent)
_head_decoder = msgspec.json.Decoder(ObjectHead)
_page_decoder = msgspec.json.Decoder(Page)

DECODE_ERRORS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What bytes that are no JSON of the expected shape raise."""


def read_event(line: bytes) -> WatchEvent:
    """The event in a line.

    Raises:
        msgspec.MsgspecError, UnicodeDecodeError, RecursionError: the line is no event.
    """
    return _event_decoder.decode(line)


def read_head(document: bytes | msgspec.Raw) -> ObjectHead:
    """Identity and resourceVersion of an object.

    Raises:
        msgspec.MsgspecError, UnicodeDecodeError, RecursionError: the bytes are no object.
    """
    return _head_decoder.decode(document)


def read_page(body: bytes, *, where: str = "") -> Page:
    """The page in a body.

    Raises:
        ApiError: MALFORMED, when the body is no list or has no resourceVersion.
    """
    try:
        page = _page_decoder.decode(body)
    except DECODE_ERRORS as error:
        raise ApiError(
            "the answer is not a Kubernetes list", fault=Fault.MALFORMED, where=where
        ) from error
    if not page.metadata.resource_version:
        raise ApiError("the list has no resourceVersion", fault=Fault.MALFORMED, where=where)
    return page
