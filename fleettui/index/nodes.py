"""The skeleton of a view: groups of groups and roots, with how many lines each takes.

Knows order and sizes, and how to find the node at a line; refuses to know what
the lines of a root are. Sizes are summed lazily per group, so that a change
costs one pass over the siblings of what changed and its groups' siblings. Another
order is put into a group when somebody asks for its places, not before.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from itertools import accumulate
from operator import attrgetter
from typing import Final, Union

from fleettui.index.rows import Row

SortKey = tuple[object, ...]
LineKey = tuple[str, ...]
GROUP_MARK: Final = "\0group"
"""First part of the keys of groups; no context is called so."""

_sort_key = attrgetter("sort_key")
_size = attrgetter("size")
Node = Union["Group", "Segment"]


class Segment:
    """The lines of one root."""

    __slots__ = ("counts", "entries", "is_pending", "matched", "parent", "row", "size", "sort_key")

    def __init__(self, row: Row, parent: "Group", sort_key: SortKey) -> None:
        """Start without lines."""
        self.row = row
        self.parent = parent
        self.sort_key = sort_key
        self.size = 0
        self.counts = 0
        self.entries: list[tuple[Row, int, str, int, Row | None]] | None = None
        """Flattened lines while they are kept; see ``flatten``."""
        self.matched = 0
        """Rows shown for their own sake in a narrowed view."""
        self.is_pending = False
        """Whether the size is provisional."""

    def resize(self, size: int) -> None:
        """Take this many lines."""
        delta = size - self.size
        if delta:
            self.size = size
            self.parent.grow(delta)

    def recount(self, counts: int) -> None:
        """Have these packed counts, and the groups above, too."""
        delta = counts - self.counts
        if delta:
            self.counts = counts
            group: Group | None = self.parent
            while group is not None:
                group.counts += delta
                group = group.parent


class Group:
    """A header line, and below it groups and roots in order."""

    __slots__ = (
        "counts",
        "depth",
        "groups",
        "inner",
        "is_expanded",
        "is_open",
        "key",
        "label",
        "members",
        "nodes",
        "order",
        "parent",
        "prefix",
        "size",
        "sort_key",
    )

    def __init__(
        self, key: LineKey, label: str, *, order: int, parent: "Group | None", is_open: bool
    ) -> None:
        """Start empty and hidden; the top has no parent and no header."""
        self.key = key
        self.label = label
        self.parent = parent
        self.depth: int = parent.depth + 1 if parent is not None else -1
        self.sort_key: SortKey = (-1, order, label, key)
        self.is_open = is_open
        """Whether it is expanded as long as nobody says otherwise."""
        self.is_expanded = is_open
        self.groups: dict[str, Group] = {}
        self.nodes: list[Node] = []
        self.prefix: list[int] | None = None
        self.order: Callable[[Row], SortKey] | None = None
        """Gives the keys that the roots below are to be sorted by; None when they are."""
        self.inner = 0
        self.size = 0
        self.members = 0
        """Roots below, shown or not."""
        self.counts = 0

    def grow(self, delta: int) -> None:
        """Take over that the nodes below take so many more lines."""
        self.prefix = None
        self.inner += delta
        self.refit()

    def refit(self) -> None:
        """Take as many lines as header, expansion and content ask for."""
        if self.parent is None:
            self.size = self.inner
            return
        size = 0 if not self.inner else 1 + (self.inner if self.is_expanded else 0)
        delta = size - self.size
        if delta:
            self.size = size
            self.parent.grow(delta)

    def add(self, node: Node) -> None:
        """Put the node, which has no lines yet or will tell, in its place."""
        self.settle_order()
        place = bisect_left(self.nodes, node.sort_key, key=_sort_key)
        self.nodes.insert(place, node)
        self.prefix = None
        if node.size:
            self.grow(node.size)

    def discard(self, node: Node) -> None:
        """Take the node out, and its lines with it."""
        del self.nodes[self.place_of(node)]
        self.prefix = None
        if node.size:
            self.grow(-node.size)

    def place_of(self, node: Node) -> int:
        """Return where the node stands among its siblings."""
        self.settle_order()
        return bisect_left(self.nodes, node.sort_key, key=_sort_key)

    def sort(self) -> None:
        """Put all nodes in order anew, after many were appended."""
        self.nodes.sort(key=_sort_key)
        self.prefix = None

    def reorder(self, order: Callable[[Row], SortKey]) -> None:
        """Let the roots below be sorted by other keys, once their places are asked for."""
        self.order = order
        self.prefix = None

    def settle_order(self) -> None:
        """Sort by the keys that were asked for, if that has not been done."""
        order = self.order
        if order is None:
            return
        self.order = None
        for node in self.nodes:
            if isinstance(node, Segment):
                node.sort_key = order(node.row)
        self.sort()

    def sums(self) -> list[int]:
        """Return lines up to and including each node."""
        self.settle_order()
        if self.prefix is None:
            self.prefix = list(accumulate(map(_size, self.nodes)))
        return self.prefix

    def before(self, node: Node) -> int:
        """Return how many lines stand between the header and the node."""
        place = self.place_of(node)
        return self.sums()[place - 1] if place else 0

    def at(self, line: int) -> tuple[Node, int]:
        """Return the node that holds a line below the header, and the line within it."""
        sums = self.sums()
        place = bisect_right(sums, line)
        return self.nodes[place], line - (sums[place - 1] if place else 0)

    def count_members(self, delta: int) -> None:
        """Take over that so many more roots are below."""
        group: Group | None = self
        while group is not None:
            group.members += delta
            group = group.parent

    def segments(self) -> Iterator[Segment]:
        """Yield the roots below, in order."""
        self.settle_order()
        for node in self.nodes:
            if isinstance(node, Segment):
                yield node
            else:
                yield from node.segments()


def locate(top: Group, line: int) -> tuple[Node, int]:
    """Return the node that paints a line of the view, and the line within it (0 for a header)."""
    node, offset = top.at(line)
    while isinstance(node, Group) and offset:
        node, offset = node.at(offset - 1)
    return node, offset


def line_of(node: Node) -> int:
    """Return the first line of a node; meaningless when a group above is collapsed."""
    line = 0
    at: Node = node
    while at.parent is not None:
        line += at.parent.before(at)
        at = at.parent
        line += at.parent is not None
    return line
