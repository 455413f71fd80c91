"""Rows as documents: the contract of every JSON and YAML output.

Field names and values are stable within a schema version. Texts are what the
cluster said, with control characters made visible.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from fleettui.fleet.context import ContextInfo, ContextState, silent_s
from fleettui.fleet.fleet import Fleet
from fleettui.index import Row, TreeView
from fleettui.index.upgrades import shown_version
from fleettui.kinds.moments import rfc3339
from fleettui.text import safe_text

GET_SCHEMA = "fleettui.get/v1"
TREE_SCHEMA = "fleettui.tree/v1"
TREE_LIMIT = 64
"""Deepest nesting of a tree document."""


def context_form(info: ContextInfo, now: int) -> dict[str, Any]:
    """How a context stands: state, age of what is shown in seconds, what is missing."""
    return {
        "name": info.name,
        "server": safe_text(info.server),
        "state": info.state.value,
        "age_s": _age_s(info, now),
        "error": safe_text(info.error) or None,
        "missing": [safe_text(text) for text in info.missing],
        "loaded": info.loaded,
    }


def _age_s(info: ContextInfo, now: int) -> int:
    match info.state:
        case ContextState.LIVE:
            return silent_s(info, now)
        case ContextState.RECORDED:
            return info.age_s
        case _:
            return max(now - info.since, 0) if info.since else 0


def row_form(row: Row) -> dict[str, Any]:
    """One object; ``health`` is failed, stalled, in_progress, unknown or current."""
    replicas = row.replicas
    owner = next((o for o in row.owners if o.controller), None) or next(iter(row.owners), None)
    return {
        "context": row.ref.context,
        "group": row.group,
        "version": row.version,
        "kind": row.kind,
        "namespace": row.namespace,
        "name": row.name,
        "uid": row.uid,
        "health": row.health.value,
        "verdict": row.verdict.value,
        "paused": row.is_paused,
        "paused_by": safe_text(row.paused_by) or None,
        "stopped_by": _stopped_by(row),
        "deleting": row.is_deleting,
        "condition": row.condition or None,
        "reason": safe_text(row.reason),
        "message": safe_text(row.message, multiline=True),
        "since": rfc3339(row.since) or None,
        "since_is_lower_bound": row.since_is_lower_bound,
        "replicas": None
        if replicas is None
        else {
            "desired": _count(replicas.desired),
            "current": _count(replicas.current),
            "ready": _count(replicas.ready),
            "available": _count(replicas.available),
            "up_to_date": _count(replicas.up_to_date),
        },
        "kubernetes_version": shown_version(row) or None,
        "created": rfc3339(row.created_at) or None,
        "owner": {"kind": owner.kind, "name": owner.name} if owner else None,
        "cluster": row.cluster or None,
        "facts": {name: safe_text(value) for name, value in row.facts},
    }


def _stopped_by(row: Row) -> str | None:
    """The nearest object, itself included, whose pause keeps this one from being reconciled."""
    at: Row | None = row
    while at is not None and not at.is_paused:
        at = at.parent
    return None if at is None else safe_text(str(at.ref))


def _count(value: int) -> int | None:
    return None if value < 0 else value


def get_form(fleet: Fleet, rows: Iterable[Row]) -> dict[str, Any]:
    """The document of ``get``."""
    now = fleet.now()
    return {
        "schema": GET_SCHEMA,
        "contexts": [context_form(info, now) for info in fleet.contexts()],
        "items": [row_form(row) for row in rows],
    }


def tree_form(
    fleet: Fleet, roots: Iterable[Row], *, groups: Mapping[Row, Sequence[str]] | None = None
) -> dict[str, Any]:
    """The document of ``tree``: nodes as in ``get``, with ``children`` and ``links``.

    Args:
        fleet: settled fleet.
        roots: in the order of the document.
        groups: titles of the groups that roots stand below, outermost first; they are
            told when given.
    """
    now = fleet.now()
    items = []
    for row in roots:
        item = _node(fleet, row, 0)
        if groups is not None:
            item["groups"] = [safe_text(title) for title in groups.get(row, ())]
        items.append(item)
    return {
        "schema": TREE_SCHEMA,
        "contexts": [context_form(info, now) for info in fleet.contexts()],
        "items": items,
    }


def grouped_roots(view: TreeView) -> dict[Row, Sequence[str]]:
    """Roots of a view to the titles of the groups above, in the order of the view."""
    found: dict[Row, Sequence[str]] = {}
    titles: list[str] = []
    depth = 0
    for line in view.lines(0, len(view)):
        if line.row is None:
            titles[line.depth :] = [line.label]
            depth = line.depth + 1
        elif line.depth == depth and not line.is_link:
            found[line.row] = tuple(titles)
    return found


def _node(fleet: Fleet, row: Row, depth: int) -> dict[str, Any]:
    rollup = fleet.index.rollup(row)
    form = row_form(row)
    form["rollup"] = {
        "failed": rollup.failed,
        "stalled": rollup.stalled,
        "in_progress": rollup.in_progress,
        "unknown": rollup.unknown,
        "current": rollup.current,
        "paused": rollup.paused,
        "deleting": rollup.deleting,
        "total": rollup.total,
        "at_least": rollup.at_least,
    }
    form["links"] = list(links_form(fleet, row))
    children = fleet.index.children(row) if depth < TREE_LIMIT else ()
    form["children"] = [_node(fleet, child, depth + 1) for child in children]
    return form


def links_form(fleet: Fleet, row: Row) -> Iterator[dict[str, Any]]:
    """What the row points at, each with its evidence and whether it is there."""
    for edge in fleet.index.edges(row):
        target = edge.target
        yield {
            "relation": edge.relation,
            "evidence": safe_text(edge.evidence) or None,
            "kind": edge.key.kind,
            "namespace": edge.key.namespace,
            "name": edge.key.name,
            "health": target.health.value if target else None,
            "found": target is not None,
        }
