"""Which roots stand where in a view, and how many lines each takes.

Knows how to keep groups and segments right while rows come, change and go;
refuses to know keys and options of a person (``view``). Roots that would take
long to measure are left pending with a provisional size, and are measured when
they are looked at or when there is time.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from operator import attrgetter
from typing import Final

from fleettui.index.flatten import (
    Entry,
    Shown,
    entries_of,
    home_lines,
    size_without_entries,
)
from fleettui.index.health import unit_of_row
from fleettui.index.hopes import Hopes
from fleettui.index.index import Index
from fleettui.index.nodes import GROUP_MARK, Group, LineKey, Segment
from fleettui.index.perspectives import WAITING, Path, Perspective
from fleettui.index.rollup import total_of
from fleettui.index.rows import Row
from fleettui.index.spine import ROLE_ORDER
from fleettui.kinds.record import ObjectRef

_size = attrgetter("size")
KEPT_ENTRIES: Final = 1024
"""Segments whose flattened lines are kept."""
MEASURED_AT_ONCE: Final = 64
"""Segments that are measured before a key is answered; the others wait their turn."""
ROWS_AT_ONCE: Final = 600
"""Rows in those segments, or a little more: some 5 ms of a filter that has to try each."""


class Layout:
    """Groups and segments of one perspective."""

    def __init__(self, index: Index, perspective: Perspective, shown: Shown) -> None:
        """Start empty; ``rebuild`` fills it."""
        self._index = index
        self.perspective = perspective
        self.shown = shown
        self.top = Group((), "", order=0, parent=None, is_open=True)
        self.segments: dict[Row, Segment] = {}
        self.groups: dict[LineKey, Group] = {}
        self.expansion: dict[LineKey, bool] = {}
        """Groups that a person expanded or collapsed."""
        self.toggled: set[Row] = set()
        """Roots whose home tree holds an exception."""
        self.pending: dict[Segment, None] = {}
        """Segments whose size is provisional."""
        self.late: dict[Row, None] = {}
        """Rows to be placed when there is time."""
        self.hopes = Hopes(shown)
        self.matched = 0
        """Rows that match filter and faults only, in what has been measured."""
        self._kept: dict[Segment, None] = {}

    # -- placing --------------------------------------------------------------------------
    def rebuild(self) -> None:
        """Place all rows anew."""
        self.top = Group((), "", order=0, parent=None, is_open=True)
        self.segments.clear()
        self.groups.clear()
        self.pending.clear()
        self.late.clear()
        self.matched = 0
        self._kept.clear()
        index, perspective = self._index, self.perspective
        rows = index.rows(perspective.kind) if perspective.is_flat else index.roots()
        touched: dict[Group, None] = {}
        for row in rows:
            path = perspective.path_of(index, row)
            if path is not None:
                group = self._group_of(path)
                segment = Segment(row, group, self._sort_key(row))
                self.segments[row] = segment
                group.nodes.append(segment)
                group.count_members(1)
                segment.recount(self._counts(row))
                touched[group] = None
        for group in touched:
            group.sort()
        self.measure_all()

    def waiting(self) -> list[Row]:
        """Return rows that waited for their parents, of contexts where that is over."""
        coverage = self._index.coverage
        return [
            segment.row
            for group in self.groups.values()
            if group.key[-1] == WAITING.key and not coverage.is_reading(str(group.key[-2]))
            for segment in group.segments()
        ]

    def resort(self) -> None:
        """Sort all segments anew, by changed sort keys; a group when it is looked at."""
        for segment in self._kept:
            segment.entries = None
        self._kept.clear()
        for group in self.groups.values():
            group.reorder(self._sort_key)

    def _sort_key(self, row: Row) -> tuple[object, ...]:
        return (ROLE_ORDER.get(row.place.spec.role, 99), *self.shown.sort_key(row))

    def _counts(self, row: Row) -> int:
        return unit_of_row(row) if self.perspective.is_flat else row.counts

    def _group_of(self, path: Path) -> Group:
        group = self.top
        for step in path:
            child = group.groups.get(step.key)
            if child is None:
                key = (*group.key, step.key) if group.key else (GROUP_MARK, step.key)
                child = Group(key, step.label, order=step.order, parent=group, is_open=step.is_open)
                child.is_expanded = self.is_expanded(child)
                group.groups[step.key] = child
                self.groups[key] = child
                group.add(child)
            group = child
        return group

    def is_expanded(self, group: Group) -> bool:
        """Whether the group is to be expanded: by a person's word, else by itself or a filter."""
        return self.expansion.get(group.key, group.is_open or self.shown.is_narrowed)

    def place(self, row: Row) -> bool:
        """Put the row where it belongs now, and measure it; returns whether lines may move."""
        is_placed = row.parent is None or self.perspective.is_flat
        path = self.perspective.path_of(self._index, row) if is_placed and not row.is_gone else None
        segment = self.segments.get(row)
        if path is None:
            if segment is not None:
                self.drop(row)
            return segment is not None
        group = self._group_of(path)
        if segment is not None:
            segment.parent.settle_order()
        sort_key = self._sort_key(row)
        moves = True
        if segment is None:
            segment = self.segments[row] = Segment(row, group, sort_key)
            group.add(segment)
            group.count_members(1)
        elif segment.parent is not group or segment.sort_key != sort_key:
            self._move(segment, group, sort_key)
        else:
            # Lines that nobody has looked at have no place to move from.
            moves = segment.entries is not None and self.shown.is_volatile
        size = segment.size
        segment.entries = None
        segment.recount(self._counts(row))
        self.measure(segment)
        return moves or segment.size != size

    def touch(self, row: Row) -> bool:
        """Take over the counts of a root whose lines are the same; returns whether they may move.

        Far cheaper than to place it, which is what is done when it belongs elsewhere now.
        """
        segment = self.segments.get(row)
        is_placed = row.parent is None or self.perspective.is_flat
        path = self.perspective.path_of(self._index, row) if is_placed else None
        group: Group | None = self.top
        for step in path or ():
            group = group.groups.get(step.key) if group is not None else None
        if segment is None or path is None or group is not segment.parent:
            return self.place(row)
        segment.recount(self._counts(row))
        return False

    def put_off(self, rows: Iterable[Row], *, keep: int) -> list[Row]:
        """Return so many of the rows that are still there, and leave the others for later."""
        found = [row for row in rows if not row.is_gone]
        for row in found[keep:]:
            self.late[row] = None
            segment = self.segments.get(row)
            if segment is not None:
                segment.entries = None  # what is looked at meanwhile must not show what has left
        return found[:keep]

    def _move(self, segment: Segment, group: Group, sort_key: tuple[object, ...]) -> None:
        old = segment.parent
        counts = segment.counts
        segment.recount(0)
        old.discard(segment)
        old.count_members(-1)
        segment.parent = group
        segment.sort_key = sort_key
        group.add(segment)
        group.count_members(1)
        segment.recount(counts)
        self._close(old)

    def drop(self, row: Row) -> None:
        """Take the row's lines out."""
        segment = self.segments.pop(row)
        self._match(segment, 0)
        self.pending.pop(segment, None)
        self._kept.pop(segment, None)
        segment.recount(0)
        segment.parent.discard(segment)
        segment.parent.count_members(-1)
        self._close(segment.parent)

    def _close(self, group: Group) -> None:
        """Take out groups in which nothing is left."""
        while group.parent is not None and not group.members:
            above = group.parent
            above.discard(group)
            del above.groups[group.key[-1]]
            del self.groups[group.key]
            group = above

    # -- measuring ------------------------------------------------------------------------
    def measure(self, segment: Segment) -> None:
        """Find out how many lines the segment takes."""
        row = segment.row
        if self.hopes.of(row) is False:
            self._match(segment, 0)
            self._settle(segment, 0)
            return
        size = size_without_entries(row, self.shown, is_toggled=row in self.toggled)
        if size is None:
            self.flatten(segment)
        else:
            self._settle(segment, size)

    def _guess(self, row: Row) -> tuple[int, bool]:
        """How many lines a root takes as far as that costs nothing, and whether that is sure."""
        shown = self.shown
        hope = self.hopes.of(row)
        if hope is False:
            return 0, True
        if shown.is_flat and not shown.is_narrowed:
            return 1, True
        if shown.is_narrowed:
            return (1 if hope else 0), False
        if shown.is_open:
            return home_lines(row, shown), False
        is_closed = row not in self.toggled or row.ref not in shown.exceptions
        return 1, is_closed

    def _match(self, segment: Segment, matched: int) -> None:
        self.matched += matched - segment.matched
        segment.matched = matched

    def _settle(self, segment: Segment, size: int) -> None:
        if segment.is_pending:
            segment.is_pending = False
            self.pending.pop(segment, None)
        segment.resize(size)

    def flatten(self, segment: Segment) -> list[Entry]:
        """Return the lines of the segment, and take its size from them."""
        entries = segment.entries
        if entries is None:
            entries, matched = entries_of(segment.row, self.shown)
            segment.entries = entries
            self._kept[segment] = None
            self._match(segment, matched)
            if len(self._kept) > KEPT_ENTRIES:
                self._forget_entries()
        self._settle(segment, len(entries))
        return entries

    def _forget_entries(self) -> None:
        for old in list(self._kept)[: KEPT_ENTRIES // 2]:
            old.entries = None
            del self._kept[old]

    def measure_all(self) -> None:
        """Measure the first segments at once; the others have a provisional size until there
        is time."""
        self._kept.clear()
        self.matched = 0
        self.pending = {}
        for group in self.groups.values():
            group.is_expanded = self.is_expanded(group)
        hopeful = self.hopes.first()
        if hopeful is None:
            self._guess_all()
        else:
            self._guess_only(hopeful)
        self.refit(self.top)
        # Those that are hoped for have a line already, and are measured when it is painted.
        left = ROWS_AT_ONCE if hopeful is None else ROWS_AT_ONCE // 4
        for segment in list(islice(self.pending, MEASURED_AT_ONCE)):
            self.measure(segment)
            left -= total_of(segment.row.counts)
            if left <= 0:
                break

    def _guess_all(self) -> None:
        pending, guess = self.pending, self._guess
        for segment in self.top.segments():
            segment.entries = None
            segment.matched = 0
            segment.size, is_sure = guess(segment.row)
            segment.is_pending = not is_sure
            if not is_sure:
                pending[segment] = None

    def _guess_only(self, hopeful: Iterable[Row]) -> None:
        """Leave everything out but these roots; costs next to nothing for the others."""
        for segment in self.segments.values():
            if segment.size or segment.is_pending or segment.entries is not None:
                segment.entries = None
                segment.matched = segment.size = 0
                segment.is_pending = False
        for hoped in filter(None, map(self.segments.get, hopeful)):
            hoped.size = 1
            hoped.is_pending = True
            self.pending[hoped] = None

    def _hope_for_more(self) -> None:
        for segment in filter(None, map(self.segments.get, self.hopes.more())):
            if not segment.is_pending and segment.entries is None:
                segment.is_pending = True
                self.pending[segment] = None
                segment.resize(1)

    @property
    def is_exact(self) -> bool:
        """Whether every root has been placed and measured."""
        return not (self.pending or self.late or self.hopes.has_more)

    def refit(self, group: Group) -> int:
        """Sum up all sizes anew; returns the group's."""
        for below in group.groups.values():
            self.refit(below)
        inner = sum(map(_size, group.nodes))
        group.inner = inner
        group.prefix = None
        group.size = inner
        if group.parent is not None:
            group.size = 0 if not inner else 1 + (inner if group.is_expanded else 0)
        return group.size

    def measuring(self) -> Iterator[None]:
        """Place and measure what is pending, a segment between two yields."""
        while not self.is_exact:
            if self.late:
                self.place(self.late.popitem()[0])
            elif self.hopes.has_more:
                self._hope_for_more()
            else:
                self.measure(next(iter(self.pending)))
            yield

    # -- keys -----------------------------------------------------------------------------
    def segment_of(self, ref: ObjectRef) -> Segment | None:
        """Return the segment in which the object's home line stands."""
        row = self._index.get(ref)
        if row is None:
            return None
        return self.segments.get(row if self.perspective.is_flat else row.root)
