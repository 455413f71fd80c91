"""Schemas of kinds by server, read once and again when the server has others.

Knows how documents are asked for and kept; what a schema says is ``actions``'.
"""

import asyncio
from collections.abc import Mapping
from weakref import WeakKeyDictionary

import msgspec

from fleettui.actions.facts import SchemaRequest
from fleettui.actions.schema import Schema, schemas_of
from fleettui.kube.context import KubeContext
from fleettui.kube.openapi import OpenApi


class Schemas:
    """What the servers of open contexts publish about their kinds."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self._servers: WeakKeyDictionary[KubeContext, _Server] = WeakKeyDictionary()

    async def schema(self, context: KubeContext, request: SchemaRequest) -> Schema | None:
        """The fields of a kind on the context's server; None when it publishes none.

        Raises:
            ApiError: it cannot be told.
        """
        server = self._servers.setdefault(context, _Server(OpenApi(context.transport)))
        return (await server.kinds(request.group, request.version)).get(request.kind)


class _Server:
    def __init__(self, documents: OpenApi) -> None:
        self._documents = documents
        self._lock = asyncio.Lock()
        self._known: dict[tuple[str, str], Mapping[str, Schema]] = {}

    async def kinds(self, group: str, version: str) -> Mapping[str, Schema]:
        """Kind to schema; one question at a time, so that a document is sent once."""
        async with self._lock:
            document = await self._documents.changed(group, version)
            if document is not None:
                self._known[group, version] = await asyncio.to_thread(_read, document)
            return self._known.get((group, version), {})


def _read(document: bytes) -> Mapping[str, Schema]:
    """Kind to schema; nothing of a document that is none, as if it were not published."""
    try:
        return schemas_of(document)
    except msgspec.MsgspecError:
        return {}
