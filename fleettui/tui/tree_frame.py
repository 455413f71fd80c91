"""The lines around the tree: header, what is shown, column titles, keys; and the calm screen.

Knows how contexts stand, what narrows the tree and which keys there are; knows nothing
of the tree's lines but how many there are.
"""

from collections.abc import Callable, Mapping, Sequence

from textual.geometry import Size

from fleettui.fleet.context import ContextInfo
from fleettui.fleet.depth import LoadPlan
from fleettui.index.index import Index
from fleettui.index.rollup import rollup_sum
from fleettui.recorded.shards import Head
from fleettui.tui.calm import empty_lines, head_lines, is_too_small, too_small_lines
from fleettui.tui.keymap import KeyEntry, Place
from fleettui.tui.lines import Line
from fleettui.tui.ports import FleetPort
from fleettui.tui.prose import TextSource
from fleettui.tui.screens.board import title_line
from fleettui.tui.status import crumb_spans, depth_notes, header_spans, user_spans, way_spans
from fleettui.tui.theme import Tone
from fleettui.tui.tree_source import TreeSource
from fleettui.tui.tree_state import TreeState
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.footer import show_footer
from fleettui.tui.widgets.line_pane import LinePane


class TreeFrame:
    """Everything on the first screen that is neither tree nor details."""

    def __init__(
        self, fleet: FleetPort, index: Index, source: TreeSource, state: TreeState
    ) -> None:
        """Make the bars; they show nothing yet."""
        self._fleet = fleet
        self._index = index
        self._source = source
        self._state = state
        self.header = Bar(id="header")
        self.crumbs = Bar(id="crumbs")
        self.titles = Bar(id="titles")
        self.calm = LinePane(id="calm")
        self.calm.has_cursor = False
        self.footer = Bar(id="footer")
        self._heads: Mapping[str, Head] | None = None
        self._is_head_over = False
        self._depth_notes: Sequence[tuple[str, Tone]] = ()
        self._keys_shown: tuple[bool, bool] | None = None
        """Whether the footer dims keys that write, and whether it has keys of rows."""

    @property
    def title_words(self) -> str:
        """What the tree shows, in words."""
        perspective = self._source.view.perspective
        return perspective.kind[1] if perspective.kind else perspective.title

    def show_contexts(self, contexts: Sequence[ContextInfo], *, marked: int) -> None:
        """Shows how the contexts stand, and what the tree shows of them."""
        fleet = self._fleet
        spans = header_spans(contexts, now=fleet.now(), read_only=fleet.read_only)
        self.header.show(*spans, right=list(user_spans(contexts, self._namespace(contexts))))
        rollup = rollup_sum(self._index.rollup_of(name) for name in self._index.contexts())
        notes = [*self._state.notes(), *self._depth_notes]
        if marked:
            notes.append((f"{marked} marked", Tone.MATCH))
        way = way_spans(rollup) if not notes else ()
        crumbs = crumb_spans(self.title_words, rollup, notes=notes)
        self.crumbs.show(*crumbs, right=list(way))

    def _namespace(self, contexts: Sequence[ContextInfo]) -> str:
        """The namespace that is shown, or that lists are limited to; empty: all."""
        limits = {info.namespace for info in contexts}
        return self._state.namespace or (limits.pop() if len(limits) == 1 else "")

    def note_depth(self, plans: Sequence[LoadPlan]) -> None:
        """Says what is only known through its parent, and what reading it would cost."""
        self._depth_notes = list(depth_notes(plans))

    def show_titles(self, pane: LinePane) -> None:
        """Puts the column titles over the columns."""
        self.titles.show_cells(title_line(self._source.columns), pane.slots)

    def show_keys(self, hints: Callable[[], Sequence[KeyEntry]], *, may_write: bool) -> None:
        """Shows the keys; those of rows not where there are none, those that write dim."""
        has_rows = len(self._source) > 0
        if (may_write, has_rows) == self._keys_shown:
            return
        self._keys_shown = (may_write, has_rows)
        entries = hints()
        if not has_rows:
            entries = [entry for entry in entries if entry.place is Place.EVERYWHERE]
        show_footer(self.footer, entries, may_write=may_write)

    def show_calm(self, contexts: Sequence[ContextInfo], size: Size) -> bool:
        """Shows what there is to say where no tree can be shown; returns whether that is so."""
        is_small = is_too_small(size.width, size.height)
        if len(self._source) and not is_small:
            self._is_head_over = True
            return False
        if is_small:
            lines = too_small_lines(size.width, size.height)
        else:
            lines = self._head_lines() or empty_lines(
                contexts,
                now=self._fleet.now(),
                width=size.width - 4,
                is_narrowed=self._state.is_narrowed,
            )
        self.calm.show(TextSource(lines), keep_place=True)
        return True

    def _head_lines(self) -> list[Line]:
        """The clusters of last time, in the frames before the first rows."""
        if self._is_head_over or self._state.is_narrowed:
            return []
        if self._heads is None:
            self._heads = self._fleet.heads()
        return head_lines(self._heads, now=self._fleet.now())
