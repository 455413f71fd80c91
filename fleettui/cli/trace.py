"""``trace``: where an object comes from and what depends on it, with the evidence."""

import click

from fleettui.cli.answers import answer_options
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import open_output, render
from fleettui.cli.session import completeness, with_fleet
from fleettui.fleet import Fleet
from fleettui.fleet.pointed_metadata import read_pointed, users_of_kubeconfigs
from fleettui.fleet.refs import one_row
from fleettui.fleet.trace_forms import trace_form, trace_lines
from fleettui.index.trace import trace as trace_row


@click.command()
@click.argument("ref")
@fleet_options
@answer_options()
def trace(ref: str, asked: Asked, form: str, allow_partial: bool, timeout: float) -> int:
    """Trace one object: what made it, from which source, and what depends on it.

    REF is [CONTEXT:]KIND/[NAMESPACE/]NAME. A join that the evidence does not decide is
    told as such and never guessed.
    """
    output = open_output()

    async def work(fleet: Fleet) -> int:
        row = one_row(fleet, ref)
        unread = await read_pointed(fleet, users_of_kubeconfigs(fleet.index, row))
        found = trace_row(fleet.index, row)
        if form == "table":
            output.write("\n".join(trace_lines(fleet.index, found)))
        else:
            output.write(render(trace_form(fleet, found), form))
        for words in unread:
            output.say(f"joined by name only, not read: {words}")
        return int(completeness(fleet, output, allow_partial=allow_partial))

    return with_fleet(asked.opening(), output, work, timeout_s=timeout)
