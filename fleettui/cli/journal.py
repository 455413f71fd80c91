"""``journal``: what was changed from here, by whom, why, and what came of it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from fleettui.accounts import Account, Wanted, accounts
from fleettui.actions.options import seconds_of
from fleettui.audit import Journal, Result
from fleettui.cli.output import open_output, render, table_text
from fleettui.config import state_folder
from fleettui.errors import ExitCode
from fleettui.kinds.record import ObjectRef
from fleettui.text import safe_text

SCHEMA = "fleettui.journal/v1"


@click.command()
@click.option("--last", is_flag=True, help="Only the plan that was carried out last.")
@click.option("--plan", default="", metavar="ID", help="Only this plan.")
@click.option("--context", default="", metavar="NAME", help="Only this context.")
@click.option("--kind", default="", help="Only this kind, as in Cluster.")
@click.option("-n", "--namespace", default="", help="Only this namespace.")
@click.option("--name", default="", help="Only this object.")
@click.option("--verb", default="", help="Only this verb.")
@click.option("--who", default="", help="Only people whose name holds this.")
@click.option("--since", default="", metavar="2h", help="Only what is not older.")
@click.option(
    "--result", "results", multiple=True, type=click.Choice([result.value for result in Result])
)
@click.option("-o", "--output", "form", type=click.Choice(["table", "json", "yaml"]))
def journal(
    last: bool, since: str, results: tuple[str, ...], form: str | None, **exact: str
) -> int:
    """Print what was changed from this machine, oldest first.

    A write whose answer was never recorded is unknown: it may have been done.
    """
    output = open_output()
    book = Journal(state_folder())
    start = datetime.now(UTC) - timedelta(seconds=seconds_of(since)) if since else None
    wanted = Wanted(**exact, since=start, results=frozenset(Result(value) for value in results))
    found = accounts(book.read(), wanted)
    if last and found:
        newest = found[-1].intent.plan
        found = [account for account in found if account.intent.plan == newest]
    if form in ("json", "yaml"):
        items = [_form(account) for account in found]
        document = {"schema": SCHEMA, "damaged_lines": book.damaged(), "items": items}
        output.write(render(document, str(form)))
    elif found:
        output.write("\n".join(_lines(found, output.width)))
    else:
        output.say("nothing was changed from here")
    if form not in ("json", "yaml") and (damaged := book.damaged()):
        output.say(f"{damaged} lines of the journal are no entries: a write was cut short there")
    return int(ExitCode.OK)


def _ref(account: Account) -> ObjectRef:
    intent = account.intent
    return ObjectRef(intent.context, intent.group, intent.kind, intent.namespace, intent.name)


def _lines(found: Sequence[Account], width: int) -> list[str]:
    rows = []
    for account in found:
        intent, outcome = account.intent, account.outcome
        dry = " (dry run)" if intent.dry_run else ""
        said = outcome.message if outcome else "no answer was recorded; it may have been done"
        cells = (
            intent.at,
            intent.plan,
            intent.verb + dry,
            str(_ref(account)),
            account.result.value.replace("_", " "),
            intent.who.server or intent.who.local,
            intent.why,
            said,
        )
        rows.append(tuple(safe_text(cell) for cell in cells))
    header = ("AT", "PLAN", "VERB", "OBJECT", "RESULT", "WHO", "WHY", "SAID")
    return table_text(header, rows, width=width)


def _form(account: Account) -> dict[str, Any]:
    intent, outcome = account.intent, account.outcome
    form: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(intent, result=None))
    form.pop("what")
    return {
        **form,
        "result": account.result.value,
        "message": safe_text(outcome.message) if outcome else None,
        "answered_at": outcome.at if outcome else None,
        "after": outcome.after or None if outcome else None,
    }
