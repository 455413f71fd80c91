"""By which names and addresses clusters, appliers and ConfigMaps can be found.

Knows one table for each side of a join, and what of a row its place there depends on;
refuses to know what follows from a name (``targets``). A row that comes again as it was
costs a comparison.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from fleettui.index.addresses import address_form, destinations_of, forms_of
from fleettui.index.cloud_names import cloud_form, cloud_forms_of
from fleettui.index.rows import Row
from fleettui.index.shapes import State
from fleettui.kinds.spec import Role


@dataclass(slots=True)
class Names:
    """Rows of one context by names and addresses."""

    by_form: dict[str, dict[Row, None]] = field(default_factory=dict)

    def put(self, row: Row, forms: Iterable[str]) -> None:
        """Keep a row under these forms."""
        for form in forms:
            self.by_form.setdefault(form, {})[row] = None

    def drop(self, row: Row, forms: Iterable[str]) -> None:
        """Forget a row."""
        for form in forms:
            same = self.by_form.get(form, {})
            same.pop(row, None)
            if not same:
                self.by_form.pop(form, None)


class Entry(NamedTuple):
    """What was seen of a row, and under which forms it is kept."""

    shapes: tuple[object, ...]
    links: tuple[str | int, ...]
    facts: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    root: Row | None
    """Of what a cloud may call a cluster: which one it is then."""
    context: str
    forms: tuple[str, ...]

    def is_as(self, row: Row) -> bool:
        """Whether the row is as it was seen."""
        return (
            self.shapes == _shapes_of(row.state)
            and self.links == row.links
            and self.facts == row.fact_values
            and self.labels == row.labels
            and self.root is _root_of(row)
        )


def _shapes_of(state: State) -> tuple[object, ...]:
    """Return the part of a state that says where a row points and what its facts are."""
    return state.owner_shapes, state.link_shapes, state.fact_names


def _root_of(row: Row) -> Row | None:
    return row.root if FORMS[row.place.spec.role] is cloud_forms_of else None


def config_forms_of(row: Row) -> list[str]:
    """Return the cloud's name or the address of the cluster that a ConfigMap stands for."""
    forms = (cloud_form(row.fact("cluster")), address_form(row.fact("address"), is_address=True))
    return [form for form in forms if form]


FORMS: Final[Mapping[Role, Callable[[Row], list[str]]]] = {
    Role.CLUSTER: forms_of,
    Role.APPLIER: destinations_of,
    Role.CONTROL_PLANE: cloud_forms_of,
    Role.CLOUD_CLUSTER: cloud_forms_of,
    Role.PLATFORM: config_forms_of,
}
"""Roles that joins are made of, and what a row of each is known by."""


class Directory:
    """Rows by what others call them."""

    def __init__(self) -> None:
        """Start empty."""
        self._entries: dict[Row, Entry] = {}
        self._names: dict[tuple[Role, str], Names] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._entries.clear()
        self._names.clear()

    def take(self, row: Row) -> bool:
        """Take over a row that came or changed; returns whether anything here did."""
        known = self._entries.get(row)
        if known is not None and known.is_as(row):
            return False
        self.drop(row)
        role, context = row.place.spec.role, row.context
        forms = tuple(FORMS[role](row))
        self._entries[row] = Entry(
            _shapes_of(row.state),
            row.links,
            row.fact_values,
            row.labels,
            _root_of(row),
            context,
            forms,
        )
        if forms:
            self._names.setdefault((role, context), Names()).put(row, forms)
        return True

    def drop(self, row: Row) -> None:
        """Forget a row that left."""
        known = self._entries.pop(row, None)
        if known is not None and known.forms:
            self._names[row.place.spec.role, known.context].drop(row, known.forms)

    def forms(self, row: Row) -> tuple[str, ...]:
        """Return what a row is kept under, as it was last seen."""
        known = self._entries.get(row)
        return known.forms if known is not None else ()

    def named(self, role: Role, context: str, form: str) -> Iterable[Row]:
        """Return the rows of a role and context that are known by a form."""
        names = self._names.get((role, context))
        return names.by_form.get(form, ()) if names is not None else ()

    def clouds(self, context: str, form: str) -> list[Row]:
        """Return what a cloud calls so: control planes and the clouds' own clusters."""
        roles = (Role.CONTROL_PLANE, Role.CLOUD_CLUSTER)
        return [row for role in roles for row in self.named(role, context, form)]
