"""The lines of a tree, for a pane: a view of the index turned into cells on demand.

Knows views and rows; knows nothing of painting.
"""

from collections.abc import Callable, Hashable, Sequence

from fleettui.index.view import Line as TreeLine
from fleettui.index.view import TreeView
from fleettui.tui.cells import TREE_COLUMNS, Moment, tree_line
from fleettui.tui.layout import Column
from fleettui.tui.lines import Line


class TreeSource:
    """Lines of a view."""

    columns: tuple[Column, ...] = TREE_COLUMNS

    def __init__(self, view: TreeView, moment: Callable[[], Moment]) -> None:
        """Read lines of this view, as of the moment that is asked for at each reading."""
        self.view = view
        self._moment = moment

    def __len__(self) -> int:
        """Return how many lines are visible."""
        return len(self.view)

    def window(self, start: int, stop: int) -> Sequence[tuple[Hashable, Line]]:
        """Return keys and lines of a window."""
        moment = self._moment()
        return [
            (line.key, tree_line(line, self.columns, moment))
            for line in self.view.lines(start, stop)
        ]

    def position(self, key: Hashable) -> int | None:
        """Return the place of a line."""
        return self.view.position(key) if isinstance(key, tuple) else None

    def at(self, index: int) -> TreeLine | None:
        """Return the line of the view at this place."""
        found = self.view.lines(index, index + 1) if index >= 0 else ()
        return found[0] if found else None
