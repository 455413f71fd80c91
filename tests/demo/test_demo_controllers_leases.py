"""Leaders of the demo renew their leases; those that are down do not."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from fleettui.demo.apiserver.memory import MemorySeeds
from fleettui.demo.apiserver.store import Store
from fleettui.demo.controllers.kit import Kit, Pace
from fleettui.demo.controllers.leases import renew_leases
from fleettui.demo.world.catalogue import resource_of

LEASES = resource_of("coordination.k8s.io", "Lease")
ALIVE, DOWN = "2026-11-25T03:00:00Z", "2026-11-24T21:00:00Z"


def lease(name: str, renewed_at: str) -> dict[str, object]:
    """A leader's lease."""
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "capi-system", "uid": name},
        "spec": {"holderIdentity": name, "renewTime": renewed_at},
    }


async def test_leases_of_running_controllers_are_renewed_and_others_are_not() -> None:
    """After a few minutes of demo, healthy controllers must not look dead."""
    documents = [lease("alive", ALIVE), lease("down", DOWN)]
    store = Store(
        MemorySeeds([LEASES], documents), now=lambda: datetime(2026, 11, 25, 4, tzinfo=UTC)
    )
    seen = store.subscribe([LEASES])
    task = asyncio.create_task(renew_leases(Kit(store, Pace(0)), every_s=0))
    while not (changes := seen.drain()):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert {change.name for change in changes} == {"alive"}
    assert store.get(LEASES, "capi-system", "alive")["spec"]["renewTime"] > ALIVE
    assert store.get(LEASES, "capi-system", "down")["spec"]["renewTime"] == DOWN
