"""The verbs as words: ``fleettui pause cluster/team-a/prod-00 --reason disk``.

Knows options and how they become wishes; what a verb does, and whether it may,
is decided by ``actions``. Nothing is sent that was not planned and confirmed.
"""

from collections.abc import Callable
from typing import Any

import click

from fleettui.actions.forms import forms
from fleettui.actions.options import Options, entries_of, seconds_of
from fleettui.cli.acting import Errand, run_again, run_verb
from fleettui.cli.options import Asked, fleet_options
from fleettui.cli.output import open_output
from fleettui.cli.session import DEFAULT_TIMEOUT_S
from fleettui.errors import UsageError

TAKES_ENTRIES = frozenset({"annotate", "label"})
"""Verbs of which some words are entries and not objects."""
_Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

_COMMON: tuple[_Decorator, ...] = (
    click.option("--all-matching", "expression", default="", metavar="FILTER", help="Every match."),
    click.option("--reason", default="", help="Why; kept in the journal and in pauses."),
    click.option("--dry-run", is_flag=True, help="Print the plan and send nothing."),
    click.option("--server-dry-run", is_flag=True, help="Let the server check it, store nothing."),
    click.option("--yes", is_flag=True, help="Do it without asking."),
    click.option("--confirm", "typed", default="", metavar="TEXT", help="What has to be typed."),
    click.option("--wait/--no-wait", "waits", default=True, help="Wait until it is acknowledged."),
    click.option(
        "--wait-timeout", type=click.IntRange(1, 86_400), metavar="SECONDS", help="Longest wait."
    ),
    click.option("--event", "mirrors_events", is_flag=True, help="Tell it by an Event as well."),
    click.option("--resume", "resumed", default="", metavar="PLAN", help="Go on where it stopped."),
    click.option("-o", "--output", "form", type=click.Choice(["table", "json"]), default="table"),
    click.option(
        "--timeout",
        type=click.FloatRange(0.1, 3600),
        default=DEFAULT_TIMEOUT_S,
        metavar="SECONDS",
        help="How long to wait for the fleet.",
    ),
)


def _form(*ways: str) -> _Decorator:
    """Which way, where a kind has several; a plan refuses those that it has not."""
    return click.option(
        "--form", "way", type=click.Choice(ways), default=None, help="Which way, where it has some."
    )


_PAUSES = tuple(sorted({form.name for form in forms().pause if form.name}))
_OWN: dict[str, tuple[_Decorator, ...]] = {
    "pause": (
        _form(*_PAUSES),
        click.option("--expires", default="", metavar="2h", help="Shown as expired."),
    ),
    "resume": (_form(*_PAUSES),),
    "resync": (
        _form("refresh", "hard", "sync"),
        click.option("--with-source", is_flag=True, help="The source first."),
        click.option("--force", is_flag=True, help="Force a Helm upgrade."),
        click.option("--reset", is_flag=True, help="Reset Helm's failure counters."),
        click.option("--hard", is_flag=True, help="Argo CD: refresh without its cache."),
        click.option("--sync", is_flag=True, help="Argo CD: sync, not only refresh."),
        click.option("--prune", is_flag=True, help="Argo CD sync: remove what git no longer has."),
        click.option("--revision", default="", help="Argo CD sync: another revision."),
        click.option("--argo-dry-run", is_flag=True, help="Argo CD sync: only tell."),
    ),
    "rollout": (_form("direct"),),
    "scale": (
        _form("direct"),
        click.option("--replicas", type=click.IntRange(0, 1_000_000), required=False),
    ),
    "upgrade": (click.option("--version", default="", metavar="v1.33.2"),),
    "approve": (click.option("--plan", "plan_id", default="", help="Id of the plan you read."),),
}
_HELP = {
    "pause": "Stop reconciling objects: pause, suspend or freeze, whatever their family says.",
    "resume": "Let paused objects reconcile again.",
    "resync": "Ask for a reconciliation now.",
    "rollout": "Replace the machines of a control plane or pool, one after another.",
    "scale": "Set the number of replicas where it is decided.",
    "upgrade": "Set the Kubernetes version of a cluster; off until the settings allow it.",
    "remediate": "Ask a health check to replace machines.",
    "delete": "Delete machines, or a whole cluster where the settings allow it.",
    "approve": "Approve a Terraform plan; off until the settings allow it.",
    "replan": "Ask for a new Terraform plan.",
    "annotate": "Set (KEY=VALUE) or remove (KEY-) annotations.",
    "label": "Set (KEY=VALUE) or remove (KEY-) labels.",
}


