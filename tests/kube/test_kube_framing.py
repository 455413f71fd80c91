"""Cutting bytes into documents: no chunking changes what comes out."""

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kube_server import machine, read_machine

from fleettui.kinds.batch import Deleted, Scope
from fleettui.kinds.record import Record
from fleettui.kube.events import ChunkReader
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.framing import LineSplitter, read_page

SCOPE = Scope("here", "cluster.x-k8s.io", "Machine")


def _cut(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    return [stream[start:end] for start, end in pairwise(places)]


@given(
    st.lists(st.binary(max_size=40).map(lambda b: b.replace(b"\n", b"") or b"x"), max_size=8),
    st.lists(st.integers(0, 500), max_size=20),
    st.integers(5, 60),
)
def test_splitter_any_chunking_gives_the_same_lines(
    lines: list[bytes], cuts: list[int], limit: int
) -> None:
    """A network that cuts elsewhere must not change what is shown."""
    stream = b"".join(line + b"\n" for line in lines) + b"tail"
    whole = LineSplitter(max_line_bytes=limit)
    expected = whole.feed(stream)
    pieces = LineSplitter(max_line_bytes=limit)
    found = [line for chunk in _cut(stream, cuts) for line in pieces.feed(chunk)]
    assert found == expected
    assert pieces.skipped == whole.skipped == sum(len(line) > limit for line in lines)
    assert pieces.pending_bytes <= limit


def _line(kind: str, document: object) -> bytes:
    return json.dumps({"type": kind, "object": document}, ensure_ascii=False).encode() + b"\n"


_STREAM = (
    _line("ADDED", machine("a", 1, note="ünïcode €")),
    _line("MODIFIED", machine("a", 2)),
    b"garbage\n",
    _line("WEIRD", machine("b", 3)),
    _line("ADDED", {"metadata": {"name": 7}}),
    b'{"type":"ADDED","object":{"metadata":{"name":"\xff"}}}\n',
    _line("DELETED", machine("a", 4)),
    _line("BOOKMARK", {"kind": "Machine", "metadata": {"resourceVersion": "9"}}),
    b"\n",
)


@given(st.lists(st.integers(0, 2000), max_size=40))
def test_chunk_reader_any_chunking_gives_the_same_news(cuts: list[int]) -> None:
    """Half a character at the end of a packet must not cost an event."""
    reader = ChunkReader(SCOPE, read_machine)
    events, garbled, version = [], 0, ""
    for chunk in _cut(b"".join(_STREAM), cuts):
        news, seen = reader.read(reader.lines(chunk))
        events += news
        garbled += seen.garbled
        version = seen.resource_version or version
    assert [type(event) for event in events] == [Record, Record, Deleted]
    assert events[-1] == Deleted("cluster.x-k8s.io", "Machine", "default", "a", "uid-a")
    assert (garbled, version) == (4, "9")


def test_chunk_reader_error_event_ends_with_its_class() -> None:
    """410 comes inside a 200: taken for an object, the watch would be silent for ever."""
    reader = ChunkReader(SCOPE, read_machine)
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    reader.read(reader.lines(_line("ERROR", status)))
    assert reader.failure is not None
    assert reader.failure.fault is Fault.GONE


@pytest.mark.parametrize("document", [{}, None, "text", {"kind": "Status"}])
def test_chunk_reader_error_without_reason_is_a_server_error(document: object) -> None:
    """An ERROR that lacks everything must be survived, not crash the scope."""
    reader = ChunkReader(SCOPE, read_machine)
    reader.read(reader.lines(_line("ERROR", document)))
    assert reader.failure is not None
    assert reader.failure.fault is Fault.SERVER


def test_chunk_reader_initial_end_survives_a_later_bookmark_in_the_same_chunk() -> None:
    """Otherwise a streamed list never counts as whole."""
    end = {
        "metadata": {"resourceVersion": "5", "annotations": {"k8s.io/initial-events-end": "true"}}
    }
    later = {"metadata": {"resourceVersion": "6"}}
    reader = ChunkReader(SCOPE, read_machine)
    _, seen = reader.read(reader.lines(_line("BOOKMARK", end) + _line("BOOKMARK", later)))
    assert seen.is_initial_end
    assert seen.resource_version == "6"


def test_page_items_null_is_an_empty_list() -> None:
    """Some servers send null for no items; that is no failure."""
    page = read_page(b'{"kind":"L","metadata":{"resourceVersion":"1"},"items":null}')
    assert list(page.documents) == []


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b'{"items":[]}', b'{"metadata":{},"items":[]}', b"[" * 5000, b"\xff\xfe"],
)
def test_page_that_is_no_list_is_malformed(body: bytes) -> None:
    """What a proxy says must never be taken for an empty fleet."""
    with pytest.raises(ApiError) as caught:
        read_page(body)
    assert caught.value.fault is Fault.MALFORMED
