"""``describe cluster``: the view that clusterctl users know, and JSON of it."""

import click

from fleettui.cli.answers import answer_options
from fleettui.cli.flags import FlagsWithValues
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import open_output, render
from fleettui.cli.session import completeness, with_fleet
from fleettui.errors import UsageError
from fleettui.fleet import Fleet
from fleettui.fleet.birth_forms import birth_form, birth_line
from fleettui.fleet.describe import Options, build_tree, describe_form, describe_lines
from fleettui.fleet.describe.gather import gather
from fleettui.fleet.describe.single import object_form, object_lines, past_or_words
from fleettui.fleet.pointed_metadata import read_pointed, users_of_kubeconfigs
from fleettui.fleet.refs import one_row
from fleettui.index.birth import birth_of, is_being_made
from fleettui.index.joins import Joins


@click.group()
def describe() -> None:
    """Describe one cluster in the way of clusterctl, or any one object."""


@describe.command("object")
@click.argument("ref")
@fleet_options
@answer_options()
def one(ref: str, asked: Asked, form: str, allow_partial: bool, timeout: float) -> int:
    """Describe one object with its history: releases, revisions, deployments.

    REF is [CONTEXT:]KIND/[NAMESPACE/]NAME.
    """
    output = open_output()

    async def work(fleet: Fleet) -> int:
        row = one_row(fleet, ref)
        past, missing = await past_or_words(fleet, row)
        if form == "table":
            output.write("\n".join(object_lines(fleet, row, past)))
        else:
            output.write(render(object_form(fleet, row, past), form))
        if missing:
            output.say(f"history not read: {missing}")
        return int(completeness(fleet, output, allow_partial=allow_partial))

    return with_fleet(asked.opening(), output, work, timeout_s=timeout)


def _listed(show_conditions: str) -> str:
    """The list as it was typed; a space in it would be a part of a name that nothing has."""
    for element in filter(None, show_conditions.split(",")):
        if element != element.strip():
            raise UsageError(
                f"{element!r} has a space around it", where="--show-conditions", hint="a,b,c"
            )
    return show_conditions


@describe.command(cls=FlagsWithValues)
@click.argument("name")
@fleet_options
@click.option("--show-conditions", default="", metavar="LIST", help="all, Kind, Kind/name; + bad.")
@click.option("--show-machinesets", is_flag=True, help="Show MachineSets between.")
@click.option("--show-resourcesets", is_flag=True, help="Show ClusterResourceSets.")
@click.option("--show-templates", is_flag=True, help="Show templates.")
@click.option("--echo", is_flag=True, help="Show infrastructure and bootstrap that echo a Machine.")
@click.option("--grouping/--no-grouping", default=True, help="Merge equal Machines.")
@click.option("--progress", is_flag=True, help="Show the way from commit to nodes at any age.")
@click.option("-c", "--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@answer_options()
def cluster(
    name: str,
    asked: Asked,
    show_conditions: str,
    show_machinesets: bool,
    show_resourcesets: bool,
    show_templates: bool,
    echo: bool,
    grouping: bool,
    progress: bool,
    form: str,
    color: str,
    allow_partial: bool,
    timeout: float,
) -> int:
    """Describe the cluster NAME ([CONTEXT:][NAMESPACE/]NAME)."""
    output = open_output(color)
    options = Options(
        show_conditions=_listed(show_conditions),
        show_machine_sets=show_machinesets,
        show_resource_sets=show_resourcesets,
        show_templates=show_templates,
        echo=echo,
        grouping=grouping,
    )

    async def work(fleet: Fleet) -> int:
        row = one_row(fleet, name, kind="cluster.cluster.x-k8s.io")
        body, inventory, missing = await gather(fleet, row, with_sets=show_resourcesets)
        root = build_tree(body, inventory, options)
        now = fleet.now()
        birth = None
        if progress or is_being_made(row, now):
            await read_pointed(fleet, users_of_kubeconfigs(fleet.index, row))
            birth = birth_of(fleet.index, row, joins=Joins(fleet.index))
        if form == "table":
            lines = describe_lines(root, now)
            output.write("\n".join([*lines, "", birth_line(birth, now)] if birth else lines))
        else:
            steps = {"progress": birth_form(birth)} if birth else {}
            output.write(render({**describe_form(root, now), **steps}, form))
        for text in missing:
            output.say(f"not shown: {text}")
        return int(completeness(fleet, output, allow_partial=allow_partial))

    return with_fleet(asked.opening(), output, work, timeout_s=timeout)
