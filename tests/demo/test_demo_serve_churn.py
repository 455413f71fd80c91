"""Churn: writes that keep watches busy and change nothing that matters."""

import asyncio
from contextlib import suppress

from fleettui.demo.apiserver.memory import MemorySeeds
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.store import Store
from fleettui.demo.churn import HEARTBEAT, Churn

WIDGETS = Resource(
    group="example.com",
    version="v1",
    kind="Widget",
    plural="widgets",
    singular="widget",
    served=("v1",),
)


def _store(count: int) -> Store:
    documents = [
        {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": f"w{n}"}}
        for n in range(count)
    ]
    return Store(MemorySeeds([WIDGETS], documents))


def test_churn_touches_an_annotation_and_nothing_else() -> None:
    """A busy demo would slowly become another fleet."""
    store = _store(1)
    before = store.get(WIDGETS, "default", "w0")
    assert Churn([store], rate=1, seed=1).touch()
    after = store.get(WIDGETS, "default", "w0")
    assert list(after["metadata"]["annotations"]) == [HEARTBEAT]
    assert after["metadata"]["generation"] == before["metadata"]["generation"]


def test_churn_of_a_deleted_object_or_an_empty_store_does_nothing() -> None:
    """A deleted cluster would come back, or churn would end the demo."""
    store = _store(1)
    churn = Churn([store], rate=1, seed=1)
    store.delete(WIDGETS, "default", "w0")
    assert not churn.touch()
    assert not Churn([_store(0)], rate=1, seed=1).touch()


async def test_churn_writes_as_it_runs() -> None:
    """Watches of a demo with churn would stay silent."""
    store = _store(50)
    queue = store.subscribe([WIDGETS])
    running = asyncio.create_task(Churn([store], rate=1000, seed=1).run())
    assert await queue.wait(10)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
