"""The seeded content keeps the promises that the API server relies on."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from fleettui.demo.world import World, build_world

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def small_worlds() -> list[World]:
    return [build_world(index, 2, clusters=24, seed=7, now=NOW) for index in range(2)]


def test_world_same_seed_gives_same_bytes(small_worlds: list[World]) -> None:
    """Screenshots and tests could not be repeated."""
    again = build_world(0, 2, clusters=24, seed=7, now=NOW)
    for resource in again.resources():
        keys = again.keys(resource)
        assert list(keys) == list(small_worlds[0].keys(resource))
        for index in range(len(keys)):
            assert again.body(resource, index) == small_worlds[0].body(resource, index)


def test_world_other_seed_gives_other_fleet(small_worlds: list[World]) -> None:
    """`--seed` would do nothing."""
    other = build_world(0, 2, clusters=24, seed=8, now=NOW)
    resource = next(item for item in other.resources() if item.kind == "Machine")
    assert list(other.keys(resource)) != list(small_worlds[0].keys(resource))


@pytest.mark.parametrize("clusters", [1, 3, 150])
def test_world_keys_are_ascending_and_unique(clusters: int) -> None:
    """Paged lists would skip or repeat objects."""
    world = build_world(0, 1, clusters=clusters, seed=3, now=NOW)
    for resource in world.resources():
        keys = list(world.keys(resource))
        assert keys == sorted(set(keys)), resource.qualified


def test_world_bodies_are_complete_documents(small_worlds: list[World]) -> None:
    """A body with a hole or without the revision mark would break lists and watches."""
    for world in small_worlds:
        for resource in world.resources():
            keys = world.keys(resource)
            for index, (namespace, name) in enumerate(keys):
                body = world.body(resource, index)
                assert body.count(b'"resourceVersion":"@RV@"') == 1
                assert body.startswith(b'{"apiVersion":')
                assert b"${" not in body
                document = json.loads(body)
                meta = document["metadata"]
                assert (meta.get("namespace", ""), meta["name"]) == (namespace, name)
                assert document["kind"] == resource.kind
                assert document["apiVersion"] == resource.api_version


def test_world_owner_references_resolve(small_worlds: list[World]) -> None:
    """The tree would show orphans in a healthy fleet."""
    for world in small_worlds:
        uids, owners = set(), []
        for resource in world.resources():
            for index in range(len(world.keys(resource))):
                meta = json.loads(world.body(resource, index))["metadata"]
                assert meta["uid"] not in uids, meta["name"]
                uids.add(meta["uid"])
                owners += [(meta["name"], item["uid"]) for item in meta.get("ownerReferences", ())]
        assert [name for name, uid in owners if uid not in uids] == []
