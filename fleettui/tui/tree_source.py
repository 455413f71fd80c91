"""The lines of a tree, for a pane: a view of the index turned into cells on demand.

Knows views and rows; knows nothing of painting.
"""

from collections.abc import Callable, Hashable, Sequence

from fleettui.index.view import Line as TreeLine
from fleettui.index.view import TreeView
from fleettui.tui.cells import TREE_COLUMNS, Moment, tree_line
from fleettui.tui.layout import Column
from fleettui.tui.lines import Line

MAX_DIRTY = 512
"""Changed rows from which all lines are made anew instead."""
MAX_MADE = 4096


class TreeSource:
    """Lines of a view."""

    columns: tuple[Column, ...] = TREE_COLUMNS

    def __init__(self, view: TreeView, moment: Callable[[], Moment]) -> None:
        """Read lines of this view, as of the moment that is asked for at each reading."""
        self.view = view
        self._moment = moment
        self._made: dict[Hashable, tuple[tuple[object, ...], Line]] = {}
        self._made_for: Moment | None = None

    def __len__(self) -> int:
        """Return how many lines are visible."""
        return len(self.view)

    def settle(self) -> None:
        """Take over what changed in the index; only lines of changed rows are made anew."""
        dirty = self.view.settle().dirty
        if len(dirty) > MAX_DIRTY:
            self._made.clear()
            return
        for row in dirty:
            self._made.pop(row.ref, None)

    def window(self, start: int, stop: int) -> Sequence[tuple[Hashable, Line]]:
        """Return keys and lines of a window."""
        moment = self._moment()
        if moment != self._made_for or len(self._made) > MAX_MADE:
            self._made.clear()
            self._made_for = moment
        return [(line.key, self._line(line, moment)) for line in self.view.lines(start, stop)]

    def _line(self, line: TreeLine, moment: Moment) -> Line:
        if line.row is None or line.is_link:
            return tree_line(line, self.columns, moment)
        form = (line.depth, line.is_expandable, line.is_expanded, line.rollup)
        known = self._made.get(line.key)
        if known is not None and known[0] == form:
            return known[1]
        made = tree_line(line, self.columns, moment)
        self._made[line.key] = (form, made)
        return made

    def position(self, key: Hashable) -> int | None:
        """Return the place of a line."""
        return self.view.position(key) if isinstance(key, tuple) else None

    def at(self, index: int) -> TreeLine | None:
        """Return the line of the view at this place."""
        found = self.view.lines(index, index + 1) if index >= 0 else ()
        return found[0] if found else None
