"""The end of a link that nobody expected."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fleettui.errors import FleettuiError
from fleettui.fleet.context import ContextInfo, ContextState
from fleettui.fleet.fleet import Fleet
from fleettui.kinds import load_table


class EndingLink:
    """A link that ends by an exception as soon as it runs."""

    def __init__(self, error: BaseException, *, name: str = "mgmt") -> None:
        self.name = name
        self._error = error

    def info(self) -> ContextInfo:
        """It never says more than that it reads."""
        return ContextInfo(self.name, state=ContextState.SYNCING)

    async def run(self, emit: Callable[[Any], None], changed: Callable[[], None]) -> None:
        """Ends."""
        password = "hunter2"  # what a report must not tell
        await asyncio.sleep(0)
        raise self._error if password else KeyError

    async def close(self) -> None:
        """Nothing to close."""


async def ended(error: BaseException, folder: Path | None) -> ContextInfo:
    """How a context stands after its link ended so."""
    link: Any = EndingLink(error)
    fleet = Fleet(load_table(), [link], read_only=True, clock=lambda: 1_790_000_000)
    fleet.links.crash_folder = folder
    await fleet.start()
    assert await fleet.wait_synced(120)
    (info,) = fleet.contexts()
    await fleet.close()
    return info


async def test_link_that_crashes_is_a_failed_context_with_a_report(tmp_path: Path) -> None:
    """A bug in one context must not look like reading for ever, nor print passwords."""
    error = ExceptionGroup("several", [ExceptionGroup("inner", [KeyError("spec")])])
    info = await ended(error, tmp_path / "crashes")
    assert info.state is ContextState.FAILED
    assert info.error == "the program failed here: KeyError: 'spec'"
    (report,) = (tmp_path / "crashes").iterdir()
    assert str(report) in info.hint
    text = report.read_text()
    assert "KeyError" in text
    assert "hunter2" not in text.replace('password = "hunter2"', "")
    assert report.stat().st_mode & 0o077 == 0


async def test_link_that_crashes_without_a_folder_still_tells(tmp_path: Path) -> None:
    """A state folder that cannot be written to must not hide the failure."""
    (tmp_path / "file").write_text("")
    for folder in (None, tmp_path / "file" / "crashes"):
        info = await ended(RuntimeError("broken\nin two lines"), folder)
        assert info.state is ContextState.FAILED
        assert info.error == "the program failed here: RuntimeError: broken"
        assert ":ctx" in info.hint


async def test_link_that_ends_by_an_error_of_ours_keeps_its_words() -> None:
    """A wrong token must be told as such, not as a failure of the program."""
    error = ExceptionGroup("", [FleettuiError("the token is wrong", hint="log in again")])
    info = await ended(error, None)
    assert (info.state, info.error, info.hint) == (
        ContextState.FAILED,
        "the token is wrong",
        "log in again",
    )
