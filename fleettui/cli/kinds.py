"""``kinds``: what is understood, and checking files of further kinds."""

from pathlib import Path

import click
import msgspec

from fleettui.cli.output import open_output, table_text
from fleettui.fleet.opening import user_kinds
from fleettui.kinds import check_file, load_table


@click.group(invoke_without_command=True)
@click.option("-o", "--output", "form", type=click.Choice(["table", "json"]), default="table")
@click.pass_context
def kinds(ctx: click.Context, form: str) -> None:
    """List the kinds that are understood, and where each comes from."""
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
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check a FILE of kinds, as kinds.d in the configuration folder holds them."""
    found = check_file(file)
    output = open_output()
    for spec in found:
        output.write(f"ok: {spec.kind}.{spec.group} ({spec.role.value}, {spec.depth.value})")
