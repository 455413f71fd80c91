"""Deleted clusters and owners of Machines go through their stages and leave nothing behind."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from scenes import Scene, Stages, running_scene

from fleettui.demo.world.catalogue import resource_of

CORE = "cluster.x-k8s.io"
FLUX = ("kustomize.toolkit.fluxcd.io", "Kustomization")
HELM = ("helm.toolkit.fluxcd.io", "HelmRelease")


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with running_scene() as running:
        yield running


def _reasons(stages: list[tuple[str, str]]) -> list[str]:
    reasons = [reason for reason, _ in stages]
    return [reason for i, reason in enumerate(reasons) if i == 0 or reason != reasons[i - 1]]


@pytest.mark.parametrize(
    "flavour", ["vsphere", "azure-class", "openstack", "azure-pools", "eks", "aks-aso", "k0s"]
)
async def test_deleted_cluster_plays_its_stages_and_leaves_nothing(
    scene: Scene, flavour: str
) -> None:
    """A person who watches a deletion in the demo would see it hang or skip what takes long."""
    plan = scene.plan(flavour)
    stages = Stages(scene.store, CORE, "Cluster", plan.name)
    scene.delete(CORE, "Cluster", plan, plan.name)
    await scene.until(lambda: scene.find(CORE, "Cluster", plan.namespace, plan.name), None)
    await scene.until(lambda: scene.left_of(plan), set())
    seen = stages.seen()
    assert _reasons(seen) == [
        "WaitingForWorkersDeletion",
        "WaitingForControlPlaneDeletion",
        "WaitingForInfrastructureDeletion",
        "DeletionCompleted",
    ]
    assert seen[0][1].startswith(("* MachineDeployments: ", "* MachinePools: ")), seen[0]


async def test_deleted_cluster_is_told_in_the_words_of_cluster_api(scene: Scene) -> None:
    """The words that people search for would not be those of the real controller."""
    plan = scene.plan("vsphere")
    stages = Stages(scene.store, CORE, "Cluster", plan.name)
    planes = Stages(
        scene.store, "controlplane.cluster.x-k8s.io", "KubeadmControlPlane", f"{plan.name}-cp"
    )
    scene.delete(CORE, "Cluster", plan, plan.name)
    await scene.until(lambda: scene.find(CORE, "Cluster", plan.namespace, plan.name), None)
    seen = stages.seen()
    first = seen[0][1].split("\n")
    assert [line.partition(": ")[0] for line in first] == [
        "* MachineDeployments",
        "* MachineSets",
        "* Worker Machines",
    ]
    assert first[0].startswith(f"* MachineDeployments: {plan.name}-md-0, {plan.name}-md-1, ")
    assert "more)" in first[2]
    assert ("WaitingForControlPlaneDeletion", "Waiting for KubeadmControlPlane to be deleted") in (
        seen
    )
    assert ("WaitingForInfrastructureDeletion", "Waiting for VSphereCluster to be deleted") in seen
    machines = [text for reason, text in planes.seen() if reason == "WaitingForMachineDeletion"]
    assert machines[0] == "Deleting 3 Machines"
    assert machines[-1] == "Deletion completed"


async def test_deleted_cluster_with_a_foreign_finalizer_waits_at_that_stage(scene: Scene) -> None:
    """A finalizer that nobody serves would be ignored, unlike on a real server."""
    plan = scene.plan("openstack")
    infra = resource_of("infrastructure.cluster.x-k8s.io", "OpenStackCluster")
    scene.store.mutate(
        infra,
        plan.namespace,
        plan.name,
        lambda own: own["metadata"]["finalizers"].append("dns.example.com/zone"),
        manager="test",
    )
    scene.delete(CORE, "Cluster", plan, plan.name)

    def stage() -> str:
        cluster = scene.find(CORE, "Cluster", plan.namespace, plan.name) or {"status": {}}
        found = cluster["status"].get("conditions", ())
        return next((item["reason"] for item in found if item["type"] == "Deleting"), "")

    await scene.until(stage, "WaitingForInfrastructureDeletion")
    held = scene.find(infra.group, infra.kind, plan.namespace, plan.name)
    await scene.rest()
    held = scene.find(infra.group, infra.kind, plan.namespace, plan.name)
    assert held is not None
    assert held["metadata"]["finalizers"] == ["dns.example.com/zone"]
    assert stage() == "WaitingForInfrastructureDeletion"


async def test_paused_cluster_is_deleted_once_it_is_resumed(scene: Scene) -> None:
    """A paused cluster would vanish, or never go after its pause ended."""
    plan = scene.plan("hetzner")
    resource = resource_of(CORE, "Cluster")

    def pause(value: bool | None) -> None:
        scene.store.patch_merge(
            resource, plan.namespace, plan.name, {"spec": {"paused": value}}, manager="test"
        )

    pause(True)
    scene.delete(CORE, "Cluster", plan, plan.name)
    await scene.rest()
    machines = scene.of_cluster([(CORE, "Machine")], plan)
    assert machines
    assert not any("deletionTimestamp" in item["metadata"] for item in machines)
    pause(None)
    await scene.until(lambda: scene.find(CORE, "Cluster", plan.namespace, plan.name), None)


async def test_deleted_cluster_makes_its_flux_objects_fail_to_reach_it(scene: Scene) -> None:
    """Deliveries into a cluster that is gone would stay green."""
    plan = scene.plan("vsphere")
    scene.delete(CORE, "Cluster", plan, plan.name)

    def messages() -> set[str]:
        found = scene.of_cluster([FLUX, HELM], plan)
        ready = [
            item
            for document in found
            for item in document["status"]["conditions"]
            if item["type"] == "Ready"
        ]
        return {item["message"] if item["status"] == "False" else "ready" for item in ready}

    name = f"{plan.name}-kubeconfig"
    missing = f'secrets "{name}" not found'
    await scene.until(
        messages,
        {
            f"unable to read KubeConfig secret '{plan.namespace}/{name}' error: {missing}",
            f"could not get KubeConfig secret '{plan.namespace}/{name}': {missing}",
        },
    )


async def test_restored_kubeconfig_heals_what_delivers_through_it(scene: Scene) -> None:
    """Putting the Secret back would not help, unlike with a real Flux."""
    plan = scene.plan("vsphere")
    name = f"{plan.name}-kubeconfig"
    secret = scene.find("", "Secret", plan.namespace, name)
    assert secret is not None

    def states() -> set[str]:
        return {
            item["status"]
            for document in scene.of_cluster([FLUX, HELM], plan)
            for item in document["status"]["conditions"]
            if item["type"] == "Ready"
        }

    scene.delete("", "Secret", plan, name)
    await scene.until(states, {"False"})
    for key in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
        secret["metadata"].pop(key, None)
    scene.store.create(resource_of("", "Secret"), secret, manager="test")
    await scene.until(states, {"True"})


async def test_deleted_deployment_takes_its_sets_and_machines_along(scene: Scene) -> None:
    """Machines of a deleted MachineDeployment would live on, or be made anew."""
    plan = scene.plan("aws")
    name = f"{plan.name}-md-0"
    stages = Stages(scene.store, CORE, "MachineDeployment", name)
    machines = Stages(scene.store, CORE, "Machine", "")
    count = len(
        [
            item
            for item in scene.of_cluster([(CORE, "Machine")], plan)
            if item["metadata"]["name"].startswith(f"{name}-")
        ]
    )
    scene.delete(CORE, "MachineDeployment", plan, name)

    def left() -> set[str]:
        kinds = ("MachineDeployment", "MachineSet", "Machine")
        found = scene.of_cluster([(CORE, kind) for kind in kinds], plan)
        names = {item["metadata"]["name"] for item in found}
        return {item for item in names if item == name or item.startswith(f"{name}-")}

    await scene.until(left, set())
    assert stages.seen()[0] == ("Deleting", f"Deleting {count} Machines")
    assert machines.seen() == []
    cluster = scene.find(CORE, "Cluster", plan.namespace, plan.name)
    assert cluster is not None
    others = [
        item
        for item in scene.of_cluster([(CORE, "Machine")], plan)
        if "cluster.x-k8s.io/control-plane" not in item["metadata"]["labels"]
    ]
    assert cluster["status"]["workers"]["replicas"] == len(others) > 0


async def test_deleted_machine_drains_and_takes_what_its_provider_made_along(scene: Scene) -> None:
    """Virtual machines and hosts' data would stay, deleted but for a finalizer, for ever."""
    plan = scene.plan("vsphere")
    machine = next(
        item
        for item in scene.of_cluster([(CORE, "Machine")], plan)
        if item["metadata"]["name"].startswith(f"{plan.name}-md-1-")
    )
    name = machine["metadata"]["name"]
    stages = Stages(scene.store, CORE, "Machine", name)
    scene.delete(CORE, "Machine", plan, name)
    infra = "infrastructure.cluster.x-k8s.io"
    kinds = [(CORE, "Machine"), (infra, "VSphereMachine"), (infra, "VSphereVM")]
    await scene.until(
        lambda: [kind for kind in kinds if scene.find(*kind, plan.namespace, name)], []
    )
    assert _reasons(stages.seen()) == ["DrainingNode", "WaitingForInfrastructureDeletion"]
