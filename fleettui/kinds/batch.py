"""What moves from a link to the index: scopes, and batches of one scope in order.

Knows what a listable slice of a context is and how its news is told; knows
nothing of how it was fetched. Source: the list-and-watch contract (a list that
ends sweeps what it did not mention; a forgotten slice is not a deletion).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from fleettui.kinds.record import Record


class Scope(NamedTuple):
    """A slice of a context that can be listed and watched as one."""

    context: str
    group: str
    kind: str
    namespace: str = ""
    """Empty: all namespaces (or a cluster-scoped kind)."""
    cluster: str = ""
    """Empty: all clusters; else only objects labelled with this Cluster's name."""


class Phase(StrEnum):
    """How far a scope is known; anything but LIVE is never shown as healthy."""

    PENDING = "pending"
    """Asked for, nothing came yet."""
    SYNCING = "syncing"
    """First list under way; what is there is real but not all."""
    LIVE = "live"
    STALE = "stale"
    """Was live; the connection is gone and old rows are kept."""
    FORBIDDEN = "forbidden"
    ABSENT = "absent"
    """The server does not serve this kind."""
    BROKEN = "broken"
    """The server answers something that cannot be understood."""
    CACHED = "cached"
    """Shown from an earlier run, not confirmed yet."""
    RECORDED = "recorded"
    """Complete, from files; never changes."""


class ScopeStatus(msgspec.Struct, frozen=True, gc=False):
    """How far one scope is known, with the words for a person."""

    phase: Phase
    since: int = 0
    """When this phase began, Unix seconds."""
    error: str = ""
    """Raw one-line reason for STALE, FORBIDDEN, BROKEN; unsafe to show without safe_text."""
    loaded: int = 0
    expected: int = -1
    """Objects expected in all when a list is under way; -1 when the server did not say."""
    retry_at: int = 0
    """When the next attempt is made, Unix seconds; 0 when none is planned."""


class Mark(StrEnum):
    """Punctuation between the news of a scope."""

    INIT = "init"
    """A list begins: what it upserts belongs to a new epoch."""
    INIT_DONE = "init_done"
    """The list is whole: rows of this scope that are of an older epoch are gone."""
    FORGET = "forget"
    """The scope is no longer followed; its rows leave memory, which is not a deletion."""


class Deleted(msgspec.Struct, frozen=True, gc=False):
    """An object that its server says is gone."""

    group: str
    kind: str
    namespace: str
    name: str
    uid: str = ""
    """Only a row of this uid is removed; empty removes whatever has the name."""


Event = Record | Deleted | Mark | ScopeStatus
"""A Record is an upsert."""


@dataclass(frozen=True, slots=True)
class Batch:
    """News of one scope, in order."""

    scope: Scope
    events: Sequence[Event]
