"""The resource types that the pretend management clusters serve.

Facts (names, versions, short names, contract labels, printer columns) stand in
`data/resources.json`, one line each, gathered from the providers' own definitions.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from fleettui.demo.apiserver.resources import PrinterColumn, Resource, ScalePaths


@cache
def all_resources() -> tuple[Resource, ...]:
    """Every served resource, sorted by group and plural."""
    text = files(__package__).joinpath("data/resources.json").read_text(encoding="utf-8")
    return tuple(_resource(entry) for entry in json.loads(text))


@cache
def _by_kind() -> dict[tuple[str, str], Resource]:
    return {(resource.group, resource.kind): resource for resource in all_resources()}


def resource_of(group: str, kind: str) -> Resource:
    """The resource of a group and kind.

    Raises:
        KeyError: the demo serves no such kind.
    """
    return _by_kind()[group, kind]


def group_of(api_version: str) -> str:
    """The group in an apiVersion, "" for the core group."""
    group, slash, _ = api_version.partition("/")
    return group if slash else ""


def resource_of_document(document: dict[str, Any]) -> Resource:
    """The resource that a document is an object of."""
    return resource_of(group_of(document["apiVersion"]), document["kind"])


def api_version(group: str, kind: str) -> str:
    """apiVersion of a kind's storage version, as objects carry it."""
    version = resource_of(group, kind).version
    return f"{group}/{version}" if group else version


def _resource(entry: dict[str, Any]) -> Resource:
    scale = entry.get("scale")
    return Resource(
        group=entry["group"],
        version=entry["version"],
        kind=entry["kind"],
        plural=entry["plural"],
        singular=entry.get("singular", entry["kind"].lower()),
        served=tuple(entry.get("served", (entry["version"],))),
        short_names=tuple(entry.get("short", ())),
        categories=tuple(entry.get("categories", ())),
        namespaced=entry.get("namespaced", True),
        has_status=entry.get("status", False),
        scale=ScalePaths(*scale) if scale else None,
        printer_columns=tuple(PrinterColumn(*column) for column in entry.get("columns", ())),
        labels=entry.get("labels", {}),
        is_crd=entry.get("crd", True),
    )
