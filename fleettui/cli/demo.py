"""``demo``: pretend management clusters, and the ordinary program on them."""

import os
import sys
from pathlib import Path

import click

from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.screen import load_screen, open_screen
from fleettui.processes import Companion

READY_S = 60.0
DEFAULT_CLUSTERS = 32
DEFAULT_CONTEXTS = 2


@click.command()
@click.option(
    "--clusters",
    type=click.IntRange(1, 100_000),
    default=DEFAULT_CLUSTERS,
    show_default=True,
    help="Workload clusters in all, about 60 objects each.",
)
@click.option(
    "--contexts",
    "demo_contexts",
    type=click.IntRange(1, 50),
    default=DEFAULT_CONTEXTS,
    show_default=True,
    help="Management clusters.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same fleet.")
@click.option(
    "--churn",
    type=click.FloatRange(0, 20_000),
    default=2.0,
    show_default=True,
    help="Watch events a second.",
)
@click.option("--link", default="", metavar="RATE,DELAY", help="Slow link, such as 20mbit,80ms.")
@click.option("--incidents", metavar="NAME,NAME", help="Only these incidents, `none` for none.")
@click.option("--old-api", is_flag=True, help="Cluster API's kinds at v1beta1 only; stands still.")
@click.option("--serve", is_flag=True, help="Only the servers; print the kubeconfig's path.")
@fleet_options
def demo(
    clusters: int,
    demo_contexts: int,
    seed: int,
    churn: float,
    link: str,
    incidents: str | None,
    old_api: bool,
    serve: bool,
    asked: Asked,
) -> int:
    """Open a pretend fleet; nothing outside this machine is touched."""
    arguments = [
        *("--clusters", str(clusters), "--contexts", str(demo_contexts)),
        *("--seed", str(seed), "--churn", str(churn)),
    ]
    if link:
        arguments += ["--link", link]
    if incidents is not None:
        arguments += ["--incidents", incidents]
    if old_api:
        arguments.append("--old-api")
    if serve:
        from fleettui.demo.__main__ import main

        return main(arguments)
    companion = Companion(
        [sys.executable, "-m", "fleettui.demo", *arguments, "--exit-with-parent"],
        environment=os.environ,
    )
    try:
        if sys.stdout.isatty():
            many = "cluster" if clusters == 1 else "clusters"
            print(f"starting a pretend fleet of {clusters} {many} …", file=sys.stderr, flush=True)
            load_screen()  # while the servers get ready
        kubeconfig = Path(companion.read_line(READY_S))
        opened = asked.merged(Asked(kubeconfig=kubeconfig, all_contexts=not asked.contexts))
        return open_screen(opened.opening())
    finally:
        companion.stop()
