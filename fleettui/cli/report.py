"""``report``: what to paste into the incident channel."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import open_output, render
from fleettui.cli.overview_text import Painted, cause_tone, counted, overview_lines
from fleettui.cli.pictures import html_of, svg_of
from fleettui.cli.session import DEFAULT_TIMEOUT_S, completeness, with_fleet
from fleettui.config import state_folder
from fleettui.errors import UsageError
from fleettui.fleet import Fleet
from fleettui.fleet.evidence import warnings_of
from fleettui.fleet.mutes import Mutes
from fleettui.fleet.needs import also_asking
from fleettui.fleet.overview import Figures
from fleettui.fleet.overview import overview as figures_of
from fleettui.fleet.report import commands_for, report_form
from fleettui.index.causes import Cause, CauseBoard
from fleettui.kinds.moments import rfc3339
from fleettui.text import age_text, one_line, safe_text

FORMS = ("markdown", "json", "yaml", "html", "svg")
PICTURE_CELLS = 120
CAUSES_TOLD = 10


@click.command()
@fleet_options
@click.option("-o", "--output", "form", type=click.Choice(FORMS), default="markdown")
@click.option("--limit", type=click.IntRange(1, 200), default=CAUSES_TOLD, help="Causes told.")
@click.option(
    "--to", type=click.Path(path_type=Path, dir_okay=False), help="File instead of standard output."
)
@click.option("--allow-partial", is_flag=True, help="Exit 0 though not all could be read.")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=DEFAULT_TIMEOUT_S)
def report(
    asked: Asked, form: str, limit: int, to: Path | None, allow_partial: bool, timeout: float
) -> int:
    """Print a report: context, time, causes, and the commands to see it again."""
    output = open_output("never")
    sources = [str(path) for path in asked.sources]

    async def work(fleet: Fleet) -> int:
        board = CauseBoard(fleet.index)
        board.refresh(fleet.now())
        muted = Mutes(state_folder()).active(fleet.now())
        every = [cause for cause in board.causes() if cause.fingerprint not in muted]
        causes = every[:limit]
        found = figures_of(fleet, every)
        warnings = await warnings_of(fleet, causes)
        commands = commands_for(fleet, causes, sources=sources)
        if form in ("html", "svg"):
            lines = _picture(fleet, found, causes, commands)
            title = f"fleettui report {rfc3339(fleet.now())}"
            text = html_of(lines, title=title) if form == "html" else svg_of(lines, title=title)
        else:
            document = report_form(
                fleet, found, causes, warnings, commands=commands, total=len(every)
            )
            text = markdown_of(document) if form == "markdown" else render(document, form)
        if to is None:
            output.write(text)
        else:
            _write(to, text)
            output.say(f"written to {to}")
        return int(completeness(fleet, output, allow_partial=allow_partial))

    return with_fleet(also_asking(asked.opening()), output, work, timeout_s=timeout)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"cannot be written: {error.strerror or error}",
            where=str(path),
            hint="name another file with --to",
        ) from error


def _picture(
    fleet: Fleet, found: Sequence[Figures], causes: Sequence[Cause], commands: Sequence[str]
) -> list[Painted]:
    now = fleet.now()
    names = ", ".join(safe_text(info.name) for info in fleet.contexts())
    lines = [Painted(f"{names} at {rfc3339(now)}"[:PICTURE_CELLS], "bold")]
    lines += overview_lines(found, (), now=now, width=PICTURE_CELLS)
    lines.append(Painted("causes", "bold"))
    for cause in causes:
        since = age_text(now - cause.since) if cause.since else ""
        hit = (
            counted(cause.clusters, "cluster")
            if cause.clusters
            else counted(len(cause.tops), "object")
        )
        head = f"  {cause.state.value:<11} {since:>6}  {hit:<12} {safe_text(str(cause.root))}"
        words = f"{' ' * 22}{safe_text(cause.reason)}: {one_line(cause.message)}"
        lines.append(Painted(head[:PICTURE_CELLS], cause_tone(cause)))
        lines.append(Painted(words[:PICTURE_CELLS]))
    lines += [Painted(f"  $ {command}"[:PICTURE_CELLS], "dim") for command in commands[:4]]
    return lines


def markdown_of(document: dict[str, Any]) -> str:
    """The report as Markdown that chat programs show well."""
    names = ", ".join(c["context"]["name"] for c in document["overview"]["contexts"])
    lines = [f"### Fleet report: {_plain(names)}", "", f"At {document['at']}.", ""]
    lines += [_context_words(entry) for entry in document["overview"]["contexts"]]
    told, total = len(document["causes"]), document["causes_in_all"]
    lines += ["", f"**Causes** ({told} of {total})" if told < total else "**Causes**", ""]
    for cause in document["causes"]:
        root = cause["root"]
        where = "/".join(part for part in (root["kind"], root["namespace"], root["name"]) if part)
        since = f", since {cause['since']}" if cause["since"] else ""
        context = _plain(root["context"])
        lines.append(
            f"{cause['rank']}. **{cause['state']}** `{_plain(where)}` in `{context}`"
            f": {counted(cause['clusters'], 'cluster')}, "
            f"{counted(cause['objects'], 'object')}{since}  "
        )
        words = f"{cause['condition'] or ''} {cause['reason']}: {one_line(cause['message'])}"
        lines.append(f"   {_escape(words.strip())}")
        lines += [
            f"   - event ×{event['count']}: {_escape(one_line(event['message']))}"
            for event in cause["events"]
        ]
    if not document["causes"]:
        lines.append("none: nothing is failing, paused, stuck or waiting")
    lines += ["", "**See it again**", "", "```sh", *document["commands"], "```"]
    return "\n".join(lines)


def _context_words(entry: dict[str, Any]) -> str:
    context = entry["context"]
    clusters = entry["health"].get("clusters", {})
    words = ", ".join(f"{count} {name}" for name, count in clusters.items() if count)
    least = "at least " if entry["at_least"] else ""
    missing = f"; {len(context['missing'])} kinds not read" if context["missing"] else ""
    return (
        f"- `{_plain(context['name'])}` ({context['state']}): clusters {words or 'none'}; "
        f"{least}{entry['objects']} objects, {entry['paused']} paused{missing}"
    )


def _plain(text: str) -> str:
    return safe_text(text).replace("`", "'")


def _escape(text: str) -> str:
    """Text that Markdown and chat programs show as it is: no links, mentions or markup."""
    shown = safe_text(text)
    for sign in "\\`*_[]<>|#~":
        shown = shown.replace(sign, f"\\{sign}")
    return shown.replace("@", "@\u2060").replace("://", ":\u2060//")
