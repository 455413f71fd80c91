"""Orders of rows.

Knows sort keys by name, and that any column may be one; refuses to know views.
Every key ends in the identity, so that equal rows never change places.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from fleettui.index.nodes import SortKey
from fleettui.index.rows import Row
from fleettui.index.standing import RANK

Column = Callable[[Row], object]
"""A column's value of a row: a number, a text, or None for nothing."""
_DIGITS: Final = re.compile(r"(\d{1,18})")
NEVER: Final = 1 << 40
"""Later than any moment."""


@lru_cache(maxsize=16384)
def natural(text: str) -> tuple[object, ...]:
    """Return a key that puts ``node-9`` before ``node-10``."""
    if text.isascii() and not any(map(str.isdigit, text)):
        return (text,)
    return tuple(int(part) if place % 2 else part for place, part in enumerate(_DIGITS.split(text)))


def _by_name(row: Row) -> SortKey:
    return (natural(row.name),)


def _by_health(row: Row) -> SortKey:
    rank = row.standing & RANK
    return (rank, 0 if row.has_faults else 1, row.since or NEVER if rank < 3 else 0)


def _by_age(row: Row) -> SortKey:
    return (-(row.created_at or -NEVER),)


def _by_kind(row: Row) -> SortKey:
    return (row.kind,)


ORDERS: Final[dict[str, Callable[[Row], SortKey]]] = {
    "name": _by_name,
    "health": _by_health,
    "age": _by_age,
    "kind": _by_kind,
}
"""Orders by name: ``health`` is worst first, then longest broken; ``age`` is youngest first."""


STATIC_ORDERS: Final = ("name", "age", "kind")
"""Orders by what an object never changes."""


def sort_key_of(order: str | Column, *, reverse: bool = False) -> Callable[[Row], SortKey]:
    """Return the function that gives a row's sort key.

    Args:
        order: a name of ``ORDERS``, or a column whose values are to be sorted by.
        reverse: the other way round; rows without a value stay last, names stay ascending.

    Raises:
        KeyError: there is no order of this name.
    """
    keys = ORDERS[order] if isinstance(order, str) else _column_keys(order)

    def key(row: Row) -> SortKey:
        parts: SortKey = keys(row)
        if reverse:
            parts = tuple(Reversed(part) for part in parts)
        place = row.place
        return (*parts, row.name, place.namespace, place.context, place.kind, place.group)

    return key


def _column_keys(column: Column) -> Callable[[Row], SortKey]:
    def keys(row: Row) -> SortKey:
        value = column(row)
        if isinstance(value, bool | int | float):
            return (Comparable(0, value),)
        if value is None or value == "":
            return (Comparable(2, 0),)
        return (Comparable(1, natural(str(value))),)

    return keys


class Comparable:
    """A column's value that compares with values of any other type."""

    __slots__ = ("rank", "value")

    def __init__(self, rank: int, value: object) -> None:
        """Keep the value; lower ranks come first, 2 is for nothing."""
        self.rank = rank
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Tell whether rank and value are the same."""
        return isinstance(other, Comparable) and (self.rank, self.value) == (
            other.rank,
            other.value,
        )

    def __lt__(self, other: "Comparable") -> bool:
        """Tell whether this comes first."""
        if self.rank != other.rank:
            return self.rank < other.rank
        return bool(self.value < other.value)  # type: ignore[operator]  # one rank is one type

    def __hash__(self) -> int:
        """Hash as the value does."""
        return hash((self.rank, self.value))


class Reversed:
    """A part of a key that sorts the other way round; nothing stays last."""

    __slots__ = ("part",)

    def __init__(self, part: object) -> None:
        """Keep the part."""
        self.part = part

    def __eq__(self, other: object) -> bool:
        """Tell whether the parts are the same."""
        return isinstance(other, Reversed) and self.part == other.part

    def __lt__(self, other: "Reversed") -> bool:
        """Tell whether the other part comes first."""
        mine, theirs = self.part, other.part
        if (
            isinstance(mine, Comparable)
            and isinstance(theirs, Comparable)
            and 2 in (mine.rank, theirs.rank)
        ):
            return mine < theirs
        return bool(theirs < mine)  # type: ignore[operator]  # parts of one order are of one type

    def __hash__(self) -> int:
        """Hash as the part does."""
        return hash(self.part)
