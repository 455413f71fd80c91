"""A recorded cluster as a link: complete, read-only, as of the moment it was recorded."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from fleettui.errors import FleettuiError, UnreadableError
from fleettui.fleet.context import ContextInfo, ContextState, Emit, EventLine
from fleettui.fleet.events import event_lines
from fleettui.fleet.gaps import UNREADABLE
from fleettui.fleet.recorded_kinds import learn_recorded, unserved_kinds
from fleettui.index.causes.signals import KIND_RELATIONS
from fleettui.kinds import KindTable
from fleettui.kinds.batch import Batch, Event, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import ObjectKey, ObjectRef, Record
from fleettui.recorded.recording import Recording, split_api_version

FEW = 3
"""Skipped files that are named."""


class RecordedLink:
    """Serves the objects of one recording."""

    def __init__(self, recording: Recording, table: KindTable, *, read_at: int = 0) -> None:
        """Nothing is read until ``run`` or ``batches``; ``read_at`` is now, in Unix seconds."""
        self._read_at = read_at
        self._recording = recording
        self._table = table
        self._loaded = 0
        self._is_read = False

    @property
    def name(self) -> str:
        """The recording's name."""
        return self._recording.name

    @property
    def taken_at(self) -> int:
        """The moment the recording shows, Unix seconds."""
        return self._recording.taken_at

    def info(self) -> ContextInfo:
        """Recorded, with its age in ``since``."""
        return ContextInfo(
            name=self.name,
            server=str(self._recording.path),
            state=ContextState.RECORDED if self._is_read else ContextState.SYNCING,
            since=self._recording.taken_at,
            loaded=self._loaded,
            expected=self._loaded,
            age_s=max(self._read_at - self._recording.taken_at, 0) if self._read_at else 0,
            note=self._skipped(),
            missing=tuple(f"{UNREADABLE}: {self._below(why)}" for why in self._recording.broken),
        )

    def _skipped(self) -> str:
        skipped = self._recording.skipped
        if not skipped:
            return ""
        shown = ", ".join(self._below(reason) for reason in skipped[:FEW])
        more = f" and {len(skipped) - FEW} more" if len(skipped) > FEW else ""
        what = "file" if len(skipped) == 1 else "files"
        return f"{len(skipped)} {what} skipped: {shown}{more}"

    def _below(self, reason: str) -> str:
        return reason.removeprefix(f"{self._recording.path}/")

    def batches(self) -> Iterator[Batch]:
        """One whole list per kind of the table that the recording holds."""
        learn_recorded(self._recording, self._table)
        by_kind: dict[tuple[str, str], list[ObjectKey]] = {}
        for key in self._recording.objects:
            by_kind.setdefault((key.group, key.kind), []).append(key)
        named: set[tuple[str, str]] = set()
        for (group, kind), keys in sorted(by_kind.items()):
            if self._table.spec_for(group, kind) is None:
                continue
            scope = Scope(self.name, group, kind)
            events: list[Event] = [Mark.INIT]
            for key in keys:
                document = self._recording.objects[key]
                version = split_api_version(str(document["apiVersion"]))[1]
                try:
                    events.append(self._table.reader(group, version, kind).convert(document))
                except UnreadableError as exc:
                    self._recording.broken.append(str(exc))
            self._loaded += len(events) - 1
            status = ScopeStatus(phase=Phase.RECORDED, since=self.taken_at, loaded=len(events) - 1)
            yield Batch(scope, [*events, Mark.INIT_DONE, status])
            records = [event for event in events if isinstance(event, Record)]
            named.update(
                (reference.group, reference.kind)
                for record in records
                for reference in record.references
                if reference.relation in KIND_RELATIONS
            )
        for group, kind in unserved_kinds(self._recording, named):
            status = ScopeStatus(phase=Phase.ABSENT, since=self.taken_at)
            yield Batch(Scope(self.name, group, kind), [status])

    async def run(self, emit: Emit, changed: Callable[[], None]) -> None:
        """Emits everything once."""
        for batch in self.batches():
            emit(batch)
        self._is_read = True
        changed()

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        """The recorded object.

        Raises:
            FleettuiError: the recording does not hold it.
        """
        key = ObjectKey(ref.group, ref.kind, ref.namespace, ref.name)
        document = self._recording.objects.get(key)
        if document is None:
            raise FleettuiError(f"{ref} is not in the recording {self.name}")
        return document

    def find(self, key: ObjectKey) -> Mapping[str, Any] | None:
        """The recorded object of a key at whatever version it was recorded, if any."""
        return self._recording.objects.get(key)

    def holds_kind(self, group: str, kind: str) -> bool:
        """Whether any object of a kind was recorded, or its definition."""
        return any(
            (key.group, key.kind) == (group, kind)
            or (key.kind == "CustomResourceDefinition" and _defines(document, group, kind))
            for key, document in self._recording.objects.items()
        )

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        """The recorded Events about the object."""
        return event_lines(
            event
            for event in self._recording.events
            if _is_about(event.get("involvedObject") or event.get("regarding"), ref)
        )

    async def logs(self, ref: ObjectRef, *, container: str, tail: int) -> AsyncIterator[str]:
        """Recordings hold no logs.

        Raises:
            FleettuiError: always.
        """
        for line in self._lines_of(ref):
            yield line

    def _lines_of(self, ref: ObjectRef) -> Sequence[str]:
        raise FleettuiError(
            f"the log of {ref} is not part of the recording", hint="open the live context"
        )

    async def close(self) -> None:
        """Lets the objects go."""
        self._recording.objects.clear()
        self._recording.events.clear()


def _defines(definition: Mapping[str, Any], group: str, kind: str) -> bool:
    spec = definition.get("spec") or {}
    return spec.get("group") == group and (spec.get("names") or {}).get("kind") == kind


def _is_about(about: object, ref: ObjectRef) -> bool:
    return (
        isinstance(about, Mapping)
        and about.get("kind") == ref.kind
        and about.get("name") == ref.name
        and (about.get("namespace") or "") == ref.namespace
    )
