"""Lines out of a layout: by number, by key, by match.

Knows how an entry becomes a line and how keys are found again; refuses to know
how roots are placed and measured (``layout``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from fleettui.index.flatten import EXPANDABLE, EXPANDED, Entry, is_match, link_key
from fleettui.index.index import Index
from fleettui.index.layout import Layout
from fleettui.index.nodes import GROUP_MARK, Group, LineKey, Segment, line_of, locate
from fleettui.index.rollup import Rollup, unpack
from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the tree."""

    key: LineKey
    """The object's reference, or a path for groups and links; stable while lines move."""
    row: Row | None
    """None for a group."""
    label: str
    """Raw text; unsafe to show without ``safe_text``."""
    depth: int
    is_expandable: bool
    is_expanded: bool
    is_link: bool
    """Stands here because of a pointer, not because this is its home; counts elsewhere."""
    relation: str
    """For links: how the row above and this one are related."""
    rollup: Rollup | None
    """Counts below, this row included; None for links."""


class Lines:
    """The lines of a layout."""

    def __init__(self, index: Index, layout: Layout) -> None:
        """Read this layout of this index."""
        self._index = index
        self._layout = layout

    def __len__(self) -> int:
        """Return the number of lines."""
        return self._layout.top.size

    def slice(self, start: int, stop: int) -> list[Line]:
        """Return lines from ``start`` up to, not including, ``stop``; costs those roots only."""
        layout = self._layout
        found: list[Line] = []
        at = max(0, start)
        while at < min(stop, len(self)):
            node, offset = locate(layout.top, at)
            if isinstance(node, Group):
                found.append(self._group_line(node))
                at += 1
                continue
            entries = layout.flatten(node)
            if not entries:
                continue
            picked = entries[offset : offset + stop - at]
            depth = node.parent.depth + 1
            found += [self._entry_line(entry, depth) for entry in picked]
            if offset == 0 and node.parent.key[1] != node.row.context:
                found[-len(picked)] = self._placed(found[-len(picked)])
            at += len(picked)
        return found

    def _placed(self, line: Line) -> Line:
        """A root's line with its context, where the groups above mix several."""
        row = line.row
        if row is None or len(self._index.coverage.contexts()) < 2:
            return line
        return replace(line, label=f"{line.label}  ({row.context})")

    def _group_line(self, group: Group) -> Line:
        context = group.key[1]
        partial = bool(self._index.coverage.unloaded_kinds(context))
        return Line(
            group.key,
            None,
            group.label,
            group.depth,
            True,
            group.is_expanded,
            False,
            "",
            unpack(group.counts, at_least=partial),
        )

    def _entry_line(self, entry: Entry, depth: int) -> Line:
        row, below, relation, bits, above = entry
        ref = row.ref
        if above is not None:
            key = link_key(relation, above.ref, ref)
            return Line(key, row, row.name, depth + below, False, False, True, relation, None)
        return Line(
            ref,
            row,
            row.name,
            depth + below,
            bool(bits & EXPANDABLE),
            bool(bits & EXPANDED),
            False,
            "",
            self._index.rollup(row),
        )

    def position(self, key: LineKey) -> int | None:
        """Return the line of this key; None when it is not shown (collapsed, filtered, gone)."""
        if key and key[0] == GROUP_MARK:
            group = self._layout.groups.get(key)
            return line_of(group) if group is not None and self._is_reachable(group) else None
        is_link = bool(key) and key[0] == "\0link"
        home = ObjectRef(*key[2:7]) if is_link else ObjectRef(*key)
        segment = self._layout.segment_of(home)
        if segment is None or not self._is_reachable(segment):
            return None
        for place, entry in enumerate(self._layout.flatten(segment)):
            row, _, relation, _, above = entry
            if (above is not None) != is_link:
                continue
            own = link_key(relation, above.ref, row.ref) if above is not None else row.ref
            if own == key:
                return line_of(segment) + place
        return None

    def above(self, key: LineKey) -> Iterator[LineKey]:
        """Yield keys of what the line hangs under, nearest first; some may not be shown."""
        layout = self._layout
        group: Group | None
        if key[0] == GROUP_MARK:
            header = layout.groups.get(key)
            group = header.parent if header is not None else None
        else:
            is_link = key[0] == "\0link"
            ref = ObjectRef(*key[2:7]) if is_link else ObjectRef(*key)
            if is_link:
                yield ref
            row = self._index.get(ref)
            while row is not None and row.parent is not None and not layout.shown.is_flat:
                row = row.parent
                yield row.ref
            segment = layout.segment_of(ref)
            group = segment.parent if segment is not None else None
        while group is not None and group.parent is not None:
            yield group.key
            group = group.parent

    def _is_reachable(self, node: Group | Segment) -> bool:
        group = node.parent
        while group is not None:
            if not group.is_expanded:
                return False
            group = group.parent
        return node.size > 0

    def next_match(self, line: int, *, step: int = 1) -> int | None:
        """Return the nearest line after (before, for step -1) that matches by itself.

        Goes round at the ends; None when nothing matches or nothing is asked for.
        """
        layout = self._layout
        if not layout.shown.is_narrowed or not len(self):
            return None
        at = line + step
        for _ in range(2 * (len(layout.segments) + len(layout.groups)) + 2):
            at %= max(len(self), 1)
            node, offset = locate(layout.top, at)
            if isinstance(node, Group):
                at += step
                continue
            first, size = at - offset, node.size
            entries = layout.flatten(node)
            if step < 0 and offset == size - 1:
                offset = len(entries) - 1  # it may have more lines than it was thought to have
            place = self._match_in(entries, offset, step)
            if place is not None:
                return first + place
            at = first - 1 if step < 0 else first + len(entries)
            if not len(self):
                return None
        return None

    def _match_in(self, entries: list[Entry], offset: int, step: int) -> int | None:
        places = range(offset, len(entries)) if step > 0 else range(offset, -1, -1)
        shown = self._layout.shown
        for place in places:
            row, _, _, _, above = entries[place]
            if above is None and is_match(row, shown):
                return place
        return None
