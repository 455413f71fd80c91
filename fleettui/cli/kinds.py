"""``kinds``: what is understood, and checking files of further kinds."""

import textwrap
from pathlib import Path
from typing import Any

import click
import msgspec

from fleettui.cli.output import open_output, table_text
from fleettui.config import config_folder
from fleettui.fleet.opening import user_kinds
from fleettui.kinds import check_file, load_table
from fleettui.kinds.loader import example_text, vocabulary


@click.group(invoke_without_command=True)
@click.option("-o", "--output", "form", type=click.Choice(["table", "json"]), default="table")
@click.pass_context
def kinds(ctx: click.Context, form: str) -> None:
    """List the kinds that are understood, and where each comes from.

    Kinds of your own go to kinds.d/*.yaml in the configuration folder, over the built-in
    ones: `fleettui kinds example` prints a file with every key explained, `fleettui kinds
    check FILE` says what is wrong with yours and in which line. Providers that follow the
    Cluster API contract are shown without any file.
    """
    if ctx.invoked_subcommand is not None:
        return
    output = open_output()
    table = load_table(user_kinds())
    specs = sorted(table, key=lambda spec: (spec.group, spec.kind))
    if form == "json":
        document = {"schema": "fleettui.kinds/v1", "items": [msgspec.to_builtins(s) for s in specs]}
        output.write(msgspec.json.format(msgspec.json.encode(document), indent=2).decode())
        return
    rows = [
        (
            spec.kind,
            spec.group or "core",
            ",".join(spec.short_names),
            spec.role.value,
            spec.depth.value,
            spec.provider,
            spec.origin,
        )
        for spec in specs
    ]
    header = ("KIND", "GROUP", "SHORT", "ROLE", "DEPTH", "PROVIDER", "FROM")
    output.write("\n".join(table_text(header, rows, width=output.width)))


@kinds.command()
def example() -> None:
    """Print a file of kinds with every key explained, and the words that values may be."""
    words = [
        "\n".join(textwrap.wrap(f"{what}: {', '.join(names)}", 96, **_COMMENT))
        for what, names in vocabulary().items()
    ]
    open_output().write("\n".join([example_text(), *words]))


_COMMENT: Any = {"initial_indent": "# ", "subsequent_indent": "#   ", "break_on_hyphens": False}


@kinds.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def check(files: tuple[Path, ...]) -> None:
    """Check FILES of kinds, or those in kinds.d of the configuration folder.

    Exits 0 when all are well, 2 with file, line and what is wrong.
    """
    output = open_output()
    built_in = load_table()
    for file in files or user_kinds():
        for spec in check_file(file):
            known = built_in.spec_for(spec.group, spec.kind)
            over = f", replaces the one {known.origin}" if known is not None else ""
            name = f"{spec.kind}.{spec.group}".rstrip(".")
            output.write(f"ok: {name} ({spec.role.value}, {spec.depth.value}{over})")
    if not files and not user_kinds():
        output.say(f"no files in {config_folder() / 'kinds.d'}")
