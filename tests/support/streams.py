"""Recorded watch streams played into an index in the order in which they arrived."""

import gzip
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fleettui.index import Index
from fleettui.kinds import load_table
from fleettui.kinds.batch import Batch, Deleted, Scope
from fleettui.kinds.moments import unix_seconds

TABLE = load_table()


class Replay:
    """An index that is fed one recorded document at a time."""

    def __init__(self) -> None:
        """Start empty."""
        self.index = Index(TABLE)
        self.now = 0

    def put(self, document: Mapping[str, Any], *, is_gone: bool = False) -> bool:
        """Take one document over; returns whether its kind has rows."""
        group, _, version = document["apiVersion"].rpartition("/")
        kind = document["kind"]
        if TABLE.spec_for(group, kind) is None:
            return False
        self.now = max(self.now, _latest_word(document))
        metadata = document["metadata"]
        record = TABLE.reader(group, version, kind).convert(document)
        gone = Deleted(group, kind, metadata.get("namespace", ""), metadata["name"])
        news = [gone if is_gone else record]
        self.index.apply(Batch(Scope("recorded", group, kind), news), self.now)
        self.index.advance(self.now)
        return True


def played(folder: Path) -> Iterator[tuple[Replay, str]]:
    """A stream played event by event, with a title of each; the start is one event.

    Args:
        folder: one of ``recordings/capi/streams``.
    """
    replay = Replay()
    for path in sorted((folder / "start").glob("*.json.gz")):
        listing = json.loads(gzip.decompress(path.read_bytes()))
        if not listing["kind"].startswith("PartialObject"):
            kind = listing["kind"].removesuffix("List")
            for item in listing["items"]:
                replay.put({"apiVersion": listing["apiVersion"], "kind": kind, **item})
    yield replay, "start"
    lines = {
        path.name.removesuffix(".jsonl.gz"): gzip.decompress(path.read_bytes()).splitlines()
        for path in (folder / "watch").glob("*.jsonl.gz")
    }
    arrivals = gzip.decompress((folder / "arrivals.tsv.gz").read_bytes()).decode()
    for arrival in arrivals.splitlines():
        moment, resource, line = arrival.split("\t")
        event = json.loads(lines[resource][int(line)])
        document = event["object"]
        if event["type"] == "BOOKMARK" or document["kind"].startswith("PartialObject"):
            continue
        if replay.put(document, is_gone=event["type"] == "DELETED"):
            yield replay, f"{moment} ms: {document['kind']}/{document['metadata']['name']}"


def _latest_word(document: Mapping[str, Any]) -> int:
    """The newest moment that the document itself tells, Unix seconds."""
    status = document.get("status") or {}
    times = [entry.get("lastTransitionTime") for entry in status.get("conditions") or ()]
    return max((unix_seconds(moment) for moment in times if moment), default=0)
