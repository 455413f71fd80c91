"""Opens recordings as a fleet in which time stands still."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from fleettui.errors import UsageError
from fleettui.fleet.context import Link
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.recorded_link import RecordedLink
from fleettui.kinds import KindTable
from fleettui.recorded.recording import open_recordings

if TYPE_CHECKING:
    from fleettui.fleet.opening import Opening


def open_recorded(opening: "Opening", table: KindTable) -> Fleet:
    """A fleet of the recordings asked for, at the moment the last of them was taken.

    Raises:
        UsageError: live contexts were asked for as well.
        FleettuiError: a recording cannot be read.
    """
    if opening.contexts or opening.all_contexts:
        raise UsageError(
            "--from and --context exclude each other", hint="a recording is a context of its own"
        )
    links: list[Link] = []
    moments: list[int] = []
    for path in opening.sources:
        for recording in open_recordings(path, table):
            link = RecordedLink(recording, table, read_at=int(time.time()))
            links.append(link)
            moments.append(link.taken_at)
    return Fleet(table, links, read_only=True, clock=_clock_at(max(moments, default=0)))


def _clock_at(taken_at: int) -> Callable[[], float]:
    """Time in a recording stands still at the moment it was taken."""
    return (lambda: float(taken_at)) if taken_at else time.time
