"""Resources of a set that were never put into a cluster, though every condition is green.

Knows what a set lists and what its binding with a cluster records. Source: Cluster API's
ClusterResourceSet controller skips a ConfigMap or Secret that does not exist and still
sets ResourcesApplied; its binding has no entry for such a resource.
"""

from collections.abc import Iterator
from typing import Final

from fleettui.index.causes.signal import CauseState, Signal
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.spec import Role

RECORDED: Final = "resource_names"
"""Fact of a binding: names of the resources that it records."""
PATIENCE_S: Final = 60
"""How long a set may take to reach a cluster that it has just been bound to."""
_NAMED: Final = 3


def sets_of(index: Index, row: Row, now: int) -> Iterator[Signal]:
    """Reasons of a set or a binding that lie in what was never applied."""
    if row.spec.role is not Role.ADDON or row.is_deleting or row.is_paused:
        return
    for lacking in _lacking_of_set(index, row, now):
        yield _signal(lacking, row, weight=79, is_hard=True)
        return
    for edge in index.edges(row, "resource_sets"):
        if edge.target is not None and _lacking(index, edge.target, row, now):
            yield _signal([edge.target.name], row, weight=30, is_hard=False)
            return


def is_lacking(index: Index, row: Row, now: int) -> bool:
    """Whether any of these reasons holds."""
    return any(True for _ in sets_of(index, row, now))


def _lacking_of_set(index: Index, row: Row, now: int) -> Iterator[list[str]]:
    for edge in index.reverse(row, "resource_sets"):
        lacking = _lacking(index, row, edge.target, now) if edge.target is not None else []
        if lacking:
            yield lacking


def _lacking(index: Index, row: Row, binding: Row, now: int) -> list[str]:
    """Resources of a set that its binding does not record: kind and name."""
    if now - max(row.created_at, binding.created_at) < PATIENCE_S:
        return []
    recorded = {name.strip() for name in binding.fact(RECORDED).split(",")}
    keys = [edge.key for edge in index.edges(row, "resources")]
    return [f"{key.kind} {key.name}" for key in keys if key.name not in recorded]


def _signal(lacking: list[str], row: Row, *, weight: int, is_hard: bool) -> Signal:
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    return Signal(
        CauseState.FAILING,
        weight=weight,
        condition="spec.resources",
        reason="NeverApplied",
        message=f"never applied: {', '.join(lacking[:_NAMED])}{more}; the binding records "
        "nothing of it, though the set says that all is applied: does it exist?",
        since=row.created_at,
        is_hard=is_hard,
    )
