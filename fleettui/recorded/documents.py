"""Reads the objects that a file holds, whatever wrote it.

Knows JSON lists and objects, YAML streams, raw watch lines and gzip; knows
nothing of kinds' meaning. Items of a list may lack their kind and apiVersion:
typed built-in lists of the API server do. Source: Kubernetes API conventions,
"Lists and Simple kinds"; metav1.List.
"""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fleettui import manifests
from fleettui.errors import UnreadableError

Document = Mapping[str, Any]

MAX_FILE_BYTES = 512 * 1024 * 1024
"""Largest file read, after decompression."""

_LIMITS = manifests.ReadLimits(size_bytes=MAX_FILE_BYTES, nodes=200_000_000)
"""A recording is the person's own file: large, but still no alias bomb."""

SUFFIXES = (".json", ".yaml", ".yml", ".jsonl")
_STRAY_WATCH_TYPES = frozenset({"ADDED", "MODIFIED", "DELETED"})


def is_readable_name(path: Path) -> bool:
    """Whether a file's name promises objects: JSON, YAML or watch lines, plain or gzip."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(SUFFIXES)


def read_text(path: Path) -> str:
    """The file's text, decompressed.

    Raises:
        UnreadableError: the file cannot be opened, is not UTF-8, is not whole gzip or is larger
            than ``MAX_FILE_BYTES``.
    """
    try:
        if path.suffix.lower() == ".gz":
            with gzip.open(path) as stream:
                data = stream.read(MAX_FILE_BYTES + 1)
        else:
            with path.open("rb") as plain:
                data = plain.read(MAX_FILE_BYTES + 1)
    except (OSError, EOFError, zlib.error) as exc:
        reason = getattr(exc, "strerror", None) or str(exc)
        raise UnreadableError(
            f"cannot be read: {reason}", where=str(path), hint="check the path, or copy it again"
        ) from exc
    if len(data) > MAX_FILE_BYTES:
        raise UnreadableError(
            f"is larger than {MAX_FILE_BYTES >> 20} MiB",
            where=str(path),
            hint="split the recording",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise UnreadableError(
            f"is not UTF-8 text (byte {exc.start})", where=str(path), hint="give JSON or YAML"
        ) from exc


def read_documents(path: Path) -> Iterator[Document]:
    """Objects of one file in file order, lists opened, kinds of their items filled in.

    Deleted objects of watch lines are yielded with their ``type`` under the key ``__deleted__``.

    Raises:
        UnreadableError: the file is half a document, or not JSON, YAML or watch lines.
    """
    text = read_text(path)
    if ".jsonl" in path.name.lower():
        yield from _watch_lines(text, path)
        return
    for document in _parsed(text, path):
        yield from objects_of(document)


def _parsed(text: str, path: Path) -> Iterator[Any]:
    if text.lstrip()[:1] in ("{", "["):
        try:
            yield json.loads(text)
        except json.JSONDecodeError as exc:
            raise UnreadableError(
                f"is not whole JSON: {exc.msg}",
                where=f"{path}:{exc.lineno}",
                hint="the file may have been cut off; record it again",
            ) from exc
        return
    for document in manifests.read_documents(text, name=str(path), limits=_LIMITS):
        yield document.value
        if _is_cut_list(document.value):
            raise UnreadableError(
                "is half a list: it ends before its kind is told",
                where=str(path),
                hint="the file may have been cut off; record it again",
            )


def _is_cut_list(document: object) -> bool:
    """Whether a list lost its end: kubectl writes YAML by name, and ``items`` before ``kind``.

    What is left of a list that was cut between two lines is YAML without fault.
    """
    return isinstance(document, Mapping) and list(document) == ["apiVersion", "items"]


def objects_of(document: object) -> Iterator[Document]:
    """The objects that a parsed document stands for; none if it is something else."""
    if isinstance(document, list):
        for item in document:
            yield from objects_of(item)
        return
    if not isinstance(document, Mapping):
        return
    kind, api_version = document.get("kind"), document.get("apiVersion")
    items = document.get("items")
    if isinstance(items, list) and (kind is None or str(kind).endswith("List")):
        item_kind = str(kind or "").removesuffix("List")
        for item in items:
            if not isinstance(item, Mapping):
                continue
            if "kind" not in item and item_kind and api_version:
                item = {"apiVersion": api_version, "kind": item_kind, **item}
            yield from objects_of(item)
        return
    metadata = document.get("metadata")
    if kind and api_version and isinstance(metadata, Mapping) and metadata.get("name"):
        yield document


def _watch_lines(text: str, path: Path) -> Iterator[Document]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            event = json.loads(line)
        except json.JSONDecodeError as exc:
            raise UnreadableError(
                f"is not a whole watch line: {exc.msg}",
                where=f"{path}:{number}",
                hint="the file may have been cut off; record it again",
            ) from exc
        if not isinstance(event, Mapping):
            continue
        if event.get("type") in _STRAY_WATCH_TYPES:
            deleted = event["type"] == "DELETED"
            for found in objects_of(event.get("object")):
                yield {**found, "__deleted__": True} if deleted else found
        else:
            yield from objects_of(event)
