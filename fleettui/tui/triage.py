"""Triage in the app: causes, pauses, controllers, changes, mutes and the history.

Knows what each word opens and what is kept in the state folder; knows no widget but
the screens it opens.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from fleettui.actions.options import seconds_of
from fleettui.errors import FleettuiError, UsageError
from fleettui.fleet.context import ContextState
from fleettui.fleet.history_store import HistoryStore
from fleettui.fleet.mutes import Mutes
from fleettui.fleet.needs import kinds_for_causes
from fleettui.index.causes import CauseBoard
from fleettui.index.changes import Transition
from fleettui.index.history import History
from fleettui.kinds import KindTable
from fleettui.kinds.record import ObjectRef
from fleettui.tui.cause_board import Causes, Muted
from fleettui.tui.documents import Document, Log
from fleettui.tui.screens.board import BoardScreen
from fleettui.tui.triage_boards import ChangeBoard, ControllerBoard, PauseBoard
from fleettui.tui.triage_documents import (
    ControllerLog,
    RelatedEvents,
    TriageExplanation,
    TriageOverview,
)

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp

WORDS: Final = frozenset(
    {"causes", "paused", "controllers", "changes", "overview", "mute", "muted", "unmute"}
)
"""Commands that are run here."""
LOOK_S: Final = 30
"""Between two notes that the causes were looked at."""


@runtime_checkable
class Listened(Protocol):
    """A fleet that tells changes of health and follows further kinds."""

    on_transitions: Callable[[Sequence[Transition]], None]

    def ask(self, kinds: frozenset[tuple[str, str]], *, where_they_fit: bool = False) -> None:
        """Follow kinds as a whole from now on."""
        ...


class Triage:
    """What the app knows of trouble, and what of it is kept."""

    def __init__(self, app: "FleetApp", folder: Path | None) -> None:
        """Load what was kept.

        Args:
            app: the app.
            folder: the state folder; None keeps nothing (recordings, tests).
        """
        self._app = app
        self.board = CauseBoard(app.index)
        self._follows = False
        self._has_looked = False
        """Whether causes have been looked for to the end once."""
        self._store = HistoryStore(folder) if folder is not None else None
        self.history = self._store.history if self._store is not None else History()
        self.mutes = Mutes(folder) if folder is not None else None
        self._looked_at = 0
        if isinstance(app.fleet, Listened):
            app.fleet.on_transitions = self._note

    def _note(self, transitions: Sequence[Transition]) -> None:
        """Keeps what happened while a context was live: health moves about in first lists."""
        live = {c.name for c in self._app.fleet.contexts() if c.state is ContextState.LIVE}
        transitions = [t for t in transitions if t.ref.context in live]
        if self._store is not None:
            self._store.note(transitions)
        else:
            self.history.add(transitions)

    # -- words --------------------------------------------------------------------------------
    def run(self, word: str, argument: str) -> None:
        """Opens what a word stands for, or does it.

        Raises:
            UsageError: the argument cannot be used.
            FleettuiError: the state folder cannot be written to.
        """
        match word:
            case "causes":
                self.show_causes(argument.removeprefix("by ").strip())
            case "paused":
                self._show_paused()
            case "controllers":
                self._ask()
                self._push(BoardScreen(ControllerBoard(self._app.fleet)))
            case "changes":
                self._show_changes(argument)
            case "overview":
                self.follow()
                self._app.read(TriageOverview(self._app.fleet, self.board))
            case "mute":
                self._mute(argument)
            case "muted":
                self._show_muted()
            case _:
                self._unmute()

    def _push(self, screen: BoardScreen) -> None:
        self._app.push_screen(screen, self._app.go_to_if)

    def _ask(self) -> None:
        fleet = self._app.fleet
        if isinstance(fleet, Listened) and isinstance(fleet.table, KindTable):
            fleet.ask(kinds_for_causes(fleet.table), where_they_fit=True)

    def show_causes(self, label: str = "") -> None:
        """Opens the causes, perhaps grouped by a label of what they hit."""
        self.follow()
        board = Causes(
            self._app.fleet, self.board, self.mutes, label, has_looked=lambda: self._has_looked
        )
        self._push(BoardScreen(board))

    def _show_muted(self) -> None:
        if self.mutes is None:
            raise UsageError("nothing is kept here", hint="mutes work over live contexts")
        self.follow()
        self._push(BoardScreen(Muted(self._app.fleet, self.board, self.mutes)))

    def _show_paused(self) -> None:
        board = PauseBoard(self._app.fleet)
        screen = BoardScreen(board)
        self._push(screen)
        screen.run_worker(board.ask_names(self._app.fleet), exit_on_error=False)

    def _show_changes(self, argument: str) -> None:
        board = ChangeBoard(self._app.fleet, self.history)
        if argument:
            board.last_s = seconds_of(argument.removeprefix("--last").strip())
        self._push(BoardScreen(board))

    def _mute(self, argument: str) -> None:
        mutes, fingerprint, title = self._at_hand()
        duration, _, reason = argument.partition(" ")
        if not duration:
            raise UsageError("for how long and why?", hint=":mute 4h vendor case 1234")
        now = self._app.fleet.now()
        mutes.mute(
            fingerprint, reason=reason, until=now + seconds_of(duration), now=now, title=title
        )
        self._app.say(f"muted for {duration}: {title}")
        self._app.repaint()

    def _unmute(self) -> None:
        mutes, fingerprint, title = self._at_hand()
        was_muted = mutes.unmute(fingerprint)
        self._app.say(f"{'no longer muted' if was_muted else 'was not muted'}: {title}")
        self._app.repaint()

    def _at_hand(self) -> tuple[Mutes, str, str]:
        """The mutes, and the cause under the cursor."""
        screen = self._app.screen
        row = screen.row if isinstance(screen, BoardScreen) else None
        is_cause = isinstance(screen, BoardScreen) and isinstance(screen.board, Causes | Muted)
        if row is None or not is_cause:
            raise UsageError("no cause is under the cursor", hint="open :causes or :muted first")
        if self.mutes is None:
            raise UsageError("nothing is kept here", hint="mutes work over live contexts")
        return self.mutes, str(row.key).rpartition("/")[2], str(row.ref or "")

    # -- documents about one object -----------------------------------------------------------
    def explanation(self, ref: ObjectRef) -> Document:
        """Why an object is as it is."""
        return TriageExplanation(self._app.fleet, ref, self.history)

    def events(self, ref: ObjectRef) -> Document:
        """Events of an object and its relatives."""
        return RelatedEvents(self._app.fleet, ref)

    def log(self, ref: ObjectRef) -> Document:
        """The log of a Pod; of anything else what its controller's log says about it."""
        fleet = self._app.fleet
        if ref.kind == "Pod":
            return Log(fleet, ref)
        self._ask()
        return ControllerLog(fleet, ref)

    # -- in the background --------------------------------------------------------------------
    def follow(self) -> None:
        """Keeps causes up to date from now on."""
        self._ask()
        self._follows = True
        self.tick()

    def tick(self) -> None:
        """Works on causes and keeps what was seen; once a second."""
        app = self._app
        now = app.fleet.now()
        if self._follows and not app.pacer.is_running("causes"):
            app.pacer.run("causes", self.board.work(now), done=self._looked)
        if self._store is not None and self._store.is_due(now):
            self._keep(lambda: self._store.save(now) if self._store is not None else None)
        is_read = isinstance(app.screen, BoardScreen) and isinstance(app.screen.board, Causes)
        if is_read and now - self._looked_at >= LOOK_S:
            self._looked_at = now
            self._keep(self._note_look)

    def _looked(self) -> None:
        self._has_looked = True
        self._app.repaint()

    def _note_look(self) -> None:
        if self.mutes is not None:
            found = {cause.fingerprint: cause.objects for cause in self.board.causes()}
            self.mutes.note_seen(found, self._app.fleet.now())

    def _keep(self, write: Callable[[], None]) -> None:
        try:
            write()
        except FleettuiError as error:
            self._store, self.mutes = None, None  # told once, not every minute
            self._app.say_error(error)

    def close(self) -> None:
        """Keeps what was seen last."""
        if self._store is not None:
            store, now = self._store, self._app.fleet.now()
            self._keep(lambda: store.save(now))
