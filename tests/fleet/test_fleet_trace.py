"""Traces and the joins they rest on, from whole objects: right or absent, evidence shown."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleettui.errors import FleettuiError
from fleettui.fleet import Fleet, Opening, open_fleet
from fleettui.fleet.pointed_metadata import read_pointed, users_of_kubeconfigs
from fleettui.fleet.refs import one_row
from fleettui.fleet.trace_forms import trace_form, trace_lines
from fleettui.index.joins import BY_NAME, Joins
from fleettui.index.trace import trace

CLUSTER_LABEL = "cluster.x-k8s.io/cluster-name"
KUSTOMIZE = "kustomize.toolkit.fluxcd.io"


def cluster(name: str, namespace: str, host: str = "") -> dict[str, Any]:
    """A Cluster object."""
    endpoint = {"controlPlaneEndpoint": {"host": host, "port": 443}} if host else {}
    return {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Cluster",
        "metadata": {"name": name, "namespace": namespace, "uid": f"{namespace}-{name}"},
        "spec": endpoint,
    }


def secret(name: str, namespace: str, label: str = "") -> dict[str, Any]:
    """A Secret, its contents left out."""
    labels = {CLUSTER_LABEL: label} if label else {}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "labels": labels},
    }


def argo_secret(name: str, cluster_name: str, namespace: str, kind: str = "cluster") -> Any:
    """A Secret that registers a Cluster with Argo CD, as capi2argo labels it."""
    found = secret(name, "argocd")
    found["metadata"]["labels"] = {
        "argocd.argoproj.io/secret-type": kind,
        "capi-to-argocd/owned": "true",
        "capi-to-argocd/cluster-secret-name": f"{cluster_name}-kubeconfig",
        "capi-to-argocd/cluster-namespace": namespace,
    }
    return found


def kustomization(name: str, namespace: str, entries: tuple[str, ...] = (), **spec: Any) -> Any:
    """A Kustomization of the source flux-system/fleet, at a revision."""
    source = {"kind": "GitRepository", "name": "fleet", "namespace": "flux-system"}
    return {
        "apiVersion": f"{KUSTOMIZE}/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"sourceRef": source, "path": f"./{name}", **spec},
        "status": {
            "lastAppliedRevision": "main@sha1:2fcf83a3e28c99ae497c550e747412deccfe0401",
            "inventory": {"entries": [{"id": entry, "v": "v1"} for entry in entries]},
        },
    }


def through(name: str) -> dict[str, Any]:
    """The part of a spec that points at a kubeconfig Secret."""
    return {"kubeConfig": {"secretRef": {"name": name}}}


def application(name: str, **destination: str) -> dict[str, Any]:
    """An Argo CD Application with a destination."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {
            "destination": {key.removeprefix("destination_"): v for key, v in destination.items()},
            "project": "default",
        },
    }


EKS = "https://ABC123.gr7.eu-west-1.eks.amazonaws.com"
SOURCE = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "GitRepository",
    "metadata": {"name": "fleet", "namespace": "flux-system"},
    "spec": {"url": "ssh://git@git.example.com/fleet.git"},
}
ONE = [
    SOURCE,
    cluster("web", "team-a"),
    cluster("web", "team-b"),
    cluster("shop", "team-a", EKS),
    secret("web-kubeconfig", "team-a", "web"),
    secret("web-kubeconfig", "team-b", "web"),
    secret("misleading-kubeconfig", "team-a", "shop"),
    cluster("misleading", "team-b"),
    secret("shop-kubeconfig", "team-a", "web"),
    kustomization("apps", "team-a", **through("web-kubeconfig")),
    kustomization("apps", "team-b", **through("web-kubeconfig")),
    kustomization("free", "team-a", **through("misleading-kubeconfig")),
    kustomization("spoofed", "team-a", **through("shop-kubeconfig")),
    kustomization("clusters", "flux-system", ("team-a_shop_cluster.x-k8s.io_Cluster",)),
    application("by-url", destination_server="https://abc123.gr7.eu-west-1.eks.amazonaws.com"),
    application("by-name", destination_name="web"),
    kustomization("lost", "team-b", **through("misleading-kubeconfig")),
    cluster("ghost", "team-a"),
    secret("ghost-kubeconfig", "team-a", "somebody-else"),
    kustomization("ghost", "team-a", **through("ghost-kubeconfig")),
    cluster("dup", "team-a"),
    cluster("dup", "team-b"),
    cluster("plain", "team-b"),
    argo_secret("cluster-dup", "dup", "team-b"),
    argo_secret("cluster-web", "shop", "team-a"),
    argo_secret("cluster-plain", "dup", "team-a", kind="repository"),
    application("by-label", destination_name="dup"),
    application("by-namespaced-name", destination_name="team-a-dup"),
    application("by-mere-name", destination_name="plain"),
]
TWO = [cluster("web", "team-a"), application("by-name", destination_name="web")]


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    """Two recorded management clusters with clusters of the same names."""
    sources = []
    for name, documents in (("one", ONE), ("two", TWO)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump_all(documents))
        sources.append(path)
    return opened(*sources)


