"""What happened to the index since a reader last asked.

Knows a bounded log that any number of readers walk at their own pace; refuses
to know who reads. A reader that falls behind the log is told to start over.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef, Verdict

LOG_LIMIT: Final = 1 << 18
"""Entries kept: four minutes of 1,000 changes a second."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of an object's derived health."""

    ref: ObjectRef
    before: Verdict | None
    """None: it was not known before."""
    after: Verdict | None
    """None: it is deleted."""
    observed: bool
    """Whether a watch told it as it happened, rather than a list after a gap."""
    at: int
    """When the index learnt of it, Unix seconds."""
    reason: str = ""
    """Reason of the state after; raw text."""


class Cursor:
    """How far one reader has read."""

    __slots__ = ("position",)

    def __init__(self) -> None:
        """Begin at the beginning: the first change says to start over."""
        self.position = -1


@dataclass(slots=True)
class Change:
    """Everything that happened between two readings, without order."""

    dirty: set[Row] = field(default_factory=set)
    """Rows of which something shown may have changed; rows that left are not among them."""
    added: set[Row] = field(default_factory=set)
    """Rows that came and are still there."""
    removed: dict[Row, ObjectRef] = field(default_factory=dict)
    """Rows that left."""
    structure: set[Row] = field(default_factory=set)
    """Roots whose home tree has another shape now, new ones included; may hold rows that left."""
    roots: bool = False
    """Whether the set of roots changed."""
    coverage: bool = False
    """Whether what is known about scopes changed."""
    reset: bool = False
    """Whether the reader must start over; nothing else is filled in then."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing happened."""
        return not (
            self.reset
            or self.dirty
            or self.added
            or self.removed
            or self.structure
            or self.roots
            or self.coverage
        )


class ChangeLog:
    """The log; entries are rows (something changed) or pairs of a word and a row."""

    __slots__ = ("_base", "_entries", "mark")

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[Row | tuple[str, Row] | tuple[str, Row, ObjectRef]] = []
        self._base = 0
        self.mark = self._entries.append
        """Notes that something shown of the row changed."""

    def note_added(self, row: Row) -> None:
        """Note a new row."""
        self._entries.append(("+", row))

    def note_removed(self, row: Row) -> None:
        """Note that a row left."""
        self._entries.append(("-", row, row.ref))

    def note_structure(self, root: Row, *, roots_changed: bool = False) -> None:
        """Note that the home tree under this root has another shape."""
        self._entries.append(("r" if roots_changed else "s", root))

    def note_coverage(self) -> None:
        """Note that what is known about scopes changed."""
        self._entries.append(("c", None))  # type: ignore[arg-type]  # the only entry without a row

    def trim(self) -> None:
        """Forget the older half when the log is full."""
        if len(self._entries) > LOG_LIMIT:
            cut = len(self._entries) // 2
            del self._entries[:cut]
            self._base += cut

    def since(self, cursor: Cursor) -> Change:
        """Return what happened since the cursor's last reading, and move it to the end."""
        start = cursor.position - self._base
        cursor.position = self._base + len(self._entries)
        if start < 0:
            return Change(reset=True)
        change = Change()
        fresh: Iterable[Row | tuple[str, Row] | tuple[str, Row, ObjectRef]]
        fresh = self._entries[start:] if start else self._entries
        dirty = change.dirty
        for entry in fresh:
            if isinstance(entry, Row):
                dirty.add(entry)
            else:
                _file(entry, change)
        gone = {row for row in dirty if row.is_gone}
        change.dirty -= gone
        return change


def _file(entry: tuple[str, Row] | tuple[str, Row, ObjectRef], change: Change) -> None:
    word, row = entry[0], entry[1]
    if word == "+":
        if not row.is_gone:
            change.added.add(row)
    elif word == "-":
        change.removed[row] = entry[2] if len(entry) == 3 else row.ref
    elif word == "c":
        change.coverage = True
    else:
        change.structure.add(row)
        change.roots |= word == "r"
