"""Turns the lines of a watch into news of a scope.

Knows the event types of the watch protocol; what an object means is the
reader's business. One bad line never costs the stream.

Source: Kubernetes API concepts, "Watch bookmarks" and "410 Gone".
"""

from collections.abc import Callable, Sequence

import msgspec

from fleettui.errors import UnreadableError
from fleettui.kinds.batch import Deleted, Event, Scope
from fleettui.kinds.record import Record
from fleettui.kube.faults import ApiError, stream_error
from fleettui.kube.framing import DECODE_ERRORS, LineSplitter, WatchEvent, read_event, read_head
from fleettui.kube.reflection import Seen

INITIAL_END = "k8s.io/initial-events-end"

Read = Callable[[bytes], Record]

UNREADABLE = (*DECODE_ERRORS, UnreadableError, ValueError)
"""What a reader raises for a document that it cannot take."""


def read_document(document: bytes, read: Read) -> Record | None:
    """The record of a document, None if it cannot be read."""
    try:
        return read(document)
    except UNREADABLE:
        return None


class ChunkReader:
    """Reads one watch from its first byte on."""

    def __init__(self, scope: Scope, read: Read) -> None:
        """Start at the beginning of a stream."""
        self._scope = scope
        self._read = read
        self._splitter = LineSplitter()
        self._skipped = 0
        self.failure: ApiError | None = None
        """The ERROR event that ends the stream, once it was met."""

    def lines(self, chunk: bytes) -> Sequence[bytes]:
        """The lines that a chunk completes; an empty portion if it only skipped."""
        return self._splitter.feed(chunk)

    def read(self, lines: Sequence[bytes]) -> tuple[list[Event], Seen]:
        """News in some lines, and what the reflector has to know of them."""
        events: list[Event] = []
        version, is_bookmark, is_end, garbled = "", False, False, 0
        for line in lines:
            try:
                event = read_event(line)
            except DECODE_ERRORS:
                garbled += 1
                continue
            if event.type == "BOOKMARK":
                version, ends = self._bookmark(event)
                is_bookmark, is_end = True, is_end or ends
            elif event.type == "ERROR":
                self.failure = stream_error(bytes(event.object))
                break
            else:
                news = self._news(event)
                if news is None:
                    garbled += 1
                    continue
                events.append(news[0])
                version, is_bookmark = news[1], False
        skipped, self._skipped = self._splitter.skipped - self._skipped, self._splitter.skipped
        return events, Seen(len(events), version, is_bookmark, is_end, skipped, garbled)

    def _bookmark(self, event: WatchEvent) -> tuple[str, bool]:
        try:
            metadata = read_head(event.object).metadata
        except DECODE_ERRORS:
            return "", False
        is_end = (metadata.annotations or {}).get(INITIAL_END) == "true"
        return metadata.resource_version, is_end

    def _news(self, event: WatchEvent) -> tuple[Event, str] | None:
        if event.type in ("ADDED", "MODIFIED"):
            record = read_document(bytes(event.object), self._read)
            return None if record is None else (record, record.resource_version)
        if event.type == "DELETED":
            return self._deletion(event.object)
        return None

    def _deletion(self, document: msgspec.Raw) -> tuple[Event, str] | None:
        try:
            metadata = read_head(document).metadata
        except DECODE_ERRORS:
            return None
        deleted = Deleted(
            group=self._scope.group,
            kind=self._scope.kind,
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
        )
        return deleted, metadata.resource_version
