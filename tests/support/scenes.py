"""A small demo fleet whose controllers and garbage collector run, taking no time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.garbage import GarbageCollector
from fleettui.demo.apiserver.store import Store
from fleettui.demo.controllers import Pace, start
from fleettui.demo.world import World, build_world
from fleettui.demo.world.catalogue import resource_of
from fleettui.demo.world.fleet import ClusterPlan

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SURVIVORS = {"Kustomization", "HelmRelease", "HelmChart", "Application", "Event"}
"""What Flux and Argo CD own, not the cluster."""
Document = dict[str, Any]


class Scene:
    """A store, what it was made from, and what people do to it."""

    def __init__(self, world: World, store: Store) -> None:
        self.world = world
        self.store = store

    def plan(self, flavour: str) -> ClusterPlan:
        """The first cluster of a flavour."""
        return next(plan for plan in self.world.plans if plan.flavour.name == flavour)

    def all(self, group: str, kind: str, namespace: str, prefix: str = "") -> list[Document]:
        """Objects of a namespace whose names begin so."""
        found = self.store.list(resource_of(group, kind), namespace)
        return [item for item in found if item["metadata"]["name"].startswith(prefix)]

    def get(self, group: str, kind: str, namespace: str, name: str) -> Document:
        """An object that is there."""
        return self.store.get(resource_of(group, kind), namespace, name)

    def find(self, group: str, kind: str, namespace: str, name: str) -> Document | None:
        """An object, None if it is gone."""
        try:
            return self.get(group, kind, namespace, name)
        except ApiError:
            return None

    def patch(self, document: Document, patch: Document, subresource: str = "") -> None:
        """Merge a patch into an object."""
        meta = document["metadata"]
        self.store.patch_merge(
            resource_of(document["apiVersion"].rpartition("/")[0], document["kind"]),
            meta.get("namespace", ""),
            meta["name"],
            patch,
            manager="test",
            subresource=subresource,
        )

    def of_cluster(self, kinds: Iterable[tuple[str, str]], plan: ClusterPlan) -> list[Document]:
        """Objects of some kinds that are named after a cluster."""
        return [item for kind in kinds for item in self.all(*kind, plan.namespace, plan.name)]

    def delete(self, group: str, kind: str, plan: ClusterPlan, name: str) -> None:
        """Delete an object in a cluster's namespace."""
        self.store.delete(resource_of(group, kind), plan.namespace, name)

    def left_of(self, plan: ClusterPlan) -> set[str]:
        """Kind and name of everything that still belongs to a cluster, survivors aside."""
        found = set()
        for resource in self.world.resources():
            if resource.kind in SURVIVORS or not resource.namespaced:
                continue
            for item in self.store.list(resource, plan.namespace):
                meta = item["metadata"]
                is_named = meta["name"] == plan.name or meta["name"].startswith(f"{plan.name}-")
                if is_named and meta["managedFields"][0]["manager"] != "external-secrets":
                    found.add(f"{resource.kind}/{meta['name']}")
        return found

    async def until(self, state: Callable[[], object], wanted: object) -> None:
        """Let tasks run until a state is as wanted; fails with what it was instead."""
        for _ in range(400):
            if state() == wanted:
                return
            for _ in range(100):
                await asyncio.sleep(0)
        seen = state()
        assert seen == wanted, f"waited for {wanted!r}, at last it was {seen!r}"

    async def rest(self) -> None:
        """Let tasks do what they would do now."""
        for _ in range(500):
            await asyncio.sleep(0)


def condition(document: Document, kind: str) -> Document:
    """A condition that the object has."""
    return next(item for item in document["status"]["conditions"] if item["type"] == kind)


class Stages:
    """Reasons and messages of an object's Deleting condition, as watchers would see them."""

    def __init__(self, store: Store, group: str, kind: str, name: str) -> None:
        self._changes = store.subscribe([resource_of(group, kind)])
        self._name = name

    def seen(self) -> list[tuple[str, str]]:
        """(reason, message) in order, each once in a row."""
        found: list[tuple[str, str]] = []
        for change in self._changes.drain():
            found += self._stage(change)
        return [stage for i, stage in enumerate(found) if i == 0 or stage != found[i - 1]]

    def _stage(self, change: Change) -> list[tuple[str, str]]:
        body = change.new if change.name == self._name else None
        return [
            (item["reason"], item["message"])
            for item in ((body or {}).get("status") or {}).get("conditions", ())
            if item["type"] == "Deleting" and item["status"] == "True"
        ]


@asynccontextmanager
async def running_scene() -> AsyncIterator[Scene]:
    """A healthy fleet of all flavours with everything running."""
    world = build_world(0, 1, clusters=24, seed=5, now=NOW, incidents=())
    store = Store(world)
    tasks = [*start(store, pace=Pace(0)), asyncio.create_task(GarbageCollector(store).run())]
    await asyncio.sleep(0)
    yield Scene(world, store)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