def opened(*sources: Path) -> Fleet:
    """A settled fleet of recordings."""
    found = open_fleet(Opening(sources=sources))

    async def read() -> None:
        await found.start()
        await found.wait_synced(120)
        found.settle()
        await found.close()

    asyncio.run(read())
    return found


def target_of(fleet: Fleet, ref: str) -> tuple[str, str, str] | None:
    """The cluster that an applier deploys into; None when it is not decided."""
    joins = Joins(fleet.index)
    joins.refresh()
    (join,) = joins.targets(one_row(fleet, ref))
    assert join.evidence
    if join.row is None:
        assert join.against
        return None
    assert not join.against
    return join.row.context, join.row.namespace, join.row.name


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        ("one:Kustomization/team-a/apps", ("one", "team-a", "web")),
        ("one:Kustomization/team-b/apps", ("one", "team-b", "web")),
        ("one:Kustomization/team-a/free", ("one", "team-a", "shop")),
        ("one:Kustomization/team-a/spoofed", None),
        ("one:Application/argocd/by-url", ("one", "team-a", "shop")),
        ("one:Application/argocd/by-name", None),
        ("two:Application/argocd/by-name", ("two", "team-a", "web")),
        ("one:Kustomization/team-b/lost", None),
        ("one:Kustomization/team-a/ghost", None),
        ("one:Application/argocd/by-label", ("one", "team-b", "dup")),
        ("one:Application/argocd/by-namespaced-name", ("one", "team-a", "dup")),
    ],
)
def test_join_of_an_applier_is_right_or_absent(
    fleet: Fleet, ref: str, expected: tuple[str, str, str] | None
) -> None:
    """A wrong join sends somebody to the wrong cluster at three in the morning."""
    assert target_of(fleet, ref) == expected


@pytest.mark.parametrize(
    ("ref", "is_doubted"),
    [
        ("one:Kustomization/team-a/apps", False),
        ("one:Application/argocd/by-url", False),
        ("one:Application/argocd/by-label", False),
        ("one:Application/argocd/by-namespaced-name", True),
        ("one:Application/argocd/by-mere-name", True),
        ("two:Application/argocd/by-name", True),
    ],
)
def test_join_that_only_a_name_speaks_for_says_so(fleet: Fleet, ref: str, is_doubted: bool) -> None:
    """Anybody may call a Secret or a destination so: a person must not take it for a fact."""
    joins = Joins(fleet.index)
    joins.refresh()
    (join,) = joins.targets(one_row(fleet, ref))
    assert ("by name only" in join.doubt) is is_doubted
    assert join.row is not None
    links = {row.ref: words for words, row in joins.links_of(join.row, everywhere=False)}
    expected = BY_NAME if is_doubted else "targets"
    assert links[one_row(fleet, ref).ref] == expected


