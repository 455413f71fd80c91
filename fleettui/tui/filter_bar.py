"""The filter of the tree as one types: what it wants, how much it finds, where it is wrong.

Knows the filter language's front door and the search's texts; knows no widget.
"""

from collections.abc import Iterator

from fleettui.index.index import Index
from fleettui.index.query import QueryError, parse
from fleettui.index.search import BoundQuery, Searcher, unsearchable
from fleettui.index.view import TreeView
from fleettui.tui.cells import count_text
from fleettui.tui.lines import Span
from fleettui.tui.ports import Kinds
from fleettui.tui.theme import Tone
from fleettui.tui.tree_state import TreeState

LOAD_KEY = "ctrl+l"
"""Reads what a filter could not search, while the line is open."""
MAX_UNSEARCHED = 3
"""Kinds named one by one that a filter could not search."""


class FilterBar:
    """Turns what is typed into what the tree shows."""

    def __init__(self, index: Index, table: Kinds, view: TreeView, state: TreeState) -> None:
        """Filter this view."""
        self._index = index
        self._table = table
        self._view = view
        self._state = state
        self._searcher = Searcher(index)
        self._error: QueryError | None = None
        self._bound: BoundQuery | None = None

    def type(self, text: str, now: int) -> None:
        """Take what stands there now; a wrong expression leaves the tree as it is."""
        bare = text.strip()
        if not bare:
            self.clear()
            return
        try:
            query = parse(bare)
        except QueryError as error:
            self._error = error
            return
        self._error = None
        self._bound = self._searcher.bind(query, now=now)
        self._state.set_filter(bare, self._bound)

    def clear(self) -> None:
        """Show everything again."""
        self._error = None
        self._bound = None
        self._state.set_filter("", None)

    def warming(self) -> Iterator[None]:
        """Make the texts that answer keys at once; for whoever has time."""
        return self._searcher.warming()

    @property
    def is_warm(self) -> bool:
        """Whether all texts are made."""
        return self._searcher.is_whole

    def notes(self) -> Iterator[Span]:
        """What to say beside the line: where it is wrong, or how much it finds and lacks."""
        error = self._error
        if error is not None:
            yield Span(f"at {error.position + 1}: expected {error.expected} ", Tone.FAILED)
            return
        if self._bound is None:
            yield Span("name, kind:machine health:bad age<2h reason:~quota ", Tone.DIM)
            return
        unread = self._unsearched()
        if unread:
            yield Span(f"not searched: {unread}, ctrl-l reads them  ", Tone.STALLED)
        more = "" if self._view.is_exact else "+"
        yield Span(f"{count_text(self._view.match_count)}{more} found ", Tone.MATCH)

    def unsearched(self) -> list[tuple[str, str]]:
        """Kinds, as (group, kind), that what stands there could not search, in order."""
        if self._bound is None:
            return []
        found = unsearchable(self._bound.query, self._index.coverage, self._table)
        return list(dict.fromkeys(key for _, key in found))

    def _unsearched(self) -> str:
        names = list(dict.fromkeys(kind for _, kind in self.unsearched()))
        hidden = len(names) - MAX_UNSEARCHED
        return ", ".join(names[:MAX_UNSEARCHED]) + (f" and {hidden} more" if hidden > 0 else "")
