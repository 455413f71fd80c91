"""``overview``: the fleet in figures and bars."""

import click

from fleettui.cli.answers import answer_options
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import Output, open_output, render
from fleettui.cli.overview_text import Painted, overview_lines, runs_of
from fleettui.cli.session import completeness, with_fleet
from fleettui.fleet import Fleet
from fleettui.fleet.needs import also_asking, extra_kinds
from fleettui.fleet.overview import overview as figures_of
from fleettui.fleet.overview import overview_form
from fleettui.index.causes import CauseBoard


@click.command()
@fleet_options
@answer_options()
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
def overview(asked: Asked, form: str, color: str, allow_partial: bool, timeout: float) -> int:
    """Print the fleet in figures: health, versions, providers, contexts, first causes."""
    output = open_output(color)

    async def work(fleet: Fleet) -> int:
        board = CauseBoard(fleet.index)
        board.refresh(fleet.now())
        causes = board.causes()
        found = figures_of(fleet, causes)
        if form == "table":
            lines = overview_lines(found, causes, now=fleet.now(), width=output.width)
            output.write("\n".join(_painted(line, output) for line in lines))
        else:
            output.write(render(overview_form(fleet, found), form))
        return int(
            completeness(fleet, output, allow_partial=allow_partial, extra=extra_kinds(fleet))
        )

    return with_fleet(also_asking(asked.opening()), output, work, timeout_s=timeout)


def _painted(line: Painted, output: Output) -> str:
    text, at = "", 0
    for run in runs_of(line):
        text += " " * (run.column - at) + output.paint(run.text, run.tone)
        at = run.column + len(run.text)
    return text
