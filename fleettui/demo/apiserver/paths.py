"""The paths that are no resource: health, version, discovery, OpenAPI.

Source: k8s.io/apiserver; aggregated discovery with ETag (KEP-3352).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from fleettui.demo.apiserver import discovery, openapi
from fleettui.demo.apiserver.outlet import Outlet
from fleettui.demo.apiserver.store import Store

VERSION: Mapping[str, str] = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.2",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "2026-06-11T18:02:41Z",
    "goVersion": "go1.26.4",
    "compiler": "gc",
    "platform": "linux/amd64",
}
_HEALTH = frozenset({"healthz", "livez", "readyz"})


class Paths:
    """Answers GETs of paths that are no resource."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def answer(
        self, path: str, headers: Mapping[str, str], outlet: Outlet
    ) -> web.StreamResponse | None:
        """The answer, None if the path is unknown."""
        parts = [part for part in path.split("/") if part]
        accept = headers.get("Accept", "")
        if parts and parts[0] in _HEALTH:
            return await outlet.body(b"ok", content_type="text/plain; charset=utf-8")
        if parts == ["version"]:
            return await outlet.json(VERSION)
        if parts in (["api"], ["apis"]):
            dialect = discovery.wanted_dialect(accept)
            if dialect is not None:
                return await self._aggregated(parts[0] == "api", dialect, headers, outlet)
        if parts[:1] == ["openapi"]:
            return await self._openapi(parts[1:], accept, outlet)
        document = self._legacy(parts, headers)
        return None if document is None else await outlet.json(document)

    def _legacy(self, parts: list[str], headers: Mapping[str, str]) -> dict[str, Any] | None:
        resources = self._store.resources
        match parts:
            case []:
                return {"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/readyz"]}
            case ["api"]:
                return discovery.core_versions(headers.get("Host", ""))
            case ["apis"]:
                return discovery.group_list(resources)
            case ["api", version]:
                return discovery.resource_list(resources, "", version)
            case ["apis", group]:
                return discovery.group_document(resources, group)
            case ["apis", group, version]:
                return discovery.resource_list(resources, group, version)
        return None

    async def _aggregated(
        self, is_core: bool, dialect: str, headers: Mapping[str, str], outlet: Outlet
    ) -> web.StreamResponse:
        document = discovery.aggregated(self._store.resources, is_core=is_core, version=dialect)
        body, etag = discovery.etag_of(document)
        sent = {"ETag": etag, "Vary": "Accept", "Cache-Control": "public"}
        media = f"application/json;g=apidiscovery.k8s.io;v={dialect};as={discovery.AGGREGATED}"
        if headers.get("If-None-Match") == etag:
            return await outlet.body(b"", status=304, content_type=media, headers=sent)
        return await outlet.body(body, content_type=media, headers=sent)

    async def _openapi(
        self, parts: list[str], accept: str, outlet: Outlet
    ) -> web.StreamResponse | None:
        resources = self._store.resources
        match parts:
            case ["v2"]:
                if "protobuf" in accept:
                    return await outlet.body(
                        openapi.PROTOBUF_V2,
                        content_type="application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
                    )
                return await outlet.json(openapi.swagger())
            case ["v3"]:
                return await outlet.json(openapi.index(resources))
            case ["v3", "api", version]:
                return await outlet.json(openapi.document(resources, "", version))
            case ["v3", "apis", group, version]:
                return await outlet.json(openapi.document(resources, group, version))
        return None
