"""Carries a plan out: one journalled request after another, in waves.

Knows the order intent → request → outcome → acknowledgement and when to stop;
knows no verb and no transport. A lost answer is never taken for success and
never sent again; a conflict is looked at again once.
"""

import asyncio
import contextlib
from collections.abc import Callable

from fleettui.actions.acknowledge import Answer, Notice, answer_of
from fleettui.actions.bulk import ResumeToken
from fleettui.actions.documents import generation_of, text_at, uid_of
from fleettui.actions.facts import Document
from fleettui.actions.plan import ContentType, Method, Patch, Plan, Refusal, Step
from fleettui.actions.precheck import precheck
from fleettui.actions.trace import event_of, seen_words
from fleettui.audit import Journal, JournalError, Result
from fleettui.errors import FleettuiError
from fleettui.fleet.ledger import Ledger
from fleettui.fleet.outcome import RESULTS, WRITTEN, Errand, Outcome, Report, StepState
from fleettui.fleet.writing import Clock, Observer, Reader, WriteFailure, Writer, sleep_unless

MAX_WAITS = 3
"""Most times that a server which asks us to slow down (429) is asked again."""

MAX_WAIT_S = 60.0
HTTP_CONFLICT = 409
HTTP_INVALID = 422
HTTP_THROTTLED = 429


async def execute(
    plan: Plan,
    *,
    writer: Writer,
    reader: Reader,
    observer: Observer,
    journal: Journal,
    clock: Clock,
    errand: Errand,
    progress: Callable[[Report], None] = lambda report: None,
    cancel: asyncio.Event | None = None,
) -> Outcome:
    """Sends the plan's patches and waits until they are acknowledged.

    Stops at the first step that is not done: what runs already is awaited, the
    rest is left for the token. Setting ``cancel`` stops it likewise and gives up
    waiting; what was put aside temporarily is still put back.

    Raises:
        JournalError: nothing was sent, because the journal cannot be written.
    """
    await asyncio.to_thread(journal.check)
    run = _Run(plan, writer, reader, observer, journal, clock, errand, progress, cancel)
    for wave in plan.waves:
        await run.wave(wave)
    return run.outcome()


