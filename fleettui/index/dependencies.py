"""What waits for what among GitOps objects, as a graph with its circles.

Knows ``dependsOn`` of every applier; refuses to know lines and colours. A circle never
becomes ready and no controller tells so: its members keep their old revision until
somebody looks at all of them together. Source: domain.md section 21, circle of dependsOn.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fleettui.index.index import Edge, Index
from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

DEPENDS_ON = "depends_on"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The graph; every row that waits or is waited for is in it."""

    rows: tuple[Row, ...]
    """By context, namespace, kind and name."""
    waits_for: dict[Row, tuple[Edge, ...]]
    """What each row waits for; targets may be missing."""
    waited_by: dict[Row, tuple[Row, ...]]
    circles: tuple[tuple[Row, ...], ...]
    """Rows that wait for each other, each circle in the order of waiting."""

    @property
    def first(self) -> tuple[Row, ...]:
        """Rows that wait for nothing that is there: where reconciling begins."""
        return tuple(
            row
            for row in self.rows
            if not any(edge.target is not None for edge in self.waits_for[row])
        )


def dependencies_of(index: Index, *, context: str | None = None) -> Dependencies:
    """Return the graph of one context, or of all."""
    waits: dict[Row, tuple[Edge, ...]] = {}
    waited: dict[Row, list[Row]] = {}
    for spec in index.kinds(context):
        if spec.role not in (Role.APPLIER, Role.SOURCE, Role.INVENTORY):
            continue
        for row in index.rows((spec.group, spec.kind), context=context):
            edges = tuple(index.edges(row, DEPENDS_ON))
            if not edges:
                continue
            waits[row] = edges
            for edge in edges:
                if edge.target is not None:
                    waited.setdefault(edge.target, []).append(row)
    rows = tuple(sorted(dict.fromkeys([*waits, *waited]), key=lambda row: row.ref))
    return Dependencies(
        rows,
        {row: waits.get(row, ()) for row in rows},
        {row: tuple(sorted(waited.get(row, ()), key=_ref)) for row in rows},
        tuple(_circles(rows, waits)),
    )


def _ref(row: Row) -> ObjectRef:
    return row.ref


def _circles(rows: Sequence[Row], waits: dict[Row, tuple[Edge, ...]]) -> Iterator[tuple[Row, ...]]:
    """Yield one circle through each knot of rows, found by walking along what is waited for."""
    done: set[Row] = set()
    for start in rows:
        path: list[Row] = []
        at: dict[Row, int] = {}
        stack: list[tuple[Row, Iterator[Row]]] = []
        if start in done:
            continue
        stack.append((start, _targets(start, waits)))
        at[start] = 0
        path.append(start)
        while stack:
            row, targets = stack[-1]
            target = next(targets, None)
            if target is None:
                stack.pop()
                path.pop()
                del at[row]
                done.add(row)
            elif target in at:
                yield tuple(path[at[target] :])
            elif target not in done:
                at[target] = len(path)
                path.append(target)
                stack.append((target, _targets(target, waits)))


def _targets(row: Row, waits: dict[Row, tuple[Edge, ...]]) -> Iterator[Row]:
    return iter([edge.target for edge in waits.get(row, ()) if edge.target is not None])
