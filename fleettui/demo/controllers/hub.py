"""Hands every change of a store to the reactions that care, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.store import Store
from fleettui.demo.controllers.cluster_deletion import on_cluster_deletion
from fleettui.demo.controllers.courses import Rest, end_course
from fleettui.demo.controllers.deletion import on_machine_deletion
from fleettui.demo.controllers.flux import on_flux_request, on_kubeconfig
from fleettui.demo.controllers.kit import Kit, Pace
from fleettui.demo.controllers.leases import renew_leases
from fleettui.demo.controllers.neighbours import on_argo, on_aso, on_terraform
from fleettui.demo.controllers.owner_deletion import on_owner_deletion, on_pool_deletion
from fleettui.demo.controllers.pause import on_pause
from fleettui.demo.controllers.remediation import on_remediation
from fleettui.demo.controllers.replicas import on_pool, on_replicas
from fleettui.demo.controllers.repository import Repository, follow_repository
from fleettui.demo.controllers.rollout import on_rollout
from fleettui.demo.controllers.topology import on_topology
from fleettui.demo.world.catalogue import resource_of

_NONE: Mapping[tuple[str, str], Rest] = {}
Reaction = Callable[[Kit, Change], Awaitable[None]]

_CORE = "cluster.x-k8s.io"
_PLANE = "controlplane.cluster.x-k8s.io"
_FLUX = (
    ("kustomize.toolkit.fluxcd.io", "Kustomization"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
    ("source.toolkit.fluxcd.io", "GitRepository"),
    ("source.toolkit.fluxcd.io", "OCIRepository"),
    ("source.toolkit.fluxcd.io", "Bucket"),
    ("source.toolkit.fluxcd.io", "HelmRepository"),
    ("source.toolkit.fluxcd.io", "HelmChart"),
    ("image.toolkit.fluxcd.io", "ImageRepository"),
    ("image.toolkit.fluxcd.io", "ImagePolicy"),
    ("image.toolkit.fluxcd.io", "ImageUpdateAutomation"),
    ("notification.toolkit.fluxcd.io", "Receiver"),
    ("infra.contrib.fluxcd.io", "Terraform"),
)
_SCALED = (
    (_CORE, "MachineDeployment"),
    (_CORE, "MachineSet"),
    (_PLANE, "KubeadmControlPlane"),
)
_REACTIONS: tuple[tuple[tuple[tuple[str, str], ...], Reaction], ...] = (
    (((_CORE, "Cluster"), (_CORE, "Machine"), *_SCALED, (_CORE, "MachinePool")), on_pause),
    (((_CORE, "Cluster"),), on_cluster_deletion),
    (_SCALED, on_owner_deletion),
    (((_CORE, "MachinePool"),), on_pool_deletion),
    (((_CORE, "Machine"),), on_machine_deletion),
    (((_CORE, "Machine"),), on_remediation),
    (_SCALED, on_replicas),
    (((_CORE, "MachinePool"),), on_pool),
    (((_CORE, "MachineDeployment"), (_PLANE, "KubeadmControlPlane")), on_rollout),
    (((_CORE, "Cluster"),), on_topology),
    (_FLUX, on_flux_request),
    ((("", "Secret"),), on_kubeconfig),
    ((("infra.contrib.fluxcd.io", "Terraform"),), on_terraform),
    ((("argoproj.io", "Application"),), on_argo),
    (
        (
            ("containerservice.azure.com", "ManagedCluster"),
            ("containerservice.azure.com", "ManagedClustersAgentPool"),
            ("resources.azure.com", "ResourceGroup"),
        ),
        on_aso,
    ),
)


def start(
    store: Store,
    *,
    repository: Repository | None = None,
    pace: Pace | None = None,
    courses: Mapping[tuple[str, str], Rest] = _NONE,
) -> list[asyncio.Task[None]]:
    """Start all controllers of a store; cancel the tasks to stop them.

    Args:
        store: of one management cluster.
        repository: the fleet's git repository; None leaves git alone.
        pace: how fast pretended work goes.
        courses: clusters in which something goes on, and how they are at rest.
    """
    kit = Kit(store, pace or Pace())
    tasks = [asyncio.create_task(_dispatch(kit)), asyncio.create_task(renew_leases(kit))]
    tasks += [
        asyncio.create_task(end_course(kit, *cluster, rest)) for cluster, rest in courses.items()
    ]
    if repository is not None:
        tasks.append(asyncio.create_task(follow_repository(kit, repository)))
    return tasks


async def _dispatch(kit: Kit) -> None:
    by_key: dict[tuple[str, str], list[Reaction]] = {}
    for kinds, reaction in _REACTIONS:
        for group, kind in kinds:
            by_key.setdefault(resource_of(group, kind).key, []).append(reaction)
    resources = {resource_of(*kind) for kinds, _ in _REACTIONS for kind in kinds}
    subscription = kit.store.subscribe(sorted(resources, key=lambda item: item.key))
    running: set[asyncio.Task[None]] = set()
    try:
        while not subscription.is_ended:
            for change in await subscription.wait(None):
                for reaction in by_key[change.resource.key]:
                    task = asyncio.ensure_future(_guarded(reaction, kit, change))
                    running.add(task)
                    task.add_done_callback(running.discard)
    finally:
        subscription.close()
        for task in running:
            task.cancel()


async def _guarded(reaction: Reaction, kit: Kit, change: Change) -> None:
    """An object that vanished or changed under a reaction ends that reaction alone."""
    try:
        await reaction(kit, change)
    except ApiError:
        return
