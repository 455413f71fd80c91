"""Another namespace without a restart: lists that are limited to one are read anew."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from fleettui.fleet.opening import Opening, open_fleet

pytestmark = pytest.mark.e2e
CLUSTER = ("cluster.x-k8s.io", "Cluster")


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """A fleet with clusters in several namespaces."""
    return start_demo("--clusters", "12", "--contexts", "1", "--churn", "0")


async def until(condition: Callable[[], bool]) -> None:
    """Waits for a state of the fleet."""
    async with asyncio.timeout(120):
        while not condition():
            await asyncio.sleep(0.02)


async def test_fleet_of_one_namespace_reads_another_one_on_request(demo: Any) -> None:
    """Whoever starts with -n would have to leave the program to see anything else."""
    listed = demo.call(demo.contexts[0], "/apis/cluster.x-k8s.io/v1beta2/clusters")["items"]
    real = {(c["metadata"]["namespace"], c["metadata"]["name"]) for c in listed}
    first, second = sorted({namespace for namespace, _ in real})[:2]
    fleet = open_fleet(
        Opening(kubeconfig=demo.kubeconfig, namespace=first, on_screen=True, cache=False)
    )

    def seen() -> set[tuple[str, str]]:
        return {(row.namespace, row.name) for row in fleet.index.rows(CLUSTER)}

    def of(namespace: str) -> set[tuple[str, str]]:
        return {found for found in real if found[0] == namespace}

    await fleet.start()
    try:
        assert await fleet.wait_synced(120)
        assert seen() == of(first)
        fleet.set_namespace(second)
        await until(lambda: seen() == of(second))
        assert await fleet.wait_synced(120)
        assert [info.namespace for info in fleet.contexts()] == [second]
        assert {row.namespace for row in fleet.index.rows()} <= {second, ""}
        fleet.set_namespace(first)
        fleet.set_namespace("")
        await until(lambda: seen() == real)
        assert await fleet.wait_synced(120)
        fleet.set_namespace(second)
        assert seen() == real
        assert [info.namespace for info in fleet.contexts()] == [""]
    finally:
        await fleet.close()
