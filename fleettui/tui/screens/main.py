"""The first screen: the tree of everything, with details beside or below it.

Composes panes and wires keys to them; knows nothing of objects beyond which one
is under the cursor.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.screen import Screen

from fleettui.index.index import Index
from fleettui.index.rollup import rollup_sum
from fleettui.index.view import TreeView
from fleettui.kinds.record import ObjectRef
from fleettui.tui.calm import empty_lines, is_too_small, too_small_lines
from fleettui.tui.cells import Moment
from fleettui.tui.dispatch import Dispatcher, Handler
from fleettui.tui.handlers import pane_handlers
from fleettui.tui.keymap import Place
from fleettui.tui.layout import Slot
from fleettui.tui.lines import Line, cell
from fleettui.tui.ports import FleetPort
from fleettui.tui.prose import TextSource
from fleettui.tui.status import crumb_spans, faded_contexts, header_spans, user_spans
from fleettui.tui.theme import Tone
from fleettui.tui.tree_keys import TreeKeys
from fleettui.tui.tree_source import TreeSource
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.detail_pane import DetailPane
from fleettui.tui.widgets.footer import footer_spans
from fleettui.tui.widgets.line_pane import LinePane
from fleettui.tui.widgets.prompt import Prompt

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp

SIDE_WIDTH = 140
"""Width of a terminal, in cells, from which details stand beside the tree."""
_TREE_PLACES: Sequence[Place] = (
    Place.TREE,
    Place.ROW,
    Place.MAIN,
    Place.PANE,
    Place.EVERYWHERE,
)
_DETAIL_PLACES: Sequence[Place] = (Place.ROW, Place.MAIN, Place.PANE, Place.EVERYWHERE)


class MainScreen(Screen[None]):
    """The tree and its frame."""

    CSS = """
    #body { height: 1fr; layout: vertical; }
    #body.side { layout: horizontal; }
    #list { height: 1fr; width: 1fr; }
    #calm { display: none; }
    #body.calm #list { display: none; }
    #body.calm #detail { display: none; }
    #body.calm #calm { display: block; }
    #detail { height: 45%; width: 100%; }
    #body.side #detail { height: 100%; width: 42%; max-width: 110; }
    """

    def __init__(self, fleet: FleetPort, index: Index, view: TreeView) -> None:
        """Show this view of the fleet."""
        super().__init__()
        self.fleet = fleet
        self.index = index
        self.source = TreeSource(view, self._moment)
        self._faded: frozenset[str] = frozenset()
        self.keys: TreeKeys | None = None
        self._dispatcher: Dispatcher | None = None

    @property
    def fleet_app(self) -> "FleetApp":
        """The app, by its own type."""
        return cast("FleetApp", self.app)

    def _moment(self) -> Moment:
        return Moment(self.fleet.now(), self._faded)

    def compose(self) -> ComposeResult:
        """Yields header, tree, details, prompt and footer."""
        yield Bar(id="header")
        yield Bar(id="crumbs")
        with Container(id="body"):
            with Vertical(id="list"):
                yield Bar(id="titles")
                yield LinePane(self.source, id="tree")
            yield LinePane(id="calm")
            yield DetailPane(self.fleet, self.index, id="detail")
        yield Prompt()
        yield Bar(id="footer")

    @property
    def tree_pane(self) -> LinePane:
        """The tree's pane."""
        return self.query_one("#tree", LinePane)

    @property
    def detail(self) -> DetailPane:
        """The details."""
        return self.query_one("#detail", DetailPane)

    def on_mount(self) -> None:
        """Wires the keys and shows what is there."""
        app = self.fleet_app
        self.keys = TreeKeys(self.tree_pane, self.source, self.index)
        self.query_one("#calm", LinePane).has_cursor = False
        handlers: dict[str, Handler] = {
            **pane_handlers(self._pane_in_front),
            **self.keys.handlers(),
            **app.common_handlers(),
            **app.row_handlers(lambda: self.keys.ref if self.keys else None),
            "activate": self.activate,
            "detail": self.toggle_detail,
            "next_pane": self.next_pane,
            "back": self.back,
            "quit": app.ask_to_leave,
        }
        self._dispatcher = Dispatcher(app.keymap, self._places, handlers)
        app.apply_theme(self)
        self.query_one("#footer", Bar).show(*footer_spans(self._dispatcher.hints()))
        self.tree_pane.focus()
        self.repaint()

    def on_resize(self, event: events.Resize) -> None:
        """Puts the details where there is room."""
        self.query_one("#body").set_class(event.size.width >= SIDE_WIDTH, "side")
        self.repaint()
        self.call_after_refresh(self.detail.refresh_lines)

    # -- painting -------------------------------------------------------------------------
    def repaint(self) -> None:
        """Brings what changed to the screen; called by the bridge and by the clock."""
        contexts = self.fleet.contexts()
        now = self.fleet.now()
        faded = faded_contexts(contexts)
        if faded != self._faded:
            self._faded = faded
        self.source.view.settle()
        self._show_calm()
        self.tree_pane.changed()
        header = self.query_one("#header", Bar)
        spans = header_spans(contexts, now=now, read_only=self.fleet.read_only)
        header.show(*spans, right=list(user_spans(contexts, "")))
        rollup = rollup_sum(self.index.rollup_of(name) for name in self.index.contexts())
        self.query_one("#crumbs", Bar).show(*crumb_spans("tree", rollup, notes=self._notes()))
        self.follow_cursor()

    def _notes(self) -> list[tuple[str, Tone]]:
        notes: list[tuple[str, Tone]] = []
        if self.keys is not None and self.keys.marks:
            notes.append((f"{len(self.keys.marks)} marked", Tone.MATCH))
        return notes

    def _show_calm(self) -> None:
        size = self.size
        small = is_too_small(size.width, size.height)
        is_calm = small or not len(self.source)
        self.query_one("#body").set_class(is_calm, "calm")
        if not is_calm:
            return
        lines = (
            too_small_lines(size.width, size.height)
            if small
            else empty_lines(
                self.fleet.contexts(), now=self.fleet.now(), width=size.width - 4, is_narrowed=False
            )
        )
        self.query_one("#calm", LinePane).show(TextSource(lines), keep_place=True)

    def on_line_pane_resized(self, event: LinePane.Resized) -> None:
        """Puts the column titles over the columns."""
        if event.pane.id == "tree":
            self.query_one("#titles", Bar).show_cells(
                title_line(event.pane.slots), event.pane.slots
            )

    def on_line_pane_moved(self, event: LinePane.Moved) -> None:
        """Lets the details follow."""
        if event.pane.id == "tree":
            self.follow_cursor()

    def follow_cursor(self) -> None:
        """Shows the object under the cursor in the details."""
        if self.keys is not None and self.detail.is_open:
            self.detail.follow(self.keys.ref, lambda: ())
            self.detail.refresh_lines()

    # -- keys -----------------------------------------------------------------------------
    def _is_detail_in_front(self) -> bool:
        return self.focused is self.detail.pane

    def _places(self) -> Sequence[Place]:
        return _DETAIL_PLACES if self._is_detail_in_front() else _TREE_PLACES

    def _pane_in_front(self) -> LinePane:
        return self.detail.pane if self._is_detail_in_front() else self.tree_pane

    def on_key(self, event: events.Key) -> None:
        """Does what the table of keys says."""
        if self._dispatcher is not None and self._dispatcher.press(event.key):
            event.stop()
            event.prevent_default()

    def activate(self) -> None:
        """On a group: fold; on an object: details; on a reference in the details: go there."""
        if self._is_detail_in_front():
            place = self.detail.pane.cursor
            source = self.detail.pane.source
            target = source.lines[place].target if isinstance(source, TextSource) else None
            if isinstance(target, ObjectRef):
                self.go_to(target)
            return
        if self.keys is None or self.keys.line is None:
            return
        if self.keys.line.row is None:
            self.keys.toggle()
        else:
            self.toggle_detail()

    def go_to(self, ref: ObjectRef) -> None:
        """Shows an object in the tree."""
        if self.keys is not None and not self.keys.go_to(ref):
            self.fleet_app.say(f"{ref} is not in the tree as it is filtered now")
        self.tree_pane.focus()

    def toggle_detail(self) -> None:
        """Opens or closes the details."""
        self.detail.toggle()
        if not self.detail.is_open and self._is_detail_in_front():
            self.tree_pane.focus()
        self.call_after_refresh(self.follow_cursor)

    def next_pane(self) -> None:
        """Goes between tree and details."""
        if self._is_detail_in_front() or not self.detail.is_open:
            self.tree_pane.focus()
        else:
            self.detail.pane.focus()

    def back(self) -> None:
        """Leaves the details, then closes them."""
        if self._is_detail_in_front():
            self.tree_pane.focus()
        elif self.detail.is_open:
            self.toggle_detail()

    def on_line_pane_clicked(self, event: LinePane.Clicked) -> None:
        """Puts the cursor there; folds on the mark; a second click opens the details."""
        event.pane.focus()
        was_there = event.pane.cursor == event.index
        event.pane.move_to(event.index)
        if event.pane is self.detail.pane:
            if was_there:
                self.activate()
            return
        line = self.source.at(event.index)
        if line is None or self.keys is None:
            return
        mark_at = 2 * line.depth
        if line.is_expandable and mark_at <= event.x <= mark_at + 1:
            self.keys.toggle()
        elif was_there:
            self.activate()

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        """Runs the command."""
        self.close_prompt()
        if event.mark == ":":
            self.fleet_app.run_command(event.text)

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        """Back to the tree."""
        self.close_prompt()

    def close_prompt(self) -> None:
        """Hides the prompt and gives the keys back to the tree."""
        self.query_one(Prompt).close()
        self.tree_pane.focus()


def title_line(slots: Sequence[Slot]) -> Line:
    """Titles of columns as a line over them."""
    return Line(tuple(cell(slot.column.title, Tone.TITLE) for slot in slots))
