"""What becomes of open contexts when the kubeconfig is edited under the running program.

Knows files, what their entries mean and which contexts are open. A context whose
server, trust or credentials are others now is opened anew, its rows kept as stale
meanwhile; everything else in the files, the current context above all, moves nothing.
A file that cannot be read, perhaps half written, changes nothing until it can.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from fleettui.errors import FleettuiError
from fleettui.kube.kubeconfig import ContextEntry, Kubeconfig
from fleettui.kube.kubeconfig_files import fingerprint

LOOK_S = 2.0
"""How often the files are looked at; no more than their status, until that changes."""


class OpenContexts(Protocol):
    """What is told of changes: the fleet."""

    def open_names(self) -> Iterable[str]:
        """Names of the contexts that are open."""
        ...

    async def reopen_context(self, name: str) -> None:
        """Opens a context anew and keeps its rows as stale."""
        ...

    def forget_leftovers(self) -> None:
        """Lets go of stale rows that reopened contexts no longer follow."""
        ...


class KubeconfigWatch:
    """The kubeconfig as it is now, and the contexts that were opened by what it said before."""

    def __init__(
        self,
        kubeconfig: Kubeconfig,
        load: Callable[[], Kubeconfig],
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take what was read at the start.

        Args:
            kubeconfig: what the contexts are opened by.
            load: reads the files again.
            sleep: waits some seconds.
        """
        self._kubeconfig = kubeconfig
        self._load = load
        self._sleep = sleep
        self._print = fingerprint(kubeconfig.files)
        self._opened_by: dict[str, ContextEntry] = {}

    def entry(self, name: str) -> ContextEntry:
        """What a context is to be opened by now; remembered.

        Raises:
            UsageError: there is no such context, or it cannot be used.
        """
        entry = self._kubeconfig.context(name)
        self._opened_by[name] = entry
        return entry

    async def run(self, contexts: OpenContexts) -> None:
        """Looks at the files again and again until cancelled."""
        while True:
            await self._sleep(LOOK_S)
            await self.look(contexts)

    async def look(self, contexts: OpenContexts) -> None:
        """Reads the files if they are others, and opens anew what they change."""
        contexts.forget_leftovers()
        seen = fingerprint(self._kubeconfig.files)
        if seen == self._print:
            return
        try:
            self._kubeconfig = await asyncio.to_thread(self._load)
        except FleettuiError:
            return  # it is looked at again as soon as it changes; what is open stays open
        finally:
            self._print = seen
        for name in tuple(contexts.open_names()):
            before = self._opened_by.get(name)
            now = self._kubeconfig.contexts.get(name)
            if before is None or now is None or now.problem is not None:
                continue
            if not now.opens_as(before):
                await contexts.reopen_context(name)
