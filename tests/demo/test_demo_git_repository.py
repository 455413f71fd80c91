"""The demo's git repository says what the live objects say."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleettui.demo.git import SOURCE_URL, create_repository, local_sources, run_git
from fleettui.demo.world import World, build_world
from fleettui.demo.world.catalogue import resource_of, resource_of_document
from fleettui.desired.helm_values import read_values

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def _worlds() -> list[World]:
    return [build_world(i, 2, clusters=24, seed=3, now=NOW, incidents=()) for i in range(2)]


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return _worlds()


@pytest.fixture(scope="module")
def folder(worlds: list[World], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("git") / "fleet"
    create_repository(path, worlds, now=NOW)
    return path


def test_repository_same_fleet_gives_same_commits(
    worlds: list[World], folder: Path, tmp_path: Path
) -> None:
    """Revisions in screenshots would change from run to run."""
    again = create_repository(tmp_path / "fleet", _worlds(), now=NOW)
    head = run_git(folder, "rev-parse", "main").decode().strip()
    assert again.head() == head
    assert worlds[0].facts.revision == f"main@sha1:{head}"
    authors = run_git(folder, "log", "--format=%an").decode().split("\n")
    assert len(set(filter(None, authors))) >= 4


def test_repository_last_commit_changes_one_image(folder: Path) -> None:
    """A diff between the last two revisions would show nothing."""
    changed = run_git(folder, "diff", "--name-only", "main~1", "main").decode().split()
    assert changed == ["apps/base/metrics-agent.yaml"]


def test_repository_sources_map_the_url_to_the_folder(folder: Path) -> None:
    """The product could not find the source of a Kustomization."""
    from fleettui.demo.git import FleetRepository

    told = yaml.safe_load(local_sources(FleetRepository(folder)))
    assert told == {"sources": [{"url": SOURCE_URL, "path": str(folder)}]}


def _is_within(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(
            key in live and _is_within(value, live[key]) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(live, list)
            and len(wanted) == len(live)
            and all(_is_within(*pair) for pair in zip(wanted, live, strict=True))
        )
    return bool(wanted == live)


def test_repository_manifests_equal_live_objects(worlds: list[World], folder: Path) -> None:
    """A healthy fleet would be full of drift."""
    compared = 0
    for world, context in zip(worlds, ("mgmt-1", "mgmt-2"), strict=True):
        live = {}
        for resource in world.resources():
            for index, key in enumerate(world.keys(resource)):
                live[(resource.key, *key)] = (resource, index)
        for root in ("clusters", "tenants", "flux-system"):
            for file in (folder / root / context).rglob("*.yaml"):
                for document in yaml.safe_load_all(file.read_text()):
                    if document["apiVersion"].startswith("kustomize.config.k8s.io"):
                        continue
                    meta = document["metadata"]
                    kind = resource_of_document(document)
                    found = live[(kind.key, meta.get("namespace", ""), meta["name"])]
                    body = json.loads(world.body(*found))
                    assert _is_within(document, body), (file, meta["name"])
                    compared += 1
    assert compared > 300


async def test_repository_values_of_releases_have_the_digest_that_their_releases_record(
    worlds: list[World],
) -> None:
    """Every release would look as if other values were deployed than git asks for."""
    compared = 0
    for world in worlds:
        resource = resource_of("helm.toolkit.fluxcd.io", "HelmRelease")
        for index, (_, name) in enumerate(world.keys(resource)):
            release = json.loads(world.body(resource, index))
            recorded = release["status"]["history"][0]["configDigest"]
            assert recorded == (await read_values(release, None)).digest, name
            assert recorded == release["status"]["lastAttemptedConfigDigest"]
            compared += 1
    assert compared > 10


def test_repository_inventory_names_the_cluster_objects(worlds: list[World]) -> None:
    """A Cluster could not be traced to the commit that made it."""
    world = worlds[0]
    resource = resource_of("kustomize.toolkit.fluxcd.io", "Kustomization")
    plan = world.plans[0]
    keys = list(world.keys(resource))
    index = keys.index(("flux-system", f"clusters-{plan.namespace}"))
    entries = json.loads(world.body(resource, index))["status"]["inventory"]["entries"]
    wanted = f"{plan.namespace}_{plan.name}_cluster.x-k8s.io_Cluster"
    assert {"id": wanted, "v": "v1beta2"} in entries
