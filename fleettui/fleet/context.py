"""What the program knows of one context, and what supplies its objects.

A context is a management cluster, a workload cluster or a recording; front ends
do not tell them apart. Knows no URL, no file and no kind.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from fleettui.kinds.batch import Batch
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.record import ObjectRef
from fleettui.text import age_text

SILENT_S = 13
"""Silence of a live server that is told, seconds: its link asks every ten."""


class ContextState(StrEnum):
    """How a context stands as a whole."""

    CONNECTING = "connecting"
    SYNCING = "syncing"
    LIVE = "live"
    STALE = "stale"
    """The connection is lost; rows are kept with their age."""
    FAILED = "failed"
    """Never connected."""
    RECORDED = "recorded"
    CLOSED = "closed"
    """Looked at and left out: it holds nothing that belongs to a fleet."""


@dataclass(frozen=True, slots=True)
class ContextInfo:
    """What the status bar and every document say of a context. Texts from outside are raw."""

    name: str
    server: str = ""
    """URL of the API server, or path of the recording."""
    state: ContextState = ContextState.CONNECTING
    since: int = 0
    """When this state began, Unix seconds."""
    error: str = ""
    hint: str = ""
    user: str = ""
    """Who the server says the person is; empty while unknown."""
    origin: str = ""
    """Whose credentials are presented: user and file of the kubeconfig; empty: nobody's."""
    impersonating: bool = False
    insecure: bool = False
    """TLS is not verified."""
    read_only: bool = True
    lacks: str = ""
    """The rule that a person who may change nothing here lacks first; empty: none is known."""
    namespace: str = ""
    """The namespace that lists are limited to; empty: all."""
    loaded: int = 0
    expected: int = -1
    """Objects expected in all; -1 while unknown."""
    missing: tuple[str, ...] = ()
    """Scopes that are not complete, in words."""
    round_trip_s: float = -1.0
    """Shortest time that the server took to answer, seconds; -1 while unknown."""
    banner: str = ""
    colour: str = ""
    age_s: int = 0
    """How old a recording was when it was opened, seconds."""
    note: str = ""
    """Something to know that is no error: files of a recording that were skipped."""
    heard_at: int = 0
    """When the server last gave a sign of life, Unix seconds; 0: not known."""
    cached_at: int = 0
    """When rows that are shown from an earlier run were read, Unix seconds; 0: all are newer."""


def silent_s(info: ContextInfo, now: int) -> int:
    """How long a live context's server has given no sign of life; 0 while that is nothing."""
    if info.state is not ContextState.LIVE or not info.heard_at:
        return 0
    silence = now - info.heard_at
    return silence if silence >= SILENT_S else 0


def recorded_words(info: ContextInfo) -> str:
    """The moment that a recording shows, with its age: ``2026-11-23 08:00Z (2d ago)``."""
    if not info.since:
        return "a moment that it does not tell"
    moment = rfc3339(info.since)
    words = f"{moment[:10]} {moment[11:16]}Z"
    return f"{words} ({age_text(info.age_s)} ago)" if info.age_s else words


@dataclass(frozen=True, slots=True)
class EventLine:
    """One Event, or several that say the same. Texts are raw."""

    at: int
    """Last seen, Unix seconds."""
    type: str
    reason: str
    message: str
    count: int
    source: str
    kind: str
    name: str


Emit = Callable[[Batch], None]


class Link(Protocol):
    """Whatever supplies batches and bodies of one context."""

    @property
    def name(self) -> str:
        """The context's name, which is the ``context`` of every ref of it."""
        ...

    def info(self) -> ContextInfo:
        """How the context stands now; cheap."""
        ...

    async def run(self, emit: Emit, changed: Callable[[], None]) -> None:
        """Follows everything that is asked for until cancelled.

        ``emit`` takes batches in order; ``changed`` tells that ``info`` changed.
        """
        ...

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        """The whole object as it is now.

        Raises:
            FleettuiError: it is gone, may not be read, or the cluster does not answer.
        """
        ...

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        """Events about the object, newest first."""
        ...

    def logs(self, ref: ObjectRef, *, container: str, tail: int) -> AsyncIterator[str]:
        """Lines of a Pod's log, oldest first."""
        ...

    async def close(self) -> None:
        """Ends every connection."""
        ...
