"""Groups of objects compiled to templates: made once, filled for thousands of clusters.

A shape knows nothing of a particular cluster; a block is a shape at a place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fleettui.demo.world.drafts import Draft, Drafts, finish
from fleettui.demo.world.templates import Template, Values

ResourceKey = tuple[str, str]

_MARK = b'"resourceVersion":"@RV@"'


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of a shape."""

    role: str
    kind: str
    name: Template
    body: Template


@dataclass(frozen=True, slots=True)
class Part:
    """The objects of a shape that live in one namespace, by resource, ascending by name."""

    namespace: Template
    entries: Mapping[ResourceKey, tuple[Entry, ...]]


@dataclass(frozen=True, slots=True)
class Shape:
    """All objects of a group of objects."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """Drafts with what they were compiled to, so that variants share what they have alike."""

    drafts: Drafts
    shape: Shape

    def entry_of(self, draft: Draft) -> Entry | None:
        """The entry of an equal draft of the same role; None if it differs or is new."""
        if draft.role not in self.drafts or self.drafts[draft.role] != draft:
            return None
        key = draft.resource.key
        for part in self.shape.parts:
            for entry in part.entries.get(key, ()):
                if entry.role == draft.role:
                    return entry
        return None


_INVENTORY = re.compile(rb',?"(\$\{inventory\w*\})"')
"""A list of inventory entries that only the whole fleet tells, or the rest of such a list."""


def compile_shape(drafts: Drafts, known: Compiled | None = None) -> Shape:
    """Turn drafts into templates.

    Args:
        drafts: what to compile.
        known: compiled before; its entry stands for every draft that equals one of its own.

    Raises:
        ValueError: a body does not hold the resourceVersion mark exactly once.
    """
    places: dict[str, dict[ResourceKey, list[tuple[bytes, Entry]]]] = {}
    for draft in drafts:
        namespace = draft.document["metadata"].get("namespace", "")
        entry = (known.entry_of(draft) if known else None) or _entry(draft)
        sample = _sampled(draft.name)
        places.setdefault(namespace, {}).setdefault(draft.resource.key, []).append((sample, entry))
    parts = [
        Part(Template(namespace.encode()), _sorted_entries(kinds))
        for namespace, kinds in places.items()
    ]
    return Shape(tuple(parts))


def _entry(draft: Draft) -> Entry:
    body = _INVENTORY.sub(rb"\1", finish(draft))
    if body.count(_MARK) != 1:
        raise ValueError(f"{draft.role}: body needs the resourceVersion mark exactly once")
    return Entry(draft.role, draft.kind, Template(draft.name.encode()), Template(body))


def _sorted_entries(
    kinds: dict[ResourceKey, list[tuple[bytes, Entry]]],
) -> dict[ResourceKey, tuple[Entry, ...]]:
    return {
        key: tuple(entry for _, entry in sorted(found, key=lambda item: item[0]))
        for key, found in kinds.items()
    }


class _Sample(dict[str, bytes]):
    """Any hole filled with one letter, so that names sort as they do when filled."""

    def __missing__(self, key: str) -> bytes:
        return b"m"


def _sampled(name: str) -> bytes:
    return Template(name.encode()).fill(_Sample())


def fill_name(entry: Entry, values: Values) -> str:
    """The name of an object in a block."""
    return entry.name.fill(values).decode()