def test_join_of_a_cluster_tells_only_those_that_target_it(fleet: Fleet) -> None:
    """The other direction must not hold what the first one refuses."""
    joins = Joins(fleet.index)
    joins.refresh()
    found = {
        ref: sorted(join.row.name for join in joins.targeted_by(one_row(fleet, ref)) if join.row)
        for ref in ("one:Cluster/team-a/web", "one:Cluster/team-b/web", "one:Cluster/team-a/shop")
    }
    assert found == {
        "one:Cluster/team-a/web": ["apps"],
        "one:Cluster/team-b/web": ["apps"],
        "one:Cluster/team-a/shop": ["by-url", "free"],
    }


def test_trace_of_a_cluster_tells_source_path_and_revision(fleet: Fleet) -> None:
    """Which commit made this cluster, and from which folder of which repository."""
    row = one_row(fleet, "one:Cluster/team-a/shop")
    document = trace_form(fleet, trace(fleet.index, row))
    (made,) = document["comes_from"]
    assert (made["relation"], made["object"]["name"]) == ("created_by", "clusters")
    assert made["object"]["origin"]["path"] == "./clusters"
    assert made["object"]["origin"]["revision"].startswith("main@sha1:2fcf83a3")
    assert made["steps"][0]["object"]["origin"]["url"] == "ssh://git@git.example.com/fleet.git"
    assert "inventory" in made["evidence"][0]
    targeted = {step["object"]["name"] for step in document["depends_on_it"]}
    assert targeted == {"by-url", "free"}


def test_trace_lines_show_what_speaks_against_a_join(fleet: Fleet) -> None:
    """Contradicting evidence is told with both sides, not hidden."""
    row = one_row(fleet, "one:Kustomization/team-a/spoofed")
    text = "\n".join(trace_lines(fleet.index, trace(fleet.index, row)))
    assert "targets: not decided" in text
    assert "cluster-name=web of Secret shop-kubeconfig" in text
    assert "but: the Secret's name says shop" in text


CONFIGS = {
    "arn": ("cluster", "arn:aws:eks:eu-west-1:123456789012:cluster/shop-eks"),
    "aks": (
        "cluster",
        "/subscriptions/S1/resourceGroups/rg/providers/Microsoft.ContainerService"
        "/managedClusters/bill",
    ),
    "address": ("address", "https://10.0.0.9"),
    "nobody": ("cluster", "arn:aws:eks:eu-west-1:123456789012:cluster/other"),
}


def config_documents() -> list[dict[str, Any]]:
    """Kustomizations that reach their clusters by ConfigMaps."""
    documents: list[dict[str, Any]] = [cluster("shop", "apps"), cluster("bare", "apps", "10.0.0.9")]
    documents[0]["spec"]["controlPlaneRef"] = {
        "apiGroup": "controlplane.cluster.x-k8s.io",
        "kind": "AWSManagedControlPlane",
        "name": "shop-cp",
    }
    documents += [
        {
            "apiVersion": "controlplane.cluster.x-k8s.io/v1beta2",
            "kind": "AWSManagedControlPlane",
            "metadata": {"name": "shop-cp", "namespace": "apps"},
            "spec": {"eksClusterName": "shop-eks", "region": "eu-west-1"},
        },
        {
            "apiVersion": "containerservice.azure.com/v1api20250801",
            "kind": "ManagedCluster",
            "metadata": {"name": "billing", "namespace": "apps"},
            "status": {"id": CONFIGS["aks"][1].replace("resourceGroups", "resourcegroups")},
        },
    ]
    for name, (key, value) in CONFIGS.items():
        meta = {"name": name, "namespace": "gitops"}
        data = {"provider": "generic", key: value}
        documents.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data})
        spec = {"kubeConfig": {"configMapRef": {"name": name}}}
        documents.append(kustomization(name, "gitops", **spec))
    return documents


@pytest.mark.parametrize(
    ("name", "expected"), [("arn", "shop"), ("aks", "billing"), ("address", "bare"), ("nobody", "")]
)
def test_join_by_a_cloud_name_in_a_config_map(tmp_path: Path, name: str, expected: str) -> None:
    """Workload identity leaves no Secret behind: the ConfigMap tells the cluster."""
    path = tmp_path / "one.yaml"
    path.write_text(yaml.safe_dump_all(config_documents()))
    fleet = opened(path)
    found = target_of(fleet, f"Kustomization/gitops/{name}")
    assert (found[2] if found else "") == expected


