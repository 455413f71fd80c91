"""Turns one document of a known kind into a Record.

Compiles a data entry into a struct type, then into the functions that pick its facts.
Knows no kind and no dialect by name; never asks the clock. A document that does not
fit is read leniently; one that is odd even then still gives its metadata.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from fleettui.errors import UnreadableError
from fleettui.kinds.conditions import RawCondition, conditions_of, with_gates
from fleettui.kinds.dialects import DIALECTS, Evidence
from fleettui.kinds.moments import unix_seconds
from fleettui.kinds.paths import Pick, Picker, Values, is_given, leaves_of, number_of, text_of
from fleettui.kinds.pointers import Pointing, Subject, group_of, object_references
from fleettui.kinds.points import Pointer, compile_pointers, whole_reference
from fleettui.kinds.record import Flag, Owner, Record, Reference, Replicas, Verdict
from fleettui.kinds.relations import CLUSTER_LABEL
from fleettui.kinds.shapes import (
    METADATA,
    STATUS,
    Misfit,
    RawOwner,
    mapping_values,
    struct_type,
)
from fleettui.kinds.spec import Dialect, KindSpec
from fleettui.kinds.wording import kept_annotations, pause_of

_FORMAT = "3"
"""Changes when the same entry makes other records of the same documents."""
_COUNTERS = ("current", "ready", "available", "up_to_date")
_NAME, _NAMESPACE, _UID, _VERSION, _GENERATION, _CREATED, _DELETED = range(1, 8)
_LABELS, _ANNOTATIONS, _FINALIZERS, _OWNERS = range(8, 12)
_CONDITIONS, _NEWER, _OLDER, _OBSERVED = range(12, 16)
_PAUSED, _DELETING, _EXTERNAL = int(Flag.PAUSED), int(Flag.DELETING), int(Flag.EXTERNAL)
"""Plain numbers: arithmetic of IntFlag costs a microsecond each time."""
_FLAGGED = frozenset({Dialect.CAPI, Dialect.FLAG})
_TYPES: Mapping[tuple[str, ...], Any] = dict((*METADATA, *STATUS))

_Known = Callable[[str, str], bool]


def _wanted_paths(spec: KindSpec, pointers: tuple[Pointer, ...]) -> tuple[str, ...]:
    paths = [
        *spec.desired_replicas,
        *(path for counter in spec.replica_paths.values() for path in counter),
        *spec.version_paths,
        *spec.cluster_paths,
        *spec.ready_paths,
        *spec.failure_paths,
        *spec.pause_paths,
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

    def __init__(self, spec: KindSpec, version: str, *, known: _Known = _never) -> None:
        """Compile an entry; takes about a millisecond.

        Args:
            spec: the data entry.
            version: API version told in records whose documents do not tell it.
            known: whether a group and kind have rows; bounds what inventories point at.
        """
        self.spec = spec
        self.version = version
        self._known = known
        self._pointers = compile_pointers(spec)
        paths = _wanted_paths(spec, self._pointers)
        standard = [keys for keys, _ in (*METADATA, *STATUS)]
        self._leaves = leaves_of(paths, standard)
        self._type, self._taken = struct_type(self._leaves, _TYPES)
        self.decode = msgspec.json.Decoder(self._type).decode
        """Bytes to the kind's own struct: the parser's share of ``read``."""
        self._compile_picks(Picker(self._leaves))
        self.fingerprint = hashlib.sha256(
            "\n".join((_FORMAT, version, repr(spec), *map(".".join, self._leaves))).encode()
        ).hexdigest()[:16]

    def _compile_picks(self, picker: Picker) -> None:
        spec = self.spec
        self._judge = DIALECTS[spec.dialect].judge
        self._extras = picker.all(DIALECTS[spec.dialect].paths)
        self._gates = picker.all(DIALECTS[spec.dialect].gates)
        self._fact_names = [column.name for column in spec.columns]
        self._facts = picker.all_first([column.paths for column in spec.columns])
        self._desired = picker.first(spec.desired_replicas)
        self._counters = picker.all_first([spec.replica_paths.get(name, ()) for name in _COUNTERS])
        zeros = _COUNTERS if spec.dialect is Dialect.WORKLOAD else _COUNTERS[:3]
        self._counted = [name in zeros and name in spec.replica_paths for name in _COUNTERS]
        self._counts = bool(spec.desired_replicas or spec.replica_paths)
        self._kubernetes_version = picker.first(spec.version_paths)
        self._cluster = picker.first(spec.cluster_paths)
        self._ready = picker.first(spec.ready_paths)
        self._expects_flag = bool(spec.ready_paths) and spec.dialect in _FLAGGED
        self._failure = picker.first(spec.failure_paths)
        self._pauses: list[tuple[str, Pick]] = [
            (path, picker.pick(path)) for path in spec.pause_paths
        ]
        self._points = [
            (
                pointer,
                picker.all(pointer.paths),
                not pointer.paths,
                len(pointer.paths) == 1 and pointer.find is object_references,
            )
            for pointer in self._pointers
        ]
        self._status = [
            position for position, keys in enumerate(self._leaves) if keys[0] == "status"
        ]

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
        return self._unreadable(values)

    def _record_or_metadata(self, values: Values) -> Record:
        if not values[_NAME]:
            raise self._refused("a document without metadata.name")
        try:
            return self._record(values)
        except (AttributeError, KeyError, TypeError, ValueError):
            return self._unreadable(values)

    def _unreadable(self, values: Values) -> Record:
        if not values[_NAME]:
            raise self._refused("a document without metadata.name")
        return Record(
            **self._identity(values),
            owners=_owners_of(values[_OWNERS]),
            labels=_sorted(values[_LABELS]),
            verdict=Verdict.UNKNOWN,
            reason="Unreadable",
            message="the document does not have the shape that its kind promises",
            flags=int(Flag.UNREADABLE),
        )

    def _identity(self, values: Values) -> dict[str, Any]:
        api_version = values[0]
        generation = values[_GENERATION]
        version = self.version
        if isinstance(api_version, str):
            group, _, told = api_version.rpartition("/")
            if group == self.spec.group:
                version = told
        return {
            "group": self.spec.group,
            "version": version,
            "kind": self.spec.kind,
            "namespace": values[_NAMESPACE] or "",
            "name": values[_NAME],
            "uid": values[_UID] or "",
            "resource_version": values[_VERSION] or "",
            "generation": generation or 0,
            "created_at": unix_seconds(values[_CREATED]),
            "deleted_at": unix_seconds(values[_DELETED]),
        }

    def _replicas(self, values: Values) -> Replicas | None:
        if not self._counts:
            return None
        desired = number_of(self._desired(values))
        counters = [
            value if type(value) is int else number_of(value) for value in self._counters(values)
        ]
        if max(counters) < 0:
            return Replicas(desired) if desired >= 0 else None
        # counters that are zero are left out beside those that are not
        return Replicas(
            desired,
            *[
                0 if count < 0 and counted else count
                for count, counted in zip(counters, self._counted, strict=True)
            ],
        )

    def _evidence(
        self, values: Values, conditions: tuple[Any, ...], replicas: Replicas | None, paused: bool
    ) -> Evidence:
        observed = values[_OBSERVED]
        failure = self._failure(values)
        has_status = self._has_status(values, observed)
        return Evidence(
            conditions,
            self.spec.summary,
            values[_GENERATION] or 0,  # type: ignore[arg-type]  # decoded as int
            observed if isinstance(observed, int) else -1,
            has_status,
            self._ready_flag(values, has_status),
            text_of(failure) if failure is not None else "",
            replicas,
            values[_DELETED] is not None,
            paused,
            self._extras(values),
        )

    def _ready_flag(self, values: Values, has_status: bool) -> object:
        """The flag; controllers leave it out until it is true, so absence beside a status is no."""
        flag = self._ready(values)
        if flag is None and has_status and self._expects_flag:
            return False
        return True if isinstance(flag, str) and flag else flag

    def _has_status(self, values: Values, observed: object) -> bool:
        if values[_CONDITIONS] or (isinstance(observed, int) and observed >= 0):
            return True
        return any(is_given(values[position]) for position in self._status if position != _OBSERVED)

    def _references(self, values: Values, subject: Subject) -> tuple[Reference, ...]:
        found: list[Reference] = []
        for pointer, take, always, is_single in self._points:
            keys = pointer.keys
            if keys and keys.isdisjoint(subject.labels) and keys.isdisjoint(subject.annotations):
                continue
            taken = take(values)
            if is_single and isinstance(value := taken[0], dict):
                reference = whole_reference(pointer, value, subject.namespace)
                if reference is not None:
                    found.append(reference)
                    continue
            if always or any(taken):
                found.extend(pointer.find(Pointing(pointer.spec, subject, taken, pointer.paths)))
        return tuple(found)

    def _record(self, values: Values) -> Record:
        identity = self._identity(values)
        labels: Mapping[str, str] = values[_LABELS] or {}  # type: ignore[assignment]  # as typed
        annotations: Mapping[str, str] = values[_ANNOTATIONS] or {}  # type: ignore[assignment]  # as typed
        conditions = conditions_of(*_lists(values))
        if any(gates := self._gates(values)):
            conditions = with_gates(conditions, gates)
        paused_by = pause_of(
            self.spec, annotations, [path for path, pick in self._pauses if pick(values) is True]
        )
        replicas = self._replicas(values)
        evidence = self._evidence(values, conditions, replicas, bool(paused_by))
        judged = self._judge(evidence)
        owners = _owners_of(values[_OWNERS])
        cluster = labels.get(CLUSTER_LABEL) or text_of(self._cluster(values))
        flags = int(judged.flags)
        if paused_by:
            flags |= _PAUSED
        if evidence.is_deleting:
            flags |= _DELETING
        if annotations and "cluster.x-k8s.io/managed-by" in annotations:
            flags |= _EXTERNAL
        references: tuple[Reference, ...] = ()
        if self._points:
            subject = Subject(
                self.spec.group,
                self.spec.kind,
                identity["namespace"],
                identity["name"],
                labels,
                annotations,
                owners,
                cluster,
                self._known,
            )
            references = self._references(values, subject)
        return Record(
            **identity,
            observed_generation=evidence.observed_generation,
            verdict=judged.verdict,
            condition=judged.condition,
            reason=judged.reason,
            message=judged.message,
            since=judged.since,
            flags=flags,
            paused_by=paused_by,
            owners=owners,
            references=references,
            conditions=conditions,
            replicas=replicas,
            cluster=cluster,
            kubernetes_version=text_of(self._kubernetes_version(values)),
            labels=_sorted(labels),
            annotations=kept_annotations(self.spec, annotations) if annotations else (),
            finalizers=tuple(values[_FINALIZERS] or ()),  # type: ignore[arg-type]  # decoded as list
            facts=self._told_facts(values) if self._fact_names else (),
        )

    def _told_facts(self, values: Values) -> tuple[tuple[str, str], ...]:
        return tuple(
            [
                (name, value if type(value) is str else text_of(value))
                for name, value in zip(self._fact_names, self._facts(values), strict=True)
                if value or value == 0
            ]
        )


def _lists(
    values: Values,
) -> tuple[list[RawCondition] | None, list[RawCondition] | None, list[RawCondition] | None]:
    return values[_CONDITIONS], values[_NEWER], values[_OLDER]  # type: ignore[return-value]  # as typed


def _sorted(labels: object) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items())) if isinstance(labels, Mapping) else ()


def _owners_of(owners: object) -> tuple[Owner, ...]:
    if not owners:
        return ()
    found: list[RawOwner] = owners  # type: ignore[assignment]  # decoded as list of RawOwner
    return tuple(
        [Owner(group_of(o.apiVersion), o.kind, o.name, o.uid, o.controller is True) for o in found]
    )
