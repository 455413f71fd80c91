"""``diff``: what git says, what is there, and whose commit it was."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import click

from fleettui.cli.diff_text import board_text, diff_texts, reference_text, tally
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import Output, open_output, render
from fleettui.cli.session import DEFAULT_TIMEOUT_S, completeness, with_fleet
from fleettui.config import cache_folder
from fleettui.desired.desired_diff import DesiredDiff, Mode
from fleettui.desired.diff_forms import diff_json, diff_markdown, diff_patch
from fleettui.desired.reference_forms import (
    reference_json,
    reference_markdown,
    reference_patch,
)
from fleettui.desired.references import ReferenceDiff
from fleettui.desired.sources import Want, Wanted
from fleettui.errors import ConnectError, ExitCode, FleettuiError, UsageError
from fleettui.fleet import Fleet
from fleettui.fleet.appliers import all_appliers, appliers_of
from fleettui.fleet.diffs import Diffs, Question
from fleettui.fleet.drift import DriftBoard
from fleettui.fleet.local_sources import local_sources, parse_local
from fleettui.fleet.opening import Opening, user_kinds
from fleettui.fleet.refs import find_rows
from fleettui.kinds import load_table
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Depth
from fleettui.text import safe_text

FORMS = ("table", "json", "patch", "markdown")
SCHEMA = "fleettui.diff/v1"
REFERENCE_SCHEMA = "fleettui.diff.reference/v1"
_CONFIGURED = "*"
"""``--local`` without a value: check-outs that the settings name."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """The options of one call."""

    names: tuple[str, ...]
    reference: str
    question: Question
    local: dict[str, Path]
    """Repositories of which a check-out is known."""
    named: frozenset[str]
    """Those that ``--local`` names, or all of them."""
    only_local: bool
    """Compare only what reads one of those."""
    repository: str
    form: str
    exits: tuple[bool, bool]
    """Whether differences exit 1, and whether incomplete answers exit 0."""
    builds: tuple[bool, bool]
    """Whether remote bases are fetched, and whether unset variables are errors."""


@click.command()
@click.argument("names", nargs=-1)
@fleet_options
@click.option("--ref", "reference", default="", metavar="REF", help="A branch, tag or commit.")
@click.option("--applied", is_flag=True, help="What the cluster applied last.")
@click.option("--latest", is_flag=True, help="What the source's reference points at now.")
@click.option(
    "--local",
    multiple=True,
    is_flag=False,
    flag_value=_CONFIGURED,
    metavar="[URL=PATH]",
    help="A check-out as it lies there, or with --ref the one that stands for URL; repeatable.",
)
@click.option("--repository", default="", metavar="URL", help="Whose branch --ref is.")
@click.option(
    "--mode",
    type=click.Choice([mode.value for mode in Mode]),
    default=Mode.READ_ONLY.value,
    help="read-only needs get; dry-run asks the server and needs patch.",
)
@click.option("-o", "--output", "form", type=click.Choice(FORMS), default="table")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto")
@click.option("--exit-code", is_flag=True, help="Exit 1 when there are differences.")
@click.option("--allow-remote-bases", is_flag=True, help="Let kustomize fetch remote bases.")
@click.option(
    "--strict-substitute/--no-strict-substitute",
    default=True,
    help="Whether unset variables are errors, as in Flux since 2.9.",
)
@click.option("--allow-partial", is_flag=True, help="Do not exit 3 when not all could be read.")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=DEFAULT_TIMEOUT_S)
def diff(
    names: tuple[str, ...],
    asked: Asked,
    reference: str,
    applied: bool,
    latest: bool,
    local: tuple[str, ...],
    repository: str,
    mode: str,
    form: str,
    color: str,
    exit_code: bool,
    allow_remote_bases: bool,
    strict_substitute: bool,
    allow_partial: bool,
    timeout: float,
) -> int:
    """Print what differs between git and the clusters, and whose commit it was.

    NAMES are [CONTEXT:]KIND/[NAMESPACE/]NAME of Kustomizations, HelmReleases and
    Applications, or of anything that they made; without names all are compared. With
    --ref and without names: what the branch would change in every Kustomization of the
    fleet that reads its repository. Exits 0; with --exit-code 1 when there are
    differences; 2 on mistakes, 3 when something could not be compared.
    """
    opening = _no_deeper_than_needed(asked.opening(), names)
    paths = [text for text in local if text != _CONFIGURED]
    known = local_sources(paths, opening.settings, kubeconfig=opening.kubeconfig)
    ask = _Ask(
        names,
        reference,
        Question(_wanted(reference, local, known, applied=applied, latest=latest), Mode(mode)),
        known,
        frozenset(parse_local(text)[0] for text in paths) or frozenset(known),
        bool(local) and not reference,
        repository,
        form,
        (exit_code, allow_partial),
        (allow_remote_bases, strict_substitute),
    )
    output = open_output(color)
    try:
        return with_fleet(
            opening, output, lambda fleet: _run(fleet, ask, output), timeout_s=timeout
        )
    except FleettuiError as error:
        if error.exit_code is not ExitCode.FAILED:
            raise
        # 1 says that there are differences; a failure must not.
        raise ConnectError(str(error), hint=error.hint) from error


def _no_deeper_than_needed(opening: Opening, names: tuple[str, ...]) -> Opening:
    """Leaves are read only when one may be named: appliers and clusters are no leaves."""
    table = load_table(user_kinds())
    words = [name.rpartition(":")[2].partition("/") for name in names]
    specs = [spec for word, slash, _ in words if slash for spec in table.find(word)]
    is_told = all(slash and table.find(word) for word, slash, _ in words)
    needs_leaves = not is_told or any(spec.depth is not Depth.SPINE for spec in specs)
    return opening if opening.depth or needs_leaves else replace(opening, depth="spine")


async def _run(fleet: Fleet, ask: _Ask, output: Output) -> int:
    """Compares, prints and tells the exit code."""
    allow_remote, strict = ask.builds
    diffs = Diffs(
        fleet, local=ask.local, cache=cache_folder(), allow_remote=allow_remote, strict=strict
    )
    tells_differences, allow_partial = ask.exits
    code = completeness(fleet, output, allow_partial=allow_partial)
    if ask.reference and not ask.names:
        found = await _before_merge(fleet, diffs, ask, output)
        output.write(_reference_output(found, ask.form, output))
        differs, failed = bool(found.contexts), any(item.error for item in found.targets)
    else:
        results = (await _compare(fleet, diffs, ask, output)).values()
        differs = any(item.has_differences for item in results)
        failed = any(item.has_errors or item.is_partial for item in results)
    if (failed and not allow_partial) or code:
        return int(ExitCode.INCOMPLETE)
    return int(differs and tells_differences)


def _wanted(
    reference: str, local: tuple[str, ...], known: dict[str, Path], *, applied: bool, latest: bool
) -> Wanted | None:
    """The revision asked for; None: what the controller applies next.

    Raises:
        UsageError: more than one, or no check-out is known.
    """
    chosen = [name for name, is_on in (("--ref", reference), ("--applied", applied)) if is_on]
    chosen += ["--latest"] if latest else []
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other", hint="choose one")
    if local and not known:
        raise UsageError("no check-out is known", hint="--local URL=PATH, or local_sources")
    if reference:
        return Wanted(reference=reference)
    if applied or latest:
        return Wanted(Want.APPLIED if applied else Want.LATEST)
    return Wanted(Want.WORKING) if local else None


async def _compare(
    fleet: Fleet, diffs: Diffs, ask: _Ask, output: Output
) -> dict[ObjectRef, DesiredDiff]:
    """Compares, prints what was found, and returns it."""
    refs = _refs(fleet, ask.names)
    if ask.only_local and not ask.names:
        refs = await diffs.reading(refs, ask.named)
    board = DriftBoard()
    board.refresh(fleet.index)
    progress = _Progress(output)
    results = await diffs.diff_all(refs, ask.question, progress=progress)
    progress.end()
    board.diffs.update(results)
    contexts = len({ref.context for ref in refs})
    if ask.form == "json":
        items = [{"context": ref.context, **diff_json(item)} for ref, item in results.items()]
        output.write(render({"schema": SCHEMA, "items": items}, "json"))
    elif ask.form == "patch":
        output.write("".join(diff_patch(item) for item in results.values()))
    elif ask.form == "markdown":
        news = (item for item in results.values() if item.has_differences or item.has_errors)
        output.write("\n".join(diff_markdown(item) for item in news))
    elif ask.names:
        output.write(diff_texts(results, output, many=contexts > 1))
    else:
        output.write(board_text(board, results, output, many=contexts > 1))
    output.say(tally(results))
    return results


def _refs(fleet: Fleet, names: tuple[str, ...]) -> list[ObjectRef]:
    """The appliers that names mean; all without names.

    Raises:
        UsageError: nothing is called so, or nothing says which applier made it.
    """
    if not names:
        return [row.ref for row in all_appliers(fleet.index)]
    found: list[ObjectRef] = []
    for name in names:
        rows = find_rows(fleet, name)
        if not rows:
            raise UsageError(f"nothing is called {name!r}", hint="see: fleettui get appliers")
        owners = [owner for row in rows for owner in appliers_of(row, fleet.index)]
        if not owners:
            raise UsageError(
                f"nothing says which Kustomization, HelmRelease or Application made {name}",
                hint="see: fleettui trace",
            )
        found += [owner.ref for owner in owners]
    return list(dict.fromkeys(found))


async def _before_merge(fleet: Fleet, diffs: Diffs, ask: _Ask, output: Output) -> ReferenceDiff:
    refs = [row.ref for row in all_appliers(fleet.index)]
    progress = _Progress(output)
    try:
        return await diffs.compare_reference(
            refs, ask.repository, ask.reference, progress=progress.rendered
        )
    finally:
        progress.end()


def _reference_output(found: ReferenceDiff, form: str, output: Output) -> str:
    if form == "json":
        return render({"schema": REFERENCE_SCHEMA, **reference_json(found)}, "json")
    if form == "patch":
        return reference_patch(found)
    if form == "markdown":
        return reference_markdown(found)
    return reference_text(found, output)


class _Progress:
    """How far a run is, on a terminal only."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._is_shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int, ref: ObjectRef, result: DesiredDiff) -> None:
        """Shows the count and what was compared last."""
        if self._is_shown:
            text = safe_text(f"{ref.kind} {ref.namespace}/{ref.name}", limit=60)
            print(f"\rcomparing {done}/{total} {text}\x1b[K", end="", file=sys.stderr, flush=True)

    def rendered(self, done: int, total: int) -> None:
        """Shows how many are rendered."""
        if self._is_shown:
            print(f"\rrendering {done}/{total}\x1b[K", end="", file=sys.stderr, flush=True)

    def end(self) -> None:
        """Clears the line."""
        if self._is_shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
