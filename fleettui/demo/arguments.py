"""The command line of the demo's own process."""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from fleettui.demo.apiserver.link import Link, parse_link
from fleettui.demo.world.fleet import SHOWN
from fleettui.demo.world.incidents import all_incidents

MAX_CLUSTERS = 100_000
MAX_CONTEXTS = 50
MAX_CHURN = 20_000.0


@dataclass(frozen=True, slots=True)
class Options:
    """What to serve."""

    clusters: int = SHOWN
    """Workload clusters in all, about 60 objects each."""
    contexts: int = 2
    """Management clusters."""
    seed: int = 1
    churn: float = 0.0
    """Watch events a second, all management clusters together."""
    incidents: tuple[str, ...] | None = None
    """Names of incidents to plant; empty for none, None for the usual share."""
    old_api: bool = False
    """Serve Cluster API's kinds at v1beta1 only, as before Cluster API 1.11; stands still."""
    link: Link | None = None
    port_base: int = 0
    """The first server's port, the others follow; 0 for free ones."""
    exit_with_parent: bool = False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line and exit code 2."""
        print(f"fleettui demo: {message}", file=sys.stderr)
        raise SystemExit(2)


def parse_arguments(arguments: Sequence[str]) -> Options:
    """The options of a command line.

    Raises:
        SystemExit: 2 after one line on stderr that names what is wrong.
    """
    parser = _Parser(prog="python -m fleettui.demo", description="Pretend management clusters.")
    add = parser.add_argument
    add(
        "--clusters", type=int, default=SHOWN, help=f"workload clusters in all, 1 to {MAX_CLUSTERS}"
    )
    add("--contexts", type=int, default=2, help=f"management clusters, 1 to {MAX_CONTEXTS}")
    add("--seed", type=int, default=1, help="the same seed gives the same fleet")
    add("--churn", type=float, default=0.0, help="watch events a second")
    add("--incidents", metavar="NAME,NAME", help="only these incidents, `none` for none")
    add(
        "--old-api", action="store_true", help="Cluster API's kinds at v1beta1 only; no controllers"
    )
    add("--link", default="", metavar="RATE,DELAY", help="slow link, such as 20mbit,80ms")
    add("--port-base", type=int, default=0, help="port of the first server (default: free ones)")
    add("--exit-with-parent", action="store_true", help="end when stdin closes")
    found = parser.parse_args(arguments)
    _check(parser, "--clusters", found.clusters, 1, MAX_CLUSTERS)
    _check(parser, "--contexts", found.contexts, 1, MAX_CONTEXTS)
    _check(parser, "--churn", found.churn, 0, MAX_CHURN)
    if found.port_base:
        _check(parser, "--port-base", found.port_base, 1, 65536 - found.contexts)
    try:
        link = parse_link(found.link) if found.link else None
    except ValueError as exc:
        parser.error(f"--link: {exc}")
    return Options(
        clusters=found.clusters,
        contexts=found.contexts,
        seed=found.seed,
        churn=found.churn,
        incidents=_names(parser, found.incidents),
        old_api=found.old_api,
        link=link,
        port_base=found.port_base,
        exit_with_parent=found.exit_with_parent,
    )


def _names(parser: argparse.ArgumentParser, text: str | None) -> tuple[str, ...] | None:
    """The incidents asked for, each known."""
    if text is None:
        return None
    names = tuple(name for name in text.split(",") if name not in ("", "none"))
    known = all_incidents()
    for name in names:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            parser.error(f"--incidents: no incident is called {name!r}; {hint}")
    return names


def _check(
    parser: argparse.ArgumentParser, name: str, value: float, low: float, high: float
) -> None:
    if not low <= value <= high:
        parser.error(f"{name} must be {low:g} to {high:g}, not {value:g}")
