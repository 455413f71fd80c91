"""Writes the journal's lines of one execution: intents before, outcomes after.

Knows what an entry holds of a plan; decides nothing.
"""

import asyncio
import contextlib
import itertools

from fleettui.actions.documents import text_at
from fleettui.actions.facts import Document
from fleettui.actions.plan import Patch, Plan, Step
from fleettui.audit import Entry, Journal, JournalError, Result, What, moment_text
from fleettui.fleet.outcome import Errand
from fleettui.fleet.writing import Clock


class Ledger:
    """The journal, seen from one execution of one plan."""

    def __init__(self, plan: Plan, journal: Journal, clock: Clock, errand: Errand) -> None:
        """Remember whose entries these are."""
        self._plan = plan
        self._journal = journal
        self._clock = clock
        self._errand = errand
        self._serial = itertools.count()
        self._started = moment_text(clock.now())

    async def intend(self, step: Step, patch: Patch, before: Document) -> str:
        """Puts an intent on the disk and gives the number under which its outcome follows.

        Raises:
            JournalError: it is not on the disk, so nothing may be sent.
        """
        number = f"{self._plan.id}-{self._started}-{step.id}-{next(self._serial)}"
        entry = self._intent(step, patch, number, text_at(before, ("metadata", "resourceVersion")))
        try:
            await asyncio.to_thread(self._journal.append, entry)
        except asyncio.CancelledError:
            self.conclude_now(step, number, Result.REJECTED, "not sent: the program was ending")
            raise
        return number

    async def conclude(
        self, step: Step, number: str, result: Result, message: str, *, after: str = ""
    ) -> None:
        """Puts an outcome on the disk.

        Raises:
            JournalError: it is not there; nothing more may be sent.
        """
        entry = self._outcome(step, number, result, message, after)
        await asyncio.to_thread(self._journal.append, entry)

    def conclude_now(self, step: Step, number: str, result: Result, message: str) -> None:
        """Puts an outcome on the disk and blocks meanwhile, for a program that is ending."""
        with contextlib.suppress(JournalError):  # the intent alone reads "unknown", which is true
            self._journal.append(self._outcome(step, number, result, message, ""))

    def _intent(self, step: Step, patch: Patch, number: str, version: str) -> Entry:
        target = patch.target
        return Entry(
            what=What.INTENT,
            id=number,
            at=moment_text(self._clock.now()),
            plan=self._plan.id,
            step=step.id,
            verb=self._plan.verb,
            who=self._errand.who,
            why=self._errand.why,
            context=target.context,
            server=self._errand.servers.get(target.context, ""),
            group=target.group,
            kind=target.kind,
            namespace=target.namespace,
            name=target.name,
            uid=patch.preconditions.uid,
            method=patch.method.value,
            path=target.path(patch.subresource),
            dry_run=self._errand.dry_run,
            patch=patch.wire_body(version),
            before=version,
        )

    def _outcome(self, step: Step, number: str, result: Result, message: str, after: str) -> Entry:
        return Entry(
            what=What.OUTCOME,
            id=number,
            at=moment_text(self._clock.now()),
            plan=self._plan.id,
            step=step.id,
            result=result,
            message=message,
            after=after,
        )
