"""From what a person asked for to a fleet.

Decides which contexts are opened, by which link, in which mode. The strictest
of flag, environment, configuration and context wins for read-only, once. What opens
is imported when something is opened: the first frame comes before.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fleettui.config import Settings, config_folder, read_only_from_environment

if TYPE_CHECKING:
    from fleettui.fleet.fleet import Fleet


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


def open_fleet(opening: Opening) -> "Fleet":
    """A fleet that is ready to start.

    Raises:
        FleettuiError: no context can be opened as asked.
    """
    from fleettui.kinds.table import load_table

    table = load_table(user_kinds())
    if opening.sources:
        from fleettui.fleet.recorded import open_recorded

        return open_recorded(opening, table)
    from fleettui.fleet.live import open_live

    return open_live(opening, table, read_only=is_read_only(opening))


def is_read_only(opening: Opening) -> bool:
    """Whether flag, environment or configuration asks for read-only mode."""
    return opening.read_only or opening.settings.read_only or read_only_from_environment()
