"""``why``: the chain from one object down to what is at fault, with its evidence."""

from collections.abc import Mapping
from typing import Any

import click

from fleettui.cli.answers import answer_options
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import open_output, render
from fleettui.cli.session import completeness, with_fleet
from fleettui.errors import FleettuiError
from fleettui.fleet import Fleet
from fleettui.fleet.cause_forms import WHY_SCHEMA, other_words, path_form
from fleettui.fleet.controller_forms import log_form
from fleettui.fleet.last_words import LastWords, is_in_log_alone, last_words
from fleettui.fleet.needs import also_asking, extra_kinds
from fleettui.fleet.refs import one_row
from fleettui.index.causes import Finding
from fleettui.index.causes.explain import explain
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.record import ObjectRef
from fleettui.text import age_text, one_line, safe_text

LOGS_READ = 3
"""Explanations of one object for which a controller's log is read."""


@click.command()
@click.argument("ref")
@fleet_options
@answer_options()
def why(ref: str, asked: Asked, form: str, allow_partial: bool, timeout: float) -> int:
    """Print why one object is not well: the chain down to what is at fault.

    REF is [CONTEXT:]KIND/[NAMESPACE/]NAME.
    """
    output = open_output()

    async def work(fleet: Fleet) -> int:
        row = one_row(fleet, ref)
        found = explain(fleet.index, row, fleet.now())
        words = {
            f: await last_words(fleet, f.root) for f in found[:LOGS_READ] if is_in_log_alone(f)
        }
        if form == "table":
            output.write("\n".join(await _chains(fleet, row.ref, found, words)))
        else:
            chains = [_chain_form(fleet, finding, words.get(finding)) for finding in found]
            document = {"schema": WHY_SCHEMA, "of": str(row.ref), "items": chains}
            output.write(render(document, form))
        return int(
            completeness(fleet, output, allow_partial=allow_partial, extra=extra_kinds(fleet))
        )

    return with_fleet(also_asking(asked.opening()), output, work, timeout_s=timeout)


def _chain_form(fleet: Fleet, finding: Finding, words: LastWords | None) -> dict[str, Any]:
    signal = finding.signal
    return {
        "state": signal.state.value,
        "condition": signal.condition or None,
        "reason": safe_text(signal.reason),
        "message": safe_text(signal.message, multiline=True),
        "since": rfc3339(signal.since) or None,
        "path": path_form(fleet, finding),
        "also": other_words(fleet, finding),
        "log": log_form(words) if words is not None else None,
    }


async def _chains(
    fleet: Fleet, ref: ObjectRef, found: list[Finding], words: Mapping[Finding, LastWords]
) -> list[str]:
    if not found:
        return [f"{ref} is well: nothing it owns or points at says otherwise"]
    lines: list[str] = []
    for number, finding in enumerate(found, 1):
        lines += _chain_lines(fleet, number, finding)
        lines += await _evidence_lines(fleet, finding, words.get(finding))
    return [safe_text(line) for line in lines]


def _chain_lines(fleet: Fleet, number: int, finding: Finding) -> list[str]:
    signal = finding.signal
    since = f", since {age_text(fleet.now() - signal.since)}" if signal.since else ""
    lines = [f"{number}. {signal.state.value}{since}"]
    for depth, step in enumerate(finding.path):
        row = fleet.index.get(step)
        own = one_line(row.message) if row is not None else ""
        reason = safe_text(row.reason) if row is not None else ""
        words = ": ".join(part for part in (reason, own) if part)
        lines.append(f"   {'  ' * depth}{'└─ ' if depth else ''}{step.kind} {step.name}  {words}")
    lines.append(f"   → {safe_text(signal.condition)}: {safe_text(signal.reason)}")
    return lines + [
        f"     {line}" for line in safe_text(signal.message, multiline=True).splitlines()
    ]


async def _evidence_lines(fleet: Fleet, finding: Finding, words: LastWords | None) -> list[str]:
    lines = [
        f"     also {word['condition']}: {word['reason']}: {one_line(word['message'])}"
        for word in other_words(fleet, finding)
    ]
    try:
        events = await fleet.events(finding.root)
    except FleettuiError:
        events = ()  # events are an extra, and their right is often missing
    for event in [line for line in events if line.type == "Warning"][:3]:
        age = age_text(fleet.now() - event.at)
        lines.append(f"     event {age} ago ×{event.count} {event.reason}: {event.message}")
    if words is not None:
        lines.append("     no object says why: only the log of its controller can")
        about = "" if words.names_object else " (no line names the object; the last errors of all)"
        lines += [f"     log: {line}{about}" for line in words.lines]
        if words.problem:
            lines.append(f"     log: {words.problem}")
    return lines
