"""What every reaction needs: the store by kind, the time, and how long things take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.store import Store
from fleettui.demo.world.catalogue import group_of, resource_of
from fleettui.demo.world.values import stamp

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast pretended work goes."""

    factor: float = 1.0
    """Multiplies every wait; 0 only lets other tasks run."""

    async def wait(self, seconds: float) -> None:
        """Let time pass as if something took so long."""
        await asyncio.sleep(seconds * self.factor)


@dataclass(slots=True)
class Kit:
    """A store as controllers use it."""

    store: Store
    pace: Pace
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    """One at a time works on an owner, by uid."""

    def now(self) -> str:
        """The present moment as objects spell it."""
        return stamp(self.store.now())

    def lock(self, document: Document) -> asyncio.Lock:
        """The lock of an object."""
        return self.locks.setdefault(document["metadata"]["uid"], asyncio.Lock())

    def get(self, group: str, kind: str, namespace: str, name: str) -> Document | None:
        """An object, None if there is none or no such kind."""
        try:
            return self.store.get(resource_of(group, kind), namespace, name)
        except (ApiError, KeyError):
            return None

    def refresh(self, document: Document) -> Document | None:
        """The object as it is now; None if it is gone or was made anew."""
        meta = document["metadata"]
        fresh = self.get(
            group_of(document["apiVersion"]),
            document["kind"],
            meta.get("namespace", ""),
            meta["name"],
        )
        if fresh is None or fresh["metadata"]["uid"] != meta["uid"]:
            return None
        return fresh

    def refresh_by_name(self, document: Document) -> Document | None:
        """The stored object of the document's kind, namespace and name."""
        meta = document["metadata"]
        group = group_of(document["apiVersion"])
        return self.get(group, document["kind"], meta.get("namespace", ""), meta["name"])

    def referred(self, reference: Document | None, namespace: str) -> Document | None:
        """The object that a reference of the core API names."""
        if not reference:
            return None
        group = reference.get("apiGroup") or group_of(reference.get("apiVersion", ""))
        return self.get(group, reference["kind"], namespace, reference["name"])

    def all_of(self, group: str, kind: str, namespace: str | None) -> list[Document]:
        """All objects of a kind, in one namespace or in all."""
        return list(self.store.list(resource_of(group, kind), namespace))

    def labelled(self, group: str, kind: str, namespace: str, cluster: str) -> list[Document]:
        """Objects of a kind that carry the label of a cluster."""
        label = f'"cluster.x-k8s.io/cluster-name":"{cluster}"'.encode()
        table = self.store.table(resource_of(group, kind))
        return [
            msgspec.json.decode(data)
            for _, data in table.scan(namespace=namespace)
            if label in data
        ]

    def change(
        self, document: Document, fn: Callable[[Document], None], *, manager: str = "manager"
    ) -> Document | None:
        """Change metadata and spec of an object; None if it is gone."""
        return self._mutate(document, fn, manager, "")

    def change_status(
        self, document: Document, fn: Callable[[Document], None], *, manager: str = "manager"
    ) -> Document | None:
        """Change the status of an object; None if it is gone."""
        subresource = "status" if _resource(document).has_status else ""
        return self._mutate(document, fn, manager, subresource)

    def _mutate(
        self, document: Document, fn: Callable[[Document], None], manager: str, subresource: str
    ) -> Document | None:
        meta = document["metadata"]
        try:
            return self.store.mutate(
                _resource(document),
                meta.get("namespace", ""),
                meta["name"],
                fn,
                manager=manager,
                subresource=subresource,
            )
        except ApiError:
            return None

    def set_spec(
        self, document: Document, fields: Document, *, manager: str = "manager"
    ) -> Document | None:
        """Set fields of an object's spec; None if it is gone."""
        return self.change(
            document, lambda own: own.setdefault("spec", {}).update(fields), manager=manager
        )

    def set_status(self, document: Document, fields: Document) -> Document | None:
        """Set fields of an object's status; None if it is gone."""
        return self.change_status(document, lambda own: own.setdefault("status", {}).update(fields))

    def create(self, document: Document, *, manager: str = "manager") -> Document:
        """Store a new object, status included."""
        status = document.get("status")
        made = self.store.create(_resource(document), document, manager=manager)
        if status and not made.get("status"):
            made = self.change_status(made, lambda own: own.update(status=status)) or made
        return made

    def delete(self, document: Document) -> None:
        """Delete an object if it still exists."""
        meta = document["metadata"]
        try:
            self.store.delete(_resource(document), meta.get("namespace", ""), meta["name"])
        except ApiError:
            return

    def release(self, document: Document, finalizers: Callable[[str], bool]) -> None:
        """Take away the finalizers that the function accepts."""

        def edit(own: Document) -> None:
            kept = [item for item in own["metadata"].get("finalizers", ()) if not finalizers(item)]
            own["metadata"]["finalizers"] = kept

        self.change(document, edit)


def _resource(document: Document) -> Resource:
    return resource_of(group_of(document["apiVersion"]), document["kind"])


def annotation(document: Document, key: str) -> str | None:
    """Value of an annotation."""
    value = document["metadata"].get("annotations", {}).get(key)
    return None if value is None else str(value)


def is_paused(document: Document) -> bool:
    """Whether the object's own pause is set. Source: cluster-api util/annotations."""
    paused = annotation(document, "cluster.x-k8s.io/paused") is not None
    return paused or bool(document.get("spec", {}).get("paused"))
