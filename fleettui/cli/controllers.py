"""``controllers``: what runs everything else, and whether it does."""

import click

from fleettui.cli.answers import answer_options
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import open_output, render, table_text
from fleettui.cli.session import completeness, with_fleet
from fleettui.errors import ExitCode
from fleettui.fleet import Fleet
from fleettui.fleet.controller_forms import controllers_form
from fleettui.fleet.last_words import LastWords, last_words
from fleettui.fleet.needs import also_asking
from fleettui.index.controllers import DEPLOYMENT, KINDS_NEEDED, Controller, controllers_of
from fleettui.kinds.record import ObjectRef, Verdict
from fleettui.text import age_text, safe_text

_HEADER = (
    "CONTEXT",
    "CONTROLLER",
    "VERSION",
    "READY",
    "RESTARTS",
    "LEASE",
    "OBJECTS",
    "LAG",
    "STATE",
)


@click.command()
@fleet_options
@answer_options()
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@click.option("--logs", is_flag=True, help="Read the last errors of those in trouble.")
@click.option("--fail-on-trouble", is_flag=True, help="Exit 4 when a controller is in trouble.")
def controllers(
    asked: Asked,
    form: str,
    color: str,
    logs: bool,
    fail_on_trouble: bool,
    allow_partial: bool,
    timeout: float,
) -> int:
    """Print controllers: version, leader, what waits for them, and what is wrong."""
    output = open_output(color)

    async def work(fleet: Fleet) -> int:
        now = fleet.now()
        found = controllers_of(fleet.index, now)
        words: dict[ObjectRef, LastWords] = {}
        if logs:
            for controller in found:
                if controller.trouble or controller.lag:
                    words[controller.ref] = await last_words(fleet, controller.ref)
        if form == "table":
            lines = table_text(_HEADER, [_cells(c, now) for c in found], width=output.width)
            painted = [lines[0]]
            for controller, line in zip(found, lines[1:], strict=True):
                painted.append(output.paint(line, controller.verdict.value))
                said = words.get(controller.ref)
                texts = said.lines or (said.problem,) if said else ()
                painted += [f"    log: {safe_text(text)}" for text in texts]
            output.write("\n".join(painted) if found else "no controllers can be seen")
        else:
            output.write(render(controllers_form(fleet, found, words), form))
        code = completeness(
            fleet, output, allow_partial=allow_partial, extra=KINDS_NEEDED - {DEPLOYMENT}
        )
        if fail_on_trouble and any(c.verdict is Verdict.FAILED for c in found):
            return int(ExitCode.MATCHED)
        return int(code)

    return with_fleet(also_asking(asked.opening(), KINDS_NEEDED), output, work, timeout_s=timeout)


def _cells(controller: Controller, now: int) -> tuple[str, ...]:
    lease = age_text(now - controller.renewed_at) if controller.renewed_at else ""
    return (
        safe_text(controller.ref.context),
        safe_text(f"{controller.ref.namespace}/{controller.ref.name}"),
        safe_text(controller.version),
        f"{controller.available}/{controller.desired}",
        str(controller.restarts),
        lease,
        str(controller.objects),
        str(controller.lag or ""),
        safe_text(controller.trouble) or controller.verdict.value,
    )
