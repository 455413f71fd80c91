"""Reads a kind's objects with one list where many single reads would follow.

Knows when a list is cheaper: a kind is asked for again and again, and there are not
too many of it. Without the right to list, or of a crowded kind, objects are read one
by one. What was listed is kept for one run.

Source: client-go's rate limits, which a hundred single reads run into.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import msgspec

from fleettui.desired.objects import Manifest
from fleettui.desired.shared_work import SharedWork
from fleettui.errors import FleettuiError
from fleettui.fleet.live_reader import KubeReader
from fleettui.kube.context import KubeContext
from fleettui.kube.resource import Resource
from fleettui.kube.source import Slice

LIST_AFTER = 1
"""Single reads of a kind before it is listed: a page costs one request, as a read does."""
LIST_OBJECTS = 2000
"""Most objects of a kind that are listed for the sake of some."""
PAGE = 500

_Listed = Mapping[tuple[str, str], Manifest]


class ListingReader(KubeReader):
    """Objects of one live context, for a run over many of them."""

    def __init__(self, context: KubeContext) -> None:
        """Nothing is asked yet."""
        super().__init__(context)
        self._asked: Counter[tuple[str, str]] = Counter()
        self._lists: SharedWork[tuple[str, str], _Listed | None] = SharedWork()

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """An object as ``KubeReader`` gives it, perhaps out of a list.

        Raises:
            NoSuchKindError: the kind is not served at this version.
            FleettuiError: it may not or cannot be read.
        """
        resource = await self.resource(api_version, kind)
        key = (api_version, kind)
        self._asked[key] += 1
        if self._asked[key] > LIST_AFTER:
            listed = await self._lists.get(key, lambda: self._list(resource))
            if listed is not None:
                return listed.get((namespace if resource.namespaced else "", name))
        return await super().get(api_version, kind, namespace, name)

    async def _list(self, resource: Resource) -> _Listed | None:
        """All objects of a kind by namespace and name; None where that is no way."""
        found: list[bytes] = []
        token = ""
        try:
            while True:
                body = await self.context.client.read_page(Slice(resource), limit=PAGE, token=token)
                found += (bytes(document) for document in body.page.documents)
                token = body.page.metadata.continue_
                if len(found) + (body.page.metadata.remaining_item_count or 0) > LIST_OBJECTS:
                    return None
                if not token:
                    break
        except FleettuiError:
            return None  # no right to list, or it failed half-way: each one by itself
        is_secret = (resource.group, resource.plural) == ("", "secrets")
        kind = "PartialObjectMetadata" if is_secret else resource.kind
        head = {"apiVersion": resource.api_version, "kind": kind}
        result: dict[tuple[str, str], Manifest] = {}
        for text in found:
            document: dict[str, Any] = msgspec.json.decode(text)
            metadata = document["metadata"]
            result[metadata.get("namespace", ""), metadata["name"]] = {**document, **head}
        return result
