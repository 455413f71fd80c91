"""The first screen: the tree of everything, with details beside or below it.

Composes panes and wires keys to them; knows nothing of objects beyond which one
is under the cursor.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen

from fleettui.index.index import Index
from fleettui.index.view import TreeView
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role
from fleettui.tui.cells import Moment
from fleettui.tui.dispatch import Dispatcher, Handler
from fleettui.tui.filter_bar import LOAD_KEY, FilterBar
from fleettui.tui.group_text import group_lines
from fleettui.tui.handlers import pane_handlers
from fleettui.tui.keymap import Place
from fleettui.tui.lines import Line
from fleettui.tui.ports import FleetPort
from fleettui.tui.prose import TextSource
from fleettui.tui.staleness import Freshness
from fleettui.tui.tree_filter import TreeFilter
from fleettui.tui.tree_frame import TreeFrame
from fleettui.tui.tree_keys import TreeKeys
from fleettui.tui.tree_pickers import TreePickers
from fleettui.tui.tree_source import TreeSource
from fleettui.tui.tree_state import TreeState
from fleettui.tui.widgets.detail_pane import DetailPane
from fleettui.tui.widgets.line_pane import LinePane
from fleettui.tui.widgets.prompt import Prompt
from fleettui.tui.widgets.room import Room

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

    BLANK = True  # what stands in it covers it
    CSS = """
    #body { height: 1fr; layout: vertical; }
    #body.side { layout: horizontal; }
    #list { height: 1fr; width: 1fr; }
    #calm { display: none; }
    #body.calm #list { display: none; }
    #body.calm #detail { display: none; }
    #body.calm #calm { display: block; }
    #detail { height: 45%; width: 100%; }
    #body.side #detail { height: 100%; width: 40%; max-width: 110; }
    """

    def __init__(self, fleet: FleetPort, index: Index, view: TreeView) -> None:
        """Show this view of the fleet."""
        super().__init__()
        self.fleet = fleet
        self.index = index
        self.source = TreeSource(view, self._moment)
        self.state = TreeState(view)
        self.frame = TreeFrame(fleet, index, self.source, self.state)
        self.body = Room(id="body")
        self.tree_pane = LinePane(self.source, id="tree")
        self.detail = DetailPane(fleet, index, id="detail")
        self.prompt = Prompt()
        self.keys = TreeKeys(self.tree_pane, self.source, index)
        self.filter = TreeFilter(
            FilterBar(index, fleet.table, view, self.state),
            self.prompt,
            self.tree_pane,
            state=self.state,
            pacer=fleet.pacer,
            reshape=self.reshape,
        )
        self.pickers = TreePickers(self)
        self.freshness = Freshness(index.coverage)
        self._shows_sets = False
        self._dispatcher: Dispatcher | None = None

    @property
    def fleet_app(self) -> "FleetApp":
        """The app, by its own type."""
        return cast("FleetApp", self.app)

    def _moment(self) -> Moment:
        return Moment(self.fleet.now(), self.freshness.now)

    def compose(self) -> ComposeResult:
        """Yields header, tree, details, prompt and footer."""
        yield self.frame.header
        yield self.frame.crumbs
        with self.body:
            with Room(id="list"):
                yield self.frame.titles
                yield self.tree_pane
            yield self.frame.calm
            yield self.detail
        yield self.prompt
        yield self.frame.footer

    def on_mount(self) -> None:
        """Wires the keys and shows what is there."""
        app = self.fleet_app
        handlers: dict[str, Handler] = {
            **pane_handlers(self._pane_in_front),
            **self.keys.handlers(),
            **app.common_handlers(),
            **app.row_handlers(lambda: self.keys.ref),
            **app.write_handlers(self._chosen),
            **({"act_all": app.act_on_all} if app.acting is not None else {}),
            "activate": self.activate,
            "detail": self.toggle_detail,
            "filter": self.filter.open,
            "faults": lambda: self.reshape(self.state.toggle_faults),
            "sort": self.pickers.choose_order,
            "invert": lambda: self.reshape(self.state.invert),
            "machine_sets": self.toggle_machine_sets,
            "contexts": app.contexts.choose,
            "namespaces": self.pickers.choose_namespace,
            "next_pane": self.next_pane,
            "back": self.back,
            "quit": app.ask_to_leave,
        }
        self._dispatcher = Dispatcher(app.keymap, self._places, handlers)
        app.apply_theme(self)
        self._show_keys()
        self.set_focus(self.tree_pane)
        self.repaint()

    def on_screen_resume(self) -> None:
        """Catches up with what happened while something else was in front."""
        if self._dispatcher is not None:
            self.repaint()

    def on_resize(self, event: events.Resize) -> None:
        """Puts the details where there is room."""
        self.body.set_class(event.size.width >= SIDE_WIDTH, "side")
        self.repaint()
        self.call_after_refresh(self.detail.refresh_lines)

    # -- painting -------------------------------------------------------------------------
    def repaint(self) -> None:
        """Brings what changed to the screen; called by the bridge and by the clock."""
        contexts = self.fleet.contexts()
        self.freshness.settle(contexts)
        self.source.settle()
        self.filter.measure()
        self.body.set_class(self.frame.show_calm(contexts, self.size), "calm")
        self.tree_pane.changed()
        self.frame.show_contexts(contexts, marked=len(self.keys.marks))
        self.follow_cursor()

    def opened_clusters(self) -> list[ObjectRef]:
        """Clusters that a person expanded in the tree, or looks at in the details."""
        rows = self.source.view.opened()
        if self.detail.is_open and self.keys.ref is not None:
            row = self.index.get(self.keys.ref)
            rows = rows if row is None else [*rows, row.root]
        return [row.ref for row in rows if row.spec.role is Role.CLUSTER]

    def on_line_pane_resized(self, event: LinePane.Resized) -> None:
        """Puts the column titles over the columns."""
        if event.pane.id == "tree":
            self.frame.show_titles(event.pane)

    def on_line_pane_moved(self, event: LinePane.Moved) -> None:
        """Lets the details follow."""
        if event.pane.id == "tree":
            self.follow_cursor()

    def _show_keys(self) -> None:
        """Shows the keys; those that write are dim where the person may change nothing."""
        ref = self.keys.ref
        lacking = {info.name for info in self.fleet.contexts() if info.lacks}
        may_write = ref.context not in lacking if ref is not None else not lacking
        if self._dispatcher is not None:
            self.frame.show_keys(self._dispatcher.hints, may_write=may_write)

    def follow_cursor(self) -> None:
        """Shows the object under the cursor in the details, and what can be done."""
        self._show_keys()
        if self.detail.is_open:
            self.detail.follow(self.keys.ref, self._about_group)
            self.detail.keep_up()

    def _about_group(self) -> Sequence[Line]:
        line = self.keys.line
        if line is None:
            return ()
        width = max(self.detail.pane.line_width, 20)
        now = self.fleet.now()
        return group_lines(line, self.index, self.fleet.contexts(), now=now, width=width)

    # -- keys -----------------------------------------------------------------------------
    def _is_detail_in_front(self) -> bool:
        return self.focused is self.detail.pane

    def _places(self) -> Sequence[Place]:
        return _DETAIL_PLACES if self._is_detail_in_front() else _TREE_PLACES

    def _pane_in_front(self) -> LinePane:
        return self.detail.pane if self._is_detail_in_front() else self.tree_pane

    def on_key(self, event: events.Key) -> None:
        """Does what the table of keys says."""
        self.fleet_app.pacer.note_key()
        self.fleet_app.was_used = True
        self.tree_pane.hold()
        if self.prompt.is_open:
            self.prompt.take(event)
        elif self._dispatcher is not None and self._dispatcher.press(event.key):
            event.stop()
            event.prevent_default()

    def activate(self) -> None:
        """On a group: fold; on an object: details; on a reference in the details: go there."""
        if self._is_detail_in_front():
            place = self.detail.pane.cursor
            source = self.detail.pane.source
            lines = source.lines if isinstance(source, TextSource) else ()
            # Details may have become shorter since the cursor was put there.
            if place < len(lines) and isinstance(target := lines[place].target, ObjectRef):
                self.go_to(target)
            return
        if self.keys.line is None:
            return
        if self.keys.line.row is None:
            self.keys.toggle()
        else:
            self.toggle_detail()

    def go_to(self, ref: ObjectRef) -> None:
        """Shows an object in the tree."""
        if not self.keys.go_to(ref):
            self.fleet_app.say(f"{ref} is not in the tree as it is filtered now")
        self.set_focus(self.tree_pane)

    def toggle_detail(self) -> None:
        """Opens or closes the details."""
        self.detail.toggle()
        if not self.detail.is_open and self._is_detail_in_front():
            self.set_focus(self.tree_pane)
        self.call_after_refresh(self.follow_cursor)

    def next_pane(self) -> None:
        """Goes between tree and details."""
        if self._is_detail_in_front() or not self.detail.is_open:
            self.set_focus(self.tree_pane)
        else:
            self.set_focus(self.detail.pane)

    def back(self) -> None:
        """Leaves the details, clears the filter, then marks, details, faults and grouping."""
        if self._is_detail_in_front():
            self.set_focus(self.tree_pane)
        elif self.state.expression:
            self.filter.clear()
        elif self.keys.marks:
            self.keys.unmark_all()
            self.repaint()
        elif self.detail.is_open:
            self.toggle_detail()
        elif self.source.view.faults_only:
            self.reshape(self.state.toggle_faults)
        elif not self.state.is_home:
            self.reshape(lambda: self.state.group(""))

    # -- what the tree shows --------------------------------------------------------------
    def reshape(self, change: Callable[[], object]) -> None:
        """Changes which lines there are, in which order; the cursor stays on its object."""
        self.keys.restructure(change)
        self.repaint()

    def toggle_machine_sets(self) -> None:
        """Shows MachineSets as lines of their own, or folds them away."""
        self._shows_sets = not self._shows_sets
        self.reshape(lambda: self.source.view.show_machine_sets(show=self._shows_sets))

    def set_namespace(self, namespace: str) -> None:
        """Shows one namespace; empty: all. Lists limited to another one are read anew."""
        self.fleet.set_namespace(namespace)
        self.reshape(lambda: self.state.set_namespace(namespace))

    def on_line_pane_clicked(self, event: LinePane.Clicked) -> None:
        """Puts the cursor there; folds on the mark; a second click opens the details."""
        self.set_focus(event.pane)
        was_there = event.pane.cursor == event.index
        event.pane.move_to(event.index)
        if event.pane is self.detail.pane:
            if was_there:
                self.activate()
            return
        line = self.source.at(event.index)
        if line is None:
            return
        mark_at = 2 * line.depth
        if line.is_expandable and mark_at <= event.x <= mark_at + 1:
            self.keys.toggle()
        elif was_there:
            self.activate()

    def _chosen(self) -> Sequence[ObjectRef]:
        """Marked objects, else the one under the cursor."""
        if self.keys.marks:
            return sorted(ref for ref in self.keys.marks if isinstance(ref, ObjectRef))
        return (self.keys.ref,) if self.keys.ref is not None else ()

    # -- typing ---------------------------------------------------------------------------
    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Filters as one types."""
        if event.mark == "/":
            self.filter.type(event.text, self.fleet.now())

    def filter_by(self, text: str) -> None:
        """Filters by an expression; a wrong one opens the line to be put right."""
        self.filter.take(text, self.fleet.now())

    def on_prompt_passed(self, event: Prompt.Passed) -> None:
        """Moves in the tree while one types, or reads what could not be searched."""
        if event.key == LOAD_KEY:
            self.fleet.ask(self.filter.unsearched())
            return
        steps = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}
        self.tree_pane.move_by(steps.get(event.key, 0))

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        """Runs the command, or goes to what the filter found."""
        self.close_prompt()
        if event.mark == ":":
            self.fleet_app.run_command(event.text)
            return
        # What was typed last may still be on its way here when enter is hit fast.
        self.filter.type(event.text, self.fleet.now())
        self.keys.settle_on_match()

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        """Back to the tree; a filter that is given up is gone."""
        self.close_prompt()
        if event.mark == "/":
            self.filter.clear()

    def close_prompt(self) -> None:
        """Hides the prompt and gives the keys back to the tree."""
        self.prompt.close()
        self.set_focus(self.tree_pane)
