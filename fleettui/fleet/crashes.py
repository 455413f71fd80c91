"""What ended a link that nobody expected to end: one line, and a report on disk.

Knows exceptions; refuses to know what the program held in its hands at that
moment: values of variables may be secrets, so a report has none of them.
"""

import traceback
from dataclasses import dataclass
from pathlib import Path

from fleettui.errors import FleettuiError
from fleettui.fleet.state_file import write_state

REPORT_LIMIT = 64 * 1024
"""Characters of a report that are kept: the end of it, where the reason stands."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a link ended."""

    at: int
    """Unix seconds."""
    error: str
    """One raw line."""
    hint: str


def reason_of(error: BaseException) -> BaseException:
    """The first exception inside groups of them, however deep."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def failure_of(error: BaseException, name: str, *, at: int, folder: Path | None) -> Failure:
    """What to tell of a link's end; an unexpected one is written down, too. Blocks shortly.

    Args:
        error: what ended the link.
        name: the context.
        at: Unix seconds.
        folder: where reports go; None writes none.
    """
    reason = reason_of(error)
    if isinstance(reason, FleettuiError):
        return Failure(at, str(reason), reason.hint)
    words = str(reason).partition("\n")[0]
    line = f"the program failed here: {type(reason).__name__}" + (f": {words}" if words else "")
    return Failure(at, line, _written(error, name, at=at, folder=folder))


def _written(error: BaseException, name: str, *, at: int, folder: Path | None) -> str:
    again = ":ctx closes and opens the context again"
    if folder is None:
        return again
    text = f"context {name!r}\n" + "".join(traceback.format_exception(error))
    path = folder / f"crash-{at}.txt"
    try:
        write_state(path, text[-REPORT_LIMIT:].encode(errors="replace"))
    except FleettuiError:
        return again  # a full disk must not hide the failure itself
    return f"{again}; the report, without any values: {path}"
