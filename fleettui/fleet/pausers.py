"""Who paused an object, when nobody wrote it down: the managers of its fields.

Fetches whole objects, a few at a time, because rows keep no managedFields. Source:
KEP-555 server-side apply; each entry names a manager, a time and what it owns.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from fleettui.errors import FleettuiError
from fleettui.fleet.cause_forms import ref_form
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.forms import context_form
from fleettui.index.pauses import Pause, order
from fleettui.kinds.moments import rfc3339, unix_seconds
from fleettui.kinds.record import ObjectRef
from fleettui.text import safe_text

PAUSED_SCHEMA = "fleettui.paused/v1"
READ: Final = 200
"""Most objects fetched to find out who."""
IN_FLIGHT: Final = 8


class Bodies(Protocol):
    """Whatever fetches objects: the fleet."""

    def now(self) -> int:
        """Unix seconds."""
        ...

    async def body(self, ref: ObjectRef) -> Mapping[str, Any]:
        """The whole object, fetched now."""
        ...


async def find_pausers(fleet: Bodies, found: list[Pause], *, limit: int = READ) -> None:
    """Fills in who and since where unknown, then sorts anew; what cannot be read stays open."""
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def look(pause: Pause) -> None:
        async with gate:
            try:
                body = await fleet.body(pause.ref)
            except FleettuiError:
                return  # gone or not allowed: the pause stands without a name
        entry = pausing_entry(body, pause.word)
        if entry is not None:
            pause.who = pause.who or str(entry.get("manager") or "")
            pause.since = pause.since or unix_seconds(entry.get("time"))
            pause.evidence = pause.evidence or "managedFields"

    open_ones = [pause for pause in found if not pause.who or not pause.since]
    await asyncio.gather(*(look(pause) for pause in open_ones[:limit]))
    now = fleet.now()
    found.sort(key=lambda pause: order(pause, now))


def pausing_entry(body: Mapping[str, Any], word: str) -> Mapping[str, Any] | None:
    """The managedFields entry that owns what pauses, the newest when several do.

    Args:
        body: the whole object.
        word: ``spec.paused`` or ``annotation NAME``.
    """
    if word.startswith("annotation "):
        path = ["metadata", "annotations", word.removeprefix("annotation ")]
    else:
        path = word.split(".")
    entries = body.get("metadata", {}).get("managedFields") or []
    owning = [e for e in entries if isinstance(e, Mapping) and _owns(e.get("fieldsV1"), path)]
    return max(owning, key=lambda e: str(e.get("time") or ""), default=None)


def _owns(fields: object, path: Sequence[str]) -> bool:
    at = fields
    for name in path:
        if not isinstance(at, Mapping) or f"f:{name}" not in at:
            return False
        at = at[f"f:{name}"]
    return True


def pause_form(pause: Pause, now: int) -> dict[str, Any]:
    """One pause."""
    return {
        **ref_form(pause.ref),
        "paused_by": safe_text(pause.word),
        "who": safe_text(pause.who) or None,
        "why": safe_text(pause.why) or None,
        "since": rfc3339(pause.since) or None,
        "until": rfc3339(pause.until) or None,
        "expired": pause.is_expired(now),
        "forgotten": pause.is_forgotten(now),
        "stops": pause.stops,
        "evidence": safe_text(pause.evidence) or None,
    }


def paused_form(fleet: Fleet, found: Sequence[Pause]) -> dict[str, Any]:
    """The document of ``paused``."""
    now = fleet.now()
    return {
        "schema": PAUSED_SCHEMA,
        "contexts": [context_form(info, now) for info in fleet.contexts()],
        "items": [pause_form(pause, now) for pause in found],
    }