class _Run:
    """One execution; all its state lives in one event loop."""

    def __init__(
        self,
        plan: Plan,
        writer: Writer,
        reader: Reader,
        observer: Observer,
        journal: Journal,
        clock: Clock,
        errand: Errand,
        progress: Callable[[Report], None],
        cancel: asyncio.Event | None,
    ) -> None:
        self._plan = plan
        self._writer = writer
        self._reader = reader
        self._observer = observer
        self._ledger = Ledger(plan, journal, clock, errand)
        self._clock = clock
        self._errand = errand
        self._progress = progress
        self._cancel = cancel or asyncio.Event()
        self._never = asyncio.Event()
        self._steps = {step.id: step for step in plan.steps}
        self._reports = {step.id: Report(step.id, StepState.PENDING) for step in plan.steps}
        self._settled = {step.id: asyncio.Event() for step in plan.steps}
        self._slots = asyncio.Semaphore(max(plan.in_flight, 1))
        self._next_start = clock.monotonic()
        self._stopped_by = ""

    async def wave(self, wave: tuple[int, ...]) -> None:
        """Runs the steps of a wave to their end; a broken one never leaves others unwatched."""
        tasks = [asyncio.ensure_future(self._settle(self._steps[number])) for number in wave]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def outcome(self) -> Outcome:
        """What came of the plan so far."""
        reports = tuple(self._reports[step.id] for step in self._plan.steps)
        unknown = tuple(r.step for r in reports if r.state is StepState.UNKNOWN)
        done = tuple(r.step for r in reports if r.state in WRITTEN)
        token = ResumeToken(
            plan_id=self._plan.id,
            done=done,
            unknown=unknown,
            left=tuple(r.step for r in reports if r.step not in {*done, *unknown}),
            stopped_by=self._stopped_by,
        )
        return Outcome(self._plan.id, reports, self._stopped_by, token)

    async def _settle(self, step: Step) -> None:
        try:
            state, message = await self._advance(step)
            if state is not StepState.DONE:
                self._stop(f"{step.title} {step.patch.target}: {message or state.value}")
            self._tell(step, state, message)
        finally:
            self._settled[step.id].set()

    async def _advance(self, step: Step) -> tuple[StepState, str]:
        for earlier in step.after:
            await self._settled[earlier].wait()
        reason = self._obstacle(step)
        if reason:
            return StepState.NOT_SENT, reason
        async with self._slots:
            await self._pace()
            reason = self._obstacle(step)
            if reason:
                return StepState.NOT_SENT, reason
            try:
                return await self._attempt(step)
            except JournalError as error:
                return StepState.NOT_SENT, str(error)

    def _obstacle(self, step: Step) -> str:
        """Why a step may not start, empty when it may."""
        states = [self._reports[earlier].state for earlier in step.after]
        if step.is_cleanup:
            may_be_there = WRITTEN | {StepState.UNKNOWN}
            return "" if may_be_there.issuperset(states) else "there is nothing to put back"
        if self._cancel.is_set():
            return "cancelled"
        if any(state is not StepState.DONE for state in states):
            return "a step before it was not done"
        return self._stopped_by and f"stopped after: {self._stopped_by}"

    async def _pace(self) -> None:
        """Keeps the rate of requests; the first is not held back."""
        if not self._plan.rate_per_s:
            return
        now = self._clock.monotonic()
        start = max(self._next_start, now)
        self._next_start = start + 1 / self._plan.rate_per_s
        if start > now:
            await sleep_unless(self._cancel, start - now, self._clock)

    async def _attempt(self, step: Step) -> tuple[StepState, str]:
        """Sends a step, again only where the server surely did nothing."""
        may_conflict, waits = True, 0
        while True:
            self._tell(step, StepState.CHECKING)
            checked = await self._checked(step)
            if isinstance(checked, str):
                return StepState.REFUSED, checked
            patch, before = checked
            self._tell(step, StepState.SENDING)
            number = await self._ledger.intend(step, patch, before)
            try:
                answer = await self._send(patch, before)
            except WriteFailure as failure:
                state, message = await self._failed(step, patch, number, failure)
                if may_conflict and _is_stale(failure, patch):
                    may_conflict = False
                elif failure.status == HTTP_THROTTLED and waits < MAX_WAITS:
                    waits += 1
                    await sleep_unless(
                        self._cancel, min(failure.retry_after_s or 1.0, MAX_WAIT_S), self._clock
                    )
                else:
                    return state, message
                if self._cancel.is_set():
                    return state, message
                continue
            except asyncio.CancelledError:
                self._ledger.conclude_now(
                    step, number, Result.UNKNOWN, "the program ended before the answer"
                )
                raise
            return await self._acknowledged(step, patch, number, before, answer)

    async def _checked(self, step: Step) -> tuple[Patch, Document] | str:
        """The patch to send and the object it is sent to, or why nothing is sent."""
        try:
            document = await self._reader.body(step.patch.ref)
        except FleettuiError as error:
            return f"it cannot be read again: {error}"
        patch = precheck(step.patch, document)
        if isinstance(patch, Refusal):
            return patch.reason
        assert document is not None  # a precheck refuses what is gone
        return patch, document

    async def _send(self, patch: Patch, before: Document) -> Document:
        body = patch.wire_body(text_at(before, ("metadata", "resourceVersion")))
        dry_run = self._errand.dry_run
        if patch.method is Method.DELETE:
            return await self._writer.delete(patch.target, body, dry_run=dry_run)
        return await self._writer.patch(
            patch.target,
            body,
            content_type=patch.content_type,
            subresource=patch.subresource,
            dry_run=dry_run,
        )

    async def _failed(
        self, step: Step, patch: Patch, number: str, failure: WriteFailure
    ) -> tuple[StepState, str]:
        if not failure.is_lost:
            await self._conclude(step, number, Result.REJECTED, str(failure))
            return StepState.REJECTED, str(failure)
        words = f"{failure}; {await self._second_look(patch)}"
        await self._conclude(step, number, Result.UNKNOWN, words)
        return StepState.UNKNOWN, f"the answer was lost, it may have been done: {words}"

    async def _second_look(self, patch: Patch) -> str:
        """What the object says after a lost answer; it decides nothing."""
        try:
            return seen_words(patch, await self._reader.body(patch.ref))
        except FleettuiError as error:
            return f"a second look failed: {error}"

    async def _acknowledged(
        self, step: Step, patch: Patch, number: str, before: Document, answer: Document
    ) -> tuple[StepState, str]:
        after = text_at(answer, ("metadata", "resourceVersion"))
        await self._conclude(step, number, Result.WRITTEN, "", after=after)
        await self._mirror(patch)
        if self._errand.dry_run:
            return StepState.DONE, "accepted by the server's dry run"
        if not patch.acknowledged_by.checks:
            return StepState.DONE, ""
        self._tell(step, StepState.WAITING, patch.acknowledged_by.words)
        state, message = await self._awaited(step, patch, uid_of(before), generation_of(answer))
        await self._conclude(step, number, RESULTS[state], message, after=after)
        return state, message

    async def _awaited(
        self, step: Step, patch: Patch, uid: str, generation: int
    ) -> tuple[StepState, str]:
        def judge(document: Document | None) -> Answer:
            return answer_of(patch.acknowledged_by, document, uid=uid, generation=generation)

        cancel = self._never if step.is_cleanup else self._cancel
        timeout_s = patch.acknowledged_by.timeout_s
        answer = await self._observer.wait(patch.target, judge, timeout_s=timeout_s, cancel=cancel)
        if answer is None:
            if cancel.is_set():
                return StepState.CANCELLED, "nobody waited for the acknowledgement"
            awaited = patch.acknowledged_by.words
            return StepState.TIMED_OUT, f"not acknowledged within {timeout_s} s: {awaited}"
        if answer.notice is Notice.ACKNOWLEDGED:
            return StepState.DONE, answer.words
        return StepState.FAILED, answer.words

    async def _mirror(self, patch: Patch) -> None:
        """Tells others of the cluster by an Event, if asked; a courtesy that may fail."""
        errand = self._errand
        if not errand.mirrors_events or errand.dry_run:
            return
        who = errand.who.server or errand.who.local
        event = event_of(
            patch, verb=self._plan.verb, who=who, why=errand.why, now=self._clock.now()
        )
        with contextlib.suppress(FleettuiError):  # the journal has it; the Event is a courtesy
            await self._writer.create_event(patch.target, event)

    def _stop(self, reason: str) -> None:
        self._stopped_by = self._stopped_by or reason

    def _tell(self, step: Step, state: StepState, message: str = "") -> None:
        report = Report(step.id, state, message)
        self._reports[step.id] = report
        self._progress(report)

    async def _conclude(
        self, step: Step, number: str, result: Result, message: str, *, after: str = ""
    ) -> None:
        """Records an outcome; when that fails, nothing more is sent."""
        try:
            await self._ledger.conclude(step, number, result, message, after=after)
        except JournalError as error:
            self._stop(f"{step.title} {step.patch.target}: its outcome is not recorded: {error}")


def _is_stale(failure: WriteFailure, patch: Patch) -> bool:
    """Whether the server refused because the object has changed since it was read.

    A failed ``test`` of a JSON patch is answered with 422.
    """
    is_test = failure.status == HTTP_INVALID and patch.content_type is ContentType.JSON
    return failure.status == HTTP_CONFLICT or is_test
