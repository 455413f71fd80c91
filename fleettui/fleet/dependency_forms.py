"""The graph of dependencies as lines and as a document."""

from typing import Any

from fleettui.fleet.cause_forms import ref_form
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.forms import context_form
from fleettui.index import Row
from fleettui.index.dependencies import Dependencies, Step, walk
from fleettui.kinds.columns import short_revision
from fleettui.text import safe_text

SCHEMA = "fleettui.dependencies/v1"


def dependency_lines(found: Dependencies) -> list[str]:
    """What is reconciled first at the left, what waits for it below; circles by themselves."""
    lines = [f"{'  ' * step.depth}{step_words(step)}" for step in walk(found)]
    return lines or ["nothing waits for anything"]


def step_words(step: Step) -> str:
    """One step of the graph in words; safe to print."""
    if step.circle:
        names = [_name(row) for row in (*step.circle, step.circle[0])]
        return f"circle, none of it can go on: {' → '.join(names)}"
    if step.missing is not None:
        key = step.missing.key
        missing = safe_text(f"{key.kind}/{key.namespace}/{key.name}")
        return f"but: waits for {missing}, which is not there"
    if step.row is None:
        return safe_text(step.context)
    told = "  (told above)" if step.is_told else ""
    return f"{_name(step.row)}  [{step.row.health.value}]{_revision(step.row)}{told}"


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
