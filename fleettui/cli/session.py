"""One command's use of a fleet: open, wait, do, close; and the exit code of what was known."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from fleettui.cli.output import Output
from fleettui.errors import ConnectError, ExitCode, FleettuiError
from fleettui.fleet import ContextState, Fleet
from fleettui.fleet.context import ContextInfo, recorded_words
from fleettui.fleet.gaps import summed_up
from fleettui.fleet.needs import KindKey, not_permitted
from fleettui.fleet.opening import Opening, open_fleet

DEFAULT_TIMEOUT_S = 60.0
_PROGRESS_S = 0.5

_NEVER = frozenset({ContextState.FAILED, ContextState.CONNECTING})
_SLOW = {
    ContextState.CONNECTING: "no whole answer in time",
    ContextState.SYNCING: "not all was read in time; --timeout SECONDS waits longer",
}
"""What a state means where nobody waits any longer."""

Work = Callable[[Fleet], Awaitable[int]]


def with_fleet(opening: Opening, output: Output, work: Work, *, timeout_s: float) -> int:
    """Runs ``work`` on a fleet that had ``timeout_s`` seconds to answer for everything.

    Raises:
        ConnectError: not one context could be read.
    """

    async def session() -> int:
        fleet = open_fleet(opening)
        await fleet.start()
        try:
            await _synced(fleet, output, timeout_s)
            fleet.settle()
            return await work(fleet)
        finally:
            await fleet.close()

    return asyncio.run(session())


async def _synced(fleet: Fleet, output: Output, timeout_s: float) -> None:
    """Waits, showing progress on a terminal."""
    shows_progress = sys.stderr.isatty()
    waiting = asyncio.create_task(fleet.wait_synced(timeout_s))
    while not waiting.done():
        await asyncio.wait({waiting}, timeout=_PROGRESS_S)
        if shows_progress and not waiting.done():
            loaded = sum(info.loaded for info in fleet.contexts())
            print(f"\rreading {loaded} objects…\x1b[K", end="", file=sys.stderr, flush=True)
    if shows_progress:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    await waiting
    never = [info for info in fleet.contexts() if info.state in _NEVER]
    if never and len(never) == len(fleet.contexts()):
        raise _unreached(never[0], timeout_s)
    _require_fleet(fleet)
    for info in fleet.contexts():
        if info.state is ContextState.RECORDED:
            words = [
                f"{info.name}: as of {recorded_words(info)}",
                *([info.note] if info.note else []),
            ]
            output.say("; ".join(words))
    for info in fleet.left_out():
        output.say(f"left out: {info.name}: {info.error}")


def _unreached(info: ContextInfo, timeout_s: float) -> ConnectError:
    """Why nothing is known of a context, and what a person can do."""
    error, hint = info.error or "cannot be reached", info.hint
    if info.state is ContextState.CONNECTING:
        error = f"no whole answer within {timeout_s:.0f} s from {info.server}"
        hint = "Is a proxy, VPN or sign-in program slow? --timeout SECONDS waits longer."
    if hint and info.origin:
        hint = f"{hint} ({info.origin})"
    return ConnectError(error, where=info.name, hint=hint)


def _require_fleet(fleet: Fleet) -> None:
    """An empty answer must not be taken for a healthy fleet where there is none.

    Raises:
        FleettuiError: no context serves anything that a fleet is made of.
    """
    shown = fleet.contexts()
    without = [info for info in shown if info.state is ContextState.LIVE and info.error]
    if len(without) < len(shown):
        return
    for info in (*without, *fleet.left_out()):
        raise FleettuiError(info.error, where=info.name, hint=info.hint)


def is_complete(fleet: Fleet) -> bool:
    """Whether every context was read whole."""
    return all(
        info.state in (ContextState.LIVE, ContextState.RECORDED) and not info.missing
        for info in fleet.contexts()
    )


def completeness(
    fleet: Fleet, output: Output, *, allow_partial: bool, extra: frozenset[KindKey] = frozenset()
) -> ExitCode:
    """0 when everything asked for was read; 3, with the reasons told, when not.

    Args:
        fleet: what was read.
        output: where reasons are told.
        allow_partial: never 3.
        extra: kinds that add to the answer, as (group, kind): that they may not be read is
            told, and is no failure.
    """
    is_partial = False
    for info in fleet.contexts():
        unseen = not_permitted(fleet, info.name, extra) if extra and info.missing else ()
        missing = tuple(words for words in info.missing if _kind_of(words) not in unseen)
        if unseen:
            output.say(f"not seen: {info.name}: no right to {', '.join(unseen)}")
        if info.state in (ContextState.LIVE, ContextState.RECORDED) and not missing:
            continue
        is_partial = True
        reason = info.error or _SLOW.get(info.state, info.state.value)
        for text in summed_up(missing) or (reason,):
            output.say(f"incomplete: {info.name}: {text}")
        if missing and not info.loaded:
            output.say("  hint: nothing may be read here; ask for the right to list these kinds")
    return ExitCode.INCOMPLETE if is_partial and not allow_partial else ExitCode.OK


def _kind_of(words: str) -> str:
    """The kind that a line of what is missing is about: ``forbidden: pods in a: why``."""
    return words.partition(": ")[2].partition(":")[0].partition(" in ")[0]
