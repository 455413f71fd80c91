"""Deleted clusters and owners of Machines go through their stages and leave nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import pytest

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.garbage import GarbageCollector
from fleettui.demo.apiserver.store import Store
from fleettui.demo.controllers import Pace, start
from fleettui.demo.world import World, build_world
from fleettui.demo.world.catalogue import resource_of
from fleettui.demo.world.fleet import ClusterPlan

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
CORE = "cluster.x-k8s.io"
FLUX = ("kustomize.toolkit.fluxcd.io", "Kustomization")
HELM = ("helm.toolkit.fluxcd.io", "HelmRelease")
SURVIVORS = {"Kustomization", "HelmRelease", "HelmChart", "Application", "Event"}
"""What Flux and Argo CD own, not the cluster."""
Document = dict[str, Any]


class Scene:
    """A store with running controllers and garbage collection that take no time."""

    def __init__(self, world: World, store: Store) -> None:
        self.world = world
        self.store = store

    def plan(self, flavour: str) -> ClusterPlan:
        return next(plan for plan in self.world.plans if plan.flavour.name == flavour)

    def get(self, group: str, kind: str, namespace: str, name: str) -> Document | None:
        try:
            return self.store.get(resource_of(group, kind), namespace, name)
        except ApiError:
            return None

    def of_cluster(self, kinds: Iterable[tuple[str, str]], plan: ClusterPlan) -> list[Document]:
        return [
            item
            for kind in kinds
            for item in self.store.list(resource_of(*kind), plan.namespace)
            if item["metadata"]["name"].startswith(plan.name)
        ]

    def delete(self, group: str, kind: str, plan: ClusterPlan, name: str) -> None:
        self.store.delete(resource_of(group, kind), plan.namespace, name)

    def left_of(self, plan: ClusterPlan) -> set[str]:
        """Kind and name of everything that still belongs to a cluster, survivors aside."""
        found = set()
        for resource in self.world.resources():
            if resource.kind in SURVIVORS or not resource.namespaced:
                continue
            for item in self.store.list(resource, plan.namespace):
                meta = item["metadata"]
                is_named = meta["name"] == plan.name or meta["name"].startswith(f"{plan.name}-")
                if is_named and meta["managedFields"][0]["manager"] != "external-secrets":
                    found.add(f"{resource.kind}/{meta['name']}")
        return found

    async def until(self, state: Callable[[], object], wanted: object) -> None:
        """Let tasks run until a state is as wanted; fails with what it was instead."""
        for _ in range(400):
            if state() == wanted:
                return
            for _ in range(100):
                await asyncio.sleep(0)
        assert state() == wanted


class Stages:
    """Reasons and messages of an object's Deleting condition, as watchers would see them."""

    def __init__(self, store: Store, group: str, kind: str, name: str) -> None:
        self._changes = store.subscribe([resource_of(group, kind)])
        self._name = name

    def seen(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for change in self._changes.drain():
            found += self._stage(change)
        return [stage for i, stage in enumerate(found) if i == 0 or stage != found[i - 1]]

    def _stage(self, change: Change) -> list[tuple[str, str]]:
        body = change.new if change.name == self._name else None
        return [
            (item["reason"], item["message"])
            for item in ((body or {}).get("status") or {}).get("conditions", ())
            if item["type"] == "Deleting" and item["status"] == "True"
        ]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    world = build_world(0, 1, clusters=24, seed=5, now=NOW, incidents=())
    store = Store(world)
    tasks = [*start(store, pace=Pace(0)), asyncio.create_task(GarbageCollector(store).run())]
    await asyncio.sleep(0)
    yield Scene(world, store)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


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
    await scene.until(lambda: scene.get(CORE, "Cluster", plan.namespace, plan.name), None)
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
    await scene.until(lambda: scene.get(CORE, "Cluster", plan.namespace, plan.name), None)
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
        cluster = scene.get(CORE, "Cluster", plan.namespace, plan.name) or {"status": {}}
        found = cluster["status"].get("conditions", ())
        return next((item["reason"] for item in found if item["type"] == "Deleting"), "")

    await scene.until(stage, "WaitingForInfrastructureDeletion")
    held = scene.get(infra.group, infra.kind, plan.namespace, plan.name)
    for _ in range(500):
        await asyncio.sleep(0)
    held = scene.get(infra.group, infra.kind, plan.namespace, plan.name)
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
    for _ in range(500):
        await asyncio.sleep(0)
    machines = scene.of_cluster([(CORE, "Machine")], plan)
    assert machines
    assert not any("deletionTimestamp" in item["metadata"] for item in machines)
    pause(None)
    await scene.until(lambda: scene.get(CORE, "Cluster", plan.namespace, plan.name), None)


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
    secret = scene.get("", "Secret", plan.namespace, name)
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
    cluster = scene.get(CORE, "Cluster", plan.namespace, plan.name)
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
        lambda: [kind for kind in kinds if scene.get(*kind, plan.namespace, name)], []
    )
    assert _reasons(stages.seen()) == ["DrainingNode", "WaitingForInfrastructureDeletion"]
