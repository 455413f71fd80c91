"""The fleet in numbers, as bars that are read at a glance; fits 80×24.

Knows the index's reading side; knows no widget.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from fleettui.index.index import Index
from fleettui.index.perspectives import provider_of
from fleettui.index.rows import Row
from fleettui.index.upgrades import version_of
from fleettui.kinds.record import Verdict
from fleettui.kinds.spec import Role
from fleettui.text import safe_text
from fleettui.tui.cells import GLYPHS, PAUSED, count_text, rollup_cell
from fleettui.tui.documents import Document, Manner
from fleettui.tui.lines import Cell, Line, Span, cell, spans_line, text_line
from fleettui.tui.ports import FleetPort
from fleettui.tui.status import context_spans
from fleettui.tui.theme import VERDICT_TONES, Tone

NAME_CELLS = 16
MAX_SPREAD = 6
"""Most versions or providers named one by one."""


class Overview:
    """Counts of everything, per context and in all."""

    title = "overview"
    manners: frozenset[str] = frozenset()

    def __init__(self, fleet: FleetPort) -> None:
        """Count this fleet."""
        self._fleet = fleet

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Nothing to ask for: everything is in the index."""

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the numbers as they are now."""
        return [*self.head(width), *spreads(self._fleet.index, width)]

    def head(self, width: int) -> Sequence[Line]:
        """Return contexts and what there is of each kind of thing."""
        bar = max(min(width - 46, 60), 10)
        return [*self._contexts(bar), *_role_bars(self._fleet.index, bar)]

    def _contexts(self, bar: int) -> Iterator[Line]:
        index = self._fleet.index
        for info in self._fleet.contexts():
            yield spans_line(*context_spans(info, self._fleet.now()))
            rollup = index.rollup_of(info.name)
            if rollup.total:
                counts = dict(zip(Verdict, rollup[:5], strict=True))
                tail = [*rollup_cell(rollup)]
                if rollup.paused:
                    tail.append(Span(f" {PAUSED} {count_text(rollup.paused)}", Tone.PAUSED))
                yield _bar_line("objects", counts, bar, tail=tail)


_ROLES: Mapping[str, tuple[Role, ...]] = {
    "clusters": (Role.CLUSTER, Role.CLOUD_CLUSTER),
    "control planes": (Role.CONTROL_PLANE,),
    "workers": (Role.WORKERS, Role.MACHINE_POOL, Role.CLOUD_POOL),
    "machines": (Role.MACHINE,),
    "sources": (Role.SOURCE,),
    "appliers": (Role.APPLIER,),
}


def _rows_of(index: Index, roles: Iterable[Role]) -> Iterator[Row]:
    wanted = set(roles)
    for spec in index.kinds():
        if spec.role in wanted:
            yield from index.rows((spec.group, spec.kind))


def cluster_count(index: Index) -> int:
    """How many clusters there are."""
    return sum(1 for _ in _rows_of(index, (Role.CLUSTER, Role.CLOUD_CLUSTER)))


def _role_bars(index: Index, bar: int) -> Iterator[Line]:
    yield text_line()
    for title, roles in _ROLES.items():
        counts = Counter(row.health for row in _rows_of(index, roles))
        if not counts:
            continue
        tail = [
            Span(f" {count_text(counts[verdict])}{GLYPHS[verdict]}", VERDICT_TONES[verdict])
            for verdict in Verdict
            if counts[verdict]
        ]
        yield _bar_line(title, counts, bar, tail=tail)


def bar_parts(counts: Mapping[Verdict, int], width: int) -> list[tuple[Verdict, int]]:
    """Cells of each state in a bar of ``width`` cells; whatever is there takes at least one."""
    total = sum(counts.values())
    if not total:
        return []
    present = [verdict for verdict in Verdict if counts.get(verdict)]
    cells = {v: max(counts[v] * width // total, 1) for v in present}
    largest = max(present, key=lambda v: counts[v])
    cells[largest] = max(cells[largest] + width - sum(cells.values()), 1)
    return [(verdict, cells[verdict]) for verdict in present]


def _bar_line(
    title: str, counts: Mapping[Verdict, int], width: int, *, tail: Sequence[Span]
) -> Line:
    spans = [Span(f"  {title:<{NAME_CELLS}}", Tone.PLAIN)]
    for verdict, cells in bar_parts(counts, width):
        glyph = "█" if verdict is not Verdict.CURRENT else "━"
        spans.append(Span(glyph * cells, VERDICT_TONES[verdict]))
    return spans_line(*spans, Span(" "), *tail)


def spreads(index: Index, width: int, *, most: int = MAX_SPREAD) -> Iterator[Line]:
    """Versions and providers of clusters, beside each other where there is room."""
    clusters = list(_rows_of(index, (Role.CLUSTER, Role.CLOUD_CLUSTER)))
    half = width // 2
    blocks = []
    for title, value_of in (("versions", version_of), ("providers", provider_of)):
        counts = Counter(value for row in clusters if (value := value_of(row)))
        if counts:
            blocks.append(list(_spread(title, counts, half, most)))
    if not blocks:
        return
    yield text_line()
    for place in range(max(map(len, blocks))):
        spans: list[Span] = []
        for number, block in enumerate(blocks):
            part = block[place] if place < len(block) else ()
            used = sum(len(span.text) for span in part)
            spans += part
            if number < len(blocks) - 1:
                spans.append(Span(" " * max(half - used, 1)))
        yield spans_line(*spans)


def _spread(title: str, counts: Counter[str], width: int, shown: int) -> Iterator[Cell]:
    yield cell(f"  {title}", Tone.TITLE)
    most = max(counts.values())
    bar = max(width - NAME_CELLS - 10, 4)
    for value, count in counts.most_common(shown):
        yield (
            Span(f"  {safe_text(value)[:NAME_CELLS]:<{NAME_CELLS}}"),
            Span("▪" * max(count * bar // most, 1), Tone.ACCENT),
            Span(f" {count_text(count)}", Tone.DIM),
        )
    hidden = len(counts) - shown
    if hidden > 0:
        yield cell(f"  and {hidden} more", Tone.DIM)


DOCUMENTS: Mapping[str, Callable[[FleetPort], Document]] = {"overview": Overview}
"""Documents by the name of their command."""
