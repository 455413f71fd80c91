"""Who set which field, as an object's managedFields tell.

Knows the FieldsV1 notation, list-map keys and set values in it. Knows nothing of the
values themselves.

Source: KEP-555 server-side apply; structured-merge-diff v6 path elements.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from fleettui.desired.objects import Manifest, items_of, mapping_of, nested, text_of

Fields = Mapping[str, object]
"""A FieldsV1 node: ``f:name``, ``k:{…}``, ``v:…`` and ``.`` to nodes."""

ItemKey = tuple[tuple[str, object], ...]
"""What identifies an item of a list-map: pairs of field and value, sorted by field."""

_INSIDE: Fields = {"inside": {}}


@dataclass(frozen=True, slots=True)
class Owner:
    """One entry of managedFields, standing at some path."""

    manager: str
    time: str
    is_ours: bool
    fields: Fields

    @property
    def is_inside(self) -> bool:
        """Whether the place lies inside something that is owned as a whole."""
        return self.fields is _INSIDE

    @property
    def is_leaf(self) -> bool:
        """Whether the path is owned as a whole, without anything below it."""
        return not any(key != "." for key in self.fields)

    @property
    def has_item(self) -> bool:
        """Whether the path itself is owned."""
        return not self.fields or "." in self.fields


def owners_of(live: Manifest, ours: Iterable[str]) -> list[Owner]:
    """Entries of an object that speak of its own version and not of a subresource.

    Args:
        live: an object with managedFields.
        ours: names of the GitOps managers.
    """
    names = frozenset(ours)
    version = text_of(live.get("apiVersion"))
    found: list[Owner] = []
    for item in items_of(nested(live, "metadata", "managedFields")):
        entry = mapping_of(item)
        if entry.get("subresource") or (version and entry.get("apiVersion") != version):
            continue
        manager = text_of(entry.get("manager"))
        fields = mapping_of(entry.get("fieldsV1"))
        found.append(Owner(manager, text_of(entry.get("time")), manager in names, fields))
    return found


def below(owners: Sequence[Owner], element: str) -> list[Owner]:
    """Owners of something at or below a path element, standing there."""
    found: list[Owner] = []
    for owner in owners:
        if owner.fields is _INSIDE:
            found.append(owner)
            continue
        child = owner.fields.get(element)
        if isinstance(child, dict):
            found.append(Owner(owner.manager, owner.time, owner.is_ours, child))
    return found


def inside(owners: Sequence[Owner]) -> list[Owner]:
    """Owners of a whole, standing anywhere inside it."""
    return [Owner(owner.manager, owner.time, owner.is_ours, _INSIDE) for owner in owners]


def item_keys(owners: Sequence[Owner]) -> tuple[str, ...]:
    """Key fields of the list-map at this place, empty if no owner knows one."""
    for owner in owners:
        for element in owner.fields:
            if element.startswith("k:"):
                return tuple(sorted(_decoded(element)))
    return ()


def item_owners(owners: Sequence[Owner], key: ItemKey) -> list[Owner]:
    """Owners of one item of a list-map, standing at the item."""
    wanted = dict(key)
    found = [owner for owner in owners if owner.is_inside]
    for owner in owners:
        for element, child in owner.fields.items():
            if element.startswith("k:") and _decoded(element) == wanted:
                found.append(Owner(owner.manager, owner.time, owner.is_ours, mapping_of(child)))
    return found


def is_set(owners: Sequence[Owner]) -> bool:
    """Whether an owner knows the list at this place as a set of values."""
    return any(element.startswith("v:") for owner in owners for element in owner.fields)


def value_owners(owners: Sequence[Owner], value: object) -> list[Owner]:
    """Owners of one value of a set."""
    return [
        owner
        for owner in owners
        if any(
            element.startswith("v:") and msgspec.json.decode(element[2:]) == value
            for element in owner.fields
        )
    ]


def latest_other(owners: Sequence[Owner]) -> Owner | None:
    """The last of the owners that are not ours."""
    others = [owner for owner in owners if not owner.is_ours]
    return max(others, key=lambda owner: owner.time) if others else None


def _decoded(element: str) -> dict[str, object]:
    try:
        value = msgspec.json.decode(element[2:])
    except msgspec.DecodeError:
        return {}
    return value if isinstance(value, dict) else {}
