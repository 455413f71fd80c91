"""The filter of the tree and the line it is typed into, together.

Knows what was typed and what the tree makes of it; knows no index and no screen.
Views measure what they have not yet in the pacer's turns; the count is told again then.
"""

from collections.abc import Callable

from fleettui.fleet.pacer import Pacer
from fleettui.tui.filter_bar import FilterBar
from fleettui.tui.tree_source import TreeSource
from fleettui.tui.tree_state import TreeState
from fleettui.tui.widgets.line_pane import LinePane
from fleettui.tui.widgets.prompt import Prompt

Reshape = Callable[[Callable[[], object]], None]
"""Changes which lines there are; the cursor stays on its object."""
MARK = "/"
"""What the line begins with while a filter is typed."""


class TreeFilter:
    """Filters the tree as one types."""

    def __init__(
        self,
        bar: FilterBar,
        prompt: Prompt,
        pane: LinePane,
        *,
        state: TreeState,
        pacer: Pacer,
        reshape: Reshape,
    ) -> None:
        """Filter what this pane shows.

        Args:
            bar: what text means.
            prompt: where it is typed.
            pane: the tree.
            state: what narrows the tree.
            pacer: gives turns to what takes long.
            reshape: changes the lines.
        """
        self._bar = bar
        self._prompt = prompt
        self._pane = pane
        self._state = state
        self._pacer = pacer
        self._reshape = reshape

    def open(self) -> None:
        """Opens the line; the texts that it searches are made meanwhile."""
        self._prompt.open(MARK, self._state.expression)
        self._tell()
        self._warm()

    def _warm(self) -> None:
        if not self._bar.is_warm and not self._pacer.is_running("warm"):
            self._pacer.run("warm", self._bar.warming(), done=lambda: None)

    def type(self, text: str, now: int) -> None:
        """Takes what stands there now, and says how much it finds."""
        self._reshape(lambda: self._bar.type(text, now))
        self._tell()
        self._warm()
        self.measure()

    def take(self, text: str, now: int) -> None:
        """Filters by an expression; a wrong one opens the line to be put right."""
        self._reshape(lambda: self._bar.type(text, now))
        if self._state.expression != text.strip():
            self._prompt.open(MARK, text, selects=False)
            self._tell()

    def unsearched(self) -> list[tuple[str, str]]:
        """Kinds that what stands there could not search."""
        return self._bar.unsearched()

    def clear(self) -> None:
        """Shows everything again."""
        self._reshape(self._bar.clear)

    def measure(self) -> None:
        """Lets the view measure what it has not yet."""
        source = self._pane.source
        view = source.view if isinstance(source, TreeSource) else None
        if view is not None and not view.is_exact and not self._pacer.is_running("measure"):
            self._pacer.run("measure", view.work(), done=self._measured)

    def _measured(self) -> None:
        self._pane.changed()
        if self._prompt.is_open and self._prompt.mark == MARK:
            self._tell()

    def _tell(self) -> None:
        self._prompt.note(*self._bar.notes())
