"""``paused``: everything that is paused, suspended or frozen, forgotten ones first."""

import click

from fleettui.cli.answers import answer_options
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import open_output, render, table_text
from fleettui.cli.session import completeness, with_fleet
from fleettui.fleet import Fleet
from fleettui.fleet.needs import also_asking, extra_kinds
from fleettui.fleet.pausers import find_pausers, paused_form
from fleettui.index.pauses import Pause, pauses
from fleettui.kinds.moments import rfc3339
from fleettui.text import age_text, one_line, safe_text

_HEADER = ("OBJECT", "BY", "WHO", "SINCE", "UNTIL", "STOPS", "WHY")


@click.command()
@fleet_options
@answer_options()
@click.option("--forgotten", is_flag=True, help="Only those past their end or a week old.")
@click.option("--names/--no-names", default=True, help="Fetch objects to find out who paused them.")
def paused(
    asked: Asked, form: str, forgotten: bool, names: bool, allow_partial: bool, timeout: float
) -> int:
    """Print everything paused, suspended or frozen: who, why, since and until when."""
    output = open_output()

    async def work(fleet: Fleet) -> int:
        now = fleet.now()
        found = pauses(fleet.index, now)
        if names:
            await find_pausers(fleet, found)
        if forgotten:
            found = [pause for pause in found if pause.is_forgotten(now)]
        if form == "table":
            rows = [_cells(pause, now) for pause in found]
            lines = table_text(_HEADER, rows, width=output.width)
            output.write("\n".join(lines) if found else "nothing is paused")
        else:
            output.write(render(paused_form(fleet, found), form))
        return int(
            completeness(fleet, output, allow_partial=allow_partial, extra=extra_kinds(fleet))
        )

    return with_fleet(also_asking(asked.opening()), output, work, timeout_s=timeout)


def _cells(pause: Pause, now: int) -> tuple[str, ...]:
    until = rfc3339(pause.until) if pause.until else ""
    if pause.is_expired(now):
        until += " expired"
    since = age_text(now - pause.since) if pause.since else ""
    return (
        safe_text(str(pause.ref)),
        safe_text(pause.word),
        safe_text(pause.who),
        since + (" forgotten" if pause.is_forgotten(now) and not pause.until else ""),
        until,
        str(pause.stops or ""),
        one_line(pause.why),
    )
