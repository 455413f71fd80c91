"""``causes``: what is broken and why, how widely, since when, and whether it spreads."""

import sys
from collections.abc import Sequence

import click

from fleettui.cli.answers import DOCUMENTS, answer_options
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import Output, open_output, render, table_text
from fleettui.cli.session import completeness, with_fleet
from fleettui.config import state_folder
from fleettui.errors import ExitCode, FleettuiError, UsageError
from fleettui.fleet import Fleet
from fleettui.fleet.cause_forms import Warnings, causes_form, trend_text
from fleettui.fleet.evidence import warnings_of
from fleettui.fleet.mutes import Mutes
from fleettui.fleet.needs import also_asking, extra_kinds
from fleettui.fleet.refs import find_rows
from fleettui.index.causes import Cause, CauseBoard, CauseState
from fleettui.index.causes.groups import grouped, ranked_by
from fleettui.index.causes.trends import trend_of
from fleettui.kinds.record import ObjectRef
from fleettui.text import age_text, one_line, safe_text

FORMS = (*DOCUMENTS, "markdown")
_HEADER = (
    "STATE",
    "FINGERPRINT",
    "CLUSTERS",
    "OBJECTS",
    "SINCE",
    "SEEN",
    "TREND",
    "ROOT",
    "REASON",
)
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
@answer_options(FORMS)
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@click.option(
    "--fail-on",
    multiple=True,
    type=click.Choice([state.value for state in CauseState]),
    help="Exit 4 when there is a cause of this state; repeatable.",
)
@click.option("--by", metavar="LABEL", default="", help="Group by a label of what is affected.")
@click.option(
    "--first",
    multiple=True,
    metavar="VALUE",
    help="With --by: rank causes that hit this value of the label first, ungrouped; repeatable.",
)
@click.option("--muted", is_flag=True, help="Show muted causes as well.")
def causes(
    clusters: tuple[str, ...],
    asked: Asked,
    form: str,
    color: str,
    allow_partial: bool,
    fail_on: tuple[str, ...],
    by: str,
    first: tuple[str, ...],
    muted: bool,
    timeout: float,
) -> int:
    """Print what is broken and why, worst first; only for CLUSTERS if any are named.

    On a terminal what is new since the last look stands first. What drifted from git is
    told as waiting, for its next apply; what only follows an old revision as paused.
    """
    if first and not by:
        raise UsageError("--first needs the label that it is a value of", hint="--by environment")
    output = open_output(color)

    async def work(fleet: Fleet) -> int:
        board = CauseBoard(fleet.index)
        board.refresh(fleet.now())
        found = board.causes(_tops(fleet, clusters) if clusters else None)
        kept = Mutes(state_folder())
        seen = None if asked.sources else kept
        if seen is not None and not clusters:
            _note_seen(seen, found, fleet, output, is_look=form == "table" and sys.stdout.isatty())
        if not muted:
            found = _unmuted(found, kept, fleet, output)
        if first:
            found = ranked_by(fleet.index, found, by, first)
        warnings = await warnings_of(fleet, found)
        if form == "table":
            lines = _table(found, fleet, output, seen, label="" if first else by)
            output.write("\n".join(lines))
        elif form == "markdown":
            output.write("\n".join(_markdown(found, fleet, warnings)))
        else:
            output.write(render(causes_form(fleet, found, warnings, kept=seen), form))
        code = completeness(fleet, output, allow_partial=allow_partial, extra=extra_kinds(fleet))
        if any(cause.state.value in fail_on for cause in found):
            return int(ExitCode.MATCHED)
        return int(code)

    return with_fleet(also_asking(asked.opening()), output, work, timeout_s=timeout)


def _note_seen(
    kept: Mutes, found: Sequence[Cause], fleet: Fleet, output: Output, *, is_look: bool
) -> None:
    try:
        sizes = {cause.fingerprint: cause.objects for cause in found}
        kept.note_seen(sizes, fleet.now(), is_look=is_look)
    except FleettuiError as error:
        output.say(f"not kept for the next look: {error}")


def _unmuted(found: list[Cause], mutes: Mutes, fleet: Fleet, output: Output) -> list[Cause]:
    muted = mutes.active(fleet.now())
    kept = [cause for cause in found if cause.fingerprint not in muted]
    if len(kept) != len(found):
        output.say(f"{len(found) - len(kept)} muted causes are left out; see them with --muted")
    return kept


def _table(
    found: list[Cause], fleet: Fleet, output: Output, kept: Mutes | None, *, label: str
) -> list[str]:
    if label:
        return _grouped_lines(found, fleet, output, label, kept)
    if kept is not None:
        found = sorted(found, key=lambda cause: not kept.is_new(cause.fingerprint))
    return _lines(found, fleet, output, kept)


def _grouped_lines(
    found: list[Cause], fleet: Fleet, output: Output, label: str, kept: Mutes | None
) -> list[str]:
    lines: list[str] = []
    for value, group in grouped(fleet.index, found, label):
        lines += ["", output.paint(f"{safe_text(label)}={safe_text(value)}", "bold")]
        lines += _lines(group, fleet, output, kept)
    return lines[1:] or _lines([], fleet, output, kept)


def _tops(fleet: Fleet, names: tuple[str, ...]) -> list[ObjectRef]:
    found: list[ObjectRef] = []
    for name in names:
        rows = find_rows(fleet, name, kind="cluster.cluster.x-k8s.io")
        rows = rows or find_rows(fleet, name)
        if not rows:
            raise UsageError(f"no cluster is called {name!r}", hint="see: fleettui get clusters")
        found += [row.ref for row in rows]
    return found


def _lines(found: list[Cause], fleet: Fleet, output: Output, kept: Mutes | None) -> list[str]:
    if not found:
        return ["no causes: nothing is failing, paused, stuck or waiting"]
    rows = [_cells(cause, fleet.now(), kept) for cause in found]
    told = [place for place in range(len(_HEADER)) if any(row[place] for row in rows)]
    header = [_HEADER[place] for place in told]
    lines = table_text(header, [[row[place] for place in told] for row in rows], width=output.width)
    return [
        lines[0],
        *(
            output.paint(line, _TONES[cause.state])
            for cause, line in zip(found, lines[1:], strict=True)
        ),
    ]


def _cells(cause: Cause, now: int, kept: Mutes | None) -> tuple[str, ...]:
    key = cause.fingerprint
    seen = kept.first_seen(key) if kept is not None else 0
    before = kept.size_before(key) if kept is not None else None
    is_new = kept is not None and kept.is_new(key)
    return (
        cause.state.value,
        key,
        str(cause.clusters or ""),
        str(cause.objects),
        age_text(now - cause.since) if cause.since else "",
        "new" if is_new else age_text(now - seen) if seen else "",
        trend_text(trend_of(cause, now, before=before)),
        _root_text(cause),
        _reason_text(cause),
    )


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
