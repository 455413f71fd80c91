"""Turns one document of a known kind into a Record.

Compiles a data entry into a struct type, then into the functions that pick its facts.
Knows no kind and no dialect by name; never asks the clock. A document that does not
fit is read leniently; one that is odd even then still gives its metadata.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from fleettui.errors import UnreadableError
from fleettui.kinds.compaction import NAME, Compactor, Known
from fleettui.kinds.dialects import DIALECTS
from fleettui.kinds.paths import Values, leaves_of
from fleettui.kinds.points import Pointer, compile_pointers
from fleettui.kinds.record import Record
from fleettui.kinds.shapes import METADATA, STATUS, Misfit, mapping_values, struct_type
from fleettui.kinds.spec import UNLESS, KindSpec

_FORMAT = "5"
"""Changes when the same entry makes other records of the same documents."""
_TYPES: Mapping[tuple[str, ...], Any] = dict((*METADATA, *STATUS))


def _wanted_paths(spec: KindSpec, pointers: tuple[Pointer, ...]) -> tuple[str, ...]:
    paths = [
        *spec.desired_replicas,
        *(path for counter in spec.replica_paths.values() for path in counter),
        *spec.version_paths,
        *spec.cluster_paths,
        *spec.ready_paths,
        *spec.failure_paths,
        *(path.removeprefix(UNLESS) for path in spec.pause_paths),
        *DIALECTS[spec.dialect].paths,
        *DIALECTS[spec.dialect].gates,
        *(path for column in spec.columns for path in column.paths),
        *(path for pointer in pointers for path in pointer.paths),
    ]
    return tuple(dict.fromkeys(paths))


def paths_of(spec: KindSpec) -> tuple[str, ...]:
    """Every path that an entry reads, besides metadata and conditions."""
    return _wanted_paths(spec, compile_pointers(spec))


def _never(group: str, kind: str) -> bool:
    return False


class Reader:
    """Reads the documents of one kind at one version."""

    def __init__(self, spec: KindSpec, version: str, *, known: Known = _never) -> None:
        """Compile an entry; takes about a millisecond.

        Args:
            spec: the data entry.
            version: API version told in records whose documents do not tell it.
            known: whether a group and kind have rows; bounds what inventories point at.
        """
        self.spec = spec
        self.version = version
        pointers = compile_pointers(spec)
        paths = _wanted_paths(spec, pointers)
        standard = [keys for keys, _ in (*METADATA, *STATUS)]
        self._leaves = leaves_of(paths, standard)
        self._type, self._taken = struct_type(self._leaves, _TYPES)
        self.decode = msgspec.json.Decoder(self._type).decode
        """Bytes to the kind's own struct: the parser's share of ``read``."""
        self._compactor = Compactor(spec, self._leaves, pointers, known=known)
        self.fingerprint = hashlib.sha256(
            "\n".join((_FORMAT, version, repr(spec), *map(".".join, self._leaves))).encode()
        ).hexdigest()[:16]

    def read(self, document: bytes) -> Record:
        """The record of one JSON document.

        Raises:
            UnreadableError: the bytes are no JSON object with ``metadata.name``.
        """
        try:
            values = self._taken(self.decode(document))
        except msgspec.ValidationError:
            return self.convert(self._mapping(document))
        except msgspec.DecodeError as error:
            raise self._refused(f"not JSON: {error}") from error
        return self._record_or_metadata(values)

    def convert(self, document: Mapping[str, Any]) -> Record:
        """The record of one decoded document; equal to ``read`` of its JSON.

        Raises:
            UnreadableError: the document has no ``metadata.name``.
        """
        try:
            values = mapping_values(document, self._leaves, _TYPES)
        except Misfit:
            return self._metadata_only(document)
        return self._record_or_metadata(values)

    def _mapping(self, document: bytes) -> Mapping[str, Any]:
        try:
            found = msgspec.json.decode(document)
        except msgspec.DecodeError as error:
            raise self._refused(f"not JSON: {error}") from error
        if not isinstance(found, Mapping):
            raise self._refused("not an object")
        return found

    def _refused(self, message: str) -> UnreadableError:
        return UnreadableError(message, where=f"{self.spec.kind}.{self.spec.group}".rstrip("."))

    def _metadata_only(self, document: Mapping[str, Any]) -> Record:
        leaves = tuple(keys for keys, _ in METADATA)
        try:
            values = mapping_values(document, leaves, _TYPES)
        except Misfit as error:
            raise self._refused(f"{error} is not readable") from error
        if not values[NAME]:
            raise self._refused("a document without metadata.name")
        return self._compactor.metadata(values, self.version)

    def _record_or_metadata(self, values: Values) -> Record:
        if not values[NAME]:
            raise self._refused("a document without metadata.name")
        try:
            return self._compactor.record(values, self.version)
        except (AttributeError, KeyError, TypeError, ValueError):
            return self._compactor.metadata(values, self.version)
