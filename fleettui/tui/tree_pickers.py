"""What a person chooses from lists to change the tree: order, namespace, kind.

Knows pickers and what to do with what was picked; knows no widget of the tree.
"""

from collections.abc import Callable
from typing import Protocol

from textual.app import App

from fleettui.index.index import Index
from fleettui.kinds.spec import Depth
from fleettui.tui.choices import namespace_choices
from fleettui.tui.lines import cell
from fleettui.tui.ports import FleetPort
from fleettui.tui.screens.picker import Choice, Picked, Picker
from fleettui.tui.tree_state import ORDER_WORDS, TreeState


class TreeHost(Protocol):
    """The screen that shows the tree."""

    fleet: FleetPort
    index: Index
    state: TreeState

    @property
    def app(self) -> App[object]:
        """Whoever opens pickers."""
        ...

    def reshape(self, change: Callable[[], object]) -> None:
        """Change which lines there are."""
        ...

    def set_namespace(self, namespace: str) -> None:
        """Show one namespace."""
        ...


class TreePickers:
    """Opens pickers over the tree."""

    def __init__(self, host: TreeHost) -> None:
        """Change this screen's tree."""
        self._host = host

    def choose_order(self) -> None:
        """Lets a person choose the order."""
        choices = [Choice(key, cell(key), cell(words)) for key, words in ORDER_WORDS.items()]
        picker = Picker("order", choices, at=self._host.state.order)
        self._host.app.push_screen(picker, self._take_order)

    def _take_order(self, picked: Picked | None) -> None:
        if picked is not None:
            order = str(picked.key)
            self._host.reshape(lambda: self._host.state.sort(order))

    def choose_namespace(self) -> None:
        """Lets a person choose the namespace."""
        choices = list(namespace_choices(self._host.index))
        picker = Picker("namespace", choices, at=self._host.state.namespace)
        self._host.app.push_screen(picker, self._take_namespace)

    def _take_namespace(self, picked: Picked | None) -> None:
        if picked is not None:
            self._host.set_namespace(str(picked.key))

    def show_kind(self, word: str) -> None:
        """Shows every object of the kind that a word means, flat; asks when it means several."""
        found = self._host.fleet.table.find(word)
        if len(found) == 1:
            self._show(found[0].group, found[0].kind)
            return
        choices = [Choice((s.group, s.kind), cell(s.kind), cell(s.group)) for s in found]
        picker = Picker("which kind?", choices)
        self._host.app.push_screen(picker, self._take_kind)

    def _take_kind(self, picked: Picked | None) -> None:
        if picked is not None and isinstance(picked.key, tuple):
            group, kind = picked.key
            self._show(group, kind)

    def _show(self, group: str, kind: str) -> None:
        spec = self._host.fleet.table.spec_for(group, kind)
        if spec is not None and spec.depth is not Depth.LEAF:
            self._host.fleet.ask([(group, kind)])  # perhaps it was too much to read unasked
        self._host.reshape(lambda: self._host.state.show_kind((group, kind)))
