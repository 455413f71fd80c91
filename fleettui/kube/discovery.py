"""Keeps the catalogue of one API server fresh, and knows about its CRDs.

Knows where discovery is asked for, what may fail in part and what is worth
caching; reading the documents is in ``catalog``. Deciding when to look again is
left to the caller.

Source: KEP-3352 (aggregated discovery, ETag, ``freshness: Stale``);
apiextensions.k8s.io/v1 CustomResourceDefinition (additionalPrinterColumns).
"""

import asyncio
from collections.abc import Mapping, Sequence

import msgspec

from fleettui.kube.calls import Call, Caller
from fleettui.kube.catalog import (
    Catalog,
    catalog_of,
    read_aggregated,
    read_group_versions,
    read_legacy,
)
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.framing import DECODE_ERRORS
from fleettui.kube.resource import Resource

CRD = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    namespaced=False,
)

_FORM = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
_ACCEPT = ",".join((_FORM.format("v2"), _FORM.format("v2beta1"), "application/json"))
MAX_DISCOVERY_BYTES = 32 << 20


class PrinterColumn(msgspec.Struct, frozen=True, rename="camel"):
    """A column that a CRD asks for."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0
    description: str = ""


class _Version(msgspec.Struct, rename="camel"):
    name: str
    additional_printer_columns: list[PrinterColumn] | None = None


class _Spec(msgspec.Struct):
    versions: list[_Version]


class _Definition(msgspec.Struct):
    spec: _Spec


class Discovery:
    """The catalogue of one server, fetched when first needed."""

    def __init__(self, caller: Caller) -> None:
        """Nothing is fetched yet."""
        self._caller = caller
        self._lock = asyncio.Lock()
        self._documents: dict[str, tuple[str, bytes]] = {}
        self._catalog: Catalog | None = None
        self._begun = 0
        self.generation = 0
        """Grows whenever the catalogue has changed."""

    @property
    def known(self) -> Catalog | None:
        """The last catalogue, None if there was none yet."""
        return self._catalog

    async def catalog(self, *, fresh: bool = False) -> Catalog:
        """What the server serves; one fetch at a time, and waiting callers share it.

        Args:
            fresh: ask the server again.

        Raises:
            ApiError: nothing could be learned, now or before.
        """
        begun_before = self._begun
        async with self._lock:
            is_new_enough = not fresh or self._begun > begun_before
            if self._catalog is not None and is_new_enough:
                return self._catalog
            self._begun += 1
            found = await self._fetch()
            if self._catalog is not None:
                found = found.merged(self._catalog)
            if found != self._catalog:
                self.generation += 1
                self._catalog = found
            return self._catalog or found

    async def resolve(
        self, group: str, kind: str, *, versions: Sequence[str] = (), fresh: bool = False
    ) -> Resource | None:
        """What serves a kind, None if the server does not.

        Raises:
            ApiError: it is not known whether the kind is served.
        """
        return (await self.catalog(fresh=fresh)).find(group, kind, versions)

    async def printer_columns(self, resource: Resource) -> Sequence[PrinterColumn]:
        """The columns that the kind's CRD asks for; empty if it is no CRD or not readable."""
        call = Call(CRD.path(name=resource.label))
        try:
            async with self._caller.open(call) as answer:
                body = await answer.read(limit_bytes=MAX_DISCOVERY_BYTES)
            versions = msgspec.json.decode(body, type=_Definition).spec.versions
        except ApiError as error:
            if error.fault in (Fault.FORBIDDEN, Fault.NOT_FOUND, Fault.NOT_SERVED):
                return ()
            raise
        except DECODE_ERRORS:
            return ()
        for version in versions:
            if version.name == resource.version:
                return version.additional_printer_columns or ()
        return ()

    async def _fetch(self) -> Catalog:
        core, groups = await asyncio.gather(self._form("/api"), self._form("/apis"))
        kinds: Mapping[tuple[str, str], tuple[Resource, ...]] = {**groups.kinds, **core.kinds}
        return Catalog(kinds, core.stale_groups | groups.stale_groups)

    async def _form(self, path: str) -> Catalog:
        body = await self._document(path, accept=_ACCEPT)
        catalog = read_aggregated(body)
        return await self._legacy(body) if catalog is None else catalog

    async def _legacy(self, body: bytes) -> Catalog:
        pairs = read_group_versions(body)
        answers = await asyncio.gather(
            *(self._group_version(group, version) for group, version in pairs)
        )
        found = [resource for answer in answers for resource in answer or ()]
        stale = {group for (group, _), answer in zip(pairs, answers, strict=True) if answer is None}
        return catalog_of(found, stale_groups=frozenset(stale))

    async def _group_version(self, group: str, version: str) -> Sequence[Resource] | None:
        path = f"/apis/{group}/{version}" if group else f"/api/{version}"
        try:
            body = await self._document(path, accept="application/json")
            return read_legacy(body, group=group, version=version)
        except ApiError as error:
            # One dead aggregated server must not hide what all others serve.
            if error.fault in (Fault.SERVER, Fault.MALFORMED, Fault.NOT_SERVED, Fault.FORBIDDEN):
                return None
            raise

    async def _document(self, path: str, *, accept: str) -> bytes:
        tag, kept = self._documents.get(path, ("", b""))
        call = Call(path, accept=accept, if_none_match=tag)
        async with self._caller.open(call) as answer:
            if answer.status == 304:
                return kept
            body = await answer.read(limit_bytes=MAX_DISCOVERY_BYTES)
            tag = answer.headers.get("ETag", "")
        if tag:
            self._documents[path] = (tag, body)
        return body
