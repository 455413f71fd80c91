"""Notices when a cluster begins or ceases to serve kinds, and knows its CRDs' labels.

Follows CustomResourceDefinitions and APIServices as metadata only (whole CRDs are
hundreds of kilobytes each) and has discovery look again shortly after a change;
where they may not be watched, looks again every five minutes.

Source: Cluster API provider contract (``cluster.x-k8s.io/<version>`` labels on
CRDs); Kubernetes API concepts (PartialObjectMetadata).
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from fleettui.errors import FleettuiError
from fleettui.kinds.batch import Batch, Deleted, Phase, Scope, ScopeStatus
from fleettui.kinds.record import Record
from fleettui.kube.discovery import Discovery
from fleettui.kube.driver import Following, Wanted
from fleettui.kube.resource import Resource

DEBOUNCE_S = 2.0
POLL_S = 300.0
CRD_GROUP = "apiextensions.k8s.io"
CRD_KIND = "CustomResourceDefinition"
_FOLLOWED = ((CRD_GROUP, CRD_KIND), ("apiregistration.k8s.io", "APIService"))


class _Meta(msgspec.Struct, rename="camel"):
    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: dict[str, str] | None = None


class _Object(msgspec.Struct):
    metadata: _Meta


_decoder = msgspec.json.Decoder(_Object)


def metadata_reader(resource: Resource) -> Callable[[bytes], Record]:
    """A reader of identity and labels, for kinds whose body is of no interest."""

    def read(document: bytes) -> Record:
        meta = _decoder.decode(document).metadata
        return Record(
            group=resource.group,
            version=resource.version,
            kind=resource.kind,
            namespace=meta.namespace,
            name=meta.name,
            uid=meta.uid,
            resource_version=meta.resource_version,
            generation=meta.generation,
            labels=tuple(sorted((meta.labels or {}).items())),
        )

    return read


@dataclass(frozen=True, slots=True)
class Definition:
    """What is known of one CRD without reading it."""

    name: str
    """``plural.group``."""
    uid: str
    generation: int
    labels: Mapping[str, str]


class DefinitionWatch:
    """The CRDs of one context, and discovery that keeps up with them."""

    def __init__(
        self,
        discovery: Discovery,
        follow: Callable[[Wanted], Following],
        *,
        changed: Callable[[], None],
    ) -> None:
        """Nothing is asked until ``run``.

        Args:
            discovery: what is refreshed.
            follow: begins a following.
            changed: told after the catalogue has changed.
        """
        self._discovery = discovery
        self._follow = follow
        self._changed = changed
        self._stirred = asyncio.Event()
        self._phases: dict[str, Phase] = {}
        self.definitions: dict[str, Definition] = {}
        """CRDs by ``plural.group``; empty where they may not be listed."""

    @property
    def is_known(self) -> bool:
        """Whether ``definitions`` holds all CRDs."""
        return self._phases.get(CRD_KIND) is Phase.LIVE

    @property
    def is_settled(self) -> bool:
        """Whether it is known, or known that it cannot be."""
        phase = self._phases.get(CRD_KIND)
        return phase in (Phase.LIVE, Phase.FORBIDDEN, Phase.ABSENT, Phase.BROKEN)

    @staticmethod
    def uid_of(document: bytes) -> str:
        """UID of a document; empty if it has none."""
        try:
            return _decoder.decode(document).metadata.uid
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return ""

    async def run(self) -> None:
        """Follows for as long as it is not cancelled."""
        async with asyncio.TaskGroup() as group:
            for api_group, kind in _FOLLOWED:
                group.create_task(self._watch(Scope("", api_group, kind)))
            group.create_task(self._refresh())

    async def _watch(self, scope: Scope) -> None:
        wanted = Wanted(scope, metadata_reader, metadata_only=True, rank=-1)
        async for batch in self._follow(wanted).batches():
            self._apply(batch)

    def _apply(self, batch: Batch) -> None:
        is_crd = batch.scope.kind == CRD_KIND
        for event in batch.events:
            if isinstance(event, ScopeStatus):
                self._phases[batch.scope.kind] = event.phase
            elif isinstance(event, Record):
                self._upsert(event, is_crd=is_crd)
            elif isinstance(event, Deleted):
                if is_crd:
                    self.definitions.pop(event.name, None)
                self._stirred.set()

    def _upsert(self, record: Record, *, is_crd: bool) -> None:
        if is_crd:
            known = self.definitions.get(record.name)
            found = Definition(record.name, record.uid, record.generation, dict(record.labels))
            self.definitions[record.name] = found
            if known == found:
                return
        # Status changes of an APIService are news as well: its group may be back.
        self._stirred.set()

    async def _refresh(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_S):
                    await self._stirred.wait()
            except TimeoutError:
                if all(phase is Phase.LIVE for phase in self._phases.values()):
                    continue
            await asyncio.sleep(DEBOUNCE_S)
            self._stirred.clear()
            before = self._discovery.generation
            try:
                await self._discovery.catalog(fresh=True)
            except FleettuiError:
                # The reflectors show the same trouble; this one just looks again later.
                self._stirred.set()
                await asyncio.sleep(DEBOUNCE_S * 5)
                continue
            if self._discovery.generation != before:
                self._changed()
