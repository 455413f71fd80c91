"""``causes`` and ``why``: what is broken, why, and how widely."""

from collections.abc import Mapping
from typing import Any

import click

from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import Output, open_output, render, table_text
from fleettui.cli.session import DEFAULT_TIMEOUT_S, completeness, with_fleet
from fleettui.config import state_folder
from fleettui.errors import ExitCode, FleettuiError, UsageError
from fleettui.fleet import Fleet
from fleettui.fleet.cause_forms import (
    WHY_SCHEMA,
    Warnings,
    causes_form,
    other_words,
    path_form,
)
from fleettui.fleet.controller_forms import log_form
from fleettui.fleet.evidence import warnings_of
from fleettui.fleet.last_words import LastWords, is_in_log_alone, last_words
from fleettui.fleet.mutes import Mutes
from fleettui.fleet.needs import also_asking
from fleettui.fleet.refs import find_rows, one_row
from fleettui.index.causes import Cause, CauseBoard, CauseState, Finding
from fleettui.index.causes.explain import explain
from fleettui.index.causes.groups import grouped
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.record import ObjectRef
from fleettui.text import age_text, one_line, safe_text

LOGS_READ = 3
"""Explanations of one object for which a controller's log is read."""
FORMS = ("table", "json", "yaml", "markdown")
_TONES = {
    CauseState.FAILING: "failed",
    CauseState.PAUSED: "unknown",
    CauseState.DELETING: "in_progress",
    CauseState.WAITING: "in_progress",
    CauseState.PROGRESSING: "in_progress",
}


@click.command()
@click.argument("clusters", nargs=-1)
@fleet_options
@click.option("-o", "--output", "form", type=click.Choice(FORMS), default="table")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@click.option("--allow-partial", is_flag=True, help="Exit 0 though not all could be read.")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice([state.value for state in CauseState]),
    help="Exit 4 when there is a cause of this state; repeatable.",
)
@click.option("--by", metavar="LABEL", default="", help="Group by a label of what is affected.")
@click.option("--muted", is_flag=True, help="Show muted causes as well.")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=DEFAULT_TIMEOUT_S)
def causes(
    clusters: tuple[str, ...],
    asked: Asked,
    form: str,
    color: str,
    allow_partial: bool,
    fail_on: tuple[str, ...],
    by: str,
    muted: bool,
    timeout: float,
) -> int:
    """Print what is broken and why, worst first; only for CLUSTERS if any are named."""
    output = open_output(color)

    async def work(fleet: Fleet) -> int:
        board = CauseBoard(fleet.index)
        board.refresh(fleet.now())
        found = board.causes(_tops(fleet, clusters) if clusters else None)
        if not muted:
            found = _unmuted(found, fleet, output)
        warnings = await warnings_of(fleet, found)
        if form == "table" and by:
            output.write("\n".join(_grouped_lines(found, fleet, output, by)))
        elif form == "table":
            output.write("\n".join(_lines(found, fleet, output)))
        elif form == "markdown":
            output.write("\n".join(_markdown(found, fleet, warnings)))
        else:
            output.write(render(causes_form(fleet, found, warnings), form))
        code = completeness(fleet, output, allow_partial=allow_partial)
        if any(cause.state.value in fail_on for cause in found):
            return int(ExitCode.MATCHED)
        return int(code)

    return with_fleet(also_asking(asked.opening()), output, work, timeout_s=timeout)


def _unmuted(found: list[Cause], fleet: Fleet, output: Output) -> list[Cause]:
    mutes = Mutes(state_folder()).active(fleet.now())
    kept = [cause for cause in found if cause.fingerprint not in mutes]
    if len(kept) != len(found):
        output.say(f"{len(found) - len(kept)} muted causes are left out; see them with --muted")
    return kept


def _grouped_lines(found: list[Cause], fleet: Fleet, output: Output, label: str) -> list[str]:
    lines: list[str] = []
    for value, group in grouped(fleet.index, found, label):
        lines += ["", output.paint(f"{safe_text(label)}={safe_text(value)}", "bold")]
        lines += _lines(group, fleet, output)
    return lines[1:] or _lines([], fleet, output)


def _tops(fleet: Fleet, names: tuple[str, ...]) -> list[ObjectRef]:
    found: list[ObjectRef] = []
    for name in names:
        rows = find_rows(fleet, name, kind="cluster.cluster.x-k8s.io")
        rows = rows or find_rows(fleet, name)
        if not rows:
            raise UsageError(f"no cluster is called {name!r}", hint="see: fleettui get clusters")
        found += [row.ref for row in rows]
    return found


def _lines(found: list[Cause], fleet: Fleet, output: Output) -> list[str]:
    if not found:
        return ["no causes: nothing is failing, paused, stuck or waiting"]
    now = fleet.now()
    rows = [
        (
            cause.state.value,
            str(cause.clusters or ""),
            str(cause.objects),
            age_text(now - cause.since) if cause.since else "",
            _root_text(cause),
            _reason_text(cause),
        )
        for cause in found
    ]
    header = ("STATE", "CLUSTERS", "OBJECTS", "SINCE", "ROOT", "REASON")
    lines = table_text(header, rows, width=output.width)
    return [
        lines[0],
        *(
            output.paint(line, _TONES[cause.state])
            for cause, line in zip(found, lines[1:], strict=True)
        ),
    ]


def _root_text(cause: Cause) -> str:
    more = f" +{len(cause.roots) - 1}" if len(cause.roots) > 1 else ""
    return safe_text(str(cause.root)) + more


def _reason_text(cause: Cause) -> str:
    message = one_line(cause.message)
    parts = [safe_text(cause.condition), safe_text(cause.reason), message]
    return ": ".join(part for part in dict.fromkeys(parts) if part)


def _escape(text: str) -> str:
    return safe_text(text).replace("\\", "\\\\").replace("|", "\\|").replace("`", "'")


def _markdown(found: list[Cause], fleet: Fleet, warnings: Warnings) -> list[str]:
    now = fleet.now()
    lines = ["| state | clusters | objects | since | root | reason |", "|---|---|---|---|---|---|"]
    for cause in found:
        since = age_text(now - cause.since) if cause.since else ""
        cells = (
            cause.state.value,
            str(cause.clusters),
            str(cause.objects),
            since,
            f"`{_escape(str(cause.root))}`",
            _escape(_reason_text(cause)),
        )
        lines.append(f"| {' | '.join(cells)} |")
        for line in warnings.get(cause.fingerprint, ()):
            event = _escape(f"{line.reason}: {one_line(line.message)}")
            lines.append(f"| | | | | event | {event} |")
    return lines


@click.command()
@click.argument("ref")
@fleet_options
@click.option(
    "-o", "--output", "form", type=click.Choice(["table", "json", "yaml"]), default="table"
)
@click.option("--allow-partial", is_flag=True, help="Exit 0 though not all could be read.")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=DEFAULT_TIMEOUT_S)
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
        return int(completeness(fleet, output, allow_partial=allow_partial))

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
