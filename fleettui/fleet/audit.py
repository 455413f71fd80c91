"""Whether what a resumed watch left on the screen is what the server holds.

Knows how two states of one kind differ, and how long a difference may last; knows no
connection. A watch that goes on after a restart of the program shows rows of before: were
they wrong, nothing would ever tell. So uid and resourceVersion of every object are
compared with a list of metadata. Events are on their way while that happens: what differs
is looked at again a while later, and only what still differs is a mismatch.

Source: Kubernetes API concepts, resource versions; client-go's watch-list consistency
detector compares the same way.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from fleettui.kinds.batch import Scope
from fleettui.kube.versions import is_older, version_number

AGAIN_S: Final = 10.0
"""After so long every event of the time of the list has come."""

Key = tuple[str, str]
"""Namespace and name."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What the server said that it holds."""

    versions: Mapping[Key, tuple[str, str]]
    """Uid and resourceVersion, by namespace and name."""
    resource_version: str
    """When that was so."""
    is_whole: bool = True
    """Whether it is all of the kind; if not, more rows than these are no difference."""


class Told(Protocol):
    """A row, as far as it matters here."""

    @property
    def namespace(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def uid(self) -> str: ...
    @property
    def resource_version(self) -> str: ...
    @property
    def is_gone(self) -> bool: ...


class Rows(Protocol):
    """Where rows are: the index."""

    def pieces(self, scope: Scope) -> Iterable[Sequence[Told]]: ...


def differing(
    listed: Listed, pieces: Iterable[Sequence[Told]]
) -> Generator[None, None, frozenset[Key]]:
    """Returns objects that rows show otherwise than they were listed; yields often.

    Rows that are newer than the list are right: the watch has told more since.
    """
    found: set[Key] = set()
    missing = set(listed.versions)
    for rows in pieces:
        for row in rows:
            if row.is_gone:
                continue
            key = (row.namespace, row.name)
            held = listed.versions.get(key)
            missing.discard(key)
            if held is None:
                if listed.is_whole and not _is_newer(row, listed.resource_version):
                    found.add(key)
            elif held != (row.uid, row.resource_version) and not _is_newer(row, held[1]):
                found.add(key)
        yield
    return frozenset(found | missing)


def _is_newer(row: Told, resource_version: str) -> bool:
    if version_number(resource_version) is None:
        return False
    return is_older(resource_version, row.resource_version)


@dataclass(slots=True)
class _Pending:
    listed: Listed
    doubted: Callable[[], None]
    differed: frozenset[Key] = frozenset()
    look_at: float = 0.0


class Audits:
    """Resumed kinds of one context that are still to be compared."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Compare nothing yet.

        Args:
            clock: Unix seconds.
        """
        self._clock = clock
        self._pending: dict[Scope, _Pending] = {}
        self.compared = 0
        """Kinds that were as the server holds them."""
        self.mismatches = 0
        """Kinds that were not, and are read anew."""

    def add(self, scope: Scope, listed: Listed, *, doubted: Callable[[], None]) -> None:
        """Compares a kind from now on; ``doubted`` is called when it has to be read anew."""
        self._pending[scope] = _Pending(listed, doubted)

    def comparing(self, rows: Rows) -> Iterator[None]:
        """Looks at whatever is due, some rows between two yields."""
        for scope, pending in tuple(self._pending.items()):
            if self._clock() >= pending.look_at:
                yield from self._compare(scope, pending, rows)

    def _compare(self, scope: Scope, pending: _Pending, rows: Rows) -> Iterator[None]:
        found = yield from differing(pending.listed, rows.pieces(scope))
        is_first = not pending.look_at
        lasting = found if is_first else found & pending.differed
        if lasting and is_first:
            pending.differed, pending.look_at = lasting, self._clock() + AGAIN_S
            return
        self._pending.pop(scope, None)
        if lasting:
            self.mismatches += 1
            pending.doubted()
        else:
            self.compared += 1
