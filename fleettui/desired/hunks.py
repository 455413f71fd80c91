"""Differences between two objects as plain values, and what they add up to.

Knows paths, hunks and how to apply them. Knows nothing of how they were found or of
how they look.
"""

import copy
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

from fleettui.desired.managed_fields import ItemKey
from fleettui.desired.objects import Manifest


class Missing(Enum):
    """The value of what is not there."""

    MISSING = "missing"


MISSING = Missing.MISSING

Step = str | int | ItemKey
"""A field, an index of a list, or the item of a list that has some values."""
Path = tuple[Step, ...]


class HunkKind(StrEnum):
    """What happens to a field."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Hunk:
    """One difference."""

    path: Path
    before: object
    """Live value; ``MISSING`` when added."""
    after: object
    """Value as git would have it; ``MISSING`` when removed."""
    reason: str = ""
    """Who set the live value, or what stands against the change."""

    @property
    def kind(self) -> HunkKind:
        """What happens to the field."""
        if self.before is MISSING:
            return HunkKind.ADDED
        return HunkKind.REMOVED if self.after is MISSING else HunkKind.CHANGED

    @property
    def path_text(self) -> str:
        """The path as people write it: ``spec.containers[name=web].image``."""
        return path_text(self.path)


def path_text(path: Path) -> str:
    """A path as people write it; keys with dots are quoted."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, str):
            shown = f'["{step}"]' if any(c in step for c in "./[]") else step
            parts.append(shown if not parts or shown.startswith("[") else f".{shown}")
        elif isinstance(step, int):
            parts.append(f"[{step}]")
        else:
            parts.append("[" + ",".join(f"{field}={value}" for field, value in step) + "]")
    return "".join(parts)


def field_names(path: Path) -> list[str]:
    """The fields of a path, without items and indexes."""
    return [step for step in path if isinstance(step, str)]


def position_of(items: Sequence[object], key: ItemKey) -> int | None:
    """Index of the item that has some values, or None."""
    for index, item in enumerate(items):
        if isinstance(item, dict) and all(item.get(field) == value for field, value in key):
            return index
    return None


def with_hunks(document: Manifest, hunks: Iterable[Hunk]) -> dict[str, object]:
    """A copy of an object with differences applied, all found before the first is made."""
    result: dict[str, object] = copy.deepcopy(dict(document))
    found = [(_place_of(result, hunk.path[:-1]), hunk) for hunk in hunks]
    removals: list[tuple[list[object], int]] = []
    for place, hunk in found:
        last = hunk.path[-1]
        if isinstance(place, list) and not isinstance(last, str):
            index = last if isinstance(last, int) else position_of(place, last)
            if hunk.after is not MISSING:
                _put(place, index, copy.deepcopy(hunk.after))
            elif index is not None and index < len(place):
                removals.append((place, index))
    for place, hunk in found:
        last = hunk.path[-1]
        if isinstance(place, dict) and isinstance(last, str):
            if hunk.after is MISSING:
                place.pop(last, None)
            else:
                place[last] = copy.deepcopy(hunk.after)
    for items, index in sorted(removals, key=lambda pair: -pair[1]):
        del items[index]
    return result


def _put(items: list[object], index: int | None, value: object) -> None:
    if index is None or index >= len(items):
        items.append(value)
    else:
        items[index] = value


def _place_of(root: object, path: Path) -> object:
    place = root
    for step in path:
        place = _below(place, step)
    return place


def _below(place: object, step: Step) -> object:
    if isinstance(place, dict) and isinstance(step, str):
        return place.get(step)
    if isinstance(place, list) and isinstance(step, int):
        return place[step] if step < len(place) else None
    if isinstance(place, list) and isinstance(step, tuple):
        index = position_of(place, step)
        return None if index is None else place[index]
    return None
