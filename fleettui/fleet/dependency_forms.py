"""The graph of dependencies as lines and as a document."""

from collections.abc import Iterator
from typing import Any

from fleettui.fleet.cause_forms import ref_form
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.forms import context_form
from fleettui.index import Row
from fleettui.index.dependencies import Dependencies
from fleettui.kinds.columns import short_revision
from fleettui.text import safe_text

SCHEMA = "fleettui.dependencies/v1"


def dependency_lines(found: Dependencies) -> list[str]:
    """What is reconciled first at the left, what waits for it below; circles by themselves."""
    lines: list[str] = []
    told: set[Row] = set()
    for context in dict.fromkeys(row.context for row in found.rows):
        lines.append(safe_text(context))
        for row in found.first:
            if row.context == context:
                lines += _lines(found, row, 1, told)
        for circle in found.circles:
            if circle[0].context == context:
                names = [_name(row) for row in (*circle, circle[0])]
                lines.append(f"  circle, none of it can go on: {' → '.join(names)}")
                told.update(circle)
                for member in circle:
                    lines += _waiting(found, member, 2, told)
    return lines or ["nothing waits for anything"]


def _lines(found: Dependencies, row: Row, depth: int, told: set[Row]) -> Iterator[str]:
    is_told = row in told
    told.add(row)
    words = "  (told above)" if is_told and found.waited_by[row] else ""
    yield f"{'  ' * depth}{_name(row)}  [{row.health.value}]{_revision(row)}{words}"
    for edge in found.waits_for[row]:
        if edge.target is None:
            missing = safe_text(f"{edge.key.kind}/{edge.key.namespace}/{edge.key.name}")
            yield f"{'  ' * (depth + 1)}but: waits for {missing}, which is not there"
    if not is_told:
        yield from _waiting(found, row, depth + 1, told)


def _waiting(found: Dependencies, row: Row, depth: int, told: set[Row]) -> Iterator[str]:
    circular = {member for circle in found.circles for member in circle}
    for waiting in found.waited_by[row]:
        if not (row in circular and waiting in circular):
            yield from _lines(found, waiting, depth, told)


def _name(row: Row) -> str:
    return safe_text(f"{row.kind}/{row.namespace}/{row.name}")


def _revision(row: Row) -> str:
    revision = short_revision(row.fact("revision"))
    return f"  {safe_text(revision)}" if revision else ""


def dependency_form(fleet: Fleet, found: Dependencies) -> dict[str, Any]:
    """The document: nodes, edges from who waits to what is waited for, circles."""
    now = fleet.now()
    return {
        "schema": SCHEMA,
        "contexts": [context_form(info, now) for info in fleet.contexts()],
        "nodes": [
            {
                **ref_form(row.ref),
                "health": row.health.value,
                "reason": safe_text(row.reason),
                "revision": safe_text(row.fact("revision")) or None,
            }
            for row in found.rows
        ],
        "edges": [
            {
                "from": ref_form(row.ref),
                "to": ref_form(edge.key),
                "found": edge.target is not None,
                "evidence": safe_text(edge.evidence),
            }
            for row in found.rows
            for edge in found.waits_for[row]
        ],
        "circles": [[ref_form(row.ref) for row in circle] for circle in found.circles],
    }
