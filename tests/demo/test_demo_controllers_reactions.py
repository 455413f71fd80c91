"""What people do to the demo fleet has the effects they wait for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from scenes import Document, Scene, condition, running_scene

from fleettui.demo.controllers import Pace
from fleettui.demo.controllers.kit import Kit
from fleettui.demo.controllers.repository import take_effect
from fleettui.demo.world.catalogue import resource_of
from fleettui.demo.world.conditions import modern

CORE = "cluster.x-k8s.io"


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with running_scene() as running:
        yield running


async def test_pause_cluster_pauses_descendants_and_resume_undoes_it(scene: Scene) -> None:
    """A person who pauses a cluster would wait for ever for the confirmation."""
    plan = scene.plan("vsphere")
    cluster = scene.get(CORE, "Cluster", plan.namespace, plan.name)
    scene.patch(cluster, {"spec": {"paused": True}})

    def states() -> set[str]:
        machines = scene.all(CORE, "Machine", plan.namespace, plan.name)
        top = scene.get(CORE, "Cluster", plan.namespace, plan.name)
        return {condition(item, "Paused")["status"] for item in (top, *machines)}

    await scene.until(states, {"True"})
    machine = scene.all(CORE, "Machine", plan.namespace, plan.name)[0]
    assert condition(machine, "Paused")["message"] == "Cluster spec.paused is set to true"
    scene.patch(cluster, {"spec": {"paused": None}})
    await scene.until(states, {"False"})


async def test_flux_request_is_acknowledged_with_the_token(scene: Scene) -> None:
    """A resync would look as if it never ended."""
    kustomization = scene.get(
        "kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "tenants"
    )
    scene.patch(
        kustomization, {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "t-1"}}}
    )

    def status() -> Document:
        return scene.get("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "tenants")[
            "status"
        ]

    await scene.until(lambda: status().get("lastHandledReconcileAt"), "t-1")
    kinds = [item["type"] for item in status()["conditions"]]
    assert "Reconciling" not in kinds


async def test_terraform_that_failed_fails_again_once_planned_and_approved(scene: Scene) -> None:
    """Nobody would ever see what an approval looks like whose apply fails."""
    name = ("infra.contrib.fluxcd.io", "Terraform", "flux-system", "landing-peering")
    text = "creating Route: it is there already"
    broken = [
        modern(kind, "False", "TFExecApplyFailed", text, at="2026-01-01T00:00:00Z")
        for kind in ("Apply", "Ready")
    ]
    scene.patch(scene.get(*name), {"status": {"conditions": broken}}, subresource="status")
    cleared = {"plan": {"pending": ""}, "lastPlannedRevision": "", "lastAttemptedRevision": ""}
    scene.patch(scene.get(*name), {"status": cleared}, subresource="status")

    def status() -> Document:
        return scene.get(*name)["status"]

    await scene.until(lambda: status()["plan"].get("pending", "")[:5], "plan-")
    assert condition(scene.get(*name), "Ready")["reason"] == "TerraformPlannedWithChanges"
    before = status()["plan"].get("lastApplied")
    scene.patch(scene.get(*name), {"spec": {"approvePlan": status()["plan"]["pending"]}})
    await scene.until(lambda: condition(scene.get(*name), "Ready")["status"], "False")
    assert condition(scene.get(*name), "Ready")["message"] == text
    assert (status()["plan"].get("pending"), status()["plan"].get("lastApplied")) == (None, before)


async def test_flux_request_is_ignored_while_suspended(scene: Scene) -> None:
    """A suspended object would seem to be reconciled."""
    name = ("kustomize.toolkit.fluxcd.io", "Kustomization", "flux-system", "tenants")
    scene.patch(scene.get(*name), {"spec": {"suspend": True}})
    scene.patch(
        scene.get(*name), {"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": "t-2"}}}
    )
    await scene.rest()
    assert scene.get(*name)["status"].get("lastHandledReconcileAt") is None
    scene.patch(scene.get(*name), {"spec": {"suspend": None}})
    await scene.until(lambda: scene.get(*name)["status"].get("lastHandledReconcileAt"), "t-2")


async def test_scale_up_and_down_moves_machines_and_counters(scene: Scene) -> None:
    """Scaling would change a number and nothing else."""
    plan = scene.plan("aws")
    name = f"{plan.name}-md-0"
    deployment = scene.get(CORE, "MachineDeployment", plan.namespace, name)
    before = deployment["spec"]["replicas"]

    def counts() -> tuple[int, int]:
        status = scene.get(CORE, "MachineDeployment", plan.namespace, name)["status"]
        machines = scene.all(CORE, "Machine", plan.namespace, f"{name}-")
        return status["availableReplicas"], len(machines)

    scene.patch(deployment, {"spec": {"replicas": before + 2}})
    await scene.until(counts, (before + 2, before + 2))
    machines = scene.all(CORE, "Machine", plan.namespace, f"{name}-")
    infra = scene.all("infrastructure.cluster.x-k8s.io", "AWSMachine", plan.namespace, f"{name}-")
    assert {item["metadata"]["name"] for item in machines} <= {
        item["metadata"]["name"] for item in infra
    }
    assert len({item["spec"]["providerID"] for item in machines}) == before + 2
    scene.patch(deployment, {"spec": {"replicas": before}})
    await scene.until(counts, (before, before))


async def test_deleted_machine_is_replaced(scene: Scene) -> None:
    """Deleting a sick Machine would shrink the cluster for good."""
    plan = scene.plan("openstack")
    machines = scene.all(CORE, "Machine", plan.namespace, f"{plan.name}-md-1-")
    gone = machines[0]["metadata"]["name"]
    scene.store.delete(resource_of(CORE, "Machine"), plan.namespace, gone)

    def names() -> set[str]:
        found = scene.all(CORE, "Machine", plan.namespace, f"{plan.name}-md-1-")
        ready = [item for item in found if condition(item, "Ready")["status"] == "True"]
        return {item["metadata"]["name"] for item in ready}

    await scene.until(lambda: (len(names()), gone in names()), (len(machines), False))


async def test_remediation_annotation_replaces_the_machine(scene: Scene) -> None:
    """Remediation would do nothing."""
    plan = scene.plan("azure")
    machine = scene.all(CORE, "Machine", plan.namespace, f"{plan.name}-md-0-")[0]
    scene.patch(machine, {"metadata": {"annotations": {"cluster.x-k8s.io/remediate-machine": ""}}})

    group = machine["metadata"]["labels"]["cluster.x-k8s.io/set-name"]
    count = len(scene.all(CORE, "Machine", plan.namespace, f"{group}-"))
    gone = machine["metadata"]["name"]
    await scene.until(lambda: scene.find(CORE, "Machine", plan.namespace, gone), None)

    def ready() -> list[str]:
        found = scene.all(CORE, "Machine", plan.namespace, f"{group}-")
        return [condition(item, "Ready")["status"] for item in found]

    await scene.until(ready, ["True"] * count)


@pytest.mark.parametrize("kind", ["MachineDeployment", "KubeadmControlPlane"])
async def test_rollout_after_replaces_every_machine(scene: Scene, kind: str) -> None:
    """A rollout would never begin or never end."""
    plan = scene.plan("nutanix")
    group = CORE if kind == "MachineDeployment" else "controlplane.cluster.x-k8s.io"
    name = f"{plan.name}-md-1" if group == CORE else f"{plan.name}-cp"
    owner = scene.get(group, kind, plan.namespace, name)

    def machines() -> dict[str, bool]:
        return {
            item["metadata"]["name"]: condition(item, "Ready")["status"] == "True"
            for item in scene.all(CORE, "Machine", plan.namespace, f"{name}-")
        }

    old = set(machines())
    after = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    scene.patch(owner, {"spec": {"rollout": {"after": after}}})

    def rolled() -> tuple[set[str], list[bool], str]:
        now = machines()
        rolling = condition(scene.get(group, kind, plan.namespace, name), "RollingOut")
        return old & set(now), list(now.values()), rolling["status"]

    await scene.until(rolled, (set(), [True] * len(old), "False"))


async def test_topology_version_reaches_the_control_plane(scene: Scene) -> None:
    """An upgrade by ClusterClass would stop at the Cluster."""
    plan = scene.plan("azure-class")
    cluster = scene.get(CORE, "Cluster", plan.namespace, plan.name)
    scene.patch(cluster, {"spec": {"topology": {"version": "v1.38.0"}}})

    def versions() -> set[str]:
        machines = scene.all(CORE, "Machine", plan.namespace, f"{plan.name}-")
        return {item["spec"]["version"] for item in machines}

    await scene.until(versions, {"v1.38.0"})


async def test_argo_sync_clears_the_operation(scene: Scene) -> None:
    """A requested sync would stay pending."""
    name = ("argoproj.io", "Application", "argocd", "management-monitoring")
    scene.patch(scene.get(*name), {"operation": {"sync": {"prune": False}}})

    def operation() -> tuple[object, str, Document]:
        application = scene.get(*name)
        state = application["status"]["operationState"]
        return application.get("operation"), state["phase"], state["operation"]["sync"]

    await scene.until(operation, (None, "Succeeded", {"prune": False}))


class FakeRepository:
    """Two commits; the second changes one file."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text

    def head(self) -> str:
        return "b" * 40

    def changed_files(self, old: str, new: str) -> list[str]:
        return [self.path]

    def read(self, commit: str, path: str) -> str | None:
        return self.text


async def test_commit_is_fetched_and_applied(scene: Scene) -> None:
    """A change in git would never reach the cluster."""
    team = scene.world.plans[0].team
    repository = FakeRepository(
        f"apps/teams/{team.namespace}/config/settings.yaml",
        f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {team.team}-settings\n"
        "data:\n  environment: changed\n",
    )
    await take_effect(Kit(scene.store, Pace(0)), repository, "a" * 40, "b" * 40)
    settings = scene.get("", "ConfigMap", team.namespace, f"{team.team}-settings")
    assert settings["data"]["environment"] == "changed"
    kustomization = scene.get(
        "kustomize.toolkit.fluxcd.io", "Kustomization", team.namespace, f"{team.team}-config"
    )
    assert kustomization["status"]["lastAppliedRevision"] == f"main@sha1:{'b' * 40}"
