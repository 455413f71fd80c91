"""``tree`` and ``get``: what the fleet is made of, as words and documents."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import Output, open_output, render, table_text
from fleettui.cli.session import DEFAULT_TIMEOUT_S, completeness, is_complete, with_fleet
from fleettui.errors import ExitCode, FleettuiError, UsageError
from fleettui.fleet import Fleet
from fleettui.fleet.dependency_forms import dependency_form, dependency_lines
from fleettui.fleet.forms import get_form, grouped_roots, tree_form
from fleettui.fleet.pointed_metadata import read_all_pointed
from fleettui.fleet.refs import find_rows, kinds_named
from fleettui.index import Row, TreeView
from fleettui.index.dependencies import dependencies_of
from fleettui.index.joins import BY_NAME
from fleettui.index.perspectives import CLUSTER_ROLES, Perspective, by_kind, named_perspective
from fleettui.index.upgrades import shown_version, upgrade_words
from fleettui.kinds import load_table
from fleettui.kinds.columns import RENDERERS, replicas_cell
from fleettui.kinds.record import Verdict
from fleettui.kinds.spec import ColumnSpec
from fleettui.kinds.support import deprecation_of
from fleettui.text import age_text, one_line, safe_text

if TYPE_CHECKING:
    from fleettui.fleet.opening import Opening
    from fleettui.index.query import Query
    from fleettui.index.search import BoundQuery

GLYPHS = {
    Verdict.FAILED: "✗",
    Verdict.STALLED: "✗",
    Verdict.IN_PROGRESS: "…",
    Verdict.UNKNOWN: "?",
    Verdict.CURRENT: "✓",
}
FAIL_ON = ("failed", "stalled", "in_progress", "unknown", "paused")


def print_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Options of every command that prints rows."""
    for option in (
        click.option(
            "-o", "--output", "form", type=click.Choice(["table", "json", "yaml"]), default="table"
        ),
        click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto"),
        click.option("--allow-partial", is_flag=True, help="Exit 0 though not all could be read."),
        click.option(
            "--fail-on",
            multiple=True,
            type=click.Choice(FAIL_ON),
            help="Exit 4 when an object shown is so; repeatable.",
        ),
        click.option("--filter", "expression", default="", help="Only rows that match."),
        click.option(
            "--timeout",
            type=click.FloatRange(0.1, 3600),
            default=DEFAULT_TIMEOUT_S,
            show_default=True,
            metavar="SECONDS",
            help="How long to wait for the fleet.",
        ),
    ):
        function = option(function)
    return function


@click.command()
@click.argument("kind")
@click.argument("names", nargs=-1)
@fleet_options
@print_options
def get(
    kind: str,
    names: tuple[str, ...],
    asked: Asked,
    form: str,
    color: str,
    allow_partial: bool,
    fail_on: tuple[str, ...],
    expression: str,
    timeout: float,
) -> int:
    """Print objects of KIND (or `all`), or only those called NAMES."""
    output = open_output(color)
    query = _parsed(expression)

    async def work(fleet: Fleet) -> int:
        rows = _named(fleet, kind, names) if names else _of_kind(fleet, kind)
        if (wanted := _bound(fleet, query, output)) is not None:
            rows = [row for row in rows if wanted.matches(row)]
        if not rows and is_complete(fleet):
            said = f" match {expression!r}" if expression else " are there"
            output.say(f"no {kind}{said} in {_places(fleet)}")
        if form == "table":
            output.write("\n".join(output.paint_rows(row_lines(rows, fleet, output))))
        else:
            output.write(render(get_form(fleet, rows), form))
        return _exit_code(fleet, output, rows, allow_partial=allow_partial, fail_on=fail_on)

    opening = _with_kinds(asked.opening(), kind)
    return with_fleet(opening, output, work, timeout_s=timeout)


