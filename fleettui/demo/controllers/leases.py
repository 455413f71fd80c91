"""Leaders that renew their leases, as long as their controller runs.

A lease that had run out when the fleet was made belongs to a controller that is down and stays
as it is. Source: client-go leader election (renewed within a fraction of its duration).
"""

from __future__ import annotations

import asyncio

from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.world.catalogue import resource_of

RENEW_S = 10.0
_LEASE = ("coordination.k8s.io", "Lease")


async def renew_leases(kit: Kit, *, every_s: float = RENEW_S) -> None:
    """Renew every lease that is alive, again and again, until cancelled."""
    resource = resource_of(*_LEASE)
    alive = _newest(kit.all_of(*_LEASE, None))
    while alive:
        await asyncio.sleep(every_s)
        for lease in alive:
            meta = lease["metadata"]
            try:
                kit.store.mutate(
                    resource,
                    meta["namespace"],
                    meta["name"],
                    lambda own: own["spec"].update(renewTime=kit.now()),
                    manager=meta["name"],
                )
            except ApiError:
                continue  # somebody deleted it; its controller would make it anew


def _newest(leases: list[Document]) -> list[Document]:
    """The leases last renewed on the newest day that any was."""
    renewed = [str(lease["spec"].get("renewTime", "")) for lease in leases]
    newest = max(renewed, default="")[:16]
    return [lease for lease, at in zip(leases, renewed, strict=True) if at[:16] == newest]
