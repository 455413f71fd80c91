"""A tree of lines over the index, ready to be painted from any line to any other.

Knows perspective, expansion, filter, order, and keys that stay the same while
lines move; refuses to know colours, columns and widgets. Costs what is looked at:
closed roots are never walked, open ones when a line of them is asked for.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from fleettui.index.changes import Change
from fleettui.index.flatten import EXPANDED, Shown
from fleettui.index.index import Index
from fleettui.index.joins import Joins, Moved
from fleettui.index.layout import Layout
from fleettui.index.lines import Line, Lines
from fleettui.index.nodes import Group, LineKey
from fleettui.index.perspectives import Perspective, by_cluster
from fleettui.index.rows import Row
from fleettui.index.sorting import STATIC_ORDERS, Column, sort_key_of
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

__all__ = ["Filter", "Line", "LineKey", "PlainFilter", "Settled", "TreeView"]


PLACED_AT_ONCE: Final = 128
"""Roots that find their place before a frame is painted: some 2 ms of a first list."""
TOUCHED_AT_ONCE: Final = 512
"""Roots whose counts are taken over before a frame is painted: some 2 ms."""


@runtime_checkable
class Filter(Protocol):
    """What a view asks of a filter."""

    def matches(self, row: Row) -> bool:
        """Tell whether the row itself is wanted."""
        ...

    def may_hold(self, root: Row) -> bool | None:
        """Tell whether anything in the root's home tree may match; None: rows must be tried."""
        ...

    def holding(self) -> Iterator[Row] | None:
        """Yield all roots that may hold a match, in no order; None: each must be asked."""
        ...


@dataclass(slots=True)
class Settled:
    """What a view's readers must paint anew."""

    lines: bool = False
    """Whether lines may have moved, come or gone."""
    dirty: set[Row] = field(default_factory=set)
    """Rows of which something shown may have changed."""
    coverage: bool = False

    def __bool__(self) -> bool:
        """Tell whether anything changed."""
        return self.lines or bool(self.dirty) or self.coverage