@click.command()
@fleet_options
@print_options
@click.option("--machine-sets", is_flag=True, help="Show sets of machines as well.")
@click.option(
    "--by",
    "grouping",
    default="cluster",
    metavar="GROUPING",
    help="cluster, source, version, namespace, fault, kind[:KIND], label:KEY or dependencies.",
)
def tree(
    asked: Asked,
    form: str,
    color: str,
    allow_partial: bool,
    fail_on: tuple[str, ...],
    expression: str,
    timeout: float,
    machine_sets: bool,
    grouping: str,
) -> int:
    """Print the whole fleet as a tree, its roots grouped one way or another."""
    output = open_output(color)
    query = _parsed(expression)
    opening = asked.opening()
    word, _, kind = grouping.partition(":")
    if word == "kind" and kind:
        opening = _with_kinds(opening, kind)
    elif word != "dependencies":
        named_perspective(grouping, now=0)  # a typo costs no connection

    async def work(fleet: Fleet) -> int:
        if word == "dependencies":
            graph = dependencies_of(fleet.index)
            text = "\n".join(dependency_lines(graph))
            output.write(text if form == "table" else render(dependency_form(fleet, graph), form))
            return _exit_code(
                fleet, output, graph.rows, allow_partial=allow_partial, fail_on=fail_on
            )
        await read_all_pointed(fleet)
        view = TreeView(fleet.index)
        view.set_perspective(_perspective(fleet, word, grouping, kind))
        view.show_machine_sets(show=machine_sets)
        view.set_filter(_bound(fleet, query, output))
        view.expand_all()
        view.settle()
        if form == "table":
            output.write("\n".join(output.paint_rows(tree_lines(view, fleet, output))))
        else:
            groups = grouped_roots(view)
            output.write(render(tree_form(fleet, groups, groups=groups), form))
        rows = list(fleet.index.rows())
        return _exit_code(fleet, output, rows, allow_partial=allow_partial, fail_on=fail_on)

    return with_fleet(opening, output, work, timeout_s=timeout)


def _perspective(fleet: Fleet, word: str, grouping: str, kind: str) -> Perspective:
    if word != "kind" or not kind:
        return named_perspective(grouping, now=fleet.now())
    (spec, *others) = kinds_named(fleet.table, kind)
    if others:
        names = ", ".join(f"{other.plural}.{other.group}" for other in (spec, *others))
        raise UsageError(f"{kind!r} means several kinds", hint=f"say one of {names}")
    return by_kind((spec.group, spec.kind))


def _with_kinds(opening: "Opening", kind: str) -> "Opening":
    """The opening, with the kinds of this name followed whatever their depth."""
    from fleettui.fleet.opening import user_kinds

    specs = load_table(user_kinds()).find(kind)
    wanted = {(spec.group, spec.kind) for spec in specs}
    return replace(opening, asked=opening.asked | wanted)


def _parsed(expression: str) -> "Query | None":
    """The filter, parsed before anything is opened, so that a typo costs nothing."""
    if not expression:
        return None
    from fleettui.index.query import parse

    return parse(expression)


def _bound(fleet: Fleet, query: "Query | None", output: Output) -> "BoundQuery | None":
    """The filter on this fleet; says which kinds it could not look at."""
    if query is None:
        return None
    from fleettui.index.search import Searcher, unsearchable

    for context, (group, kind) in unsearchable(query, fleet.index.coverage, fleet.table):
        output.say(f"not searched: {context}: {kind}.{group} is not loaded")
    return Searcher(fleet.index).bind(query, now=fleet.now())


def _of_kind(fleet: Fleet, kind: str) -> list[Row]:
    if kind == "all":
        rows: Iterable[Row] = fleet.index.rows()
    else:
        specs = kinds_named(fleet.table, kind)
        rows = (row for spec in specs for row in fleet.index.rows((spec.group, spec.kind)))
    return sorted(rows, key=lambda row: row.ref)


def _places(fleet: Fleet) -> str:
    """Where was looked: contexts by name, and the namespace that limits them."""
    contexts = fleet.contexts()
    names = ", ".join(safe_text(info.name) for info in contexts)
    limits = {info.namespace for info in contexts if info.namespace}
    return f"{names}, namespace {', '.join(sorted(limits))}" if limits else names


def _named(fleet: Fleet, kind: str, names: tuple[str, ...]) -> list[Row]:
    found: list[Row] = []
    for name in names:
        rows = find_rows(fleet, name, kind="" if kind == "all" else kind)
        if not rows:
            raise FleettuiError(f"no {kind} is called {name!r}", hint=f"see: fleettui get {kind}")
        found += rows
    return found


def _exit_code(
    fleet: Fleet,
    output: Output,
    rows: Iterable[Row],
    *,
    allow_partial: bool,
    fail_on: tuple[str, ...],
) -> int:
    code = completeness(fleet, output, allow_partial=allow_partial)
    matched = [
        row
        for row in rows
        if row.health.value in fail_on or ("paused" in fail_on and row.is_paused)
    ]
    if matched:
        output.say(f"matched by --fail-on: {len(matched)}, first {matched[0].ref}")
        return int(ExitCode.MATCHED)
    return int(code)


def _since(row: Row, now: int) -> str:
    if not row.since:
        return ""
    bound = "≥" if row.since_is_lower_bound else ""
    return bound + age_text(now - row.since)


