"""Relations of a data entry, bound to their paths.

Joins ``spec.RelationSpec`` with the functions of ``relations``; knows no document.
"""

from collections.abc import Iterable
from typing import NamedTuple

from fleettui.kinds.pointers import Point, Pointing, Subject
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

    def point(self, subject: Subject, values: tuple[object, ...]) -> Iterable[Reference]:
        """References that stand in the values of the relation's paths."""
        return self.find(Pointing(self.spec, subject, values, self.paths))


def relation_paths(spec: RelationSpec) -> tuple[str, ...]:
    """Paths that a relation looks at: the entry's own, else those of its function."""
    if spec.path:
        return tuple(spec.path.split(ALTERNATIVES))
    return RELATIONS[spec.relation].paths


def compile_pointers(spec: KindSpec) -> tuple[Pointer, ...]:
    """The relations of an entry, in its order."""
    return tuple(
        Pointer(relation, relation_paths(relation), RELATIONS[relation.relation].point)
        for relation in spec.relations
    )
