"""The lines of one root.

Knows which rows of a home tree are shown for given options, in which order and
depth; refuses to know groups and positions. An entry is a row, its depth below
the root, the relation for link lines (empty for home lines), bits, and for link
lines the row that they hang under.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final

from fleettui.index.bags import rows_of
from fleettui.index.nodes import LineKey, SortKey
from fleettui.index.rollup import folded_of, total_of
from fleettui.index.rows import Row
from fleettui.index.spine import ROLE_ORDER
from fleettui.index.standing import RANK
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

EXPANDABLE: Final = 1
EXPANDED: Final = 2
Entry = tuple[Row, int, str, int, Row | None]
Matches = Callable[[Row], bool]
LinksOf = Callable[[Row], list[tuple[str, Row]]]
"""Link lines under a row: relation and row at the other end."""


@dataclass(slots=True)
class Shown:
    """What of a home tree is to be shown."""

    sort_key: Callable[[Row], SortKey]
    """Orders siblings of one role."""
    links_of: LinksOf
    show_machine_sets: bool = False
    faults_only: bool = False
    matches: Matches | None = None
    is_open: bool = False
    """Whether rows are expanded unless they are among the exceptions."""
    exceptions: Collection[LineKey] = field(default_factory=set)
    is_flat: bool = False
    """Whether rows stand alone."""

    is_static: bool = True
    """Whether siblings stay in their order whatever happens to them, as by name."""

    @property
    def is_volatile(self) -> bool:
        """Whether lines of a root may move without a change of its tree's shape or size."""
        return self.is_narrowed or not self.is_static

    @property
    def is_narrowed(self) -> bool:
        """Whether only some rows are shown, and the way to them is open."""
        return self.faults_only or self.matches is not None


def entries_of(root: Row, shown: Shown) -> tuple[list[Entry], int]:
    """Return the lines of the root, none when nothing of it is shown, and how many rows match."""
    if shown.is_flat:
        return ([(root, 0, "", 0, None)], 1) if is_match(root, shown) else ([], 0)
    entries: list[Entry] = []
    if not shown.is_narrowed:
        _emit(root, 0, entries, shown)
        return entries, 0
    visible, matched = _visible_rows(root, shown)
    if root in visible:
        _emit_narrowed(root, entries, shown, visible, matched)
    return entries, len(matched)


def size_without_entries(root: Row, shown: Shown, *, is_toggled: bool) -> int | None:
    """Return how many lines the root takes where that can be told at once, else None.

    ``is_toggled`` says whether anything in its home tree is among the exceptions.
    """
    if shown.is_flat or shown.is_narrowed:
        return None
    if not shown.is_open:
        return None if is_toggled and root.ref in shown.exceptions else 1
    if is_toggled or root.place.spec.role is not Role.CLUSTER:
        return None
    return home_lines(root, shown) + len(shown.links_of(root))


def home_lines(root: Row, shown: Shown) -> int:
    """Return how many lines of an open home tree are no links; costs nothing."""
    folded = 0 if shown.show_machine_sets else folded_of(root.counts)
    return max(total_of(root.counts) - folded, 1)


def shown_children(row: Row, shown: Shown, keep: Collection[Row] = ()) -> list[Row]:
    """Return the rows that stand directly below, in order.

    Folded ones give way to their own children, except those to ``keep``.
    """
    found: list[Row] = []
    rest = list(rows_of(row.kids))
    while rest:
        child = rest.pop()
        if not shown.show_machine_sets and is_folded(child) and child not in keep:
            rest.extend(rows_of(child.kids))
        else:
            found.append(child)
    if len(found) > 1:
        key = shown.sort_key
        found.sort(key=lambda child: (ROLE_ORDER.get(child.place.spec.role, 99), key(child)))
    return found


def is_folded(row: Row) -> bool:
    """Whether trees leave the row out: a MachineSet without a fault of its own."""
    return row.place.spec.role is Role.MACHINE_SET and row.standing & RANK > 1


def _emit(row: Row, depth: int, entries: list[Entry], shown: Shown) -> None:
    stack: list[Entry] = [(row, depth, "", 0, None)]
    exceptions = shown.exceptions
    while stack:
        row, depth, relation, _, above = stack.pop()
        if relation:
            entries.append((row, depth, relation, 0, above))
            continue
        is_open = shown.is_open
        if exceptions and row.ref in exceptions:
            is_open = not is_open
        links = shown.links_of(row)
        if not is_open:
            bits = EXPANDABLE if links or row.kids is not None else 0
            entries.append((row, depth, "", bits, None))
            continue
        below: list[Entry] = [
            (child, depth + 1, "", 0, None) for child in shown_children(row, shown)
        ]
        below += [(other, depth + 1, relation, 0, row) for relation, other in links]
        bits = EXPANDABLE | EXPANDED if below else 0
        entries.append((row, depth, "", bits, None))
        stack.extend(reversed(below))


def _emit_narrowed(
    root: Row, entries: list[Entry], shown: Shown, visible: set[Row], matched: set[Row]
) -> None:
    stack: list[Entry] = [(root, 0, "", 0, None)]
    while stack:
        row, depth, relation, _, above = stack.pop()
        if relation:
            entries.append((row, depth, relation, 0, above))
            continue
        children = [child for child in shown_children(row, shown, matched) if child in visible]
        links = [link for link in shown.links_of(row) if is_match(link[1], shown)]
        is_toggled = row.ref in shown.exceptions
        if not children and not links:
            _emit_match(row, depth, entries, shown, is_toggled=is_toggled)
            continue
        entries.append((row, depth, "", EXPANDABLE if is_toggled else EXPANDABLE | EXPANDED, None))
        if not is_toggled:
            below: list[Entry] = [(child, depth + 1, "", 0, None) for child in children]
            below += [(other, depth + 1, relation, 0, row) for relation, other in links]
            stack.extend(reversed(below))


def _emit_match(
    row: Row, depth: int, entries: list[Entry], shown: Shown, *, is_toggled: bool
) -> None:
    """Add a row below which nothing matches; opened by hand it shows everything below, closed."""
    everything = Shown(
        shown.sort_key, shown.links_of, shown.show_machine_sets, exceptions=shown.exceptions
    )
    children = shown_children(row, everything)
    if not children or not is_toggled:
        entries.append((row, depth, "", EXPANDABLE if children else 0, None))
        return
    entries.append((row, depth, "", EXPANDABLE | EXPANDED, None))
    for child in children:
        _emit(child, depth + 1, entries, everything)


def _visible_rows(root: Row, shown: Shown) -> tuple[set[Row], set[Row]]:
    """Return the rows that match with everything above them, and those that match."""
    visible: set[Row] = set()
    matched: set[Row] = set()
    stack = [root]
    while stack:
        row = stack.pop()
        if shown.faults_only and not row.has_faults:
            continue
        stack.extend(rows_of(row.kids))
        if not is_match(row, shown):
            continue
        matched.add(row)
        above: Row | None = row
        while above is not None and above not in visible:
            visible.add(above)
            above = above.parent
    return visible, matched


def is_match(row: Row, shown: Shown) -> bool:
    """Whether a narrowed view shows the row for its own sake."""
    if shown.faults_only and (row.standing & RANK) > 1:
        return False
    return shown.matches is None or shown.matches(row)


def link_key(relation: str, above: ObjectRef, other: ObjectRef) -> LineKey:
    """Return the key of a link line."""
    return ("\0link", relation, *above, *other)
