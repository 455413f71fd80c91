"""Opens the terminal program.

Where the same words opened the same contexts before, the clusters of last time are
on screen before the rest is imported; otherwise mistakes are told before anything is.
"""

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from fleettui.config import Settings
from fleettui.errors import ExitCode, UsageError
from fleettui.fleet.front import FrontPage
from fleettui.fleet.opening import Opening, open_fleet

if TYPE_CHECKING:
    from fleettui.fleet.fleet import Fleet
    from fleettui.recorded.shards import Head
    from fleettui.tui.opening import OpeningApp


def load_screen() -> "Callable[[Fleet, Settings], int]":
    """Imports the UI, which takes a moment; returns what runs it."""
    from fleettui.tui.startup import prepare

    prepare()
    from fleettui.tui.app import run

    return run


def _settings(opening: Opening) -> Settings:
    """The settings, with the check-outs that are named beside the kubeconfig."""
    from fleettui.fleet.local_sources import local_sources

    known = local_sources((), opening.settings, kubeconfig=opening.kubeconfig)
    return replace(opening.settings, local_sources=known)


def _run_from_heads(opening: Opening, heads: "Mapping[str, Head]") -> int:
    from fleettui.tui.startup import prepare

    prepare()
    from fleettui.tui.opening import run_opening
    from fleettui.tui.theme import theme_of

    def load() -> "Callable[[OpeningApp], None]":
        from fleettui.tui.app import take_over

        fleet, settings = open_fleet(opening), _settings(opening)
        return lambda app: take_over(app, fleet, settings)

    return run_opening(theme_of(opening.settings.theme, os.environ), heads=heads, load=load)


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
    opening = replace(opening, on_screen=True)
    try:
        if heads := FrontPage(opening).heads():
            return _run_from_heads(opening, heads)
        return load_screen()(open_fleet(opening), _settings(opening))
    except KeyboardInterrupt:
        return int(ExitCode.INTERRUPTED)
