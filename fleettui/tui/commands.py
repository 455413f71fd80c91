"""The words of the command line: what exists, what they take, how they are completed.

Knows the table of commands and how to read what was typed; runs nothing. In
read-only mode words that write do not exist.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fleettui.errors import UsageError


class Argument(StrEnum):
    """What a command takes."""

    NONE = "none"
    CONTEXT = "context"
    NAMESPACE = "namespace"
    PERSPECTIVE = "perspective"
    OBJECT = "object"
    """A reference; without one the row under the cursor."""
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Command:
    """One word of the command line."""

    name: str
    label: str
    argument: Argument = Argument.NONE
    aliases: tuple[str, ...] = ()
    writes: bool = False


_GROUPINGS = "cluster, source, version, namespace, fault, kind, label KEY, dependencies"
COMMANDS: tuple[Command, ...] = (
    Command("ctx", "open or close contexts", Argument.CONTEXT, ("context", "contexts")),
    Command("ns", "show one namespace, or all", Argument.NAMESPACE, ("namespace", "namespaces")),
    Command("tree", "the tree", aliases=("home", "fleet")),
    Command("causes", "what is broken, by cause; by LABEL", Argument.TEXT, ("why",)),
    Command("mute", "hide the cause under the cursor: 4h REASON", Argument.TEXT),
    Command("muted", "causes that are hidden for a while, by whom and until when"),
    Command("unmute", "show the cause under the cursor again"),
    Command("paused", "everything paused, suspended or frozen", aliases=("suspended",)),
    Command("overview", "the fleet in numbers", aliases=("ov", "pulses", "pulse")),
    Command("changes", "what changed in the last 30m, or 4h", Argument.TEXT, ("history",)),
    Command("controllers", "the controllers and how they are", aliases=("ctl",)),
    Command("all", "act on all that the filter finds: pause", Argument.TEXT, writes=True),
    Command("journal", "what was done from here", aliases=("audit",)),
    Command("drift", "what differs from git; --ref BRANCH", Argument.OBJECT, ("diff",)),
    Command("kinds", "kinds, how many and how well they are known", aliases=("aliases",)),
    Command("load", "read everything, machines and what is below them too"),
    Command("perspective", f"group the tree: {_GROUPINGS}", Argument.PERSPECTIVE, ("by",)),
    Command("filter", "filter the tree", Argument.TEXT),
    Command("help", "keys and commands", aliases=("h",)),
    Command("quit", "leave", aliases=("q", "q!", "qa", "exit")),
)
"""Every command, in the order of the help."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person typed, understood."""

    command: str
    """Name of a command, or ``kind`` for the name of a kind."""
    argument: str = ""
    filter: str = ""
    """What stood behind a ``/``: ``:machines /failed``."""


class Vocabulary:
    """The words that exist in this run."""

    def __init__(
        self,
        commands: Sequence[Command] = COMMANDS,
        *,
        read_only: bool,
        hidden: Iterable[str] = (),
        kinds: Iterable[str] = (),
    ) -> None:
        """Take the table without what writes (in read-only mode) and what is hidden.

        Args:
            commands: the table.
            read_only: whether words that write are left out.
            hidden: names of commands that have nothing to show in this run.
            kinds: names, plurals, short names and aliases of kinds.
        """
        left_out = frozenset(hidden)
        self.commands = tuple(
            c for c in commands if c.name not in left_out and not (read_only and c.writes)
        )
        self._by_word = {word: c for c in self.commands for word in (c.name, *c.aliases)}
        self.kinds = tuple(sorted({word.lower() for word in kinds} - self._by_word.keys()))
        self._kinds = frozenset(self.kinds)

    def read(self, text: str) -> Typed:
        """Return what was typed, understood.

        Raises:
            UsageError: the first word is no command and no kind.
        """
        bare = text.strip().lstrip(":").strip()
        head, slash, expression = bare.partition(" /")
        word, _, argument = head.strip().partition(" ")
        command = self._by_word.get(word.lower())
        if command is not None:
            return Typed(command.name, argument.strip(), expression.strip() if slash else "")
        if word.lower() in self._kinds:
            return Typed("kind", word.lower(), expression.strip() if slash else argument.strip())
        near = self.nearest(word)
        raise UsageError(
            f"no command or kind is called {word!r}",
            hint=f"did you mean :{near}?" if near else "see ? for commands, :kinds for kinds",
        )

    def nearest(self, word: str) -> str:
        """Return the known word most like this one, empty when none is."""
        import difflib  # only needed after a mistake

        known = [*self._by_word, *self.kinds]
        found = difflib.get_close_matches(word.lower(), known, n=1)
        return found[0] if found else ""

    def argument_of(self, text: str) -> Argument | None:
        """Return what the word being completed is an argument of; None for the first word."""
        word, space, _ = text.lstrip().partition(" ")
        if not space:
            return None
        command = self._by_word.get(word.lower())
        return command.argument if command is not None else Argument.NONE

    def complete(self, text: str, arguments: Sequence[str] = ()) -> str:
        """Return the text with its last word completed; unchanged when nothing fits.

        Args:
            text: what was typed after the colon.
            arguments: words that the command at hand takes.
        """
        head, space, word = text.rpartition(" ")
        known = arguments if space else (*self._by_word, *self.kinds)
        if not word and not space:
            return text
        for candidate in known:
            if candidate.lower().startswith(word.lower()) and candidate.lower() != word.lower():
                return f"{head}{space}{candidate}"
        return text
