"""What a relation is given and the small pieces that relations are built of.

Knows how documents write pointers (ObjectReference, contract-versioned references,
local names); knows no relation by name.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from fleettui.kinds.record import Owner, Reference
from fleettui.kinds.spec import RelationSpec

CLUSTER_GROUP = "cluster.x-k8s.io"


class Subject(NamedTuple):
    """The object that points."""

    group: str
    kind: str
    namespace: str
    name: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    owners: tuple[Owner, ...]
    cluster: str
    known: Callable[[str, str], bool]
    """Whether a group and kind have rows of their own."""


class Pointing(NamedTuple):
    """One relation at work on one object."""

    spec: RelationSpec
    subject: Subject
    values: tuple[object, ...]
    """What stands at the relation's paths, in their order."""
    paths: tuple[str, ...]

    def option(self, name: str) -> str:
        """What the data entry adds; empty if nothing."""
        return self.spec.options.get(name, "")


Point = Callable[[Pointing], Iterable[Reference]]


class Relation(NamedTuple):
    """One named way of pointing at another object."""

    point: Point
    paths: tuple[str, ...] = ()
    """Where it looks when the data entry names no path."""
    keys: frozenset[str] = frozenset()
    """Labels and annotations without any of which there is nothing to find; empty: ask always."""


def mapping_of(value: object) -> Mapping[str, object]:
    """The value if it is a map, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> list[object]:
    """The value if it is a list, a list of it if it says something, else an empty one."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def word(value: object) -> str:
    """The value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


@lru_cache(maxsize=1024)
def group_of(api_version: str) -> str:
    """Group of an apiVersion; empty for core kinds."""
    return api_version.rpartition("/")[0]


def referred(pointing: Pointing, value: object, *, evidence: str) -> Reference | None:
    """The object that a reference in a document names, missing parts from the entry's options.

    Args:
        pointing: the relation at work.
        value: a map with name and perhaps apiVersion, apiGroup or group, kind, namespace; or
            a bare name.
        evidence: where the reference stands.
    """
    subject, options = pointing.subject, pointing.spec.options
    fields = value if isinstance(value, Mapping) else {"name": value}
    name = word(fields.get("name"))
    if not name:
        return None
    group = word(fields.get("apiGroup")) or word(fields.get("group"))
    if not group:
        version = word(fields.get("apiVersion"))
        group = group_of(version) if version else options.get("group", subject.group)
    is_global = options.get("namespace") == "none"
    return Reference(
        pointing.spec.relation,
        group,
        word(fields.get("kind")) or options.get("kind") or subject.kind,
        "" if is_global else word(fields.get("namespace")) or subject.namespace,
        name,
        evidence,
    )


def object_references(pointing: Pointing) -> Iterable[Reference]:
    """References that stand as maps or names, or lists of them, at the relation's paths."""
    found: list[Reference] = []
    for path, value in zip(pointing.paths, pointing.values, strict=True):
        if not value:
            continue
        for item in value if isinstance(value, list) else (value,):
            reference = referred(pointing, item, evidence=path)
            if reference is not None:
                found.append(reference)
    return found
