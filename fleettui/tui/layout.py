"""Which columns fit, and how wide each is.

Knows widths in terminal cells; knows nothing of what columns show.
"""

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 1
"""Cells between two columns."""
MOST_AT_ONCE = 24
"""Cells that a column gets before others had any: a message would take all there are."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column and how it gives way."""

    id: str
    title: str
    min_cells: int
    max_cells: int
    """Equal to ``min_cells`` for a column that never grows."""
    priority: int
    """The lowest stays longest."""
    is_right: bool = False
    """Whether its texts stand to the right, as numbers do."""
    is_whole: bool = False
    """Whether a span that does not fit is left out rather than cut."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A column that is shown and its width in cells."""

    column: Column
    width: int
    place: int = 0
    """Place of its cell in a line."""


def fit_columns(columns: Sequence[Column], width: int) -> tuple[Slot, ...]:
    """The columns that fit into ``width`` cells, in their order, together exactly that wide.

    Columns are taken by importance until one does not fit; the most important is shown
    even where nothing fits. What is left over goes to growing columns, most important
    first, in two rounds: up to half of what each wants (``MOST_AT_ONCE`` at most), then
    the rest; the last growing column takes whatever nobody wants.
    """
    chosen: list[Column] = []
    used = -GAP
    for column in sorted(columns, key=lambda c: c.priority):
        if used + GAP + column.min_cells > width and chosen:
            break
        chosen.append(column)
        used += GAP + column.min_cells
    widths = {column.id: column.min_cells for column in chosen}
    spare = width - used
    if spare < 0:
        return (Slot(chosen[0], max(width, 0), columns.index(chosen[0])),)
    growing = [column for column in chosen if column.max_cells > column.min_cells]
    for share, most in ((2, MOST_AT_ONCE), (1, width)):
        for column in growing:
            wanted = min((column.max_cells - widths[column.id]) // share, most)
            given = min(max(wanted, 0), spare)
            widths[column.id] += given
            spare -= given
    shown = [column for column in columns if column.id in widths]
    if spare and shown:
        last = next((c for c in reversed(shown) if c in growing), shown[-1])
        widths[last.id] += spare
    places = {column.id: place for place, column in enumerate(columns)}
    return tuple(Slot(column, widths[column.id], places[column.id]) for column in shown)
