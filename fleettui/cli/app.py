"""The command line: parses words, calls the fleet, prints.

Knows options and exit codes; what is printed comes from ``fleet``. Without a
subcommand the terminal UI opens. Importing this module imports neither Textual
nor an HTTP client, so that ``--help`` and completion stay quick.
"""

import gc
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple, TextIO

import click

from fleettui import __version__
from fleettui.cli.options import Asked, fleet_options
from fleettui.errors import ExitCode, FleettuiError, UsageError
from fleettui.text import safe_text

MOST_HINT_LINES = 2
"""A hint may point at a place in what was typed, with a line below it."""


class _Command(NamedTuple):
    """A subcommand that is imported when it is called for."""

    place: str
    help: str


COMMANDS = {
    "annotate": _Command("fleettui.cli.acts:annotate", "Set or remove annotations."),
    "approve": _Command("fleettui.cli.acts:approve", "Approve a Terraform plan."),
    "causes": _Command("fleettui.cli.causes:causes", "Print what is broken and why."),
    "changes": _Command("fleettui.cli.changes:changes", "Print what changed in the last minutes."),
    "controllers": _Command("fleettui.cli.controllers:controllers", "Print what runs the rest."),
    "delete": _Command("fleettui.cli.acts:delete", "Delete machines or a cluster."),
    "demo": _Command("fleettui.cli.demo:demo", "Open a pretend fleet on this machine."),
    "describe": _Command("fleettui.cli.describe:describe", "Describe one cluster as clusterctl."),
    "diff": _Command("fleettui.cli.diff:diff", "Print what differs between git and clusters."),
    "explain": _Command("fleettui.cli.explain:explain", "Explain why something is stuck."),
    "get": _Command("fleettui.cli.words:get", "Print objects of a kind."),
    "journal": _Command("fleettui.cli.journal:journal", "Print what was changed from here."),
    "kinds": _Command("fleettui.cli.kinds:kinds", "List or check the kinds understood."),
    "label": _Command("fleettui.cli.acts:label", "Set or remove labels."),
    "mute": _Command("fleettui.cli.mutes:mute", "Hide a cause for a while, or list those hidden."),
    "overview": _Command("fleettui.cli.overview:overview", "Print the fleet in figures and bars."),
    "pause": _Command("fleettui.cli.acts:pause", "Stop reconciling objects."),
    "paused": _Command("fleettui.cli.paused:paused", "Print what is paused, by whom and why."),
    "remediate": _Command("fleettui.cli.acts:remediate", "Have machines replaced."),
    "replan": _Command("fleettui.cli.acts:replan", "Ask for a new Terraform plan."),
    "report": _Command("fleettui.cli.report:report", "Print a report for the incident channel."),
    "resume": _Command("fleettui.cli.acts:resume", "Let paused objects reconcile again."),
    "resync": _Command("fleettui.cli.acts:resync", "Ask for a reconciliation now."),
    "rollout": _Command("fleettui.cli.acts:rollout", "Replace machines one after another."),
    "scale": _Command("fleettui.cli.acts:scale", "Set the number of replicas."),
    "trace": _Command("fleettui.cli.trace:trace", "Print where an object comes from, and why."),
    "tree": _Command("fleettui.cli.words:tree", "Print the whole fleet as a tree."),
    "undo": _Command("fleettui.cli.acts:undo", "Put back what a plan changed."),
    "unmute": _Command("fleettui.cli.mutes:unmute", "Show a hidden cause again."),
    "upgrade": _Command("fleettui.cli.acts:upgrade", "Set the Kubernetes version of a cluster."),
    "why": _Command("fleettui.cli.why:why", "Print why one object is not well."),
}
"""Subcommands by name; listing them imports none."""


class _LazyGroup(click.Group):
    """A group whose commands are imported when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names of subcommands in order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The subcommand, imported now."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            import difflib  # only needed after a mistake

            near = difflib.get_close_matches(cmd_name, COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else "see: fleettui --help"
            raise UsageError(f"no command is called {cmd_name!r}", hint=hint)
        module, _, attribute = entry.place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Subcommands with their one line of help, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name].help) for name in self.list_commands(ctx)])


@click.group(
    cls=_LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="fleettui")
@fleet_options
@click.pass_context
def fleettui(ctx: click.Context, asked: Asked) -> None:
    """See what a fleet of Kubernetes clusters is made of, what is broken and why.

    Without a command the terminal program opens on the current context.

    \b
    Exit codes: 0 well, 1 failed, 2 usage or configuration, 3 cannot connect or
    not all could be read (--allow-partial accepts it), 4 matched by --fail-on,
    5 refused, 130 interrupted.
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = asked
        return
    from fleettui.cli.screen import open_screen

    ctx.exit(open_screen(asked.opening()))


def report(error: FleettuiError, stderr: TextIO) -> None:
    """The one clear line, and the hint below it."""
    print(f"fleettui: {safe_text(str(error))}", file=stderr)
    margin = "  hint: "
    for line in error.hint.split("\n")[:MOST_HINT_LINES] if error.hint else ():
        print(f"{margin}{safe_text(line)}", file=stderr)
        margin = " " * len(margin)


def run(arguments: Sequence[str]) -> int:
    """Runs the command line; returns the exit code, prints the one line of an error."""
    gc.disable()  # a short-lived process, and the UI sets its own policy
    try:
        result = fleettui.main(list(arguments), prog_name="fleettui", standalone_mode=False)
    except FleettuiError as error:
        report(error, sys.stderr)
        return int(error.exit_code)
    except click.UsageError as error:
        where = error.ctx.command_path if error.ctx else "fleettui"
        print(f"{where}: {error.format_message()}", file=sys.stderr)
        print(f"  hint: {where} --help", file=sys.stderr)
        return int(ExitCode.USAGE)
    except click.ClickException as error:
        print(f"fleettui: {error.format_message()}", file=sys.stderr)
        return int(ExitCode.FAILED)
    except (click.Abort, KeyboardInterrupt):
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # The reader of a pipe went away: nothing is left to say, and nobody to say it to.
        sys.stderr.close()
        return int(ExitCode.OK)
    return result if isinstance(result, int) else int(ExitCode.OK)
