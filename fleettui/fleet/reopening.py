"""Contexts that are opened anew under the running program, and what they leave in the index.

Knows which contexts were reopened and whether they have read everything again. Rows stay
as stale until the new link reads them, or it is known that it follows their scope no longer.
"""

from collections.abc import Callable

from fleettui.fleet.context import ContextState, Link
from fleettui.fleet.links import Links
from fleettui.index import Index
from fleettui.kinds.batch import Batch, Mark, Phase, ScopeStatus

_MOVED = "its kubeconfig changed"


def _nobody() -> None:
    """Who is told while nobody has wishes."""


class Reopening:
    """Opens contexts anew, and lets go of what nobody follows."""

    def __init__(
        self,
        links: Links,
        index: Index,
        *,
        opener: Callable[[str], Link] | None,
        apply: Callable[[Batch], None],
    ) -> None:
        """Start with none.

        Args:
            links: the open contexts.
            index: all rows; read only.
            opener: makes the link of a context by what its kubeconfig says now.
            apply: brings news into the index.
        """
        self._links = links
        self._coverage = index.coverage
        self._opener = opener
        self._apply = apply
        self.told: Callable[[], None] = _nobody
        """Told when a new link runs that knows no wishes yet."""
        self._reopened: set[str] = set()
        """Contexts that may still have rows of before."""

    def open_names(self) -> tuple[str, ...]:
        """Names of the contexts that are open."""
        return tuple(self._links)

    async def reopen_context(self, name: str) -> None:
        """Opens a context anew with what its kubeconfig says now; its rows stay, as stale."""
        before = self._links.get(name)
        if before is None or self._opener is None:
            return
        after = self._opener(name)
        if not await self._links.end(before):
            return  # a person closed it meanwhile
        stale = ScopeStatus(Phase.STALE, self._links.now(), _MOVED)
        for scope in tuple(self._coverage.scopes(name)):
            self._apply(Batch(scope, [stale]))
        self._reopened.add(name)
        self._links.open(after)
        self.told()

    def forget_leftovers(self) -> None:
        """Forgets scopes that contexts opened anew no longer follow, once they are read."""
        for name in tuple(self._reopened):
            link = self._links.get(name)
            if link is not None and link.info().state is not ContextState.LIVE:
                continue
            self._reopened.discard(name)
            for scope, status in tuple(self._coverage.scopes(name).items()):
                if status.phase is Phase.STALE and status.error == _MOVED:
                    self._apply(Batch(scope, [Mark.FORGET]))

    def forget(self, name: str) -> None:
        """Forgets everything of a context that was closed."""
        for scope in tuple(self._coverage.scopes(name)):
            self._apply(Batch(scope, [Mark.FORGET]))
