"""Waiting for a program in a pilot: for its states, never for a time.

Textual's own pilot takes a process that used no processor time for 20 ms to have finished;
on a busy machine it has merely not been let run. Here the event loop is asked instead.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from textual import app as textual_app
from textual import pilot as textual_pilot
from textual.pilot import Pilot

LONGEST_S = 60.0
"""Ten times what a busy machine needs."""
BREATH_S = 0.02
"""Timers that are due sooner belong to what was done."""
QUIET_TURNS = 3
"""Turns of the loop in a row without work: one may lie between a timer and its callback."""


async def settled(min_sleep: float = BREATH_S, max_sleep: float = LONGEST_S) -> None:
    """Returns once the event loop has nothing to do but to wait.

    Args:
        min_sleep: seconds in which timers may fire first, never less than a breath.
        max_sleep: seconds after which a loop that is never idle is let be.
    """
    loop: Any = asyncio.get_running_loop()
    until = loop.time() + max_sleep
    await asyncio.sleep(max(min_sleep, BREATH_S))
    quiet = 0
    while quiet < QUIET_TURNS and loop.time() < until:
        await asyncio.sleep(0)
        quiet = 0 if loop._ready else quiet + 1


async def _pause(pilot: Pilot[Any], delay: float | None = None) -> None:
    """What ``Pilot.pause`` does, with everything done that was begun in the meantime."""
    await pilot._wait_for_screen()
    await settled(delay or 0)
    pilot.app.screen._on_timer_update()


async def _press(pilot: Pilot[Any], *keys: str) -> None:
    """What ``Pilot.press`` does, each key once what the one before it began is done."""
    loop = asyncio.get_running_loop()
    app: Any = pilot.app
    for key in keys:
        await app._press_keys((key,))
        until = loop.time() + LONGEST_S
        while _is_acting(app) and loop.time() < until:
            await settled(0)
    await pilot._wait_for_screen()


def _is_acting(app: Any) -> bool:
    """Whether the program acts on a key; before it is there, keys wait for longer."""
    return bool(getattr(app, "typed_ahead", 0)) and app.is_ready()


@pytest.fixture(autouse=True)
def pilot_waits_for_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes every ``press`` and ``pause`` of a pilot independent of the machine's load."""
    monkeypatch.setattr(textual_app, "wait_for_idle", settled)
    monkeypatch.setattr(textual_pilot, "wait_for_idle", settled)
    monkeypatch.setattr(Pilot, "pause", _pause)
    monkeypatch.setattr(Pilot, "press", _press)


def shown(pilot: Pilot[Any]) -> str:
    """What the terminal shows."""
    return "\n".join(strip.text for strip in pilot.app.screen._compositor.render_strips())


async def becomes(pilot: Pilot[Any], is_so: Callable[[], object]) -> None:
    """Returns once it is so; fails with the screen when it never is."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_S
    while not is_so():
        if loop.time() > until:
            raise AssertionError(f"it never became so\n{shown(pilot)}")
        await pilot.pause()


async def in_front(pilot: Pilot[Any], sort: type) -> None:
    """Returns once a screen of this sort is there for keys."""
    await becomes(pilot, lambda: isinstance(pilot.app.screen, sort) and pilot.app.screen.is_mounted)


async def shows(pilot: Pilot[Any], *words: str, no: tuple[str, ...] = ()) -> str:
    """The screen once it shows all the words and none of ``no``."""
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST_S
    while True:
        text = shown(pilot)
        lacks = [word for word in words if word not in text]
        extra = [word for word in no if word in text]
        if not lacks and not extra:
            return text
        if loop.time() > until:
            raise AssertionError(f"never shown: {lacks}; always shown: {extra}\n{text}")
        await pilot.pause()
