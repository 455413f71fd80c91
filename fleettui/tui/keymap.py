"""Every key, once: what it does, what it is called, where it works, whether it writes.

Bindings, help and footer come from this table, so they cannot disagree. In
read-only mode keys that write are not in the map at all. Keys are k9s's where it
has them; ``s``, ``r``, ``R`` and ``W`` are flux9s's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where a key works."""

    PANE = "pane"
    """Any list or text."""
    TREE = "tree"
    ROW = "row"
    """Anything that shows objects: the tree and the boards."""
    TEXT = "text"
    """A full screen of text: YAML, description, logs."""
    MAIN = "main"
    """The first screen, whatever has the focus."""
    EVERYWHERE = "everywhere"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """One line of the table."""

    id: str
    """Name of the action; handlers go by it."""
    keys: tuple[str, ...]
    """Textual's names of the keys."""
    label: str
    group: str
    place: Place
    writes: bool = False
    hint: str = ""
    """Word in the footer; empty: only in the help."""

    @property
    def shown(self) -> str:
        """The keys as a person reads them."""
        return " ".join(key_text(key) for key in self.keys)


_NAMES = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "asterisk": "*",
    "minus": "-",
    "plus": "+",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "escape": "esc",
    "enter": "⏎",
    "space": "space",
    "down": "↓",
    "up": "↑",
    "left": "←",
    "right": "→",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "shift+tab": "shift-tab",
}


def key_text(key: str) -> str:
    """A key as a person reads it: ``ctrl+f`` becomes ``ctrl-f``, ``slash`` becomes ``/``."""
    return _NAMES.get(key) or key.replace("ctrl+", "ctrl-").replace("alt+", "alt-")


_MOVE, _FOLD, _SEEK, _SHOW, _GO, _ACT = "Move", "Fold", "Find", "Show", "Go to", "Act"


def _entry(
    action: str,
    keys: str,
    label: str,
    group: str,
    place: Place,
    *,
    hint: str = "",
    writes: bool = False,
) -> KeyEntry:
    return KeyEntry(action, tuple(keys.split()), label, group, place, writes, hint)


