"""Carries a verb of the command line out: select, plan, confirm, execute, tell.

Knows the fleet and its acts; knows no verb. stdout gets the document, stderr the
progress; the first ctrl-c stops a bulk where it stands, the second leaves.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import msgspec

from fleettui.actions.options import Options
from fleettui.actions.plan import Acknowledgement, Plan, Refusal, Step
from fleettui.cli.asking import confirm
from fleettui.cli.output import Output, render, table_text
from fleettui.cli.plan_words import (
    SIGNS,
    count_words,
    outcome_form,
    outcome_rows,
    plan_form,
    plan_lines,
    refusal_form,
    refusal_lines,
)
from fleettui.cli.session import with_fleet
from fleettui.errors import ExitCode, RefusedError, UsageError
from fleettui.fleet import Fleet
from fleettui.fleet.acts import Acts, person
from fleettui.fleet.opening import Opening, is_read_only, user_kinds
from fleettui.fleet.outcome import Outcome, Report
from fleettui.fleet.selection import Selection, kinds_of_query, kinds_of_words, matching, named
from fleettui.index.query import parse
from fleettui.kinds import load_table


@dataclass(frozen=True, slots=True)
class Errand:
    """How a verb is to be carried out."""

    verb: str
    reason: str = ""
    only_plans: bool = False
    dry_run: bool = False
    """The server only checks."""
    yes: bool = False
    typed: str = ""
    waits: bool = True
    wait_timeout_s: int | None = None
    mirrors_events: bool = False
    form: str = "table"
    timeout_s: float = 60.0


def run_verb(
    opening: Opening,
    output: Output,
    errand: Errand,
    words: Sequence[str],
    expression: str,
    options: Options,
) -> int:
    """Does a verb to the named objects, or to all that match.

    Raises:
        FleettuiError: nothing was done, and why.
    """
    _require_writing(opening)
    query = parse(expression) if expression else None
    table = load_table(user_kinds())
    asked = kinds_of_query(query, table) if query else kinds_of_words(words, table)
    # Named objects are read anew for the plan, so no more of the fleet is needed than them.
    depth = opening.depth or ("" if query else "spine")
    opened = replace(opening, asked=opening.asked | asked, depth=depth)

    async def work(fleet: Fleet) -> int:
        selection = matching(fleet, query) if query else named(fleet, words)
        return await _act(fleet, output, errand, selection, options, is_filter=query is not None)

    return with_fleet(opened, output, work, timeout_s=errand.timeout_s)


def run_again(opening: Opening, output: Output, errand: Errand, name: str, *, undo: bool) -> int:
    """Goes on with a kept plan where it stopped, or undoes it.

    Raises:
        FleettuiError: nothing was done, and why.
    """
    _require_writing(opening)

    async def work(fleet: Fleet) -> int:
        acts = _acts_of(fleet)
        if undo:
            return await _carry_out(fleet, output, errand, acts.undo_of(name))
        rest = acts.rest_of(name)
        if isinstance(rest, Refusal):
            return _refused(output, errand, rest)
        if rest.verb != errand.verb:
            raise UsageError(f"plan {rest.id} is a {rest.verb}, not a {errand.verb}")
        return await _carry_out(fleet, output, errand, rest)

    opened = replace(opening, depth=opening.depth or "spine")
    return with_fleet(opened, output, work, timeout_s=errand.timeout_s)


def _require_writing(opening: Opening) -> None:
    """Before anything is opened.

    Raises:
        RefusedError: this run may not change anything.
    """
    if opening.sources:
        raise RefusedError("a recording cannot be changed", hint="leave --from out")
    if is_read_only(opening):
        raise RefusedError(
            "this run is read-only, so nothing is planned",
            hint="leave --read-only, FLEETTUI_READ_ONLY and read_only in the settings out",
        )


def _acts_of(fleet: Fleet) -> Acts:
    if fleet.acts is None:
        raise RefusedError("this run is read-only, so nothing is planned")
    return fleet.acts


async def _act(
    fleet: Fleet,
    output: Output,
    errand: Errand,
    selection: Selection,
    options: Options,
    *,
    is_filter: bool,
) -> int:
    who = person(fleet.contexts())
    wishes = replace(
        options, who=who.server or who.local, reason=errand.reason, all_matching=is_filter
    )
    acts = _acts_of(fleet)
    found = await acts.plan(errand.verb, selection.refs, wishes, scope_gaps=selection.gaps)
    if isinstance(found, Refusal):
        return _refused(output, errand, found)
    return await _carry_out(fleet, output, errand, found)


def _refused(output: Output, errand: Errand, refusal: Refusal) -> int:
    for line in refusal_lines(refusal):
        output.say(line)
    if errand.form == "json":
        output.write(render(refusal_form(refusal), "json"))
    return int(ExitCode.REFUSED)


async def _carry_out(fleet: Fleet, output: Output, errand: Errand, plan: Plan) -> int:
    plan = _patient(plan, errand)
    if errand.only_plans:
        text = render(plan_form(plan), "json") if errand.form == "json" else _text(plan)
        output.write(text)
        return int(ExitCode.OK)
    is_meant = errand.dry_run or await confirm(plan, output, yes=errand.yes, typed=errand.typed)
    if not is_meant:
        raise RefusedError("nothing was done", hint="it was not confirmed")
    acts = _acts_of(fleet)
    steps = {step.id: step for step in plan.steps}

    def progress(report: Report) -> None:
        if report.state in SIGNS:
            output.say(_progress_line(steps[report.step], report))

    cancel = asyncio.Event()
    with _interrupts(cancel, output):
        outcome = await acts.execute(
            plan,
            who=person(fleet.contexts()),
            why=errand.reason,
            servers={info.name: info.server for info in fleet.contexts()},
            dry_run=errand.dry_run,
            mirrors_events=errand.mirrors_events,
            progress=progress,
            cancel=cancel,
        )
    return _told(output, errand, plan, outcome, is_cancelled=cancel.is_set())


def _text(plan: Plan) -> str:
    return "\n".join(plan_lines(plan))


def _progress_line(step: Step, report: Report) -> str:
    said = f": {report.message}" if report.message else ""
    state = report.state.value.replace("_", " ")
    return f"{SIGNS[report.state]} {state} {step.title} {step.patch.target}{said}"


def _told(
    output: Output, errand: Errand, plan: Plan, outcome: Outcome, *, is_cancelled: bool
) -> int:
    if errand.form == "json":
        output.write(render(outcome_form(plan, outcome, dry_run=errand.dry_run), "json"))
    else:
        header = ("STATE", "STEP", "OBJECT", "SAYS")
        output.write("\n".join(table_text(header, outcome_rows(plan, outcome))))
    output.say(count_words(report.state for report in outcome.reports))
    if outcome.stopped_by:
        output.say(f"stopped by: {outcome.stopped_by}")
    if outcome.token.left and outcome.token.done and not errand.dry_run:
        output.say(f"go on with: fleettui {plan.verb} --resume {plan.id}")
    return int(ExitCode.INTERRUPTED if is_cancelled else outcome.exit_code)


def _patient(plan: Plan, errand: Errand) -> Plan:
    """The plan with the patience that was asked for; what others wait for is always awaited."""
    needed = {number for step in plan.steps for number in step.after}

    def awaited(step: Step) -> Acknowledgement:
        usual = step.patch.acknowledged_by
        if not errand.waits and step.id not in needed:
            return Acknowledgement()
        if errand.wait_timeout_s is None:
            return usual
        return msgspec.structs.replace(usual, timeout_s=errand.wait_timeout_s)

    steps = tuple(
        msgspec.structs.replace(
            step, patch=msgspec.structs.replace(step.patch, acknowledged_by=awaited(step))
        )
        for step in plan.steps
    )
    return msgspec.structs.replace(plan, steps=steps)


@contextmanager
def _interrupts(cancel: asyncio.Event, output: Output) -> Iterator[None]:
    """The first ctrl-c stops what is not yet sent; a second ends the program."""
    loop = asyncio.get_running_loop()
    main: Callable[[], object] | None = None
    if (task := asyncio.current_task()) is not None:
        main = task.cancel

    def stop() -> None:
        if not cancel.is_set():
            output.say("stopping: what was sent is told, the rest is left (ctrl-c again: leave)")
            cancel.set()
        elif main is not None:
            main()

    loop.add_signal_handler(signal.SIGINT, stop)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
