"""What keys do to the tree: folding, going to parents, finding what is broken.

Knows the view and the pane that shows it; knows no screen.
"""

from collections.abc import Callable, Hashable

from fleettui.index.index import Index
from fleettui.index.nodes import LineKey
from fleettui.index.rows import Row
from fleettui.index.view import Line as TreeLine
from fleettui.kinds.record import ObjectRef, Verdict
from fleettui.tui.dispatch import Handler
from fleettui.tui.tree_source import TreeSource
from fleettui.tui.widgets.line_pane import LinePane

SEEK_LIMIT = 20_000
"""Lines looked at for one key; beyond it the key does nothing rather than be slow."""
_BROKEN = frozenset({Verdict.FAILED, Verdict.STALLED})


class TreeKeys:
    """Keys on the tree."""

    def __init__(self, pane: LinePane, source: TreeSource, index: Index) -> None:
        """Act on this pane and its view."""
        self._pane = pane
        self._source = source
        self._index = index
        self.marks: set[Hashable] = set()
        """Refs of marked objects."""

    @property
    def line(self) -> TreeLine | None:
        """The line under the cursor."""
        return self._source.at(self._pane.cursor)

    @property
    def row(self) -> Row | None:
        """The object under the cursor; None on a group."""
        line = self.line
        return line.row if line is not None else None

    @property
    def ref(self) -> ObjectRef | None:
        """Identity of the object under the cursor."""
        row = self.row
        return row.ref if row is not None else None

    def handlers(self) -> dict[str, Handler]:
        """What keys do, by id of their entry."""
        view = self._source.view
        return {
            "expand": self.expand,
            "collapse": self.collapse,
            "toggle": self.toggle,
            "expand_all": lambda: self.restructure(view.expand_all),
            "collapse_all": lambda: self.restructure(view.collapse_all),
            "mark": self.mark,
            "unmark_all": self.unmark_all,
            "next_match": lambda: self.seek(1),
            "previous_match": lambda: self.seek(-1),
        }

    def restructure(self, change: Callable[[], object]) -> None:
        """Changes which lines there are; the cursor stays on its line, or goes to its parent."""
        pane = self._pane
        stood_on, above = pane.cursor_key, self._ancestors()
        change()
        pane.changed()
        if stood_on is not None and self._source.position(stood_on) is None:
            place = next((p for k in above if (p := self._source.position(k)) is not None), None)
            pane.move_to(place or 0)
        pane.refresh()
        pane.move_by(0)

    def _ancestors(self) -> list[LineKey]:
        """Keys of what the cursor's line hangs under, nearest first."""
        line = self.line
        return list(self._source.view.above(line.key)) if line is not None else []

    def parent_place(self, index: int) -> int | None:
        """Where the line stands below which this one stands."""
        line = self._source.at(index)
        if line is None:
            return None
        places = map(self._source.position, self._source.view.above(line.key))
        return next((place for place in places if place is not None), None)

    def toggle(self) -> None:
        """Expand or fold the line."""
        line = self.line
        if line is not None and line.is_expandable:
            view, key = self._source.view, line.key
            self.restructure(lambda: view.toggle(key))

    def expand(self) -> None:
        """Expand the line; when it is, go into it; on a link, go where it points."""
        line = self.line
        if line is None:
            return
        if line.is_link and line.row is not None:
            self.go_to(line.row.ref)
        elif line.is_expandable and not line.is_expanded:
            view, key = self._source.view, line.key
            self.restructure(lambda: view.expand(key))
        elif line.is_expanded:
            self._pane.move_by(1)

    def collapse(self) -> None:
        """Fold the line; when it is, go to the one above it."""
        line = self.line
        if line is None:
            return
        if line.is_expandable and line.is_expanded:
            view, key = self._source.view, line.key
            self.restructure(lambda: view.collapse(key))
            return
        place = self.parent_place(self._pane.cursor)
        if place is not None:
            self._pane.move_to(place)

    def mark(self) -> None:
        """Mark or unmark the object and go on to the next line."""
        ref = self.ref
        line = self.line
        if ref is not None and line is not None and not line.is_link:
            self.marks ^= {ref}
            self._pane.set_marked(self.marks)
        self._pane.move_by(1)

    def unmark_all(self) -> None:
        """Clear marks."""
        self.marks.clear()
        self._pane.set_marked(self.marks)

    def seek(self, step: int) -> None:
        """Go to the next (or previous) match, or thing that is broken, round the end."""
        view = self._source.view
        found = view.next_match(self._pane.cursor, step=step)
        if found is None and view.filter is None and not view.faults_only:
            found = self._next_broken(step)
        if found is not None:
            self._pane.move_to(found, centre=True)

    def settle_on_match(self) -> None:
        """Go to the next match unless the cursor is on one; what is above it only leads there."""
        view = self._source.view
        if view.filter is None:
            return
        found = view.next_match(self._pane.cursor - 1)
        if found is not None and found != self._pane.cursor:
            self._pane.move_to(found, centre=True)

    def _next_broken(self, step: int) -> int | None:
        count = len(self._source)
        start = self._pane.cursor
        for distance in range(1, min(count, SEEK_LIMIT) + 1):
            index = (start + step * distance) % count
            line = self._source.at(index)
            if line is not None and line.row is not None and line.row.health in _BROKEN:
                return index
        return None

    def go_to(self, ref: ObjectRef) -> bool:
        """Show an object in the tree, opening what is above it; returns whether it is there."""
        place = self._source.view.reveal(ref)
        if place is None:
            return False
        self._pane.changed()
        self._pane.move_to(place, centre=True)
        return True
