"""Objects of every system stand where a person looks for them."""

import asyncio
from typing import Any

import pytest
import yaml

from fleettui.fleet import Fleet, Opening, open_fleet
from fleettui.fleet.refs import one_row
from fleettui.index import TreeView

INFRA = "infrastructure.cluster.x-k8s.io"
AKS = "containerservice.azure.com/v1api20250801"
ADDONS = "addons.cluster.x-k8s.io/v1alpha1"


def an_object(
    api_version: str, kind: str, name: str, owner: tuple[str, str, str] | None = None, **parts: Any
) -> dict[str, Any]:
    """One object of the cluster c."""
    metadata: dict[str, Any] = {
        "name": name,
        "namespace": "a",
        "labels": {"cluster.x-k8s.io/cluster-name": "c"} if ".x-k8s.io" in api_version else {},
    }
    if owner is not None:
        version, owner_kind, owner_name = owner
        reference = {"apiVersion": version, "kind": owner_kind, "name": owner_name}
        metadata["ownerReferences"] = [{**reference, "controller": True}]
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


PLANE = "AzureASOManagedControlPlane"
DOCUMENTS = [
    an_object(
        *("cluster.x-k8s.io/v1beta2", "Cluster", "c"),
        spec={"controlPlaneRef": {"apiGroup": INFRA, "kind": PLANE, "name": "c"}},
    ),
    an_object(f"{INFRA}/v1beta1", PLANE, "c", status={"ready": True}),
    an_object(AKS, "ManagedCluster", "owned", (f"{INFRA}/v1beta1", PLANE, "c")),
    an_object(AKS, "ManagedCluster", "alone", spec={"owner": {"name": "group"}}),
    an_object("resources.azure.com/v1api20200601", "ResourceGroup", "group"),
    an_object(AKS, "ManagedClustersAgentPool", "pool", spec={"owner": {"name": "alone"}}),
    an_object(ADDONS, "HelmChartProxy", "cni", spec={"chartName": "cilium"}),
    an_object(
        *(ADDONS, "HelmReleaseProxy", "cni-c", (ADDONS, "HelmChartProxy", "cni")),
        spec={"clusterRef": {"name": "c"}},
    ),
    an_object(
        "addons.cluster.x-k8s.io/v1beta2", "ClusterResourceSetBinding", "c", spec={"bindings": []}
    ),
]


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """A recording of Cluster API, its add-ons and Azure Service Operator."""
    path = tmp_path_factory.mktemp("systems") / "one.yaml"
    path.write_text(yaml.safe_dump_all(DOCUMENTS))
    found = open_fleet(Opening(sources=(path,)))

    async def read() -> None:
        await found.start()
        await found.wait_synced(120)
        found.settle()
        await found.close()

    asyncio.run(read())
    return found


@pytest.mark.parametrize(
    ("ref", "parent"),
    [
        ("ManagedCluster/a/owned", PLANE),
        ("ManagedCluster/a/alone", None),
        ("ManagedClustersAgentPool/a/pool", "ManagedCluster"),
        ("HelmReleaseProxy/a/cni-c", "Cluster"),
        ("ClusterResourceSetBinding/a/c", "Cluster"),
        ("HelmChartProxy/a/cni", None),
    ],
)
def test_object_of_a_system_has_the_home_that_it_belongs_to(
    fleet: Fleet, ref: str, parent: str | None
) -> None:
    """What is installed into a cluster is looked for below the cluster."""
    above = one_row(fleet, ref).parent
    assert (above.kind if above else None) == parent


def test_cloud_cluster_that_no_cluster_owns_stands_among_clusters(fleet: Fleet) -> None:
    """A cluster made without Cluster API is a cluster all the same."""
    view = TreeView(fleet.index)
    view.expand_all()
    view.settle()
    lines = view.lines(0, len(view))
    depths = {line.row.kind: line.depth for line in lines if line.row and line.label == "alone"}
    depths |= {line.row.kind: line.depth for line in lines if line.row and line.label == "c"}
    assert depths["ManagedCluster"] == depths["Cluster"]
    groups = [line.label for line in lines if line.row is None]
    assert groups.index("a") < groups.index("Cloud")
