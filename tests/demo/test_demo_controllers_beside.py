"""New machines of the demo come with what their providers keep beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from scenes import Document, Scene, running_scene

CORE = "cluster.x-k8s.io"
INFRA = "infrastructure.cluster.x-k8s.io"


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with running_scene() as running:
        yield running


def _hosts(scene: Scene, namespace: str, name: str) -> dict[str, str]:
    """Consumer of each host of a cluster, "" for one that is free."""
    found = scene.all("metal3.io", "BareMetalHost", namespace, f"{name}-host-")
    return {
        host["metadata"]["name"]: host["spec"].get("consumerRef", {}).get("name", "")
        for host in found
    }


async def test_scale_of_bare_metal_takes_hosts_and_renders_data(scene: Scene) -> None:
    """Two machines would run on one host, and a new one would lack its data."""
    plan = scene.plan("metal3")
    name = f"{plan.name}-md-0"
    deployment = scene.get(CORE, "MachineDeployment", plan.namespace, name)
    before = {m["metadata"]["name"] for m in scene.all(CORE, "Machine", plan.namespace, name)}
    hosts = _hosts(scene, plan.namespace, plan.name)
    wanted = deployment["spec"]["replicas"]

    def available() -> int:
        status = scene.get(CORE, "MachineDeployment", plan.namespace, name)["status"]
        return int(status["availableReplicas"])

    scene.patch(deployment, {"spec": {"replicas": wanted + 1}})
    await scene.until(available, wanted + 1)
    machines = scene.all(CORE, "Machine", plan.namespace, name)
    [new] = [m["metadata"]["name"] for m in machines if m["metadata"]["name"] not in before]
    own = scene.get(INFRA, "Metal3Machine", plan.namespace, new)
    host = own["metadata"]["annotations"]["metal3.io/BareMetalHost"].partition("/")[2]
    assert host not in hosts
    assert host in own["spec"]["providerID"]
    assert _hosts(scene, plan.namespace, plan.name)[host] == new
    claim = scene.get(INFRA, "Metal3DataClaim", plan.namespace, new)
    data = scene.get(INFRA, "Metal3Data", plan.namespace, claim["status"]["renderedData"]["name"])
    assert data["spec"]["claim"]["name"] == new
    assert _owner(data) == claim["metadata"]["uid"]
    assert _owner(claim) == own["metadata"]["uid"]
    secrets = [s["metadata"]["name"] for s in scene.all("", "Secret", plan.namespace, f"{new}-")]
    assert secrets == [f"{new}-metadata", f"{new}-networkdata"]

    scene.patch(deployment, {"spec": {"replicas": wanted}})
    await scene.until(lambda: "" in _hosts(scene, plan.namespace, plan.name).values(), True)
    await scene.until(available, wanted)
    scene.patch(deployment, {"spec": {"replicas": wanted + 1}})
    await scene.until(available, wanted + 1)
    now = _hosts(scene, plan.namespace, plan.name)
    assert set(now) == {*hosts, host}
    assert "" not in now.values()


def _owner(document: Document) -> str:
    return str(document["metadata"]["ownerReferences"][0]["uid"])
