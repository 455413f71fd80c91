"""Opens the terminal program."""

import sys
from collections.abc import Callable
from dataclasses import replace

from fleettui.config import Settings
from fleettui.errors import ExitCode, UsageError
from fleettui.fleet import Fleet
from fleettui.fleet.local_sources import local_sources
from fleettui.fleet.opening import Opening, open_fleet


def load_screen() -> Callable[[Fleet, Settings], int]:
    """Imports the UI, which takes a moment; returns what runs it."""
    from fleettui.tui.startup import prepare

    prepare()
    from fleettui.tui.app import run

    return run


def _settings(opening: Opening) -> Settings:
    """The settings, with the check-outs that are named beside the kubeconfig."""
    known = local_sources((), opening.settings, kubeconfig=opening.kubeconfig)
    return replace(opening.settings, local_sources=known)


def open_screen(opening: Opening) -> int:
    """Runs the UI until it is left; returns the exit code.

    Raises:
        UsageError: there is no terminal.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "the screen needs a terminal on stdin and stdout",
            hint="use `fleettui tree` or `fleettui get clusters` in pipes and scripts",
        )
    try:
        fleet = open_fleet(replace(opening, on_screen=True))
        return load_screen()(fleet, _settings(opening))
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