class Forbidding:
    """A fleet whose Secrets may not be read."""

    def __init__(self, fleet: Fleet) -> None:
        self.index = fleet.index

    async def read_row(self, ref: Any) -> None:
        """Refuses."""
        raise FleettuiError("secrets is forbidden", where=ref.context)

    def settle(self) -> None:
        """Nothing came."""


async def test_secrets_that_may_not_be_read_are_told_once_each(tmp_path: Path) -> None:
    """Without that right the names alone decide, and the person is told so."""
    path = tmp_path / "one.yaml"
    path.write_text(yaml.safe_dump_all([d for d in ONE if d["kind"] != "Secret"]))
    fleet = open_fleet(Opening(sources=(path,)))
    await fleet.start()
    await fleet.wait_synced(120)
    users = users_of_kubeconfigs(fleet.index, one_row(fleet, "Cluster/team-a/web"))
    assert {user.name for user in users} == {"apps", "by-name", "free", "ghost", "spoofed"}
    missing = await read_pointed(Forbidding(fleet), users)
    assert len(missing) == 4
    assert all("forbidden" in words for words in missing)
    await fleet.close()


HANDED_OVER = [
    cluster("c1", "a"),
    {
        "apiVersion": "infra.contrib.fluxcd.io/v1alpha2",
        "kind": "Terraform",
        "metadata": {"name": "net", "namespace": "flux-system"},
        "spec": {"writeOutputsToSecret": {"name": "net-outputs"}},
    },
    kustomization(
        "clusters",
        "flux-system",
        ("a_c1_cluster.x-k8s.io_Cluster",),
        postBuild={"substituteFrom": [{"kind": "Secret", "name": "net-outputs"}]},
    ),
    kustomization(
        "others",
        "flux-system",
        postBuild={"substituteFrom": [{"kind": "ConfigMap", "name": "net-outputs"}]},
    ),
    {
        "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1",
        "kind": "AzureASOManagedControlPlane",
        "metadata": {"name": "c1", "namespace": "a", "labels": {CLUSTER_LABEL: "c1"}},
        "status": {
            "ready": True,
            "resources": [
                {
                    "ready": True,
                    "resource": {
                        "group": "containerservice.azure.com",
                        "version": "v1api20250801",
                        "kind": "ManagedCluster",
                        "name": "c1-aks",
                    },
                }
            ],
        },
    },
    {
        "apiVersion": "containerservice.azure.com/v1api20250801",
        "kind": "ManagedCluster",
        "metadata": {"name": "c1-aks", "namespace": "a"},
    },
]


def test_trace_of_a_cluster_tells_its_terraform_and_its_cloud_resources(tmp_path: Path) -> None:
    """Which network plan feeds a cluster, and what Azure knows it as, stands in no one object."""
    path = tmp_path / "one.yaml"
    path.write_text(yaml.safe_dump_all(HANDED_OVER))
    fleet = opened(path)
    found = trace(fleet.index, one_row(fleet, "Cluster/a/c1"))
    (creator,) = [step for step in found.up if step.relation == "created_by"]
    (plan,) = [step for step in creator.steps if step.relation == "outputs"]
    assert plan.ref is not None
    assert (plan.ref.kind, plan.ref.name) == ("Terraform", "net")
    assert "name Secret net-outputs" in plan.evidence[0]
    (aks,) = [step for step in found.down if step.relation == "manages"]
    assert aks.ref is not None
    assert (aks.ref.name, aks.evidence[0]) == ("c1-aks", "status.resources")
    down = trace(fleet.index, one_row(fleet, "Terraform/flux-system/net")).down
    readers = [step.ref.name for step in down if step.relation == "outputs" and step.ref]
    assert readers == ["clusters"]
    assert [step.words for step in down if step.relation == "outputs"] == ["outputs read by"]