def _flags(row: Row) -> str:
    return ("⏸" if row.is_paused else "") + ("✂" if row.is_deleting else "")


def _replicas(row: Row) -> str:
    return replicas_cell(row.replicas).text


SHARED_FACTS = frozenset({"provider_id", "addresses", "wanted_version", "data_secret"})
"""What many kinds have stands behind what a kind has of its own."""
MOST_FACTS = 6
"""Columns of their own that a table of one kind has."""


def _fact_columns(rows: Sequence[Row]) -> tuple[ColumnSpec, ...]:
    """Columns of the kind when all rows are of one, those that say something first to last."""
    kinds = {(row.group, row.kind) for row in rows}
    if len(kinds) != 1:
        return ()
    given = {name for row in rows for name, value in row.facts if value}
    found = [column for column in rows[0].spec.columns if column.name in given]
    found.sort(key=lambda column: column.name in SHARED_FACTS)
    return tuple(found[:MOST_FACTS])


def _fact_cells(row: Row, columns: Sequence[ColumnSpec]) -> list[str]:
    texts = (RENDERERS[column.render](row.fact(column.name)).text for column in columns)
    return [one_line(text, limit=MOST_FACT_CELLS) for text in texts]


MOST_FACT_CELLS = 48


def row_lines(rows: Sequence[Row], fleet: Fleet, output: Output) -> list[str]:
    """Rows as an aligned table; rows of one kind with what that kind adds."""
    now = fleet.now()
    columns = _fact_columns(rows)
    titles = [safe_text(column.title) for column in columns]
    header = ("CONTEXT", "NAMESPACE", "NAME", "KIND", "HEALTH", "READY", "VERSION", "AGE", "SINCE")
    cells = [
        (
            safe_text(row.ref.context),
            row.namespace,
            row.name,
            _kind(fleet, row),
            row.health.value + _flags(row),
            _replicas(row),
            safe_text(shown_version(row)),
            age_text(now - row.created_at) if row.created_at else "",
            _since(row, now),
            *_fact_cells(row, columns),
            _reason(row),
        )
        for row in rows
    ]
    return table_text((*header, *titles, "REASON"), cells, width=output.width)


def _kind(fleet: Fleet, row: Row) -> str:
    """The kind; with its group where another kind has the name and is meant by it first."""
    namesakes = [spec for spec in fleet.table.find(row.kind) if spec.kind == row.kind]
    first = namesakes[0].group if namesakes else row.group
    return row.kind if row.group == first else f"{row.kind}.{row.group}"


def _reason(row: Row) -> str:
    upgrade = ""
    if row.spec.role in CLUSTER_ROLES and row.health in (Verdict.CURRENT, Verdict.IN_PROGRESS):
        upgrade = safe_text(upgrade_words(row))
    if row.health is Verdict.CURRENT:
        if row.is_paused:
            return f"paused by {safe_text(row.paused_by)}"
        deprecation = deprecation_of(row.spec, row.version)
        return upgrade or (f"deprecated: {deprecation}" if deprecation else "")
    words = (upgrade, safe_text(row.reason), one_line(row.message))
    return ": ".join(text for text in words if text)


def _is_elsewhere(view: TreeView, row: Row, *, is_link: bool) -> bool:
    """Whether the place in the tree does not tell the row's namespace."""
    if not row.namespace:
        return False
    if view.perspective.is_flat or is_link:
        return True
    if row.parent is not None:
        return row.parent.namespace != row.namespace
    return view.perspective.name != "namespace" and row.spec.role not in CLUSTER_ROLES


def tree_lines(view: TreeView, fleet: Fleet, output: Output) -> list[str]:
    """The view as indented lines; links are marked with an arrow."""
    now = fleet.now()
    cells = []
    for line in view.lines(0, len(view)):
        row = line.row
        indent = "  " * line.depth
        if row is None:
            cells.append((f"{indent}{safe_text(line.label)}", "", "", "", ""))
            continue
        mark = "↪ " if line.is_link else ""
        doubt = "  (by name only, unverified)" if line.relation == BY_NAME else ""
        where = f"{row.namespace}/" if _is_elsewhere(view, row, is_link=line.is_link) else ""
        title = f"{_kind(fleet, row)}/{where}{safe_text(line.label)}"
        name = f"{indent}{mark}{GLYPHS[row.health]} {title}{_flags(row)}{doubt}"
        cells.append(
            (
                name,
                _replicas(row),
                safe_text(shown_version(row)),
                _since(row, now),
                _reason(row),
            )
        )
    header = ("NAME", "READY", "VERSION", "SINCE", "REASON")
    return table_text(header, cells, width=output.width)
