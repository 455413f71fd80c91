"""Plans, refusals and outcomes as lines for a terminal and as documents for programs.

Knows plans; opens nothing. Nothing that would be sent is left out of either.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleettui.actions.bulk import pace_words
from fleettui.actions.commands import as_flux, as_kubectl
from fleettui.actions.plan import Patch, Plan, Refusal, Step, Target, refusals_of, to_json
from fleettui.fleet.outcome import Outcome, StepState
from fleettui.redaction import masked
from fleettui.text import safe_text

PLAN_SCHEMA = "fleettui.plan/v1"
REFUSAL_SCHEMA = "fleettui.refusal/v1"
OUTCOME_SCHEMA = "fleettui.outcome/v1"
SIGNS: Mapping[StepState, str] = {
    StepState.DONE: "✓",
    StepState.WAITING: "◐",
    StepState.FAILED: "✗",
    StepState.REJECTED: "✗",
    StepState.REFUSED: "✗",
    StepState.UNKNOWN: "?",
    StepState.TIMED_OUT: "!",
    StepState.CANCELLED: "!",
    StepState.NOT_SENT: "·",
}
"""Marks of states worth a line; the others pass too quickly."""


def title_of(plan: Plan) -> str:
    """What the plan does, in a few words."""
    count = len(plan.targets)
    return f"{plan.verb} {plan.targets[0] if count == 1 else f'{count} objects'}"


def plan_lines(plan: Plan) -> list[str]:
    """Everything that a person must know before confirming, raw text made safe."""
    return [safe_text(line) for line in _plan_lines(plan)]


def _plan_lines(plan: Plan) -> Iterator[str]:
    waves = f", in {len(plan.waves)} waves, canary first" if len(plan.waves) > 1 else ""
    yield f"PLAN {plan.id}: {title_of(plan)} ({plan.danger.value}{waves})"
    if pace := pace_words(plan, len(plan.steps)):
        yield f"  {pace}"
    for warning in plan.warnings:
        yield f"! {warning.target + ': ' if warning.target else ''}{warning.text}"
        yield from (f"    instead: {line}" for line in warning.sequence)
    for step in plan.steps:
        yield from _step_lines(step)
    if plan.blast_radius:
        yield f"BLAST RADIUS: {len(plan.blast_radius)}"
    for impact in plan.blast_radius:
        where = f" on {impact.cluster}" if impact.cluster else ""
        yield f"  {impact.target}: {impact.words}{where}"
    undo = f"fleettui undo {plan.id}" if plan.undo else "cannot be undone from here"
    yield f"UNDO: {undo}"
    if plan.refused:
        yield f"LEFT OUT: {len(plan.refused)}"
    for refusal in plan.refused:
        yield from (f"  {line}" for line in _refusal_lines(refusal))


def _step_lines(step: Step) -> Iterator[str]:
    after = f" after {', '.join(str(number + 1) for number in step.after)}" if step.after else ""
    yield f"{step.id + 1}. {step.title} {step.patch.target}{after}"
    patch = step.patch
    yield f"     {patch.method.value} {patch.target.path(patch.subresource)}"
    yield f"     {body_text(patch)}"
    yield f"     waits for {patch.acknowledged_by.words}"


def body_text(patch: Patch) -> str:
    """The body as it is sent, on one line, secrets masked."""
    return json.dumps(masked(patch.wire_body()), ensure_ascii=False)


def refusal_lines(refusal: Refusal) -> list[str]:
    """Why nothing is planned, and what would work; safe to show."""
    return [safe_text(line) for one in refusals_of(refusal) for line in _refusal_lines(one)]


def _refusal_lines(refusal: Refusal) -> Iterator[str]:
    yield f"{refusal.target + ': ' if refusal.target else ''}{refusal.reason}"
    if refusal.missing_rule:
        yield f"  missing right: {refusal.missing_rule}"
    if refusal.hint:
        yield f"  hint: {refusal.hint}"
    yield from (f"  instead: {line}" for line in refusal.offer)


def plan_form(plan: Plan) -> dict[str, Any]:
    """The plan as a document, with the command lines that do the same."""
    commands = {"kubectl": as_kubectl(plan), "flux": as_flux(plan)}
    return {"schema": PLAN_SCHEMA, **to_json(plan), "commands": commands}


def refusal_form(refusal: Refusal) -> dict[str, Any]:
    """The refusal as a document, one item per object."""
    items = [
        {
            "target": safe_text(one.target) or None,
            "reason": safe_text(one.reason),
            "hint": safe_text(one.hint) or None,
            "offer": [safe_text(line) for line in one.offer],
            "missing_rule": one.missing_rule or None,
        }
        for one in refusals_of(refusal)
    ]
    return {"schema": REFUSAL_SCHEMA, "items": items}


def outcome_form(plan: Plan, outcome: Outcome, *, dry_run: bool) -> dict[str, Any]:
    """What came of every step, as a document."""
    steps = {step.id: step for step in plan.steps}
    return {
        "schema": OUTCOME_SCHEMA,
        "plan": plan.id,
        "verb": plan.verb,
        "dry_run": dry_run,
        "stopped_by": safe_text(outcome.stopped_by) or None,
        "is_finished": outcome.token.is_finished,
        "items": [
            {
                "step": report.step,
                "title": steps[report.step].title,
                "target": _target_form(steps[report.step].patch.target),
                "state": report.state.value,
                "message": safe_text(report.message),
            }
            for report in outcome.reports
        ],
        "refused": [item for one in plan.refused for item in refusal_form(one)["items"]],
    }


def _target_form(target: Target) -> dict[str, str]:
    return {
        "context": target.context,
        "group": target.group,
        "kind": target.kind,
        "namespace": target.namespace,
        "name": target.name,
    }


def outcome_rows(plan: Plan, outcome: Outcome) -> list[tuple[str, str, str, str]]:
    """State, step, object and message of every step; safe to show."""
    steps = {step.id: step for step in plan.steps}
    return [
        (
            f"{SIGNS.get(report.state, '…')} {report.state.value.replace('_', ' ')}",
            steps[report.step].title,
            safe_text(str(steps[report.step].patch.target)),
            safe_text(report.message),
        )
        for report in outcome.reports
    ]


def count_words(states: Iterable[StepState]) -> str:
    """How many steps are in which state: ``3 done, 1 failed``."""
    found = list(states)
    parts = [(state, found.count(state)) for state in StepState]
    return ", ".join(f"{count} {state.value.replace('_', ' ')}" for state, count in parts if count)
