"""Every object of the demo is one that an API server with the providers' CRDs would store."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from crds import crds_of
from shapes import faults_of

from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.seeds import Seeds
from fleettui.demo.world import World, build_world
from fleettui.demo.world.conversion import is_converted
from fleettui.demo.world.era import OLD, OldWorld
from fleettui.demo.world.fleet import SHOWN

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WITHOUT_SCHEMA = {
    "Docker": "the folder holds the release that serves them at v1beta1 only",
    "Remote": "the folder leaves k0smotron's large machine kinds out",
}
"""Beginnings of kinds of Cluster API and its providers that cannot be checked, and why."""
Schemas = Mapping[tuple[str, str, str], Mapping[str, Any]]


ERA = "cluster-api-v1.10"
"""Folder of the last release that serves Cluster API's kinds at v1beta1 only."""


def _schemas(folder: Path, *, is_old: bool) -> Schemas:
    return {
        (crd.group, crd.kind, version): schema
        for crd in crds_of(folder / "crds")
        if crd.file.startswith(ERA) == is_old
        for version, schema in crd.schemas.items()
    }


@pytest.fixture(scope="module")
def schemas(shared_folder: Path) -> Schemas:
    return _schemas(shared_folder, is_old=False)


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(0, 1, clusters=SHOWN, seed=11, now=NOW)


def _objects(world: Seeds, resource: Resource) -> Iterator[dict[str, Any]]:
    for index in range(len(world.keys(resource))):
        yield json.loads(world.body(resource, index))


def test_world_objects_fit_the_schemas_of_their_definitions(schemas: Schemas, world: World) -> None:
    """People would learn fields that no provider has, and a real server would refuse them."""
    faults, checked = set(), set()
    for resource in world.resources():
        schema = schemas.get((resource.group, resource.kind, resource.version))
        if schema is None:
            continue
        for document in _objects(world, resource):
            checked.add(resource.kind)
            faults |= {f"{resource.kind} {fault}" for fault in faults_of(document, schema)}
    assert faults == set()
    assert len(checked) > 120


def test_world_objects_served_at_the_old_version_fit_its_schemas(
    schemas: Schemas, world: World
) -> None:
    """Whoever reads v1beta1 from a server of today would see fields that it does not have."""
    faults = set()
    for resource in filter(is_converted, world.resources()):
        schema = schemas.get((resource.group, resource.kind, OLD))
        if schema is None:
            continue
        for document in _objects(world, resource):
            old = world.convert(resource, document, OLD)
            faults |= {f"{resource.kind} {fault}" for fault in faults_of(old, schema)}
    assert faults == set()


def test_old_world_objects_fit_the_schemas_of_that_release(
    shared_folder: Path, world: World
) -> None:
    """`--old-api` would show what no Cluster API 1.10 ever stored."""
    old, faults = OldWorld(world), set()
    schemas = _schemas(shared_folder, is_old=True)
    for resource in old.resources():
        schema = schemas.get((resource.group, resource.kind, resource.version))
        if schema is None:
            continue
        for document in _objects(old, resource):
            faults |= {f"{resource.kind} {fault}" for fault in faults_of(document, schema)}
    assert faults == set()


def test_world_kinds_of_cluster_api_have_a_schema_or_a_reason(
    schemas: Schemas, world: World
) -> None:
    """A kind could be left out of the check above without anybody noticing."""
    groups = {group for group, _, _ in schemas}
    unchecked = {
        resource.kind
        for resource in world.resources()
        if resource.group in groups
        and (resource.group, resource.kind, resource.version) not in schemas
        and not resource.kind.startswith(tuple(WITHOUT_SCHEMA))
    }
    # The operator's other kinds share one schema; Kamaji's folder holds its main kind alone.
    assert unchecked == {
        "AddonProvider",
        "BootstrapProvider",
        "ControlPlaneProvider",
        "IPAMProvider",
        "KamajiControlPlaneTemplate",
        "RuntimeExtensionProvider",
    }


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"spec": {"name": 3}}, "spec.name: is a int, string wanted"),
        ({"spec": {}}, "spec.name: is missing"),
        ({"spec": {"name": "a", "more": 1}}, "spec.more: is no field of the kind"),
        ({"spec": {"name": "a", "list": []}}, "spec.list: has 0 items, 1 to 0 wanted"),
        ({"spec": {"name": "a", "list": ["q"]}}, "spec.list[]: is 'q', one of ['p'] wanted"),
        ({"spec": {"name": "a", "at": "noon"}}, "spec.at: is 'noon', no date-time"),
    ],
)
def test_faults_of_a_wrong_document_are_told(document: dict[str, Any], fault: str) -> None:
    """The check above would pass whatever the demo served."""
    spec = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string"},
            "list": {"type": "array", "minItems": 1, "items": {"enum": ["p"]}},
            "at": {"type": "string", "format": "date-time"},
        },
    }
    schema = {"properties": {"spec": spec}}
    assert list(faults_of(document, schema)) == [fault]
