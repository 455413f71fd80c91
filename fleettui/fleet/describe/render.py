"""A description as aligned lines and as a document.

Source: clusterctl ``internal/util/tree/tree.go`` (columns, prefixes, wrapping, order).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fleettui.fleet.describe.inventory import at
from fleettui.fleet.describe.node import Node, State
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.spec import Role
from fleettui.text import age_text, safe_text

SCHEMA = "fleettui.describe/v1"
HEADER = (
    "NAME",
    "REPLICAS",
    "AVAILABLE",
    "READY",
    "UP TO DATE",
    "STATUS",
    "REASON",
    "SINCE",
    "MESSAGE",
)
MESSAGE_CELLS = 100
NEGATIVE = frozenset(
    {"Paused", "Deleting", "RollingOut", "ScalingUp", "ScalingDown", "Updating", "Remediating"}
)
_AVAILABLE_FIRST = frozenset({Role.CLUSTER, Role.WORKERS, Role.CONTROL_PLANE})
_SUMMARY_ALWAYS = frozenset({"Available", "Ready"})


@dataclass(frozen=True, slots=True)
class Cells:
    """What stands in the columns of one row."""

    replicas: str = ""
    available: str = ""
    ready: str = ""
    up_to_date: str = ""
    state: State | None = None


def _sum(*values: object) -> str:
    known = [value for value in values if type(value) is int]  # True is no count
    return str(sum(known)) if known else ""


def _ratio(current: object, desired: object) -> str:
    return f"{current}/{desired}" if current is not None and desired is not None else ""


def _cluster_cells(node: Node) -> Cells:
    parts = [at(node.body, "status", "controlPlane"), at(node.body, "status", "workers")]
    if not any(parts):
        counters = at(node.body, "status", "v1beta2") or {}
        parts = [at(counters, "controlPlane"), at(counters, "workers")]

    def total(name: str) -> str:
        return _sum(*(at(part, name) for part in parts))

    current, desired = total("replicas"), total("desiredReplicas")
    replicas = f"{current or 0}/{desired or 0}" if current or desired else ""
    return Cells(
        replicas,
        total("availableReplicas"),
        total("readyReplicas"),
        total("upToDateReplicas"),
        node.state("Available"),
    )


def _scaled_cells(node: Node, state: State | None) -> Cells:
    status = at(node.body, "status") or {}
    # Read through the v1beta1 API, the counters that descriptions show stand one level deeper.
    counters = at(status, "v1beta2") or status
    old = node.contract == "v1beta1" and counters is status
    return Cells(
        _ratio(at(status, "replicas"), at(node.body, "spec", "replicas")),
        _sum(at(counters, "availableReplicas")),
        _sum(at(counters, "readyReplicas")),
        _sum(at(counters, "updatedReplicas" if old else "upToDateReplicas")),
        state,
    )


def cells_of(node: Node) -> Cells:
    """The row's counters and the condition that stands for it."""
    if node.is_group:
        ready = node.state("Ready")
        shown = ", ".join(node.members[:2]) + (", ..." if len(node.members) > 2 else "")
        text = f"See {shown}"
        if len(node.complaints) > 1:
            text += f" ({len(node.complaints)} different reasons)"
        state = State("Ready", ready.status, ready.reason, text, ready.since) if ready else None
        counts = node.counts
        return Cells(
            "",
            str(counts["Available"]),
            str(counts["Ready"]),
            str(counts["UpToDate"]),
            state or State("", "", "", text, 0),
        )
    if node.is_virtual or node.body is None:
        return Cells()
    if node.role is Role.CLUSTER:
        return _cluster_cells(node)
    if node.role is Role.MACHINE:
        flags = (node.state(kind) for kind in ("Available", "Ready", "UpToDate"))
        known = [str(int(state is not None and state.status == "True")) for state in flags]
        return Cells("1", known[0], known[1], known[2], node.state("Ready"))
    if node.role is Role.MACHINE_POOL:
        return _scaled_cells(node, node.state("Available") or node.judged)
    if node.role is Role.MACHINE_SET:
        return _scaled_cells(node, None)
    if node.role in _AVAILABLE_FIRST:
        return _scaled_cells(node, node.state("Available") or node.state("Ready"))
    return Cells(state=node.state("Ready"))


