"""Compares an object as git wants it with the object as it is.

Two ways. *Applied*: what a server-side apply with force would change, worked out from
the live object and its managedFields alone, so that the right to read is enough:
fields that git does not name stay, fields that our manager owns and git no longer
names go, values that mean the same are the same. *Exact*: two objects as they are,
for a dry run's answer or two renders. Knows nothing of files, clusters or looks.

Source: KEP-555; structured-merge-diff v6; Kubernetes API conventions (defaulting).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fleettui.desired.hunks import MISSING, Hunk, Path, field_names
from fleettui.desired.managed_fields import (
    ItemKey,
    Owner,
    below,
    inside,
    is_set,
    item_keys,
    item_owners,
    latest_other,
    owners_of,
    value_owners,
)
from fleettui.desired.objects import Manifest, group_of, mapping_of, text_of
from fleettui.desired.schema_hints import (
    DROPPED_EMPTY,
    KEY_DEFAULTS,
    empty_is_absent,
    has_no_defaults,
    is_built_in,
    list_keys,
)
from fleettui.desired.unknown import could_equal, is_unknown
from fleettui.desired.values import same_value, wrong_type

_SERVER_METADATA = frozenset(
    {
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)

_CONVERSION_DATA = "cluster.x-k8s.io/conversion-data"
"""Where conversions of Cluster API keep what another version has no place for."""

_ATOMIC = frozenset({"selector", "nodeSelector", "podSelector"})


@dataclass(frozen=True, slots=True)
class Comparison:
    """What two objects differ in."""

    hunks: tuple[Hunk, ...]
    unknown: tuple[Path, ...] = ()
    """Places where git does not tell the value."""
    refused: tuple[str, ...] = ()
    """What the API server would not accept, a line each."""


def compare_applied(desired: Manifest, live: Manifest, managers: Iterable[str]) -> Comparison:
    """What a server-side apply with force would change.

    Args:
        desired: the object from git, in the API version that ``live`` was read at.
        live: the object from the server, with managedFields.
        managers: field managers of the GitOps controller.
    """
    owners = owners_of(live, managers)
    walk = _Walk(group_of(text_of(live.get("apiVersion"))), exact=False)
    walk.compare_maps(_comparable(desired), _comparable(live), (), owners, lenient=True)
    return Comparison(tuple(walk.hunks), tuple(walk.unknown), tuple(walk.refused))


def compare_exact(before: Manifest, after: Manifest) -> Comparison:
    """All that differs between two objects, server-set metadata and status left out."""
    group = group_of(text_of(before.get("apiVersion")))
    walk = _Walk(group, exact=True)
    walk.compare_maps(_comparable(after), _comparable(before), (), [], lenient=False)
    return Comparison(tuple(walk.hunks), tuple(walk.unknown))


def _comparable(document: Manifest) -> dict[str, object]:
    result = {key: value for key, value in document.items() if key != "status"}
    metadata = {
        key: value
        for key, value in mapping_of(result.get("metadata")).items()
        if key not in _SERVER_METADATA
    }
    annotations = mapping_of(metadata.get("annotations"))
    if _CONVERSION_DATA in annotations:
        metadata["annotations"] = {
            key: value for key, value in annotations.items() if key != _CONVERSION_DATA
        }
    result["metadata"] = metadata
    return result


def _is_owned_whole(owners: Sequence[Owner]) -> bool:
    """Whether our manager gave a place without anything in it: what is there are defaults."""
    ours = [owner for owner in owners if owner.is_ours]
    return bool(ours) and all(owner.is_leaf for owner in ours)


@dataclass(slots=True)
class _Walk:
    """One comparison under way."""

    group: str
    exact: bool
    hunks: list[Hunk] = field(default_factory=list)
    unknown: list[Path] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def built_in(self) -> bool:
        """Whether the server knows the kind as a typed struct."""
        return is_built_in(self.group)

    def compare_maps(
        self,
        desired: Manifest,
        live: Manifest,
        path: Path,
        owners: Sequence[Owner],
        *,
        lenient: bool,
    ) -> None:
        """Fields of two mappings; ``lenient``: live fields that git does not name may stay."""
        for name, value in desired.items():
            place = (*path, name)
            standing = below(owners, f"f:{name}")
            if name in live:
                self._compare(value, live[name], place, standing, lenient=lenient)
            elif not self._stores_nothing(name, value, standing):
                self._note_unknown(value, place)
                self.hunks.append(Hunk(place, MISSING, value))
        for name in live:
            standing = below(owners, f"f:{name}")
            if name in desired and (desired[name] is not None or _is_owned_whole(standing)):
                continue
            place = (*path, name)
            if self.exact or not lenient:
                if not empty_is_absent(name, live[name], built_in=self.built_in):
                    self.hunks.append(Hunk(place, live[name], MISSING))
            else:
                self._drop_owned(live[name], place, standing)

    def _stores_nothing(self, name: str, value: object, owners: Sequence[Owner]) -> bool:
        """Whether the server has nothing where git has a value, and will not have it either.

        Whoever removes a field takes it from its owners; what our manager owns and the
        object lacks was dropped by the server itself: by a conversion, a webhook or a schema.
        """
        if empty_is_absent(name, value, built_in=self.built_in):
            return True
        empty = value in ("", [], {}) or value is False or value == 0
        return any(owner.is_ours and (empty or not owner.is_inside) for owner in owners)

    def _note_unknown(self, value: object, place: Path) -> None:
        if is_unknown(value):
            self.unknown.append(place)
        elif isinstance(value, dict):
            for name, child in value.items():
                self._note_unknown(child, (*place, name))
        elif isinstance(value, list):
            for index, child in enumerate(value):
                self._note_unknown(child, (*place, index))

    def _compare(
        self, desired: object, live: object, path: Path, owners: Sequence[Owner], *, lenient: bool
    ) -> None:
        if desired is None:
            return
        if isinstance(desired, dict) and isinstance(live, dict):
            atomic = _is_atomic(path, live, owners)
            if desired or atomic:
                inner = self._leaves_extras(path, owners, lenient=lenient) if atomic else lenient
                standing = inside(owners) if atomic else owners
                self.compare_maps(desired, live, path, standing, lenient=inner)
        elif isinstance(desired, list) and isinstance(live, list):
            self._compare_lists(desired, live, path, owners, lenient=lenient)
        elif isinstance(desired, str) and is_unknown(desired):
            self.unknown.append(path)
            if not could_equal(desired, live):
                self.hunks.append(Hunk(path, live, desired, _reason(owners)))
        else:
            self._compare_scalars(desired, live, path, owners)

    def _compare_scalars(
        self, desired: object, live: object, path: Path, owners: Sequence[Owner]
    ) -> None:
        if type(desired) is type(live) and desired == live:
            return
        fields = field_names(path)
        if same_value(desired, live, fields):
            return
        complaint = wrong_type(desired, live, fields) if self.built_in and not self.exact else ""
        hunk = Hunk(path, live, desired, complaint or _reason(owners))
        self.hunks.append(hunk)
        if complaint:
            self.refused.append(f"{hunk.path_text}: {complaint}")

    def _compare_lists(
        self,
        desired: list[object],
        live: list[object],
        path: Path,
        owners: Sequence[Owner],
        *,
        lenient: bool,
    ) -> None:
        name = field_names(path)[-1] if field_names(path) else ""
        keys = item_keys(owners) or (
            list_keys(name, [*desired, *live]) if self.built_in or self.exact else ()
        )
        if keys and not _are_doubled(desired, keys) and not _are_doubled(live, keys):
            self._compare_items(desired, live, path, keys, owners, lenient=lenient)
        elif is_set(owners) or path == ("metadata", "finalizers"):
            self._compare_sets(desired, live, path, owners)
        else:
            self._compare_atomic(desired, live, path, owners, lenient=lenient)

    def _compare_items(
        self,
        desired: list[object],
        live: list[object],
        path: Path,
        keys: tuple[str, ...],
        owners: Sequence[Owner],
        *,
        lenient: bool,
    ) -> None:
        left = {_key_of(item, keys): item for item in live}
        for item in desired:
            key = _matching_key(item, keys, left)
            standing = item_owners(owners, key)
            place = (*path, key)
            if key in left:
                self._compare(item, left.pop(key), place, standing, lenient=lenient)
            elif not any(owner.is_ours and not owner.is_inside for owner in standing):
                self._note_unknown(item, place)
                self.hunks.append(Hunk(place, MISSING, item))
        for key, item in left.items():
            if self.exact or not lenient:
                self.hunks.append(Hunk((*path, key), item, MISSING))
            else:
                self._drop_owned(item, (*path, key), item_owners(owners, key))

    def _compare_sets(
        self, desired: list[object], live: list[object], path: Path, owners: Sequence[Owner]
    ) -> None:
        for value in desired:
            if value not in live:
                self.hunks.append(Hunk((*path, len(live) + len(self.hunks)), MISSING, value))
        for index, value in enumerate(live):
            holders = value_owners(owners, value)
            ours = any(owner.is_ours for owner in holders)
            if value not in desired and (
                self.exact or (ours and all(owner.is_ours for owner in holders))
            ):
                self.hunks.append(Hunk((*path, index), value, MISSING))

    def _compare_atomic(
        self,
        desired: list[object],
        live: list[object],
        path: Path,
        owners: Sequence[Owner],
        *,
        lenient: bool,
    ) -> None:
        """A list that is replaced as a whole; items are still told apart where they can be."""
        inner = self._leaves_extras(path, owners, lenient=lenient)
        if len(desired) == len(live):
            for index, (wanted, found) in enumerate(zip(desired, live, strict=True)):
                self._compare(wanted, found, (*path, index), inside(owners), lenient=inner)
            return
        keys = ("name",) if _have_names([*desired, *live]) else ()
        if not keys:
            self._note_unknown(desired, path)
            self.hunks.append(Hunk(path, live, desired, _reason(owners)))
            return
        left = {_key_of(item, keys): item for item in live}
        for item in desired:
            key = _key_of(item, keys)
            if key in left:
                self._compare(item, left.pop(key), (*path, key), inside(owners), lenient=inner)
            else:
                self.hunks.append(Hunk((*path, key), MISSING, item))
        self.hunks.extend(
            Hunk((*path, key), item, MISSING, _reason(owners)) for key, item in left.items()
        )

    def _leaves_extras(self, path: Path, owners: Sequence[Owner], *, lenient: bool) -> bool:
        """Whether fields that only the live object has are defaults, in what is replaced whole.

        They are if our manager still owns it: then nobody else has written there.
        """
        names = field_names(path)
        if self.exact or (names and has_no_defaults(self.group, names[-1])):
            return False
        return any(owner.is_ours for owner in owners) or (lenient and not owners)

    def _drop_owned(self, live: object, path: Path, owners: Sequence[Owner]) -> None:
        """What our manager owns below a place that git no longer names goes with the apply."""
        ours = [owner for owner in owners if owner.is_ours]
        if not ours or live in ("", [], {}, None):
            return
        others = [owner for owner in owners if not owner.is_ours]
        before = len(self.hunks)
        if all(owner.is_leaf for owner in ours):
            name = path[-1]
            struct = name in DROPPED_EMPTY or self.built_in
            filled = isinstance(live, dict) and struct and name not in _ATOMIC
            if not others and not filled:
                self.hunks.append(
                    Hunk(path, live, MISSING, "removed from git; a default may take its place")
                )
            return
        if isinstance(live, dict):
            for name, value in live.items():
                self._drop_owned(value, (*path, name), below(owners, f"f:{name}"))
        elif isinstance(live, list):
            keys = item_keys(owners)
            for item in live:
                key = _key_of(item, keys)
                self._drop_owned(item, (*path, key), item_owners(owners, key))
        else:
            return
        gone = [hunk for hunk in self.hunks[before:] if len(hunk.path) == len(path) + 1]
        whole = not others and path and any(owner.has_item for owner in ours)
        if gone and (len(gone) == len(live) or whole):
            del self.hunks[before:]
            self.hunks.append(Hunk(path, live, MISSING, "removed from git"))


def _is_atomic(path: Path, live: Manifest, owners: Sequence[Owner]) -> bool:
    """Whether a mapping is replaced as a whole: some owner owns it without its fields."""
    name = path[-1] if path else ""
    if not live or (
        name in DROPPED_EMPTY and name not in ("selector", "nodeSelector", "podSelector")
    ):
        return False
    return any(not owner.fields for owner in owners)


def _are_doubled(items: list[object], keys: tuple[str, ...]) -> bool:
    """Whether two items have the same key, so that it tells them apart for nobody."""
    return len({str(_key_of(item, keys)) for item in items}) < len(items)


def _key_of(item: object, keys: tuple[str, ...]) -> ItemKey:
    fields = mapping_of(item)
    return tuple((key, fields.get(key, KEY_DEFAULTS.get(key))) for key in keys)


def _matching_key(item: object, keys: tuple[str, ...], live: dict[ItemKey, object]) -> ItemKey:
    """Key of a live item; a key field that git leaves out takes the value of the only match."""
    key = _key_of(item, keys)
    if key in live or not isinstance(item, dict) or all(name in item for name in keys):
        return key
    known = {(name, item[name]) for name in keys if name in item}
    matches = [other for other in live if known <= set(other)]
    return matches[0] if len(matches) == 1 else key


def _have_names(items: list[object]) -> bool:
    return all(isinstance(item, dict) and isinstance(item.get("name"), str) for item in items)


def _reason(owners: Sequence[Owner]) -> str:
    other = latest_other(owners)
    if other is None:
        return ""
    return f"set by {other.manager} at {other.time}" if other.time else f"set by {other.manager}"
