"""One measured figure, and tables of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, what it is compared with, and what it should be."""

    name: str
    value: float
    unit: str
    floor: float | None = None
    """The same measured of something that does less, in the same run and unit."""
    goal: str = ""
    """What design.md or the project asks for, in words."""

    @property
    def ratio(self) -> float | None:
        """How many times the floor it is."""
        return self.value / self.floor if self.floor else None


def table(figures: Iterable[Figure], before: Mapping[str, float] | None = None) -> Iterator[str]:
    """Lines of a table; with a column for an earlier run when there is one."""
    head = f"{'figure':<58}{'value':>12} {'unit':<8}{'floor':>10}{'ratio':>8}  "
    yield head + (f"{'before':>10}{'change':>8}  " if before else "") + "goal"
    for figure in figures:
        floor = f"{figure.floor:>10.3g}" if figure.floor else f"{'':>10}"
        ratio = f"{figure.ratio:>8.2f}" if figure.ratio else f"{'':>8}"
        line = f"{figure.name:<58}{_number(figure.value):>12} {figure.unit:<8}{floor}{ratio}  "
        if before:
            old = before.get(figure.name)
            line += f"{old:>10.3g}{figure.value / old:>8.2f}  " if old else f"{'':>20}"
        yield (line + figure.goal).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
