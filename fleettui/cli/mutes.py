"""``mute`` and ``unmute``: causes that a person does not want to see for a while.

Kept on this machine alone; nothing is written to a cluster. The same as ``:mute`` on the
screen, and a running screen sees it.
"""

import time

import click

from fleettui.cli.durations import seconds_of
from fleettui.cli.output import open_output, render, table_text
from fleettui.config import state_folder
from fleettui.errors import UsageError
from fleettui.fleet.cause_forms import MUTES_SCHEMA, mute_form
from fleettui.fleet.mutes import Mutes
from fleettui.kinds.moments import rfc3339
from fleettui.text import age_text, one_line, safe_text

_HEADER = ("FINGERPRINT", "ENDS IN", "SINCE", "REASON", "CAUSE")


@click.command()
@click.argument("fingerprint", required=False, default="")
@click.option("--reason", default="", help="Who works on it, or why it may wait.")
@click.option(
    "--expires",
    "duration",
    callback=seconds_of,
    default="4h",
    help="After how long it ends: 4h, 3d; 90d at most.",
)
@click.option(
    "-o", "--output", "form", type=click.Choice(["table", "json", "yaml"]), default="table"
)
def mute(fingerprint: str, reason: str, duration: int, form: str) -> int:
    """Hide a cause for a while; without FINGERPRINT list those that are hidden.

    Fingerprints stand in ``fleettui causes``.
    """
    output = open_output()
    mutes = Mutes(state_folder())
    now = int(time.time())
    if fingerprint:
        made = mutes.mute(fingerprint, reason=reason, until=now + duration, now=now)
        output.say(f"muted until {rfc3339(made.until)}: {safe_text(made.fingerprint)}")
        return 0
    found = sorted(mutes.active(now).values(), key=lambda mute: mute.until)
    if form != "table":
        output.write(render({"schema": MUTES_SCHEMA, "items": [mute_form(m) for m in found]}, form))
        return 0
    rows = [
        (
            safe_text(m.fingerprint),
            age_text(m.until - now),
            rfc3339(m.since),
            one_line(m.reason),
            one_line(m.title),
        )
        for m in found
    ]
    lines = table_text(_HEADER, rows, width=output.width)
    output.write("\n".join(lines) if found else "no cause is muted")
    return 0


@click.command()
@click.argument("fingerprints", nargs=-1, required=True)
def unmute(fingerprints: tuple[str, ...]) -> int:
    """Show hidden causes again."""
    output = open_output()
    mutes = Mutes(state_folder())
    for fingerprint in fingerprints:
        if not mutes.unmute(fingerprint):
            raise UsageError(f"{fingerprint} is not muted", hint="see: fleettui mute")
        output.say(f"no longer muted: {safe_text(fingerprint)}")
    return 0