ENTRIES: tuple[KeyEntry, ...] = (
    _entry("down", "j down", "next line", _MOVE, Place.PANE),
    _entry("up", "k up", "previous line", _MOVE, Place.PANE),
    _entry("page_down", "ctrl+f pagedown", "a page down", _MOVE, Place.PANE),
    _entry("page_up", "ctrl+b pageup", "a page up", _MOVE, Place.PANE),
    _entry("top", "g home", "to the top", _MOVE, Place.PANE),
    _entry("bottom", "G end", "to the bottom", _MOVE, Place.PANE),
    _entry("next_pane", "tab shift+tab", "between list and details", _MOVE, Place.MAIN),
    _entry("expand", "l right", "expand, then into it", _FOLD, Place.TREE),
    _entry("collapse", "h left", "fold, then to its parent", _FOLD, Place.TREE),
    _entry("toggle", "o", "expand or fold", _FOLD, Place.TREE),
    _entry("expand_all", "asterisk", "expand everything", _FOLD, Place.TREE),
    _entry("collapse_all", "minus", "fold everything", _FOLD, Place.TREE),
    _entry("machine_sets", "M", "show or fold sets of machines", _FOLD, Place.TREE),
    _entry("filter", "slash", "filter as you type", _SEEK, Place.ROW, hint="filter"),
    _entry("next_match", "n", "next match or broken thing", _SEEK, Place.PANE),
    _entry("previous_match", "N", "previous match", _SEEK, Place.PANE),
    _entry("faults", "ctrl+z", "only what is broken", _SEEK, Place.TREE, hint="faults"),
    _entry("sort", "S", "choose the order", _SEEK, Place.TREE, hint="sort"),
    _entry("invert", "I", "turn the order round", _SEEK, Place.TREE),
    _entry("search", "slash", "search in the text", _SEEK, Place.TEXT, hint="search"),
    _entry("activate", "enter", "details; on a reference: go", _SHOW, Place.PANE),
    _entry("describe", "d", "describe", _SHOW, Place.ROW, hint="describe"),
    _entry("yaml", "y", "YAML, fetched now", _SHOW, Place.ROW, hint="yaml"),
    _entry("events", "E", "events", _SHOW, Place.ROW, hint="events"),
    _entry("logs", "L", "logs", _SHOW, Place.ROW),
    _entry("trace", "t", "trace: from where, for whom", _SHOW, Place.ROW),
    _entry("diff", "D", "compare with git", _SHOW, Place.ROW, hint="diff"),
    _entry("explain", "X", "explain why it is stuck", _SHOW, Place.ROW, hint="explain"),
    _entry("detail", "i", "open or close the detail pane", _SHOW, Place.MAIN, hint="details"),
    _entry("managed", "m", "show or hide managedFields", _SHOW, Place.TEXT, hint="managed"),
    _entry("wrap", "w", "wrap long lines", _SHOW, Place.TEXT, hint="wrap"),
    _entry("reveal", "x", "show masked values for 30 s", _SHOW, Place.TEXT),
    _entry("fold", "f", "show or fold what is the same", _SHOW, Place.TEXT, hint="unfold"),
    _entry("beside", "v", "side by side, or one below the other", _SHOW, Place.TEXT, hint="view"),
    _entry("edit", "e", "open the manifest in $EDITOR", _SHOW, Place.TEXT, hint="edit"),
    _entry("page", "p", "open the patch in $PAGER", _SHOW, Place.TEXT, hint="pager"),
    _entry("copy_address", "U", "copy the manifest's address", _SHOW, Place.TEXT),
    _entry("refresh", "ctrl+r", "fetch again", _SHOW, Place.TEXT, hint="again"),
    _entry("copy", "c", "copy the name", _SHOW, Place.ROW),
    _entry("copy_reference", "C", "copy CONTEXT:KIND/NAMESPACE/NAME", _SHOW, Place.ROW),
    _entry("command", "colon", "command line", _GO, Place.EVERYWHERE, hint="command"),
    _entry("contexts", "ctrl+t", "contexts", _GO, Place.MAIN),
    _entry("namespaces", "ctrl+n", "namespaces", _GO, Place.MAIN),
    _entry("help", "question_mark", "this help", _GO, Place.EVERYWHERE, hint="help"),
    _entry("back", "escape", "close, clear the filter", _GO, Place.EVERYWHERE),
    _entry("quit", "q", "back, twice on the tree: leave", _GO, Place.EVERYWHERE),
    _entry("mark", "space", "mark", _ACT, Place.ROW),
    _entry("unmark_all", "ctrl+backslash u", "clear marks", _ACT, Place.ROW),
    _entry("act", "a", "choose an action", _ACT, Place.ROW, hint="actions", writes=True),
    _entry("act_all", "A", "an action on all that the filter finds", _ACT, Place.TREE, writes=True),
    _entry("pause", "s", "pause (suspend)", _ACT, Place.ROW, hint="pause", writes=True),
    _entry("resume", "r", "resume", _ACT, Place.ROW, hint="resume", writes=True),
    _entry("resync", "R", "reconcile now", _ACT, Place.ROW, hint="resync", writes=True),
    _entry("resync_source", "W", "reconcile, source first", _ACT, Place.ROW, writes=True),
    _entry("undo", "z", "in the journal: undo the plan", _ACT, Place.ROW, writes=True),
    _entry("go_on", "Z", "in the journal: go on with the plan", _ACT, Place.ROW, writes=True),
    _entry("delete", "ctrl+d", "delete (asks)", _ACT, Place.ROW, writes=True),
)


class Keymap:
    """The keys that exist in this run."""

    def __init__(self, entries: Sequence[KeyEntry] = ENTRIES, *, read_only: bool) -> None:
        """Take the table, in read-only mode without whatever writes."""
        self.entries = tuple(e for e in entries if not (read_only and e.writes))
        self._by_place: dict[Place, Mapping[str, KeyEntry]] = {
            place: {key: e for e in self.entries if e.place is place for key in e.keys}
            for place in Place
        }

    def find(self, key: str, places: Sequence[Place]) -> KeyEntry | None:
        """Return what a key does in the first of these places that knows it."""
        for place in places:
            entry = self._by_place[place].get(key)
            if entry is not None:
                return entry
        return None

    def hints(self, places: Sequence[Place]) -> Iterator[KeyEntry]:
        """Yield entries of the footer for these places, in order of the table."""
        for entry in self.entries:
            if entry.hint and entry.place in places:
                yield entry

    def groups(self) -> Iterator[tuple[str, tuple[KeyEntry, ...]]]:
        """Yield groups of the help with their entries, in order of the table."""
        for group in dict.fromkeys(entry.group for entry in self.entries):
            yield group, tuple(e for e in self.entries if e.group == group)
