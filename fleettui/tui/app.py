"""The terminal program: one app, its screens, the bridge to the fleet.

Knows which screen is open and what commands do; knows no cluster. Nothing that
comes from a cluster reaches a widget as markup.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

from textual import events
from textual.screen import Screen

from fleettui.config import Settings, state_folder
from fleettui.errors import ExitCode, FleettuiError
from fleettui.fleet import Fleet
from fleettui.index.index import Index
from fleettui.index.view import TreeView
from fleettui.kinds.record import ObjectRef
from fleettui.text import safe_text
from fleettui.tui.acting import Acting
from fleettui.tui.bridge import Bridge
from fleettui.tui.command_line import CommandLine
from fleettui.tui.commands import COMMANDS, Vocabulary
from fleettui.tui.content import BOARDS
from fleettui.tui.context_switch import ContextSwitch
from fleettui.tui.dispatch import Handler
from fleettui.tui.documents import Description, Document, Manifest
from fleettui.tui.explanations import Chain
from fleettui.tui.git_diffs import GitDiffs, MakeDiffs, diffs_of
from fleettui.tui.help import HelpText
from fleettui.tui.keymap import Keymap
from fleettui.tui.lull import Lull
from fleettui.tui.opening import OpeningApp, OpeningScreen
from fleettui.tui.overview import DOCUMENTS, cluster_count
from fleettui.tui.ports import ActsPort, FleetPort
from fleettui.tui.screens.board import BoardScreen
from fleettui.tui.screens.main import MainScreen
from fleettui.tui.screens.text import TextScreen
from fleettui.tui.status import SETTLED_STATES
from fleettui.tui.theme import Theme, theme_of
from fleettui.tui.triage import WORDS, Triage
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.detail_pane import DetailPane
from fleettui.tui.widgets.line_pane import LinePane
from fleettui.tui.widgets.prompt import Prompt

TICK_S = 1.0
"""How often ages are painted anew."""
MANY_CLUSTERS = 50
"""Clusters from which causes say more than a tree."""
NO_OBJECT = "no object is under the cursor"
LEAVE_S = 2.0
"""Time in which a second ``q`` leaves."""


_OWN_COMMANDS = WORDS | frozenset(
    ("load", "ctx", "ns", "tree", "perspective", "filter", "all", "help", "quit")
)
"""Commands that the app runs itself."""


class FleetApp(OpeningApp):
    """The fleet on screen."""

    def __init__(
        self,
        fleet: FleetPort,
        index: Index,
        view: TreeView,
        *,
        settings: Settings | None = None,
        acts: ActsPort | None = None,
        diffs: MakeDiffs | None = None,
        theme: Theme | None = None,
        state: Path | None = None,
    ) -> None:
        """Show this view of the fleet; nothing connects before the first frame.

        Args:
            fleet: contexts and rows.
            index: the fleet's index.
            view: lines of the tree.
            settings: what the person set.
            acts: what changes objects; None where that is impossible.
            diffs: makes a run of comparisons with git.
            theme: colours; None: by settings and environment.
            state: where history and mutes are kept; None: nowhere.
        """
        settings = settings or Settings()
        super().__init__(theme or theme_of(settings.theme, os.environ))
        self.furnish(fleet, index, view, settings=settings, acts=acts, diffs=diffs, state=state)

    def furnish(
        self,
        fleet: FleetPort,
        index: Index,
        view: TreeView,
        *,
        settings: Settings,
        acts: ActsPort | None,
        diffs: MakeDiffs | None,
        state: Path | None,
    ) -> None:
        """Gives the app what makes it this program; arguments as of a new one."""
        self.fleet = fleet
        self.index = index
        can_write = acts is not None and not fleet.read_only
        self.acting = Acting(self, acts) if acts is not None and can_write else None
        self.diffs = GitDiffs(self, diffs) if diffs is not None else None
        self.journal = acts.journal if acts is not None else None
        self.keymap = Keymap(read_only=not can_write)
        self.vocabulary = Vocabulary(
            read_only=not can_write,
            hidden=[c.name for c in COMMANDS if not self._has_content(c.name)],
            kinds=fleet.table.words(),
        )
        self.main = MainScreen(fleet, index, view)
        self.contexts = ContextSwitch(self)
        self.commands = CommandLine(self, self.vocabulary)
        self.bridge: Bridge | None = None
        self.pacer = fleet.pacer
        self.triage = Triage(self, state)
        self._asked_to_leave_at = 0.0
        self._first_screen = settings.first_screen
        """What is still to be opened by itself; ``tree`` when nothing is."""
        self.was_used = False
        """Whether a person has pressed a key: then no screen opens by itself."""

    def _has_content(self, command: str) -> bool:
        optional = {"journal": self.journal, "drift": self.diffs}
        if command in optional:
            return optional[command] is not None
        return command in _OWN_COMMANDS or command in BOARDS or command in DOCUMENTS

    def is_ready(self) -> bool:
        """Whether the screen in front can take keys, and is the one they are meant for."""
        return super().is_ready() and not (self.acting is not None and self.acting.talk.is_reading)

    async def on_event(self, event: events.Event) -> None:
        """Takes keys; ``esc`` ends at once what is being read for a question."""
        talk = self.acting.talk if self.acting is not None else None
        is_escape = isinstance(event, events.Key) and event.key == "escape"
        if not (is_escape and not event.is_forwarded and talk is not None and talk.give_up()):
            await super().on_event(event)

    def on_mount(self) -> None:
        """Opens the tree, then the contexts."""
        self.begin()

    def begin(self) -> None:
        """Opens the tree in place of what stands for it, then the contexts."""
        if isinstance(self.screen, OpeningScreen):
            self.switch_screen(self.main)
        else:
            self.push_screen(self.main)
        self.bridge = Bridge(
            self.fleet,
            repaint=self.repaint,
            call_later=self._call_later,
            clock=time.monotonic,
            backlog=self._backlog,
            typed_s=self.pacer.typed_s,
        )
        lull = Lull(typed_s=self.pacer.typed_s, call_later=self._call_later, clock=time.monotonic)
        self.set_interval(TICK_S, lambda: lull.run(self.tick))
        self.set_interval(TICK_S, lambda: lull.run(self.keep_house))
        self.call_after_refresh(self.fleet.start)

    def _call_later(self, delay_s: float, do: Callable[[], None]) -> None:
        """Textual's timers divide by their interval: zero would end the program."""
        self.set_timer(max(delay_s, 0.001), do)

    def _backlog(self) -> int:
        """Frames that wait for the terminal; Textual has no public word for it."""
        queue = getattr(getattr(self._driver, "_writer_thread", None), "_queue", None)
        return queue.qsize() if queue is not None else 0

    def repaint(self) -> None:
        """Brings what changed to the screens in sight."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, MainScreen | BoardScreen):
                screen.repaint()
            if not screen.is_modal:
                break

    def _open_first_screen(self) -> None:
        """Opens what the settings ask for; by itself the causes of a large fleet, once read."""
        wanted = self._first_screen
        if wanted == "tree":
            return
        if self.was_used:
            self._first_screen = "tree"
        elif wanted != "auto":
            self._first_screen = "tree"
            self.run_command(wanted)
        elif all(info.state in SETTLED_STATES for info in self.fleet.contexts()):
            self._first_screen = "tree"
            if cluster_count(self.index) >= MANY_CLUSTERS:
                self.triage.show_causes()

    def tick(self) -> None:
        """Lets ages grow."""
        if not self.screen_stack:
            return  # the program is being left: its screens are gone, its timers not yet
        self.fleet.settle()
        if self.screen is not self.main:
            self.main.source.settle()  # else it would have to start over when it is shown again
        self._open_first_screen()
        self.triage.tick()
        self.repaint()

    def keep_house(self) -> None:
        """Says what is looked at, and does what has time."""
        if not self.screen_stack:
            return
        self.fleet.want("tree", self.main.opened_clusters())
        self.main.frame.note_depth(self.fleet.load_plan())
        self.fleet.housekeep()

    # -- what screens share ---------------------------------------------------------------
    def apply_theme(self, screen: Screen[Any]) -> None:
        """Draws a screen's panes in the colours of this run."""
        for widget in screen.query("*"):
            if isinstance(widget, Bar | LinePane | DetailPane | Prompt):
                widget.set_theme(self.colours)

    def say(self, text: str, *, severity: str = "information") -> None:
        """Shows a short message for a moment; raw text is fine."""
        level: Any = severity
        self.notify(safe_text(text, limit=400), markup=False, severity=level)

    def say_error(self, error: FleettuiError) -> None:
        """Shows what went wrong and what to do next."""
        text = f"{error}\n{error.hint}" if error.hint else str(error)
        self.notify(safe_text(text, limit=600, multiline=True), markup=False, severity="error")

    def common_handlers(self) -> dict[str, Handler]:
        """What keys do on every screen."""
        return {"command": self.open_command_line, "help": self.show_help}

    def row_handlers(self, ref: Callable[[], ObjectRef | None]) -> dict[str, Handler]:
        """What keys do to the object at hand."""

        def about(make: Callable[[ObjectRef], Document]) -> Handler:
            def open_it() -> None:
                found = ref()
                if found is not None:
                    self.read(make(found))
                else:
                    self.say(NO_OBJECT)

            return open_it

        fleet, index = self.fleet, self.index
        return {
            "describe": about(lambda r: Description(fleet, index, r)),
            "yaml": about(lambda r: Manifest(fleet, r)),
            "events": about(self.triage.events),
            "logs": about(self.triage.log),
            "trace": about(lambda r: Chain(fleet, r)),
            "explain": about(self.triage.explanation),
            **(self.diffs.handlers(ref) if self.diffs is not None else {}),
            "copy": lambda: self._copy(ref(), whole=False),
            "copy_reference": lambda: self._copy(ref(), whole=True),
        }

    def write_handlers(
        self,
        refs: Callable[[], Sequence[ObjectRef]],
        *,
        plan: Callable[[], str] = lambda: "",
    ) -> dict[str, Handler]:
        """What keys that write do to what is at hand; none where writing is impossible."""
        return self.acting.handlers(refs, plan=plan) if self.acting is not None else {}

    def act_on_all(self, verb: str = "") -> None:
        """Acts on everything that the tree is narrowed to; without a verb it is asked for."""
        if self.acting is not None:
            self.acting.begin_all(self.main.state.query(self.fleet.table), verb)

    def _copy(self, ref: ObjectRef | None, *, whole: bool) -> None:
        if ref is None:
            self.say(NO_OBJECT)
            return
        text = safe_text(str(ref) if whole else ref.name)
        self.copy_to_clipboard(text)
        self.say(f"copied {text}")

    def read(self, document: Document) -> None:
        """Opens a screen of text; what a person follows there is shown in the tree."""
        self.push_screen(TextScreen(document), self.go_to_if)

    def go_to_if(self, ref: ObjectRef | None) -> None:
        """Shows an object in the tree if one was chosen."""
        if ref is not None:
            self.go_to(ref)

    def go_to(self, ref: ObjectRef) -> None:
        """Shows an object in the tree."""
        self.show_tree()
        self.main.go_to(ref)

    def show_tree(self) -> None:
        """Closes whatever is over the tree."""
        while self.screen is not self.main and len(self.screen_stack) > 2:
            self.pop_screen()

    def show_help(self) -> None:
        """Opens the help."""
        self.read(HelpText(self.keymap, self.vocabulary))

    # -- commands -------------------------------------------------------------------------
    def open_command_line(self) -> None:
        """Opens the command line of the screen in front."""
        for prompt in self.screen.query(Prompt):
            prompt.open(":", complete=self.commands.complete)

    def run_command(self, text: str) -> None:
        """Does what was typed, or says why not."""
        self.commands.run(text)

    def ask_to_leave(self) -> None:
        """Leaves when asked twice."""
        now = time.monotonic()
        if now - self._asked_to_leave_at <= LEAVE_S:
            self.action_leave()
            return
        self._asked_to_leave_at = now
        self.notify("q again to leave", timeout=LEAVE_S, markup=False)

    async def on_unmount(self) -> None:
        """Ends every connection."""
        self.triage.close()
        if self.diffs is not None:
            await self.diffs.close()
        await self.fleet.close()


def _parts(fleet: Fleet, settings: Settings) -> dict[str, Any]:
    """What an app over this fleet is furnished with."""
    is_live = any("://" in info.server for info in fleet.contexts())
    acts: ActsPort | None = getattr(fleet, "acts", None)
    return {
        "settings": settings,
        "acts": acts,
        "diffs": diffs_of(fleet, settings),
        "state": state_folder() if is_live else None,
    }


def take_over(app: OpeningApp, fleet: Fleet, settings: Settings) -> None:
    """Turns the app that is on screen into the program over a fleet."""
    app.__class__ = FleetApp
    program = cast("FleetApp", app)
    program.furnish(fleet, fleet.index, TreeView(fleet.index), **_parts(fleet, settings))
    program.begin()


def run(fleet: Fleet, settings: Settings) -> int:
    """Runs the program until it is left; returns the exit code.

    Blocks. ``startup.prepare`` has to be called before this module is imported.
    """
    app = FleetApp(fleet, fleet.index, TreeView(fleet.index), **_parts(fleet, settings))
    code = app.run()
    return int(ExitCode.OK) if code is None else code
