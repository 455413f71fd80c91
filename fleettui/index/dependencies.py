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
DEPENDENCIES = "dependencies"
"""What a person calls the graph where groupings are named."""


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


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the graph read from what comes first to what waits for it."""

    depth: int
    context: str
    row: Row | None = None
    """Who waits or is waited for; None for the other steps."""
    is_told: bool = False
    """Whether the row was told before; what waits for it is not told again."""
    missing: Edge | None = None
    """What the row one level above waits for, and is not there."""
    circle: tuple[Row, ...] = ()
    """Rows none of which can go on; what else waits for them follows."""


def walk(found: Dependencies) -> Iterator[Step]:
    """Yield the graph context by context: what is first, below it what waits, circles last."""
    told: set[Row] = set()
    circular = {member for circle in found.circles for member in circle}
    for context in dict.fromkeys(row.context for row in found.rows):
        yield Step(0, context)
        for row in found.first:
            if row.context == context:
                yield from _walk_below(found, [(row, 1)], told, circular)
        for circle in found.circles:
            if circle[0].context != context:
                continue
            yield Step(1, context, circle=circle)
            told.update(circle)
            waiting = [(row, 2) for member in circle for row in found.waited_by[member]]
            outside = [(row, depth) for row, depth in waiting if row not in circular]
            yield from _walk_below(found, outside[::-1], told, circular)


def _walk_below(
    found: Dependencies, stack: list[tuple[Row, int]], told: set[Row], circular: set[Row]
) -> Iterator[Step]:
    while stack:
        row, depth = stack.pop()
        is_told = row in told
        told.add(row)
        waiting = found.waited_by[row]
        yield Step(depth, row.context, row, is_told=is_told and bool(waiting))
        for edge in found.waits_for[row]:
            if edge.target is None:
                yield Step(depth + 1, row.context, missing=edge)
        if not is_told:
            below = [w for w in waiting if not (row in circular and w in circular)]
            stack += [(w, depth + 1) for w in reversed(below)]


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
