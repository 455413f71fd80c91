"""A plan, a refusal and an outcome as lines to read before and after acting.

Knows plans; knows no widget. Nothing that would be sent is left out or shortened.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from fleettui.actions.bulk import pace_words
from fleettui.actions.plan import Danger, Patch, Plan, Refusal, Step, refusals_of
from fleettui.fleet.outcome import StepState
from fleettui.redaction import masked
from fleettui.text import safe_text
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.prose import heading, paragraph
from fleettui.tui.theme import Tone

MAX_LISTED = 200
"""Most steps or impacts written out; of more the count."""
DANGER_TONES: dict[Danger, Tone] = {
    Danger.ORDINARY: Tone.ACCENT,
    Danger.DELICATE: Tone.STALLED,
    Danger.DESTRUCTIVE: Tone.FAILED,
}
STEP_SIGNS: dict[StepState, tuple[str, Tone]] = {
    StepState.PENDING: ("·", Tone.DIM),
    StepState.CHECKING: ("…", Tone.PROGRESS),
    StepState.SENDING: ("…", Tone.PROGRESS),
    StepState.WAITING: ("◐", Tone.PROGRESS),
    StepState.DONE: ("✓", Tone.CURRENT),
    StepState.FAILED: ("✗", Tone.FAILED),
    StepState.TIMED_OUT: ("!", Tone.STALLED),
    StepState.CANCELLED: ("!", Tone.STALLED),
    StepState.REFUSED: ("✗", Tone.STALLED),
    StepState.REJECTED: ("✗", Tone.FAILED),
    StepState.UNKNOWN: ("?", Tone.UNKNOWN),
    StepState.NOT_SENT: ("·", Tone.DIM),
}


def plan_title(plan: Plan) -> str:
    """What the plan does, in a few words."""
    count = len(plan.targets)
    what = str(plan.targets[0]) if count == 1 else f"{count} objects"
    return f"{plan.verb} {what}"


def plan_lines(plan: Plan, width: int) -> list[Line]:
    """Everything that a person must know before confirming."""
    lines: list[Line] = [*_warnings(plan, width), *_steps(plan, width), *_radius(plan, width)]
    lines += heading("UNDO")
    if plan.undo is None:
        lines.append(text_line("  cannot be undone from here", Tone.STALLED))
    else:
        lines += paragraph(f"{plan_title(plan.undo)} puts the fields back", width, indent=2)
    if plan.refused:
        lines += heading("LEFT OUT", f"{len(plan.refused)}")
        for refusal in plan.refused[:MAX_LISTED]:
            lines += refusal_lines(refusal, width)
    return lines


def _warnings(plan: Plan, width: int) -> Iterator[Line]:
    if not plan.warnings:
        return
    yield text_line("WARNINGS", Tone.STALLED)
    for warning in plan.warnings:
        where = f"{warning.target}: " if warning.target else ""
        yield from paragraph(f"! {where}{warning.text}", width, indent=2, tone=Tone.STALLED)
        for command in warning.sequence:
            yield from paragraph(f"instead: {command}", width, indent=4, tone=Tone.ACCENT)


def _steps(plan: Plan, width: int) -> Iterator[Line]:
    waves = len(plan.waves)
    pace = f"in {waves} waves, canary first; " if waves > 1 else ""
    pace += pace_words(plan, len(plan.steps))
    yield from heading("WHAT IS SENT", pace)
    for step in plan.steps[:MAX_LISTED]:
        yield from step_lines(step, width)
    hidden = len(plan.steps) - MAX_LISTED
    if hidden > 0:
        yield text_line(f"  and {hidden} more of the same kind", Tone.DIM)


def step_lines(step: Step, width: int) -> Iterator[Line]:
    """One step: title, request and its exact body."""
    patch = step.patch
    after = f"  after {', '.join(str(one + 1) for one in step.after)}" if step.after else ""
    yield spans_line(
        Span(f"  {step.id + 1}. ", Tone.DIM),
        Span(step.title, Tone.STRONG),
        Span(f"  {patch.target}", Tone.PLAIN),
        Span(after, Tone.DIM),
    )
    yield from paragraph(_request(patch), width, indent=5, tone=Tone.ACCENT)
    for line in body_text(patch.wire_body()).splitlines():
        yield from paragraph(line, width, indent=5, tone=Tone.DIM)
    yield from paragraph(f"waits for {patch.acknowledged_by.words}", width, indent=5, tone=Tone.DIM)


def _request(patch: Patch) -> str:
    return f"{patch.method.value} {patch.target.path(patch.subresource)}"


def body_text(body: Any) -> str:
    """A body as it is sent, secrets masked."""
    return json.dumps(masked(body), indent=2, ensure_ascii=False)


def _radius(plan: Plan, width: int) -> Iterator[Line]:
    if not plan.blast_radius:
        return
    yield from heading("BLAST RADIUS", f"{len(plan.blast_radius)}")
    for impact in plan.blast_radius[:MAX_LISTED]:
        where = f" on {impact.cluster}" if impact.cluster else ""
        yield from paragraph(f"{impact.target}: {impact.words}{where}", width, indent=2)
    hidden = len(plan.blast_radius) - MAX_LISTED
    if hidden > 0:
        yield text_line(f"  and {hidden} more", Tone.DIM)


def refusal_lines(refusal: Refusal, width: int) -> list[Line]:
    """Why nothing is planned, and what would work."""
    lines: list[Line] = []
    for one in refusals_of(refusal):
        where = f"{one.target}: " if one.target else ""
        lines += paragraph(f"{where}{one.reason}", width, indent=2, tone=Tone.STALLED)
        if one.missing_rule:
            lines += paragraph(f"missing right: {one.missing_rule}", width, indent=4)
        if one.hint:
            lines += paragraph(one.hint, width, indent=4, tone=Tone.DIM)
        for command in one.offer:
            lines += paragraph(f"instead: {command}", width, indent=4, tone=Tone.ACCENT)
    return lines


def summary_spans(states: Sequence[StepState]) -> Iterator[Span]:
    """How many steps are in which state."""
    for state in StepState:
        count = states.count(state)
        if count:
            words = safe_text(state.value.replace("_", " "))
            yield Span(f"  {count} {words}", STEP_SIGNS[state][1])
