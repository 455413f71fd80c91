"""What stands outside the conditions: Warning events about the objects at fault.

Reads events of a few roots only: an outage that turns a thousand clusters red
must not become a thousand requests.
"""

import asyncio
from collections.abc import Iterable, Sequence

from fleettui.errors import FleettuiError
from fleettui.fleet.context import EventLine
from fleettui.fleet.fleet import Fleet
from fleettui.index.causes import Cause, CauseState
from fleettui.kinds.record import ObjectRef

ROOTS_READ = 3
"""Roots of one cause whose events are read."""
CAUSES_READ = 24
IN_FLIGHT = 8
SHOWN = 3
_WORTH_READING = frozenset(
    {CauseState.FAILING, CauseState.DELETING, CauseState.WAITING, CauseState.PROGRESSING}
)


async def warnings_of(fleet: Fleet, causes: Iterable[Cause]) -> dict[str, list[EventLine]]:
    """Warning events of the first causes' roots, newest first, by fingerprint.

    What cannot be read is left out: events are an extra, and their right is often missing.
    """
    gate = asyncio.Semaphore(IN_FLIGHT)

    async def read(ref: ObjectRef) -> Sequence[EventLine]:
        async with gate:
            try:
                return await fleet.events(ref)
            except FleettuiError:
                return ()  # no right, or the cluster is away: the cause stands without it

    found: dict[str, list[EventLine]] = {}
    chosen = [cause for cause in causes if cause.state in _WORTH_READING][:CAUSES_READ]
    for cause in chosen:
        lines = await asyncio.gather(*(read(ref) for ref in cause.roots[:ROOTS_READ]))
        warnings = [line for part in lines for line in part if line.type == "Warning"]
        if warnings:
            found[cause.fingerprint] = sorted(warnings, key=lambda line: -line.at)[:SHOWN]
    return found
