"""One object of any kind described: its row, conditions, facts, pointers and its past.

Knows how these become lines and a document; ``build`` is about whole clusters.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from fleettui.errors import FleettuiError
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.forms import context_form, links_form, row_form
from fleettui.index import Row
from fleettui.index.upgrades import shown_version
from fleettui.kinds.columns import RENDERERS
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.past import Past, past_of
from fleettui.text import age_text, one_line, safe_text

SCHEMA = "fleettui.object/v1"


async def read_past(fleet: Fleet, row: Row) -> Past:
    """What the object says of its past, fetched now; asks nobody when its kind keeps none.

    Raises:
        FleettuiError: the object cannot be read.
    """
    if row.spec.history is None:
        return Past((), ())
    return past_of(row.spec, await fleet.body(row.ref))


async def past_or_words(fleet: Fleet, row: Row) -> tuple[Past, str]:
    """The past, and why there is none in words, unsafe to show without ``safe_text``."""
    try:
        return await read_past(fleet, row), ""
    except FleettuiError as error:
        return Past((), ()), str(error)


def object_form(fleet: Fleet, row: Row, past: Past) -> dict[str, Any]:
    """The document: a row as ``get`` tells it, with conditions, links and history."""
    now = fleet.now()
    return {
        "schema": SCHEMA,
        "contexts": [context_form(info, now) for info in fleet.contexts()],
        "object": {
            **row_form(row),
            "conditions": [
                {
                    "type": condition.type,
                    "status": condition.status,
                    "reason": safe_text(condition.reason),
                    "message": safe_text(condition.message, multiline=True),
                    "since": rfc3339(condition.since) or None,
                }
                for condition in row.conditions
            ],
            "links": list(links_form(fleet, row)),
            "history": history_form(past),
        },
    }


def history_form(past: Past) -> list[dict[str, str]]:
    """The past as a list, newest first; keys are names of columns."""
    return [{name: safe_text(text) for name, text in entry.items()} for entry in past.entries]


def object_lines(fleet: Fleet, row: Row, past: Past) -> list[str]:
    """The description as lines; texts are safe to print."""
    now = fleet.now()
    where = f"{row.namespace}/{row.name}" if row.namespace else row.name
    own = shown_version(row)
    version = f", {own}" if own else ""
    lines = [safe_text(f"{row.kind} {where}{version}  [{row.health.value}]  {row.reason}").rstrip()]
    if row.message:
        lines += [f"  {line}" for line in safe_text(row.message, multiline=True).splitlines()]
    if row.is_paused:
        lines.append(f"  paused by {safe_text(row.paused_by)}")
    conditions = [
        (
            condition.type,
            condition.status,
            condition.reason,
            age_text(now - condition.since) if condition.since else "",
            condition.message,
        )
        for condition in row.conditions
    ]
    lines += _table("CONDITIONS", ("TYPE", "STATUS", "REASON", "SINCE", "MESSAGE"), conditions)
    facts = {column.name: column for column in row.spec.columns}
    shown = [
        (facts[name].title, RENDERERS[facts[name].render](value).text)
        for name, value in row.facts
        if value and name in facts
    ]
    lines += _table("FACTS", (), shown)
    lines += history_lines(past)
    pointed = [
        (
            link["relation"].replace("_", " "),
            f"{link['kind']} {link['namespace']}/{link['name']}",
            link["health"] or "not a row",
            link["evidence"] or "",
        )
        for link in links_form(fleet, row)
    ]
    lines += _table("POINTS AT", (), pointed)
    return lines


def history_lines(past: Past) -> list[str]:
    """The past as a table with a title, newest first; nothing when there is none."""
    titles = tuple(column.title for column in past.columns)
    rows = [tuple(cell.text for cell in past.cells(entry)) for entry in past.entries]
    return list(_table("HISTORY", titles, rows)) if past.columns else []


def _table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A title, and aligned cells below it; the last of each row as long as it is."""
    if not rows:
        return
    safe = [[one_line(cell, limit=2000) for cell in row] for row in ([header] if header else [])]
    safe += [[one_line(cell, limit=2000) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in safe) for column in range(len(safe[0]))]
    yield ""
    yield title
    for row in safe:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        yield f"  {'  '.join(cells)}".rstrip()
