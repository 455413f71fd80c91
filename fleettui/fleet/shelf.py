"""Plans that were carried out, kept so that they can be resumed or undone.

Knows files of the person's own and what the journal says of a plan's steps;
knows no verb. What was done is read from the journal alone, so a program that
was killed is resumed from the truth, not from what it last believed.
"""

import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import msgspec

from fleettui.accounts import Wanted, accounts
from fleettui.actions.bulk import ResumeToken
from fleettui.actions.plan import Plan
from fleettui.audit import Entry, Result
from fleettui.errors import FleettuiError, UsageError

KEPT = 200
"""Plans kept; older ones can no longer be resumed or undone by their id."""
MAX_BYTES = 64 << 20
_ID = re.compile(r"[0-9a-f]{6,64}")
_WRITTEN = frozenset(
    {Result.WRITTEN, Result.ACKNOWLEDGED, Result.FAILED, Result.TIMED_OUT, Result.CANCELLED}
)


class PlanShelf:
    """A folder of plans, each in a file named by its id."""

    def __init__(self, folder: Path) -> None:
        """Remember the place; nothing is made yet."""
        self._folder = folder

    def keep(self, plan: Plan) -> None:
        """Puts a plan on the disk before it is carried out; blocks.

        Raises:
            FleettuiError: it cannot be written, so it could not be resumed.
        """
        path = self._folder / f"{plan.id}.json"
        part = path.with_suffix(".part")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
            with open(os.open(part, flags, 0o600), "wb") as stream:  # noqa: PTH123  (a descriptor)
                stream.write(msgspec.json.encode(plan))
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        except OSError as error:
            raise FleettuiError(
                f"the plan cannot be kept: {error.strerror or error}",
                where=str(path),
                hint="nothing is sent; free some space or fix the folder",
            ) from error
        self._prune()

    def _prune(self) -> None:
        with suppress(OSError):  # too many old plans are untidy, not wrong
            found = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime)
            for path in found[:-KEPT]:
                path.unlink()

    def load(self, name: str) -> Plan:
        """A plan by its id, or by the path of its file.

        Raises:
            UsageError: there is none, or the file is not one.
        """
        path = self._folder / f"{name}.json" if _ID.fullmatch(name) else Path(name)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise UsageError("is too large for a plan", where=str(path))
            return msgspec.json.decode(path.read_bytes(), type=Plan)
        except FileNotFoundError:
            raise UsageError(
                f"no plan {name!r} is kept", hint="see: fleettui journal, column PLAN"
            ) from None
        except OSError as error:
            raise UsageError(f"cannot be read: {error.strerror}", where=str(path)) from error
        except msgspec.MsgspecError as error:
            raise UsageError(f"is no plan: {error}", where=str(path)) from error


def token_of(plan: Plan, entries: Iterable[Entry]) -> ResumeToken:
    """Where a plan stands by what the journal says; dry runs do not count.

    Of a step that was sent more than once the most that may have happened counts.
    """
    found: dict[int, set[Result]] = {}
    for account in accounts(entries, Wanted(plan=plan.id)):
        if not account.intent.dry_run:
            found.setdefault(account.intent.step, set()).add(account.result)
    done = tuple(s.id for s in plan.steps if found.get(s.id, set()) & _WRITTEN)
    unknown = tuple(
        s.id for s in plan.steps if s.id not in done and Result.UNKNOWN in found.get(s.id, set())
    )
    left = tuple(s.id for s in plan.steps if s.id not in {*done, *unknown})
    return ResumeToken(plan_id=plan.id, done=done, unknown=unknown, left=left)
