"""The first screen: the tree of everything, with details beside or below it.

Composes panes and wires keys to them; knows nothing of objects beyond which one
is under the cursor.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.screen import Screen

from fleettui.fleet.context import ContextInfo
from fleettui.fleet.depth import LoadPlan
from fleettui.index.index import Index
from fleettui.index.rollup import rollup_sum
from fleettui.index.view import TreeView
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role
from fleettui.recorded.shards import Head
from fleettui.tui.calm import empty_lines, head_lines, is_too_small, too_small_lines
from fleettui.tui.cells import Moment
from fleettui.tui.dispatch import Dispatcher, Handler
from fleettui.tui.filter_bar import FilterBar
from fleettui.tui.group_text import group_lines
from fleettui.tui.handlers import pane_handlers
from fleettui.tui.keymap import Place
from fleettui.tui.lines import Line
from fleettui.tui.ports import FleetPort
from fleettui.tui.prose import TextSource
from fleettui.tui.screens.board import title_line
from fleettui.tui.staleness import Freshness
from fleettui.tui.status import crumb_spans, depth_notes, header_spans, user_spans
from fleettui.tui.theme import Tone
from fleettui.tui.tree_keys import TreeKeys
from fleettui.tui.tree_pickers import TreePickers
from fleettui.tui.tree_source import TreeSource
from fleettui.tui.tree_state import TreeState
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.detail_pane import DetailPane
from fleettui.tui.widgets.footer import show_footer
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
    #body.side #detail { height: 100%; width: 40%; max-width: 110; }
    """

    def __init__(self, fleet: FleetPort, index: Index, view: TreeView) -> None:
        """Show this view of the fleet."""
        super().__init__()
        self.fleet = fleet
        self.index = index
        self.source = TreeSource(view, self._moment)
        self.state = TreeState(view)
        self.filter_bar = FilterBar(index, fleet.table, view, self.state)
        self.header = Bar(id="header")
        self.crumbs = Bar(id="crumbs")
        self.body = Container(id="body")
        self.titles = Bar(id="titles")
        self.tree_pane = LinePane(self.source, id="tree")
        self.calm = LinePane(id="calm")
        self.calm.has_cursor = False
        self.detail = DetailPane(fleet, index, id="detail")
        self.prompt = Prompt()
        self.footer = Bar(id="footer")
        self.pickers = TreePickers(self)
        self.freshness = Freshness(index.coverage)
        self._shows_sets = False
        self._heads: Mapping[str, Head] | None = None
        self._is_head_over = False
        self._depth_notes: Sequence[tuple[str, Tone]] = ()
        self.keys: TreeKeys | None = None
        self._keys_shown: tuple[bool, bool] | None = None
        """Whether the footer dims keys that write, and whether it has keys of rows."""
        self._dispatcher: Dispatcher | None = None

    @property
    def fleet_app(self) -> "FleetApp":
        """The app, by its own type."""
        return cast("FleetApp", self.app)

    def _moment(self) -> Moment:
        return Moment(self.fleet.now(), self.freshness.now)

    def compose(self) -> ComposeResult:
        """Yields header, tree, details, prompt and footer."""
        yield self.header
        yield self.crumbs
        with self.body:
            with Vertical(id="list"):
                yield self.titles
                yield self.tree_pane
            yield self.calm
            yield self.detail
        yield self.prompt
        yield self.footer

    def on_mount(self) -> None:
        """Wires the keys and shows what is there."""
        app = self.fleet_app
        self.keys = TreeKeys(self.tree_pane, self.source, self.index)
        handlers: dict[str, Handler] = {
            **pane_handlers(self._pane_in_front),
            **self.keys.handlers(),
            **app.common_handlers(),
            **app.row_handlers(lambda: self.keys.ref if self.keys else None),
            **app.write_handlers(self._chosen),
            **({"act_all": app.act_on_all} if app.acting is not None else {}),
            "activate": self.activate,
            "detail": self.toggle_detail,
            "filter": self.open_filter,
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
        now = self.fleet.now()
        self.freshness.settle(contexts)
        self.source.settle()
        self.measure()
        self._show_calm()
        self.tree_pane.changed()
        spans = header_spans(contexts, now=now, read_only=self.fleet.read_only)
        self.header.show(*spans, right=list(user_spans(contexts, self._namespace(contexts))))
        rollup = rollup_sum(self.index.rollup_of(name) for name in self.index.contexts())
        self.crumbs.show(*crumb_spans(self.title_words, rollup, notes=self._notes()))
        self.follow_cursor()

    def _namespace(self, contexts: Sequence[ContextInfo]) -> str:
        """The namespace that is shown, or that lists are limited to; empty: all."""
        limits = {info.namespace for info in contexts}
        return self.state.namespace or (limits.pop() if len(limits) == 1 else "")

    @property
    def title_words(self) -> str:
        """What the tree shows, in words."""
        perspective = self.source.view.perspective
        return perspective.kind[1] if perspective.kind else perspective.title

    def _notes(self) -> list[tuple[str, Tone]]:
        notes = list(self.state.notes())
        notes += self._depth_notes
        if self.keys is not None and self.keys.marks:
            notes.append((f"{len(self.keys.marks)} marked", Tone.MATCH))
        return notes

    def _head_lines(self) -> list[Line]:
        """The clusters of last time, in the frames before the first rows."""
        if self._is_head_over or self.state.is_narrowed:
            return []
        if self._heads is None:
            self._heads = self.fleet.heads()
        return head_lines(self._heads, now=self.fleet.now())

    def note_depth(self, plans: Sequence[LoadPlan]) -> None:
        """Says what is only known through its parent, and what reading it would cost."""
        self._depth_notes = list(depth_notes(plans))

    def opened_clusters(self) -> list[ObjectRef]:
        """Clusters that a person expanded in the tree, or looks at in the details."""
        rows = self.source.view.opened()
        if self.detail.is_open and self.keys is not None and self.keys.ref is not None:
            row = self.index.get(self.keys.ref)
            rows = rows if row is None else [*rows, row.root]
        return [row.ref for row in rows if row.spec.role is Role.CLUSTER]

    def _show_calm(self) -> None:
        size = self.size
        small = is_too_small(size.width, size.height)
        is_calm = small or not len(self.source)
        self.body.set_class(is_calm, "calm")
        if not is_calm:
            self._is_head_over = True
            return
        if small:
            lines = too_small_lines(size.width, size.height)
        else:
            lines = self._head_lines() or empty_lines(
                self.fleet.contexts(),
                now=self.fleet.now(),
                width=size.width - 4,
                is_narrowed=self.state.is_narrowed,
            )
        self.calm.show(TextSource(lines), keep_place=True)

    def on_line_pane_resized(self, event: LinePane.Resized) -> None:
        """Puts the column titles over the columns."""
        if event.pane.id == "tree":
            self.titles.show_cells(title_line(self.source.columns), event.pane.slots)

    def on_line_pane_moved(self, event: LinePane.Moved) -> None:
        """Lets the details follow."""
        if event.pane.id == "tree":
            self.follow_cursor()

    def _show_keys(self) -> None:
        """Shows the keys; those that write are dim where the person may change nothing."""
        ref = self.keys.ref if self.keys is not None else None
        lacking = {info.name for info in self.fleet.contexts() if info.lacks}
        may_write = ref.context not in lacking if ref is not None else not lacking
        form = (may_write, len(self.source) > 0)
        if self._dispatcher is not None and form != self._keys_shown:
            self._keys_shown = form
            entries = self._dispatcher.hints()
            if not len(self.source):
                entries = [entry for entry in entries if entry.place is Place.EVERYWHERE]
            show_footer(self.footer, entries, may_write=may_write)

    def follow_cursor(self) -> None:
        """Shows the object under the cursor in the details, and what can be done."""
        self._show_keys()
        if self.keys is not None and self.detail.is_open:
            self.detail.follow(self.keys.ref, self._about_group)
            self.detail.keep_up()

    def _about_group(self) -> Sequence[Line]:
        line = self.keys.line if self.keys is not None else None
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
            self.reshape(self.filter_bar.clear)
        elif self.keys is not None and self.keys.marks:
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
        if self.keys is not None:
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
        if line is None or self.keys is None:
            return
        mark_at = 2 * line.depth
        if line.is_expandable and mark_at <= event.x <= mark_at + 1:
            self.keys.toggle()
        elif was_there:
            self.activate()

    def _chosen(self) -> Sequence[ObjectRef]:
        """Marked objects, else the one under the cursor."""
        if self.keys is None:
            return ()
        if self.keys.marks:
            return sorted(ref for ref in self.keys.marks if isinstance(ref, ObjectRef))
        return (self.keys.ref,) if self.keys.ref is not None else ()

    # -- typing ---------------------------------------------------------------------------
    def open_filter(self) -> None:
        """Opens the filter line; the texts that it searches are made meanwhile."""
        self.prompt.open("/", self.state.expression)
        self.prompt.note(*self.filter_bar.notes())
        self.fleet_app.pacer.run("warm", self.filter_bar.warming(), done=lambda: None)

    def on_prompt_changed(self, event: Prompt.Changed) -> None:
        """Filters as one types."""
        if event.mark == "/":
            now = self.fleet.now()
            self.reshape(lambda: self.filter_bar.type(event.text, now))
            self.show_filter_notes()

    def filter_by(self, text: str) -> None:
        """Filters by an expression; a wrong one opens the line to be put right."""
        now = self.fleet.now()
        self.reshape(lambda: self.filter_bar.type(text, now))
        if self.state.expression != text.strip():
            self.prompt.open("/", text)
            self.prompt.note(*self.filter_bar.notes())

    def show_filter_notes(self) -> None:
        """Says how much the filter finds, and again when everything is counted."""
        self.prompt.note(*self.filter_bar.notes())
        self.measure()

    def measure(self) -> None:
        """Lets the view measure what it has not yet."""
        view = self.source.view
        pacer = self.fleet_app.pacer
        if not view.is_exact and not pacer.is_running("measure"):
            pacer.run("measure", view.work(), done=self._measured)

    def _measured(self) -> None:
        self.tree_pane.changed()
        if self.prompt.is_open and self.prompt.mark == "/":
            self.prompt.note(*self.filter_bar.notes())

    def on_prompt_passed(self, event: Prompt.Passed) -> None:
        """Moves in the tree while one types."""
        steps = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}
        self.tree_pane.move_by(steps.get(event.key, 0))

    def on_prompt_submitted(self, event: Prompt.Submitted) -> None:
        """Runs the command, or goes to what the filter found."""
        self.close_prompt()
        if event.mark == ":":
            self.fleet_app.run_command(event.text)
            return
        # What was typed last may still be on its way here when enter is hit fast.
        now = self.fleet.now()
        self.reshape(lambda: self.filter_bar.type(event.text, now))
        if self.keys is not None:
            self.keys.settle_on_match()

    def on_prompt_cancelled(self, event: Prompt.Cancelled) -> None:
        """Back to the tree; a filter that is given up is gone."""
        self.close_prompt()
        if event.mark == "/":
            self.reshape(self.filter_bar.clear)

    def close_prompt(self) -> None:
        """Hides the prompt and gives the keys back to the tree."""
        self.prompt.close()
        self.set_focus(self.tree_pane)