def _options(verb: str, words: tuple[str, ...], given: dict[str, Any]) -> Options:
    """What the verb's own options wish for.

    Raises:
        UsageError: they exclude each other, or one is not what it takes.
    """
    wishes = dict(given)
    ways = {wishes.pop("way", None) or ""}
    ways |= {name for name in ("hard", "sync") if wishes.pop(name, False)}
    if len(ways - {""}) > 1:
        raise UsageError(f"{' and '.join(sorted(ways - {''}))} exclude each other")
    if expires := wishes.pop("expires", ""):
        wishes["expires_s"] = seconds_of(expires)
    if verb in TAKES_ENTRIES:
        wishes["set"] = entries_of(word for word in words if is_entry(word))
        if not wishes["set"]:
            raise UsageError("no entry is given", hint="KEY=VALUE sets, KEY- removes")
    if verb == "scale" and wishes["replicas"] is None:
        raise UsageError("--replicas is missing", hint="--replicas 3")
    if verb == "upgrade" and not wishes["version"]:
        raise UsageError("--version is missing", hint="--version v1.33.2")
    return Options(form="".join(ways), **wishes)


def is_entry(word: str) -> bool:
    """Whether a word of annotate and label is an entry and not an object.

    Names of objects hold no ``=`` and do not end in ``-``.
    """
    return "=" in word or word.endswith("-")


def _errand(verb: str, given: dict[str, Any]) -> Errand:
    """How the verb is to be carried out; takes what that is told by out of what was given."""
    return Errand(
        verb=verb,
        reason=given.pop("reason"),
        only_plans=given.pop("dry_run"),
        dry_run=given.pop("server_dry_run"),
        yes=given.pop("yes"),
        typed=given.pop("typed"),
        waits=given.pop("waits"),
        wait_timeout_s=given.pop("wait_timeout"),
        mirrors_events=given.pop("mirrors_events"),
        form=given.pop("form"),
        timeout_s=given.pop("timeout"),
    )


def _work(verb: str, words: tuple[str, ...], asked: Asked, given: dict[str, Any]) -> int:
    """Does a verb to what was named, found, or left over.

    Raises:
        FleettuiError: nothing was done, and why.
    """
    errand, output = _errand(verb, given), open_output()
    expression, resumed = given.pop("expression"), given.pop("resumed")
    refs = tuple(w for w in words if not (verb in TAKES_ENTRIES and is_entry(w)))
    if resumed:
        if refs or expression:
            raise UsageError("--resume goes on with its own objects", hint="name none")
        return run_again(asked.opening(), output, errand, resumed, undo=False)
    if bool(refs) == bool(expression):
        raise UsageError(
            "name objects, or give --all-matching FILTER" if not refs else "not both",
            where=verb,
            hint=f"fleettui {verb} KIND/NAMESPACE/NAME",
        )
    options = _options(verb, words, given)
    return run_verb(asked.opening(), output, errand, refs, expression, options)


def _word(verb: str) -> click.Command:
    def work(words: tuple[str, ...], asked: Asked, **given: Any) -> int:
        return _work(verb, words, asked, given)

    work.__doc__ = f"{_HELP[verb]}\n\nWORDS are [CONTEXT:]KIND/[NAMESPACE/]NAME" + (
        ", and KEY=VALUE or KEY-." if verb in TAKES_ENTRIES else "."
    )
    decorated: Callable[..., Any] = work
    for option in reversed((*_OWN.get(verb, ()), *_COMMON)):
        decorated = option(decorated)
    return click.command(verb)(click.argument("words", nargs=-1)(fleet_options(decorated)))


pause, resume, resync = _word("pause"), _word("resume"), _word("resync")
rollout, scale, upgrade = _word("rollout"), _word("scale"), _word("upgrade")
remediate, delete = _word("remediate"), _word("delete")
approve, replan = _word("approve"), _word("replan")
annotate, label = _word("annotate"), _word("label")


@click.command()
@click.argument("plan")
@fleet_options
@click.option("--reason", default="", help="Why; kept in the journal.")
@click.option("--dry-run", is_flag=True, help="Print the plan and send nothing.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--confirm", "typed", default="", metavar="TEXT", help="What has to be typed.")
@click.option("-o", "--output", "form", type=click.Choice(["table", "json"]), default="table")
@click.option("--timeout", type=click.FloatRange(0.1, 3600), default=DEFAULT_TIMEOUT_S)
def undo(
    plan: str,
    asked: Asked,
    reason: str,
    dry_run: bool,
    yes: bool,
    typed: str,
    form: str,
    timeout: float,
) -> int:
    """Put back what PLAN changed, field by field, if nobody has changed it since."""
    errand = Errand(
        verb="undo",
        reason=reason,
        only_plans=dry_run,
        yes=yes,
        typed=typed,
        form=form,
        timeout_s=timeout,
    )
    return run_again(asked.opening(), open_output(), errand, plan, undo=True)
