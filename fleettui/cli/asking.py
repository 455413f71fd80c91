"""Asks a person at a terminal, without stopping what goes on meanwhile.

Knows stdin and stderr; knows no plan's inside. Without a terminal nothing is
asked: what was given on the command line has to be enough.
"""

import asyncio
import sys

from fleettui.actions.plan import Plan
from fleettui.cli.output import Output
from fleettui.cli.plan_words import plan_lines, title_of
from fleettui.errors import RefusedError
from fleettui.text import safe_text


async def read_line(question: str) -> str:
    """A line that a person types behind the question; empty at the end of input."""
    print(safe_text(question), end="", file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def take() -> None:
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, take)
    try:
        return (await typed).strip()
    finally:
        loop.remove_reader(sys.stdin)


async def confirm(plan: Plan, output: Output, *, yes: bool, typed: str) -> bool:
    """Whether the plan is meant; shows it when a person is asked.

    Args:
        plan: what would be done.
        output: where the plan is told.
        yes: the plain yes of the command line.
        typed: what was given for a plan that wants something typed.

    Raises:
        RefusedError: nobody can be asked, and the command line does not confirm it.
    """
    wanted = plan.typed_confirmation
    if wanted and typed == wanted:
        return True
    if yes and not wanted:
        return True
    if not sys.stdin.isatty():
        option = f"--confirm {wanted}" if wanted else "--yes"
        raise RefusedError(
            f"{title_of(plan)} is not confirmed, and stdin is no terminal to ask on",
            hint=f"look at it with --dry-run, then add {option}",
        )
    for line in plan_lines(plan):
        output.say(line)
    if wanted:
        return await read_line(f"type {wanted} to do it: ") == wanted
    return (await read_line("do it? [y/N] ")).lower() in ("y", "yes")
