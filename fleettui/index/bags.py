"""Small collections of rows that cost nothing while they are small.

Knows how to keep no row, one row, a few or many in one slot: most objects are
pointed at by one or two others, a few by thousands. Refuses to know what the
rows are. A bag is a value: adding gives the bag to store back.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from fleettui.index.rows import Row

Bag = Union[None, "Row", tuple["Row", ...], dict["Row", None]]

TUPLE_LIMIT = 128
"""Above this a bag is a dict: removing from a tuple costs its length."""


def with_row(bag: Bag, row: "Row") -> Bag:
    """Return the bag with the row in it; the row must not be in it yet."""
    if bag is None:
        return row
    if isinstance(bag, tuple):
        if len(bag) < TUPLE_LIMIT:
            return (*bag, row)
        grown = dict.fromkeys(bag)
        grown[row] = None
        return grown
    if isinstance(bag, dict):
        bag[row] = None
        return bag
    return (bag, row)


def without_row(bag: Bag, row: "Row") -> Bag:
    """Return the bag without the row, which need not be in it."""
    if bag is None or bag is row:
        return None
    if isinstance(bag, tuple):
        rest = tuple(member for member in bag if member is not row)
        return rest[0] if len(rest) == 1 else rest or None
    if isinstance(bag, dict):
        bag.pop(row, None)
        return bag or None
    return bag


def rows_of(bag: Bag) -> Iterable["Row"]:
    """Return the rows of a bag, in no promised order; do not change the bag while iterating."""
    if bag is None:
        return ()
    if isinstance(bag, (tuple, dict)):
        return bag
    return (bag,)
