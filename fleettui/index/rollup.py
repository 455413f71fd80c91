"""Counts of a subtree, packed into one integer so that adding two is one addition.

Knows the layout of the packed integer; knows neither rows nor trees.
"""

from collections.abc import Iterable
from typing import NamedTuple

from fleettui.kinds.record import Verdict

BITS = 24
"""Width of one counter: room for sixteen million objects."""
MASK = (1 << BITS) - 1
VERDICTS: tuple[Verdict, ...] = tuple(Verdict)
"""Verdict by rank, worst first."""
PAUSED_AT, DELETING_AT, FOLDED_AT = 5, 6, 7
"""Places of the counters behind the five verdicts."""
FAULTS_MASK = (1 << (2 * BITS)) - 1
"""Picks the counters of failed and stalled out of a packed integer: not 0 means a fault below."""


class Rollup(NamedTuple):
    """How many objects of a subtree (its top included) are in which state."""

    failed: int = 0
    stalled: int = 0
    in_progress: int = 0
    unknown: int = 0
    current: int = 0
    paused: int = 0
    """Of all states; not a state of its own."""
    deleting: int = 0
    total: int = 0
    at_least: bool = False
    """Whether parts of the subtree have not been read, so that every count may be higher."""

    @property
    def worst(self) -> Verdict:
        """The worst state present; unknown when nothing is."""
        for verdict, count in zip(VERDICTS, self[:5], strict=True):
            if count:
                return verdict
        return Verdict.UNKNOWN

    @property
    def faults(self) -> int:
        """Objects that need somebody: failed or stalled."""
        return self.failed + self.stalled


def unit_of(rank: int, *, paused: bool, deleting: bool, folded: bool) -> int:
    """Return the packed counts of one object whose health has this rank."""
    return (
        (1 << (BITS * rank))
        | (paused << (BITS * PAUSED_AT))
        | (deleting << (BITS * DELETING_AT))
        | (folded << (BITS * FOLDED_AT))
    )


def unpack(counts: int, *, at_least: bool = False) -> Rollup:
    """Return the packed counts in words."""
    numbers = [(counts >> (BITS * place)) & MASK for place in range(7)]
    return _rollup([*numbers, sum(numbers[:5])], at_least=at_least)


def total_of(counts: int) -> int:
    """Return how many objects are counted."""
    return sum((counts >> (BITS * place)) & MASK for place in range(5))


SMALL_MASK = sum(((MASK >> 4) << 4) << (BITS * place) for place in range(8))
"""Picks what makes any counter 16 or more."""


def is_small(counts: int) -> bool:
    """Whether every counter is below 16, so that many subtrees have the same counts."""
    return not counts & SMALL_MASK


def folded_of(counts: int) -> int:
    """Return how many of the objects are of a kind that trees fold away."""
    return (counts >> (BITS * FOLDED_AT)) & MASK


def rollup_sum(parts: Iterable[Rollup]) -> Rollup:
    """Return the sum of several roll-ups, which must not overlap."""
    listed = list(parts)
    numbers = [sum(part[place] for part in listed) for place in range(8)]
    return _rollup(numbers, at_least=any(part.at_least for part in listed))


def _rollup(numbers: list[int], *, at_least: bool) -> Rollup:
    return Rollup._make([*numbers, at_least])
