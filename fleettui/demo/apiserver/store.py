"""The objects of one management cluster and everything that can happen to them.

One thread, synchronous, one integer revision for all kinds. Refuses to know about HTTP, and
of what objects mean. Source: protocol facts of a real kube-apiserver with etcd.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from fleettui.demo.apiserver import definitions, objects, patches
from fleettui.demo.apiserver.apply import applied
from fleettui.demo.apiserver.builtins import DEFINITIONS, NAMESPACES
from fleettui.demo.apiserver.changes import Subscription
from fleettui.demo.apiserver.errors import NotFound, already_exists
from fleettui.demo.apiserver.ledger import Ledger
from fleettui.demo.apiserver.managed import Writer
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.seeds import Seeds
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
        history_bytes: int = 64 * 1024 * 1024,
        unpacked_bytes: int = 64 * 1024 * 1024,
    ) -> None:
        self.seeds = seeds
        self.now = now
        self.types = ServedTypes(seeds, first_revision=FIRST_REVISION)
        self.ledger = Ledger(
            self.types,
            max_changes=history_changes,
            max_bytes=history_bytes,
            unpacked_bytes=unpacked_bytes,
        )

    @property
    def revision(self) -> int:
        """The last revision given to a write, of whatever kind."""
        return self.ledger.revision

    def subscribe(self, resources: Iterable[Resource] | None = None) -> Subscription:
        """A queue of the changes of these resources (None: of all) from now on."""
        return self.ledger.subscribe(resources)

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
        _complete(resource, document)
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
        objects.check_preconditions(resource, old, uid=uid, resource_version=resource_version)
        metadata = old["metadata"]
        if propagation in ("Foreground", "Orphan"):
            held = "foregroundDeletion" if propagation == "Foreground" else "orphan"
            if held not in (metadata.get("finalizers") or []):
                metadata["finalizers"] = [*(metadata.get("finalizers") or []), held]
            if not dry_run:
                self.ledger.orphan(metadata["uid"], namespace, propagation)
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
                self.ledger.orphan(metadata["uid"], name, "Namespace")
        return self._commit(resource, document, dry_run=dry_run)

    def _commit(
        self, resource: Resource, document: Document, *, dry_run: bool, is_removal: bool = False
    ) -> Document:
        if dry_run:
            return document
        return self.ledger.commit(resource, document, is_removal=is_removal)


def _complete(resource: Resource, document: Document) -> None:
    """Fill in what a server's own controllers write at once."""
    if resource.key == DEFINITIONS.key:
        installed = definitions.resource_of(document)
        document["status"] = definitions.established(document["spec"]["names"], [installed.version])
    if resource.key == NAMESPACES.key:
        document.setdefault("spec", {})["finalizers"] = ["kubernetes"]
        document["status"] = {"phase": "Active"}
