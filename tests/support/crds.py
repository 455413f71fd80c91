"""The CRDs that providers ship, read from a folder of their files."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_PROSE = re.compile(r"^( *)(- )?description: .*\n(?:\1 +.*\n|\n)*", re.MULTILINE)
"""Descriptions are most of a CRD, and nothing here reads them."""


class Crd(NamedTuple):
    """One CRD of the folder."""

    file: str
    group: str
    kind: str
    plural: str
    scope: str
    short_names: tuple[str, ...]
    schemas: Mapping[str, Mapping[str, Any]]
    """Served versions to their schemas."""


@cache
def crds_of(folder: Path) -> tuple[Crd, ...]:
    """All CRDs below a folder, by file; takes seconds the first time."""
    return tuple(_crds(folder))


def _crds(folder: Path) -> Iterator[Crd]:
    for path in sorted(folder.rglob("*.yaml")):
        if path.name == "kustomization.yaml" or path.parent.name == "contract-label-patches":
            continue
        text = _PROSE.sub("", path.read_text())
        for document in yaml.load_all(text, Loader=yaml.CSafeLoader):
            if not isinstance(document, dict) or document.get("kind") != "CustomResourceDefinition":
                continue
            spec = document["spec"]
            yield Crd(
                str(path.relative_to(folder)),
                spec["group"],
                spec["names"]["kind"],
                spec["names"]["plural"],
                spec["scope"],
                tuple(spec["names"].get("shortNames") or ()),
                {
                    version["name"]: version["schema"]["openAPIV3Schema"]
                    for version in spec["versions"]
                    if version.get("served")
                },
            )
