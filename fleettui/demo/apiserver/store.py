"""The objects of one management cluster and everything that can happen to them.

One thread, synchronous, one integer revision for all kinds. Refuses to know about HTTP, and
of what objects mean. Source: protocol facts of a real kube-apiserver with etcd.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from fleettui.demo.apiserver import definitions, objects, patches
from fleettui.demo.apiserver.apply import applied
from fleettui.demo.apiserver.builtins import DEFINITIONS, NAMESPACES
from fleettui.demo.apiserver.changes import Change, Subscription
from fleettui.demo.apiserver.errors import NotFound, already_exists, conflict
from fleettui.demo.apiserver.history import History, end_watches
from fleettui.demo.apiserver.managed import Writer
from fleettui.demo.apiserver.resources import Resource, api_version_of
from fleettui.demo.apiserver.seeds import Converter, Seeds
from fleettui.demo.apiserver.served import ServedTypes
from fleettui.demo.apiserver.table import Table

Document = dict[str, Any]
FIRST_REVISION = 1000
"""Revisions below belong to no object, as in a cluster with some history."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Store:
    """Objects of one management cluster: seeds with later writes over them."""

    def __init__(
        self,
        seeds: Seeds,
        *,
        now: Callable[[], datetime] = _utc_now,
        history_changes: int = 100_000,
        history_bytes: int = 128 * 1024 * 1024,
        unpacked_bytes: int = 256 * 1024 * 1024,
    ) -> None:
        self.seeds = seeds
        self.now = now
        self.types = ServedTypes(seeds, first_revision=FIRST_REVISION)
        self.revision = self.types.seeded_to
        """The last revision given to a write, of whatever kind."""
        self.compacted = 0
        """Continue tokens and exact reads of older revisions answer 410."""
        self.orphans: deque[tuple[str, str, str]] = deque()
        """(uid, namespace, policy) of deleted owners, for the garbage collector."""
        self.has_orphans = asyncio.Event()
        self._history = History(
            self.types.tables, max_changes=history_changes, max_bytes=history_bytes
        )
        self._written_bytes = 0
        self._unpacked_bytes = unpacked_bytes

    @property
    def resources(self) -> list[Resource]:
        """All served resource types, in a fixed order."""
        return self.types.resources

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The served resource type of a URL, None if there is none."""
        return self.types.find(group, version, plural)

    def table(self, resource: Resource) -> Table:
        """The table of a resource type.

        Raises:
            NotFound: the type is not (or no longer) served.
        """
        return self.types.table(resource)

    def get_bytes(self, resource: Resource, namespace: str, name: str) -> bytes:
        """JSON of one object in the storage version.

        Raises:
            NotFound: there is no such object.
        """
        data = self.table(resource).get((namespace, name))
        if data is None:
            raise NotFound(resource.qualified, name)
        return data

    def get(self, resource: Resource, namespace: str, name: str) -> Document:
        """One object as a fresh dict.

        Raises:
            NotFound: there is no such object.
        """
        document: Document = msgspec.json.decode(self.get_bytes(resource, namespace, name))
        return document

    def list(self, resource: Resource, namespace: str | None = None) -> Iterable[Document]:
        """All objects as fresh dicts, in order; cost O(n), decoded as they are taken."""
        for _, data in self.table(resource).scan(namespace=namespace):
            yield msgspec.json.decode(data)

    def create(
        self, resource: Resource, body: Document, *, manager: str, dry_run: bool = False
    ) -> Document:
        """Store a new object; namespace and name are taken from its metadata.

        Raises:
            ApiError: 409 if it exists, 422 if it is invalid, 404 if its namespace is missing.
        """
        namespace = (body.get("metadata") or {}).get("namespace") or ""
        namespace = (namespace or "default") if resource.namespaced else ""
        writer = self._writer(resource, manager)
        document = objects.created(
            resource,
            {**body, "apiVersion": resource.api_version},
            namespace=namespace,
            uid=str(uuid.uuid4()),
            now=self.now(),
            writer=writer,
        )
        return self._insert(resource, document, dry_run=dry_run)

    def _insert(self, resource: Resource, document: Document, *, dry_run: bool) -> Document:
        namespace = document["metadata"].get("namespace", "")
        name = document["metadata"]["name"]
        if self.table(resource).get((namespace, name)) is not None:
            raise already_exists(resource.qualified, name)
        namespaces = self.types.tables[NAMESPACES.key]
        if namespace and namespaces.count and namespaces.get(("", namespace)) is None:
            raise NotFound("namespaces", namespace)
        if resource.key == DEFINITIONS.key:
            installed = definitions.resource_of(document)
            document["status"] = definitions.established(
                document["spec"]["names"], [installed.version]
            )
        if resource.key == NAMESPACES.key:
            document.setdefault("spec", {})["finalizers"] = ["kubernetes"]
            document["status"] = {"phase": "Active"}
        return self._commit(resource, document, dry_run=dry_run)

    def _writer(self, resource: Resource, manager: str, subresource: str = "") -> Writer:
        return Writer(manager or "unknown", "Update", resource.api_version, subresource)

    def transform(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        fn: Callable[[Document], Document],
        *,
        manager: str,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Document:
        """Replace an object by `fn` of it; nothing is written if nothing changes.

        Raises:
            NotFound: there is no such object.
            ApiError: 409 for a stale resourceVersion or another uid.
        """
        data = self.get_bytes(resource, namespace, name)
        old: Document = msgspec.json.decode(data)
        document = objects.updated(
            resource,
            old,
            fn(msgspec.json.decode(data)),
            writer=self._writer(resource, manager, subresource),
            subresource=subresource,
            now=self.now(),
        )
        return old if document is None else self._commit(resource, document, dry_run=dry_run)

    def update(
        self,
        resource: Resource,
        body: Document,
        *,
        manager: str,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Document:
        """Replace an object by `body` (PUT)."""
        metadata = body["metadata"]
        return self.transform(
            resource,
            metadata.get("namespace", ""),
            metadata["name"],
            lambda _: body,
            manager=manager,
            subresource=subresource,
            dry_run=dry_run,
        )

    def patch_merge(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        patch: Document,
        *,
        manager: str,
        subresource: str = "",
        dry_run: bool = False,
    ) -> Document:
        """Change an object by a JSON merge patch."""
        return self.transform(
            resource,
            namespace,
            name,
            lambda document: patches.merge_patched(document, patch),
            manager=manager,
            subresource=subresource,
            dry_run=dry_run,
        )

    def mutate(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        fn: Callable[[Document], None],
        *,
        manager: str,
        subresource: str = "",
    ) -> Document:
        """Change an object by `fn`, which edits a private copy in place (controllers' way)."""

        def edit(document: Document) -> Document:
            fn(document)
            return document

        return self.transform(
            resource, namespace, name, edit, manager=manager, subresource=subresource
        )

    def apply(
        self,
        resource: Resource,
        config: Document,
        *,
        manager: str,
        force: bool = False,
        subresource: str = "",
        dry_run: bool = False,
    ) -> tuple[Document, bool]:
        """Server-side apply; (object, whether it was created).

        Raises:
            ApiError: 409 naming managers and fields in the way, unless `force`.
        """
        metadata = config["metadata"]
        namespace, name = metadata.get("namespace", ""), metadata["name"]
        writer = Writer(manager, "Apply", resource.api_version, subresource)
        stamp = objects.timestamp(self.now())
        data = self.table(resource).get((namespace, name))
        if data is None and subresource:
            raise NotFound(resource.qualified, name)
        if data is None:
            new = applied({"metadata": {}}, config, writer=writer, force=force, time=stamp)
            fields = new["metadata"]["managedFields"]
            document = objects.created(
                resource,
                {**config, "apiVersion": resource.api_version},
                namespace=namespace,
                uid=str(uuid.uuid4()),
                now=self.now(),
                writer=writer,
            )
            document["metadata"]["managedFields"] = fields
            return self._insert(resource, document, dry_run=dry_run), True
        old: Document = msgspec.json.decode(data)
        new = applied(old, config, writer=writer, force=force, time=stamp)
        changed = objects.updated(
            resource, old, new, writer=None, subresource=subresource, now=self.now()
        )
        if changed is None:
            return old, False
        return self._commit(resource, changed, dry_run=dry_run), False

    def delete(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        resource_version: str | None = None,
        propagation: str = "Background",
        dry_run: bool = False,
    ) -> Document:
        """Delete an object, or mark it deleted while finalizers hold it; its last state.

        Raises:
            NotFound: there is no such object.
            ApiError: 409 if a precondition fails.
        """
        old = self.get(resource, namespace, name)
        self._check(resource, old, uid, resource_version)
        metadata = old["metadata"]
        if propagation in ("Foreground", "Orphan"):
            held = "foregroundDeletion" if propagation == "Foreground" else "orphan"
            if held not in (metadata.get("finalizers") or []):
                metadata["finalizers"] = [*(metadata.get("finalizers") or []), held]
            if not dry_run:
                self._orphan(metadata["uid"], namespace, propagation)
        if metadata.get("deletionTimestamp") and propagation == "Background":
            return old
        if objects.is_free(old):
            return self._commit(resource, old, dry_run=dry_run, is_removal=True)
        document = old
        if not metadata.get("deletionTimestamp"):
            document = objects.terminating(resource, old, now=self.now())
        if resource.key == NAMESPACES.key:
            document.setdefault("status", {})["phase"] = "Terminating"
            if not dry_run:
                self._orphan(metadata["uid"], name, "Namespace")
        return self._commit(resource, document, dry_run=dry_run)

    def _check(
        self, resource: Resource, old: Document, uid: str | None, resource_version: str | None
    ) -> None:
        metadata = old["metadata"]
        for word, key, wanted in (
            ("UID", "uid", uid),
            ("ResourceVersion", "resourceVersion", resource_version),
        ):
            if wanted and wanted != metadata[key]:
                raise conflict(
                    resource.qualified,
                    metadata["name"],
                    f"Precondition failed: {word} in precondition: {wanted}, "
                    f"{word} in object meta: {metadata[key]}",
                )

    def _commit(
        self, resource: Resource, document: Document, *, dry_run: bool, is_removal: bool = False
    ) -> Document:
        if dry_run:
            return document
        metadata = document["metadata"]
        self.revision += 1
        metadata["resourceVersion"] = str(self.revision)
        data = objects.encoded(document)
        key = (metadata.get("namespace", ""), metadata["name"])
        table = self.table(resource)
        if is_removal or objects.is_released(document):
            change = table.remove(key, data, revision=self.revision)
            self._orphan(metadata["uid"], key[0], "Background")
        else:
            self._written_bytes += len(data)
            packed = self._written_bytes > self._unpacked_bytes
            change = table.write(key, data, revision=self.revision, packed=packed)
        self._history.publish(table, change, len(data))
        if resource.key == DEFINITIONS.key:
            self._redefine(change)
        return document

    def _orphan(self, uid: str, namespace: str, policy: str) -> None:
        self.orphans.append((uid, namespace, policy))
        self.has_orphans.set()

    def subscribe(
        self, resources: Iterable[Resource] | None = None, *, is_watch: bool = False
    ) -> Subscription:
        """A queue of the changes of these resources (None: of all) from now on.

        Watches end with a change of their type's definition, other readers do not.
        """
        return self._history.subscribe(resources, is_watch=is_watch)

    def compact(self, revision: int | None = None) -> None:
        """Drop history: continue tokens and exact reads below `revision` (now) answer 410."""
        self.compacted = max(self.compacted, self.revision if revision is None else revision)
        for table in self.types.tables.values():
            table.forget_snapshots(self.compacted)

    def expire_watches(self, resource: Resource | None = None) -> None:
        """Drop the watch history: watches from any older revision answer 410."""
        tables = self.types.tables.values() if resource is None else [self.table(resource)]
        for table in tables:
            table.floor = self.revision

    def end_watches(self) -> None:
        """End every watch (its clients see a clean end)."""
        for table in self.types.tables.values():
            end_watches(table)

    def _redefine(self, change: Change) -> None:
        gone = self.types.redefine(change, revision=self.revision)
        if gone is None:
            return
        for slot, data in list(gone.scan()):
            self.revision += 1
            final = msgspec.json.decode(data)
            final["metadata"]["resourceVersion"] = str(self.revision)
            body = objects.encoded(final)
            removed = gone.remove(gone.key_of(slot), body, revision=self.revision)
            self._history.publish(gone, removed, len(body))
        self.types.drop(gone)

    def convert(self, resource: Resource, data: bytes, version: str) -> bytes:
        """Stored JSON in another served version."""
        if version == resource.version:
            return data
        if isinstance(self.seeds, Converter):
            converted = self.seeds.convert(resource, msgspec.json.decode(data), version)
            return objects.encoded(converted)
        old = f'"apiVersion":"{resource.api_version}"'.encode()
        new = f'"apiVersion":"{api_version_of(resource.group, version)}"'.encode()
        return data.replace(old, new, 1)

    def to_storage(self, resource: Resource, document: Document, version: str) -> Document:
        """A document sent in another served version, in the storage version."""
        if version == resource.version:
            return document
        if isinstance(self.seeds, Converter):
            return self.seeds.convert(resource, document, resource.version)
        return {**document, "apiVersion": resource.api_version}
