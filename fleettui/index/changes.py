"""What happened to the index since a reader last asked.

Knows a bounded log that any number of readers walk at their own pace; refuses
to know who reads. A reader that falls behind the log is told to start over.
"""

from dataclasses import dataclass, field
from typing import Final

from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef, Verdict

LOG_LIMIT: Final = 1 << 16
"""Entries kept: a dozen seconds of 1,000 changes a second with what stands above them."""


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
    """The log: a row for something changed, or a word and then the row it is about."""

    __slots__ = ("_base", "_entries", "mark")

    def __init__(self) -> None:
        """Start empty."""
        self._entries: list[Row | str] = []
        self._base = 0
        self.mark = self._entries.append
        """Notes that something shown of the row changed."""

    def note_added(self, row: Row) -> None:
        """Note a new row."""
        self._entries += (ADDED, row)

    def note_removed(self, row: Row) -> None:
        """Note that a row left."""
        self._entries += (REMOVED, row)

    def note_structure(self, root: Row, *, roots_changed: bool = False) -> None:
        """Note that the home tree under this root has another shape."""
        self._entries += (ROOTS if roots_changed else SHAPE, root)

    def note_coverage(self) -> None:
        """Note that what is known about scopes changed."""
        self._entries.append(COVERAGE)

    def trim(self) -> None:
        """Forget the older half when the log is full."""
        if len(self._entries) > LOG_LIMIT:
            cut = len(self._entries) // 2
            if self._entries[cut - 1] in PAIRED:
                cut += 1
            del self._entries[:cut]
            self._base += cut

    def since(self, cursor: Cursor) -> Change:
        """Return what happened since the cursor's last reading, and move it to the end."""
        start = cursor.position - self._base
        cursor.position = self._base + len(self._entries)
        if start < 0:
            return Change(reset=True)
        change = Change()
        dirty = change.dirty
        fresh = iter(self._entries[start:])
        for entry in fresh:
            if not isinstance(entry, str):
                dirty.add(entry)
            elif entry == COVERAGE:
                change.coverage = True
            else:
                row = next(fresh)
                assert not isinstance(row, str), "a word is followed by its row"
                _file(entry, row, change)
        change.dirty = {row for row in dirty if not row.is_gone}
        change.added = {row for row in change.added if not row.is_gone}
        return change


ADDED, REMOVED, ROOTS, SHAPE, COVERAGE = "+", "-", "r", "s", "c"
PAIRED: Final = frozenset({ADDED, REMOVED, ROOTS, SHAPE})


def _file(word: str, row: Row, change: Change) -> None:
    if word == ADDED:
        change.added.add(row)
    elif word == REMOVED:
        change.removed[row] = row.ref
    else:
        change.structure.add(row)
        change.roots |= word == ROOTS