class TreeView:
    """Lines of one perspective, with what a person expanded, narrowed and sorted."""

    def __init__(
        self,
        index: Index,
        perspective: Perspective | None = None,
        *,
        show_machine_sets: bool = False,
    ) -> None:
        """Show the index as it is now; ``settle`` keeps up with it."""
        self._index = index
        self._joins = Joins(index)
        self._cursor = index.cursor()
        self._open_rows: set[LineKey] = set()
        self._narrowed_rows: set[LineKey] = set()
        self._filter: Filter | None = None
        shown = Shown(
            sort_key_of("name"), self._links_of, show_machine_sets, exceptions=self._open_rows
        )
        self._layout = Layout(index, perspective or by_cluster(), shown)
        self._lines = Lines(index, self._layout)
        self.settle()

    # -- reading --------------------------------------------------------------------------
    def __len__(self) -> int:
        """Return the number of lines, provisional while ``is_exact`` is not so."""
        return self._layout.top.size

    @property
    def is_exact(self) -> bool:
        """Whether every root has been measured; else ``work`` has something to do."""
        return self._layout.is_exact

    @property
    def perspective(self) -> Perspective:
        """The grouping in use."""
        return self._layout.perspective

    @property
    def faults_only(self) -> bool:
        """Whether only what is failed or stalled is shown, and the way to it."""
        return self._layout.shown.faults_only

    @property
    def filter(self) -> Filter | None:
        """The filter in use."""
        return self._filter

    def lines(self, start: int, stop: int) -> list[Line]:
        """Return lines from ``start`` up to, not including, ``stop``; costs those roots only."""
        return self._lines.slice(start, stop)

    def position(self, key: LineKey) -> int | None:
        """Return the line of this key; None when it is not shown (collapsed, filtered, gone)."""
        return self._lines.position(key)

    def above(self, key: LineKey) -> Iterator[LineKey]:
        """Yield keys of what the line hangs under, nearest first; some may not be shown.

        Costs the way up, however many lines stand above.
        """
        return self._lines.above(key)

    @property
    def match_count(self) -> int:
        """How many rows match filter and faults only; provisional while not ``is_exact``."""
        return self._layout.matched

    def next_match(self, line: int, *, step: int = 1) -> int | None:
        """Return the nearest line after (before, for step -1) that matches by itself.

        Goes round at the ends; None when nothing matches or nothing is asked for.
        """
        return self._lines.next_match(line, step=step)

    # -- expansion ------------------------------------------------------------------------
    def toggle(self, key: LineKey) -> None:
        """Expand what is collapsed, collapse what is expanded; unknown keys and links stay."""
        layout = self._layout
        group = layout.groups.get(key)
        if group is not None:
            self._expand_group(group, is_expanded=not group.is_expanded)
            return
        segment = layout.segment_of(ObjectRef(*key)) if len(key) == 5 else None
        if segment is None:
            return
        exceptions = self._narrowed_rows if layout.shown.is_narrowed else self._open_rows
        exceptions.symmetric_difference_update({key})
        if layout.shown.is_flat:
            return
        self._find_toggled()
        segment.entries = None
        layout.measure(segment)

    def expand(self, key: LineKey) -> None:
        """Expand the line if it is collapsed."""
        if self._is_expanded(key) is False:
            self.toggle(key)

    def collapse(self, key: LineKey) -> None:
        """Collapse the line if it is expanded."""
        if self._is_expanded(key):
            self.toggle(key)

    def _is_expanded(self, key: LineKey) -> bool | None:
        group = self._layout.groups.get(key)
        if group is not None:
            return group.is_expanded
        segment = self._layout.segment_of(ObjectRef(*key)) if len(key) == 5 else None
        if segment is None:
            return None
        for row, _, _, bits, above in self._layout.flatten(segment):
            if above is None and row.ref == key:
                return bool(bits & EXPANDED) if bits else None
        return None

    def reveal(self, ref: ObjectRef) -> int | None:
        """Expand whatever hides the object and return its line; None when a filter hides it."""
        segment = self._layout.segment_of(ref)
        row = self._index.get(ref)
        if segment is None or row is None:
            return None
        group: Group | None = segment.parent
        while group is not None and group.parent is not None:
            if not group.is_expanded:
                self._expand_group(group, is_expanded=True)
            group = group.parent
        above = []
        while row.parent is not None and not self._layout.shown.is_flat:
            row = row.parent
            above.append(row.ref)
        for key in reversed(above):
            self.expand(key)
        return self.position(ref)

    def _expand_group(self, group: Group, *, is_expanded: bool) -> None:
        group.is_expanded = is_expanded
        self._layout.expansion[group.key] = is_expanded
        group.refit()

    def expand_all(self) -> None:
        """Expand every line."""
        self._set_all(is_open=True)

    def collapse_all(self) -> None:
        """Collapse every row; groups stay open, so that the roots are in sight."""
        self._set_all(is_open=False)

    def _set_all(self, *, is_open: bool) -> None:
        layout = self._layout
        self._open_rows.clear()
        self._narrowed_rows.clear()
        layout.shown.is_open = is_open
        for group in layout.groups.values():
            if is_open:
                group.is_expanded = layout.expansion[group.key] = True
        self._find_toggled()
        layout.measure_all()

    def opened(self) -> list[Row]:
        """Return the roots below which a person expanded something."""
        layout = self._layout
        if layout.shown.is_narrowed or layout.shown.is_flat:
            return []
        return [row for row in layout.toggled if not row.is_gone]

    def _find_toggled(self) -> None:
        layout = self._layout
        rows = [self._index.get(ObjectRef(*key)) for key in layout.shown.exceptions]
        layout.toggled = {row.root for row in rows if row is not None}

    # -- narrowing and order --------------------------------------------------------------
    def set_filter(self, wanted: Filter | Callable[[Row], bool] | None) -> None:
        """Show only rows that match, and the way to them; None shows everything again."""
        if wanted is None or isinstance(wanted, Filter):
            self._filter = wanted
        else:
            self._filter = PlainFilter(wanted)
        self._narrow()

    def set_faults_only(self, *, faults_only: bool) -> None:
        """Show only what is failed or stalled and the way to it, or everything again."""
        self._layout.shown.faults_only = faults_only
        self._narrow()

    def _narrow(self) -> None:
        shown = self._layout.shown
        wanted = self._filter
        shown.matches = wanted.matches if wanted is not None else None
        self._narrowed_rows.clear()
        shown.exceptions = self._narrowed_rows if shown.is_narrowed else self._open_rows
        self._find_toggled()
        self._aim()
        self._layout.measure_all()

    def _aim(self) -> None:
        is_tree = self._filter is not None and not self.perspective.is_flat
        wanted = self._filter if is_tree else None
        self._layout.hopes.ask(
            wanted.may_hold if wanted is not None else None,
            wanted.holding if wanted is not None else None,
        )

    def sort(self, order: str | Column = "name", *, reverse: bool = False) -> None:
        """Sort siblings by ``name``, ``health`` (worst, then longest broken), ``age``, ``kind``,
        or by any column's values.

        Raises:
            KeyError: there is no order of this name.
        """
        shown = self._layout.shown
        shown.sort_key = sort_key_of(order, reverse=reverse)
        shown.is_static = order in STATIC_ORDERS
        self._layout.resort()

    def show_machine_sets(self, *, show: bool) -> None:
        """Show MachineSets as lines of their own, or fold those without a fault away."""
        self._layout.shown.show_machine_sets = show
        self._layout.measure_all()

    def set_perspective(self, perspective: Perspective) -> None:
        """Group the roots another way; expansion of rows, filter and order stay."""
        self._layout.perspective = perspective
        self._layout.shown.is_flat = perspective.is_flat
        self.rebuild()

    # -- keeping up -----------------------------------------------------------------------
    def settle(self) -> Settled:
        """Take over what happened to the index since the last time."""
        change = self._index.changes(self._cursor)
        moved = self._joins.refresh()
        if change.reset:
            self.rebuild()
            return Settled(lines=True, coverage=True)
        before = self._layout.top.prefix
        lines = self._take_over(change, moved)
        if self._layout.pending and not lines:
            lines = before is not self._layout.top.prefix
        return Settled(lines, change.dirty | change.added, change.coverage)

    def work(self) -> Iterator[None]:
        """Measure what is pending, a little between two yields; for whoever has time."""
        return self._layout.measuring()

    def rebuild(self) -> None:
        """Start over from the index as it is; the lines are the same as those kept up with."""
        self._aim()
        self._find_toggled()
        self._layout.rebuild()

    def _take_over(self, change: Change, moved: Moved) -> bool:
        layout = self._layout
        flat, is_volatile = layout.shown.is_flat, layout.shown.is_volatile
        changed: set[Row] = set(change.removed)
        same: set[Row] = set()
        """Roots of which nothing but counts and health can be new."""
        if flat:
            changed |= change.added
            (changed if is_volatile else same).update(change.dirty)
            kind = layout.perspective.kind
            if kind is not None:
                changed = {row for row in changed if (row.group, row.kind) == kind}
                same = {row for row in same if (row.group, row.kind) == kind}
        else:
            changed |= change.structure
            changed.update(row.root for row in change.added)
            changed.update(row.root for row in moved.links)
            if is_volatile:
                changed.update(row.root for row in moved.ends if not row.is_gone)
            if change.coverage:
                changed.update(layout.waiting())
            for row in change.dirty:
                folds = row.place.spec.role is Role.MACHINE_SET
                (changed if is_volatile or folds else same).add(row.root)
        if not changed and not same:
            return False
        if change.structure and layout.shown.exceptions:
            self._find_toggled()
        # Those that left first: a new object of the same name would sort to the same place.
        lines = [layout.place(row) for row in changed if row.is_gone]
        lines += [layout.place(row) for row in layout.put_off(changed, keep=PLACED_AT_ONCE)]
        same -= changed
        lines += [layout.touch(row) for row in layout.put_off(same, keep=TOUCHED_AT_ONCE)]
        return any(lines) or bool(change.structure or change.removed or change.added or moved.links)

    def _links_of(self, row: Row) -> list[tuple[str, Row]]:
        return self._joins.links_of(row, everywhere=self.perspective.links_everywhere)


@dataclass(frozen=True, slots=True)
class PlainFilter:
    """A filter that is nothing but a function of the row."""

    wanted: Callable[[Row], bool]

    def matches(self, row: Row) -> bool:
        """Tell what the function tells."""
        return self.wanted(row)

    def may_hold(self, root: Row) -> bool | None:
        """Tell nothing: it must be tried."""
        return None

    def holding(self) -> Iterator[Row] | None:
        """Tell nothing: each must be asked."""
        return None
