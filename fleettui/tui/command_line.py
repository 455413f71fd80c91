"""The command line: what is typed after the colon, completed and carried out.

Knows commands and which part of the program does them; knows no widget.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleettui.errors import FleettuiError
from fleettui.index.dependencies import DEPENDENCIES
from fleettui.namespaces import namespace_named
from fleettui.tui.commands import Argument, Typed, Vocabulary
from fleettui.tui.content import BOARDS
from fleettui.tui.dependency_board import DependencyBoard
from fleettui.tui.journal_board import JournalBoard
from fleettui.tui.overview import DOCUMENTS
from fleettui.tui.screens.board import BoardScreen
from fleettui.tui.tree_state import GROUPINGS
from fleettui.tui.triage import WORDS

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp


class CommandLine:
    """Carries out commands of one run."""

    def __init__(self, app: "FleetApp", vocabulary: Vocabulary) -> None:
        """Command this program, in the words that exist in this run."""
        self._app = app
        self._vocabulary = vocabulary

    def complete(self, text: str) -> str:
        """What was typed with its last word completed."""
        return self._vocabulary.complete(text, self._arguments(text))

    def _arguments(self, text: str) -> Sequence[str]:
        match self._vocabulary.argument_of(text):
            case Argument.CONTEXT:
                return self._app.fleet.available_contexts()
            case Argument.NAMESPACE:
                return [
                    "all",
                    *sorted({r.namespace for r in self._app.index.realms() if r.namespace}),
                ]
            case Argument.PERSPECTIVE:
                return [*GROUPINGS, "label", DEPENDENCIES]
            case _:
                return ()

    def run(self, text: str) -> None:
        """Does what was typed, or says why not."""
        if not text.strip():
            return
        try:
            self._run(self._vocabulary.read(text))
        except FleettuiError as error:
            self._app.say_error(error)

    def _run(self, typed: Typed) -> None:
        app, main = self._app, self._app.main
        match typed.command:
            case "quit":
                app.action_leave()
            case "help":
                app.show_help()
            case "tree":
                app.show_tree()
                main.reshape(lambda: main.state.group(""))
            case "ctx" if typed.argument:
                app.contexts.switch(typed.argument)
            case "ctx":
                app.contexts.choose()
            case "ns" if typed.argument:
                is_all = typed.argument in ("all", "-A", "*")
                name = "" if is_all else namespace_named(typed.argument, where=":ns")
                app.show_tree()
                main.set_namespace(name)
            case "ns":
                main.pickers.choose_namespace()
            case "perspective" if typed.argument == DEPENDENCIES:
                app.push_screen(BoardScreen(DependencyBoard(app.fleet)), app.go_to_if)
            case "perspective":
                app.show_tree()
                main.reshape(lambda: main.state.group(typed.argument, now=app.fleet.now()))
            case "kind":
                app.show_tree()
                main.pickers.show_kind(typed.argument)
                if typed.filter:
                    main.filter_by(typed.filter)
            case "filter":
                app.show_tree()
                main.filter_by(typed.argument)
            case "load":
                app.fleet.load_all()
            case "all":
                app.act_on_all(typed.argument)
            case "journal" if app.journal is not None:
                app.push_screen(BoardScreen(JournalBoard(app.journal)), app.go_to_if)
            case "drift" if app.diffs is not None:
                app.diffs.open(typed.argument)
            case name if name in WORDS:
                app.triage.run(name, typed.argument)
            case name if name in BOARDS:
                app.push_screen(BoardScreen(BOARDS[name](app.fleet)), app.go_to_if)
            case name:
                app.read(DOCUMENTS[name](app.fleet))
