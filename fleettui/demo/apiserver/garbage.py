"""What happens after a deletion: dependents, orphans, namespaces' contents.

Works through the store in slices. Source: kube-controller-manager's garbage collector and
namespace controller.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

import msgspec

from fleettui.demo.apiserver.builtins import NAMESPACES
from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.store import Store
from fleettui.demo.apiserver.table import Key

_SLICE = 200
_MANAGER = "kube-controller-manager"
_HELD = {"Foreground": "foregroundDeletion", "Orphan": "orphan"}


class GarbageCollector:
    """Deletes what deleted owners leave behind, in the namespace of the owner."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: dict[str, tuple[str, str]] = {}

    async def run(self) -> None:
        """Collect whenever something was deleted, until cancelled."""
        while True:
            await self._store.ledger.has_orphans.wait()
            self._store.ledger.has_orphans.clear()
            while await self.collect() and (self._store.ledger.orphans or self._held):
                continue

    async def collect(self) -> bool:
        """Work through all deletions that wait; whether anything was done."""
        work = list(self._store.ledger.orphans)
        self._store.ledger.orphans.clear()
        work += [(uid, *place) for uid, place in self._held.items()]
        before = self._store.revision
        for uid, namespace, policy in work:
            if policy == "Namespace":
                await self._empty_namespace(uid, namespace)
            else:
                await self._after(uid, namespace, policy)
        return self._store.revision != before

    async def _after(self, uid: str, namespace: str, policy: str) -> None:
        left = 0
        owner: tuple[Resource, Key] | None = None
        marker = f'"uid":"{uid}"'.encode()
        async for resource, key, data in self._scan(namespace or None):
            if marker not in data:
                continue
            document = msgspec.json.decode(data)
            metadata = document["metadata"]
            if metadata["uid"] == uid:
                owner = (resource, key)
            elif any(ref.get("uid") == uid for ref in metadata.get("ownerReferences") or ()):
                self._release(resource, key, metadata, uid=uid, policy=policy)
                left += policy == "Foreground"
        self._held.pop(uid, None)
        if owner is None or policy not in _HELD:
            return
        if left:
            self._held[uid] = (namespace, policy)
            return
        resource, (owner_namespace, name) = owner
        self._edit(resource, (owner_namespace, name), _without_finalizer(_HELD[policy]))

    def _release(
        self, resource: Resource, key: Key, metadata: dict[str, Any], *, uid: str, policy: str
    ) -> None:
        others = [ref for ref in metadata["ownerReferences"] if ref.get("uid") != uid]
        if policy != "Orphan" and not others:
            if not metadata.get("deletionTimestamp"):
                self._delete(resource, key)
            return

        def edit(document: dict[str, Any]) -> None:
            document["metadata"]["ownerReferences"] = others

        self._edit(resource, key, edit)

    def _delete(self, resource: Resource, key: Key) -> None:
        try:
            self._store.delete(resource, *key)
        except ApiError:
            # Somebody else deleted it between the scan and now: nothing is left to do.
            return

    def _edit(self, resource: Resource, key: Key, fn: Any) -> None:
        try:
            self._store.mutate(resource, *key, fn, manager=_MANAGER)
        except ApiError:
            # The object went away between the scan and now: nothing is left to do.
            return

    async def _empty_namespace(self, uid: str, name: str) -> None:
        left = 0
        async for resource, key, data in self._scan(name):
            if resource.key == NAMESPACES.key:
                continue
            left += 1
            if b'"deletionTimestamp":' not in data:
                self._delete(resource, key)
            left -= self._store.table(resource).get(key) is None
        if left:
            self._held[uid] = (name, "Namespace")
            return
        self._held.pop(uid, None)

        def edit(document: dict[str, Any]) -> None:
            document.setdefault("spec", {}).pop("finalizers", None)

        self._edit(NAMESPACES, ("", name), edit)

    async def _scan(self, namespace: str | None) -> AsyncIterator[tuple[Resource, Key, bytes]]:
        for table in list(self._store.types.tables.values()):
            after: Key | None = None
            where = namespace if table.resource.namespaced else None
            if namespace is not None and not table.resource.namespaced:
                continue
            while True:
                found = list(islice(table.scan(namespace=where, after=after), _SLICE))
                for slot, data in found:
                    after = table.key_of(slot)
                    yield table.resource, after, data
                if len(found) < _SLICE:
                    break
                await asyncio.sleep(0)


def _without_finalizer(word: str) -> Any:
    def edit(document: dict[str, Any]) -> None:
        kept = [item for item in document["metadata"].get("finalizers") or () if item != word]
        document["metadata"]["finalizers"] = kept

    return edit