def title_of(node: Node) -> str:
    """What stands in the NAME column, without prefix."""
    if node.is_group:
        return f"{len(node.members)} {node.kind.removesuffix('Group')}s..."
    if node.is_virtual:
        return node.name
    title = f"{node.kind} {node.namespace}/{node.name}"
    if node.version:
        title += f", {node.version}"
    return f"!! DELETED !! {title}" if node.is_deleting else title


def _ordered(node: Node) -> list[Node]:
    return sorted(node.children, key=lambda child: (-child.z_order, title_of(child)))


def wrap(text: str, width: int = MESSAGE_CELLS) -> list[str]:
    """Lines of a message: breaks kept, long lines wrapped by words below their bullet."""
    lines: list[str] = []
    for raw in text.splitlines():
        line = raw.rstrip()
        bare = line.lstrip(" ")
        lead = line[: len(line) - len(bare)]
        hanging = lead + ("  " if bare.startswith("* ") else "")
        current = lead
        for word in bare.split(" "):
            candidate = f"{current}{word}" if current.strip() == "" else f"{current} {word}"
            if len(candidate) > width and current.strip():
                lines.append(current)
                current = f"{hanging}{word}"
            else:
                current = candidate
        lines.append(current)
    return lines or [""]


def _is_abnormal(state: State) -> bool:
    normal = "False" if state.type in NEGATIVE else "True"
    return state.type in _SUMMARY_ALWAYS or state.status != normal or bool(state.message)


def _rows(node: Node, now: int, lead: str, below: str) -> Iterator[tuple[str, ...]]:
    cells = cells_of(node)
    hang = below + ("│ " if node.children else "  ")
    counts = (cells.replicas, cells.available, cells.ready, cells.up_to_date)
    if node.shows_conditions:
        yield (lead + title_of(node), *counts, "", "", "", "")
        shown = [s for s in node.states if not node.abnormal_only or _is_abnormal(s)]
        for position, state in enumerate(shown):
            last = position == len(shown) - 1
            title = f"{hang}{'':10}{'└─' if last else '├─'}{state.type}"
            yield from _state_rows(
                state, now, title, f"{hang}{'':10}{' ' if last else '│'}", ("",) * 4
            )
    else:
        yield from _state_rows(cells.state, now, lead + title_of(node), hang, counts)
    children = _ordered(node)
    for position, child in enumerate(children):
        last = position == len(children) - 1
        yield from _rows(
            child, now, below + ("└─" if last else "├─"), below + ("  " if last else "│ ")
        )


def _state_rows(
    state: State | None, now: int, title: str, hang: str, counts: tuple[str, ...]
) -> Iterator[tuple[str, ...]]:
    if state is None:
        yield (title, *counts, "", "", "", "")
        return
    since = age_text(now - state.since) if state.since else ""
    message = wrap(safe_text(state.message, multiline=True))
    yield (title, *counts, state.status, safe_text(state.reason), since, message[0])
    for line in message[1:]:
        yield (hang, "", "", "", "", "", "", "", line)


def describe_lines(root: Node, now: int) -> list[str]:
    """The whole description as aligned lines, header first."""
    rows = [HEADER, *(tuple(safe_text(cell) for cell in row) for row in _rows(root, now, "", ""))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append("  ".join(cells).rstrip())
    return lines


def describe_form(root: Node, now: int) -> dict[str, Any]:
    """The whole description as a document."""
    return {"schema": SCHEMA, "cluster": _node_form(root, now)}


def _state_form(state: State, now: int) -> dict[str, Any]:
    return {
        "type": state.type,
        "status": state.status,
        "reason": safe_text(state.reason),
        "message": safe_text(state.message, multiline=True),
        "since": rfc3339(state.since) or None,
        "age_s": max(now - state.since, 0) if state.since else None,
    }


def _node_form(node: Node, now: int) -> dict[str, Any]:
    cells = cells_of(node)
    return {
        "kind": node.kind,
        "namespace": node.namespace,
        "name": node.name,
        "version": node.version or None,
        "virtual": node.is_virtual,
        "deleting": node.is_deleting,
        "members": node.members or None,
        "replicas": cells.replicas or None,
        "available": cells.available or None,
        "ready": cells.ready or None,
        "up_to_date": cells.up_to_date or None,
        "condition": _state_form(cells.state, now) if cells.state else None,
        "conditions": [_state_form(state, now) for state in node.states]
        if node.shows_conditions
        else None,
        "children": [_node_form(child, now) for child in _ordered(node)],
    }
