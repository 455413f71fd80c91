"""From what a person asked for to a fleet.

Decides which contexts are opened, by which link, in which mode. The strictest
of flag, environment, configuration and context wins for read-only, once.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fleettui.config import Settings, config_folder, read_only_from_environment
from fleettui.errors import UsageError
from fleettui.fleet.context import Link
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.recorded_link import RecordedLink
from fleettui.kinds import KindTable, load_table
from fleettui.recorded.recording import open_recordings


@dataclass(frozen=True, slots=True)
class Opening:
    """What a person asked for on the command line."""

    kubeconfig: Path | None = None
    contexts: tuple[str, ...] = ()
    all_contexts: bool = False
    namespace: str = ""
    read_only: bool = False
    sources: tuple[Path, ...] = ()
    """``--from``: recordings instead of live contexts."""
    depth: str = ""
    asked: frozenset[tuple[str, str]] = frozenset()
    """Kinds to follow whatever their depth, as (group, kind)."""
    settings: Settings = field(default_factory=Settings)
    on_screen: bool = False
    """Whether a person watches it grow: shows what was known last time, reads what fits.
    Otherwise everything is read, once."""
    cache: bool = True
    """Whether the screen's fleet is kept for its next start."""


def user_kinds() -> list[Path]:
    """Files of kinds that the person added, in order of name."""
    folder = config_folder() / "kinds.d"
    return sorted(folder.glob("*.y*ml")) if folder.is_dir() else []


def open_fleet(opening: Opening) -> Fleet:
    """A fleet that is ready to start.

    Raises:
        FleettuiError: no context can be opened as asked.
    """
    table = load_table(user_kinds())
    if opening.sources:
        return _recorded(opening, table)
    from fleettui.fleet.live import open_live

    return open_live(opening, table, read_only=is_read_only(opening))


def is_read_only(opening: Opening) -> bool:
    """Whether flag, environment or configuration asks for read-only mode."""
    return opening.read_only or opening.settings.read_only or read_only_from_environment()


def _recorded(opening: Opening, table: KindTable) -> Fleet:
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
