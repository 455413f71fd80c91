"""Relations of a data entry, bound to their paths.

Joins ``spec.RelationSpec`` with the functions of ``relations``; knows no document.
"""

from typing import NamedTuple

from fleettui.kinds.pointers import Point, group_of
from fleettui.kinds.record import Reference
from fleettui.kinds.relations import RELATIONS
from fleettui.kinds.spec import KindSpec, RelationSpec

ALTERNATIVES = " | "
"""Between the paths of a relation that has several."""


class Pointer(NamedTuple):
    """One relation of one kind, ready to be asked."""

    spec: RelationSpec
    paths: tuple[str, ...]
    find: Point
    """Function of ``relations``."""
    keys: frozenset[str]
    """Labels and annotations of which it needs one; empty: none."""


def whole_reference(
    pointer: Pointer, fields: dict[str, object], namespace: str
) -> Reference | None:
    """The reference of a pointer that names group, kind and name itself, as most do.

    None for anything else, which the relation's own function then reads.
    """
    group, kind, name = fields.get("apiGroup"), fields.get("kind"), fields.get("name")
    if type(name) is not str or type(kind) is not str or not (name and kind):
        return None
    if not group:
        version = fields.get("apiVersion")
        group = group_of(version) if type(version) is str else ""
    place = fields.get("namespace") or namespace
    if type(group) is not str or type(place) is not str or not group or pointer.spec.options:
        return None
    return Reference(pointer.spec.relation, group, kind, place, name, pointer.paths[0])


def relation_paths(spec: RelationSpec) -> tuple[str, ...]:
    """Paths that a relation looks at: the entry's own, else those of its function."""
    if spec.path:
        return tuple(spec.path.split(ALTERNATIVES))
    return RELATIONS[spec.relation].paths


def compile_pointers(spec: KindSpec) -> tuple[Pointer, ...]:
    """The relations of an entry, in its order."""
    return tuple(
        Pointer(relation, relation_paths(relation), found.point, found.keys)
        for relation in spec.relations
        for found in (RELATIONS[relation.relation],)
    )
