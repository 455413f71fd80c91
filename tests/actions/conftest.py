"""Small documents and the facts made of them."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from fleettui.actions.facts import Access, AccessRequest, Facts, ListRequest, SchemaRequest, ref_of
from fleettui.actions.schema import Schema
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Dialect, KindSpec, Role

CAPI = "cluster.x-k8s.io"
CONTEXT = "mgmt"

_KINDS: tuple[tuple[str, str, str, Role, Dialect], ...] = (
    (CAPI, "Cluster", "clusters", Role.CLUSTER, Dialect.CAPI),
    (CAPI, "ClusterClass", "clusterclasses", Role.CLASS, Dialect.CAPI),
    (CAPI, "MachineDeployment", "machinedeployments", Role.WORKERS, Dialect.CAPI),
    (CAPI, "MachineSet", "machinesets", Role.MACHINE_SET, Dialect.CAPI),
    (CAPI, "MachinePool", "machinepools", Role.MACHINE_POOL, Dialect.POOL),
    (CAPI, "Machine", "machines", Role.MACHINE, Dialect.CAPI),
    (CAPI, "MachineHealthCheck", "machinehealthchecks", Role.HEALTH_CHECK, Dialect.CAPI),
    (
        f"controlplane.{CAPI}",
        "KubeadmControlPlane",
        "kubeadmcontrolplanes",
        Role.CONTROL_PLANE,
        Dialect.CAPI,
    ),
    (
        f"controlplane.{CAPI}",
        "RKE2ControlPlane",
        "rke2controlplanes",
        Role.CONTROL_PLANE,
        Dialect.CAPI,
    ),
    (
        f"controlplane.{CAPI}",
        "AWSManagedControlPlane",
        "awsmanagedcontrolplanes",
        Role.CONTROL_PLANE,
        Dialect.CAPI,
    ),
    (f"infrastructure.{CAPI}", "DevCluster", "devclusters", Role.INFRA_CLUSTER, Dialect.CAPI),
    (f"infrastructure.{CAPI}", "GCPMachine", "gcpmachines", Role.INFRA_MACHINE, Dialect.FLAG),
    (
        "kustomize.toolkit.fluxcd.io",
        "Kustomization",
        "kustomizations",
        Role.APPLIER,
        Dialect.FLUX,
    ),
    ("helm.toolkit.fluxcd.io", "HelmRelease", "helmreleases", Role.APPLIER, Dialect.FLUX),
    ("source.toolkit.fluxcd.io", "GitRepository", "gitrepositories", Role.SOURCE, Dialect.FLUX),
    ("source.toolkit.fluxcd.io", "HelmRepository", "helmrepositories", Role.SOURCE, Dialect.FLUX),
    ("source.toolkit.fluxcd.io", "HelmChart", "helmcharts", Role.SOURCE, Dialect.FLUX),
    (
        "source.toolkit.fluxcd.io",
        "ExternalArtifact",
        "externalartifacts",
        Role.SOURCE,
        Dialect.FLUX,
    ),
    (
        "source.extensions.fluxcd.io",
        "ArtifactGenerator",
        "artifactgenerators",
        Role.SOURCE,
        Dialect.FLUX,
    ),
    ("notification.toolkit.fluxcd.io", "Alert", "alerts", Role.NOTIFICATION, Dialect.STATIC),
    ("fluxcd.controlplane.io", "FluxInstance", "fluxinstances", Role.INVENTORY, Dialect.FLUX),
    ("fluxcd.controlplane.io", "ResourceSet", "resourcesets", Role.APPLIER, Dialect.FLUX),
    ("argoproj.io", "Application", "applications", Role.APPLIER, Dialect.ARGO),
    ("argoproj.io", "ApplicationSet", "applicationsets", Role.APPLIER, Dialect.ARGO_SET),
    (
        "containerservice.azure.com",
        "ManagedCluster",
        "managedclusters",
        Role.CLOUD_CLUSTER,
        Dialect.ASO,
    ),
    ("infra.contrib.fluxcd.io", "Terraform", "terraforms", Role.APPLIER, Dialect.TERRAFORM),
    ("", "ConfigMap", "configmaps", Role.PLATFORM, Dialect.STATIC),
)

_CAPI_PAUSE = {"cluster.x-k8s.io/paused": "*"}
SPECS = {
    (group, kind): KindSpec(
        group=group,
        kind=kind,
        plural=plural,
        role=role,
        dialect=dialect,
        pause_annotations=_CAPI_PAUSE if group.endswith(CAPI) else {},
    )
    for group, kind, plural, role, dialect in _KINDS
}


@pytest.fixture
def now() -> datetime:
    """A moment that never moves."""
    return datetime(2026, 8, 23, 10, 0, 0, 123456, tzinfo=UTC)


def merge(first: Any, second: Any) -> Any:
    """Two nested mappings as one; lists and scalars of the second win."""
    if not isinstance(first, Mapping) or not isinstance(second, Mapping):
        return second
    keys = {**first, **second}
    return {k: merge(first[k], second[k]) if k in first and k in second else keys[k] for k in keys}


@pytest.fixture
def make() -> Callable[..., dict[str, Any]]:
    """Builds a document: ``make("Cluster", "c1", {"spec": …}, version="v1beta1")``."""

    def build(kind: str, name: str, more: Any = None, *, version: str = "") -> dict[str, Any]:
        group = next(group for group, known in SPECS if known == kind)
        base = {
            "apiVersion": f"{group}/{version or _version(group)}" if group else "v1",
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": "ns",
                "uid": f"uid-{kind}-{name}",
                "resourceVersion": "7",
                "generation": 3,
            },
        }
        result = merge(base, more or {})
        assert isinstance(result, dict)
        return result

    return build


def _version(group: str) -> str:
    if group.endswith(CAPI):
        return "v1beta2"
    return {"helm.toolkit.fluxcd.io": "v2", "argoproj.io": "v1alpha1"}.get(group, "v1")


@pytest.fixture
def facts_of() -> Callable[..., Facts]:
    """Facts about documents; the first is the target unless ``targets`` says how many are."""

    def build(
        *documents: Mapping[str, Any],
        targets: int = 1,
        lists: Mapping[ListRequest, tuple[Mapping[str, Any], ...] | None] | None = None,
        access: Mapping[AccessRequest, Access] | None = None,
        scope_gaps: tuple[str, ...] = (),
        schemas: Mapping[SchemaRequest, Schema | None] | None = None,
    ) -> Facts:
        bodies = {ref_of(document, CONTEXT): document for document in documents}
        return Facts(
            refs=tuple(bodies)[:targets],
            spec_of=lambda group, kind: SPECS.get((group, kind)),
            bodies=bodies,
            lists=lists or {},
            access=access or {},
            scope_gaps=scope_gaps,
            schemas=schemas or {},
        )

    return build


@pytest.fixture
def ref() -> Callable[[Mapping[str, Any]], ObjectRef]:
    """Identity of a document in the context of these tests."""
    return lambda document: ref_of(document, CONTEXT)
