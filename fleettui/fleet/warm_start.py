"""The warm start of a live context: shown at once, checked when it is connected, dropped if
it is somebody else's.

Knows when saved rows are told and forgotten; what is on the disk is ``warm``'s.
"""

import asyncio
from collections.abc import Callable, Iterator

from fleettui.errors import FleettuiError
from fleettui.fleet.context import Emit
from fleettui.fleet.followers import Followers, Warmth
from fleettui.fleet.warm import Turn, WarmContext, owner_of
from fleettui.index import Index
from fleettui.kinds.batch import Batch, Mark, Phase, Scope, ScopeStatus
from fleettui.kube.context import KubeContext, cluster_uid
from fleettui.recorded.shards import Head


class WarmStart:
    """What was known last time, as one context shows it."""

    def __init__(
        self,
        warm: WarmContext | None,
        *,
        statuses: dict[Scope, ScopeStatus],
        emit: Callable[[], Emit],
        turn: Turn,
    ) -> None:
        """Tell nothing yet.

        Args:
            warm: what is saved; None where nothing is.
            statuses: of the context's scopes; kept up to date.
            emit: who takes batches now.
            turn: waits for the turn of a slice of work.
        """
        self.warmth = Warmth(warm)
        self._statuses = statuses
        self._emit = emit
        self._turn = turn

    def head(self) -> Head | None:
        """What the screen showed last time; None when that is not known."""
        return self.warmth.context.head() if self.warmth.context is not None else None

    async def load(self, *, namespace: str) -> None:
        """Brings what was known last time of a namespace (empty: all), the spine first."""
        warm = self.warmth.context
        if warm is None:
            return
        scopes = [scope for scope in warm.scopes() if namespace in ("", scope.namespace)]
        self.warmth.is_loaded.update((scope, asyncio.Event()) for scope in scopes)
        for scope in scopes:
            await warm.load(scope, self._tell, turn=self._turn)
            self.warmth.is_loaded[scope].set()

    def _tell(self, batch: Batch) -> None:
        for event in batch.events:
            if isinstance(event, ScopeStatus):
                self._statuses[batch.scope] = event
            elif event is Mark.FORGET:
                self._statuses.pop(batch.scope, None)
        self._emit()(batch)

    async def check_owner(self, context: KubeContext) -> str | None:
        """Learns who we are and what this cluster is; drops what was saved of others.

        Returns:
            the name the server knows us by, None when it does not say.
        """
        warm = self.warmth.context
        try:
            identity, uid = await asyncio.gather(context.identity(), _uid_of(context, warm))
        except FleettuiError:
            if warm is not None:
                # What cannot be checked is not used; the disk keeps it for a better day.
                warm.close()
                self.warmth.context = None
                self._forget()
            self.warmth.is_checked.set()
            return None
        name = identity.username if identity is not None else None
        if warm is not None:
            groups = identity.groups if identity is not None else ()
            if not warm.belongs_to(owner_of(uid, name or "", groups)):
                self._forget()
        self.warmth.is_checked.set()
        return name

    def _forget(self) -> None:
        for scope, status in tuple(self._statuses.items()):
            if status.phase is Phase.CACHED:
                self._emit()(Batch(scope, [Mark.INIT, Mark.INIT_DONE]))
                self._statuses[scope] = ScopeStatus(Phase.PENDING)

    def saving(self, index: Index, followers: Followers) -> Iterator[None]:
        """Saves what changed for the next start, some rows between two yields."""
        warm = self.warmth.context
        return warm.saving(index, followers.positions()) if warm is not None else iter(())

    def close(self) -> None:
        """Lets other instances save."""
        if self.warmth.context is not None:
            self.warmth.context.close()


async def _uid_of(context: KubeContext, warm: WarmContext | None) -> str:
    return await cluster_uid(context) if warm is not None else ""
