"""``changes``: what changed in the last minutes, and what followed a new revision."""

import click

from fleettui.cli.answers import answer_options
from fleettui.cli.durations import seconds_of
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import open_output, render, table_text
from fleettui.cli.session import completeness, with_fleet
from fleettui.config import state_folder
from fleettui.fleet import Fleet
from fleettui.fleet.change_forms import changes_form, changes_of, rhythm
from fleettui.fleet.needs import also_asking
from fleettui.index.recent import Happening
from fleettui.text import age_text, one_line, safe_text

_HEADER = ("AGO", "OBJECT", "CHANGE", "REASON")
_SPARK_WIDTH = 60


@click.command()
@fleet_options
@click.option("--last", callback=seconds_of, default="30m", help="How far back: 30m, 4h, 2d.")
@click.option("--bad", is_flag=True, help="Only changes for the worse.")
@answer_options()
def changes(
    asked: Asked, last: int, bad: bool, form: str, allow_partial: bool, timeout: float
) -> int:
    """Print what changed lately across the fleet, newest first.

    Told are changes of health and of revisions: those that objects tell by their times, and
    those that the screen saw while it ran (it alone keeps them). A ConfigMap or Deployment
    that a hand changed is seen by its field manager alone (ChangedByHand in ``causes``), and
    not at all when the hand used the applier's own: ``diff`` compares with git.
    """
    output = open_output()

    async def work(fleet: Fleet) -> int:
        folder = None if asked.sources else state_folder()
        found = changes_of(fleet, last_s=last, folder=folder)
        if bad:
            found = [happening for happening in found if happening.is_bad]
        if form == "table":
            now = fleet.now()
            rows = [_cells(happening, now) for happening in found]
            lines = table_text(_HEADER, rows, width=output.width)
            line = rhythm(found, now, last_s=last, width=_SPARK_WIDTH)
            head = f"{len(found)} changes in the last {age_text(last)}; for the worse: {line}"
            output.write("\n".join([head, *lines] if found else ["nothing changed"]))
        else:
            output.write(render(changes_form(fleet, found, last), form))
        return int(completeness(fleet, output, allow_partial=allow_partial))

    return with_fleet(also_asking(asked.opening()), output, work, timeout_s=timeout)


def _cells(happening: Happening, now: int) -> tuple[str, ...]:
    change = safe_text(happening.after)
    if happening.before:
        change = f"{safe_text(happening.before)} → {change}"
    words = [safe_text(happening.reason), one_line(happening.message)]
    if happening.follows is not None:
        words.insert(0, f"after a new revision of {safe_text(str(happening.follows))}")
    mark = "!" if happening.is_bad else " "
    return (
        age_text(now - happening.at),
        safe_text(str(happening.ref)),
        f"{mark} {change}",
        ": ".join(word for word in words if word),
    )
