"""In which home trees a filter may match, as far as that is known before rows are tried.

Knows what a filter says of a root or of all at once, and that faults are asked for, too;
refuses to know lines. Of very many roots the first come at once, the others when there is time.
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final

from fleettui.index.flatten import Shown
from fleettui.index.rows import Row
from fleettui.index.standing import RANK

AT_ONCE: Final = 15_000
"""Roots in which a filter may match that get a line before a key is answered."""
SOME: Final = 64
"""Roots taken at a time afterwards."""

MayHold = Callable[[Row], bool | None]
Holding = Callable[[], Iterator[Row] | None]


class Hopes:
    """What a view's filter may match in."""

    def __init__(self, shown: Shown) -> None:
        """Ask nobody yet."""
        self._shown = shown
        self._may_hold: MayHold | None = None
        self._holding: Holding | None = None
        self._rest: Iterator[Row] | None = None
        """More roots, in no order; None when there are no more."""

    def ask(self, may_hold: MayHold | None, holding: Holding | None) -> None:
        """Ask this filter from now on.

        Args:
            may_hold: whether it may match in a root's home tree, None for perhaps.
            holding: all roots that it may match in, None when each must be asked.
        """
        self._may_hold, self._holding = may_hold, holding

    def of(self, row: Row) -> bool | None:
        """Whether anything of a root will be shown; None when that is not known at once."""
        shown = self._shown
        if shown.faults_only:
            faulty = row.standing & RANK <= 1 if shown.is_flat else row.has_faults
            if not faulty:
                return False
        if shown.matches is None:
            return True
        return self._may_hold(row) if self._may_hold is not None else None

    def first(self) -> list[Row] | None:
        """Return the first roots of which something may be shown; None: each must be asked."""
        self._rest = self._holding() if self._holding is not None else None
        return None if self._rest is None else self._take(AT_ONCE)

    @property
    def has_more(self) -> bool:
        """Whether there may be more than those taken."""
        return self._rest is not None

    def more(self) -> list[Row]:
        """Return some more."""
        return self._take(SOME)

    def _take(self, most: int) -> list[Row]:
        assert self._rest is not None, "somebody looked whether there are more"
        found = list(islice(self._rest, most))
        if len(found) < most:
            self._rest = None
        if self._shown.faults_only:
            return [root for root in found if root.has_faults]
        return found
