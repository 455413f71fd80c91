"""Pointers between objects, with the evidence that a person can check."""

from typing import Any

import pytest

from fleettui.kinds import Record
from fleettui.kinds.gitops import inventory_key

CAPI = "cluster.x-k8s.io"


@pytest.fixture(scope="session")
def pointed(table):
    """Relations of a document as ``relation -> {(kind, namespace, name)}``."""

    def found(group: str, kind: str, body: dict[str, Any]) -> Record:
        metadata = {"name": "x", "namespace": "n", **body.get("metadata", {})}
        return table.reader(group, "v1", kind).convert({**body, "metadata": metadata})

    return found


def targets(record: Record, relation: str) -> list[tuple[str, str, str]]:
    return [(r.kind, r.namespace, r.name) for r in record.references if r.relation == relation]


@pytest.mark.parametrize(
    ("secret", "clusters"),
    [
        ("shop-kubeconfig", ["shop"]),
        ("shop-user-kubeconfig", ["shop-user", "shop"]),
        ("shop-kubeconfig-user", ["shop"]),
        ("-kubeconfig", []),
        ("kubeconfig", []),
        ("shop-kubeconfig-old", []),
        ("prod-credentials", []),
    ],
)
def test_kubeconfig_secret_name_gives_candidates_only(pointed, secret, clusters):
    """A secret of another name would be taken for some cluster's."""
    record = pointed(
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        {"spec": {"kubeConfig": {"secretRef": {"name": secret}}}},
    )
    assert targets(record, "targets") == [("Cluster", "n", name) for name in clusters]
    assert targets(record, "kubeconfig_secret") == [("Secret", "n", secret)]


def test_helm_release_points_at_its_chart_and_repository(pointed):
    """The failing HelmChart lives in another namespace and would not be found."""
    spec = {
        "chart": {
            "spec": {
                "chart": "web",
                "sourceRef": {"kind": "HelmRepository", "name": "charts", "namespace": "flux"},
            }
        }
    }
    record = pointed("helm.toolkit.fluxcd.io", "HelmRelease", {"spec": spec})
    assert targets(record, "source") == [("HelmRepository", "flux", "charts")]
    assert targets(record, "chart") == [("HelmChart", "flux", "n-x")]
    told = pointed(
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        {"spec": spec, "status": {"helmChart": "other/real"}},
    )
    assert targets(told, "chart") == [("HelmChart", "other", "real")]
    by_reference = pointed(
        "helm.toolkit.fluxcd.io",
        "HelmRelease",
        {"spec": {"chartRef": {"kind": "OCIRepository", "name": "oci"}}},
    )
    assert targets(by_reference, "source") == [("OCIRepository", "n", "oci")]
    assert targets(by_reference, "chart") == []


def test_labels_and_tracking_name_the_maker(pointed):
    """Which commit made a cluster could not be told."""
    record = pointed(
        CAPI,
        "Cluster",
        {
            "metadata": {
                "labels": {
                    "kustomize.toolkit.fluxcd.io/name": "clusters",
                    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
                    "helm.toolkit.fluxcd.io/name": "half",
                },
                "annotations": {
                    "argocd.argoproj.io/tracking-id": f"team_fleet:{CAPI}/Cluster:n/x",
                },
            }
        },
    )
    assert targets(record, "created_by") == [
        ("Kustomization", "flux-system", "clusters"),
        ("Application", "team", "fleet"),
    ]
    assert record.references[0].evidence == "label kustomize.toolkit.fluxcd.io/name"


@pytest.mark.parametrize(
    "tracking",
    [
        f"fleet:{CAPI}/Cluster:n/other",
        f"fleet:{CAPI}/Cluster:other/x",
        "fleet:apps/Deployment:n/x",
        "fleet",
        "",
    ],
)
def test_copied_tracking_annotation_proves_nothing(pointed, tracking):
    """Anyone may copy an annotation; the wrong Application would be blamed."""
    metadata = {"annotations": {"argocd.argoproj.io/tracking-id": tracking}}
    record = pointed(CAPI, "Cluster", {"metadata": metadata})
    assert targets(record, "created_by") == []


@pytest.mark.parametrize(
    ("entry", "key"),
    [
        ("n_shop_cluster.x-k8s.io_Cluster", (CAPI, "Cluster", "n", "shop")),
        ("_flux-system__Namespace", ("", "Namespace", "", "flux-system")),
        (
            "_crd:a__b_rbac.authorization.k8s.io_ClusterRole",
            ("rbac.authorization.k8s.io", "ClusterRole", "", "crd:a:b"),
        ),
        ("n_config__ConfigMap", ("", "ConfigMap", "n", "config")),
        ("nonsense", None),
        ("", None),
    ],
)
def test_inventory_ids_are_cut_where_flux_joins_them(entry, key):
    """Applied objects would be looked for under wrong names."""
    assert inventory_key(entry) == key


def test_inventory_of_rows_only_and_never_of_a_remote_cluster(pointed):
    """Objects of the workload cluster would be joined to namesakes here."""
    status = {
        "inventory": {
            "entries": [
                {"id": "n_shop_cluster.x-k8s.io_Cluster", "v": "v1beta2"},
                {"id": "n_thing_example.org_Thing", "v": "v1"},
                {"id": "n_secret__Secret", "v": "v1"},
                {"id": "broken"},
            ]
        }
    }
    group = "kustomize.toolkit.fluxcd.io"
    record = pointed(group, "Kustomization", {"status": status})
    assert targets(record, "applies") == [("Cluster", "n", "shop")]
    spec = {"kubeConfig": {"secretRef": {"name": "shop-kubeconfig"}}}
    remote = pointed(group, "Kustomization", {"status": status, "spec": spec})
    assert targets(remote, "applies") == []


def test_application_tells_its_destination_unless_it_is_here(pointed):
    """An Application for a workload cluster would seem to act on this one."""
    here = {"server": "https://kubernetes.default.svc"}
    status = {"resources": [{"group": CAPI, "kind": "Cluster", "name": "shop", "namespace": "n"}]}
    local = pointed("argoproj.io", "Application", {"spec": {"destination": here}, "status": status})
    assert targets(local, "destination") == []
    assert targets(local, "applies") == [("Cluster", "n", "shop")]
    there = {"spec": {"destination": {"name": "shop"}, "project": "p"}, "status": status}
    remote = pointed("argoproj.io", "Application", there)
    assert targets(remote, "destination") == [("", "", "shop")]
    assert targets(remote, "applies") == []
    assert targets(remote, "project") == [("AppProject", "n", "p")]


def test_cluster_points_at_its_parts_in_both_api_versions(pointed):
    """Infrastructure, control plane and class would hang loose."""
    group = "infrastructure.cluster.x-k8s.io"
    new = pointed(
        CAPI,
        "Cluster",
        {
            "spec": {
                "infrastructureRef": {"apiGroup": group, "kind": "DevCluster", "name": "i"},
                "topology": {"classRef": {"name": "std", "namespace": "classes"}},
            }
        },
    )
    old = pointed(
        CAPI,
        "Cluster",
        {
            "spec": {
                "infrastructureRef": {
                    "apiVersion": f"{group}/v1beta1",
                    "kind": "DevCluster",
                    "name": "i",
                    "namespace": "n",
                },
                "topology": {"class": "std", "classNamespace": "classes"},
            }
        },
    )
    for record in (new, old):
        assert targets(record, "infrastructure") == [("DevCluster", "n", "i")]
        assert targets(record, "class") == [("ClusterClass", "classes", "std")]


def test_class_points_at_every_template(pointed):
    """A missing template of a class would not be found."""
    reference = {"apiVersion": "infrastructure.cluster.x-k8s.io/v1beta2", "kind": "T"}
    record = pointed(
        CAPI,
        "ClusterClass",
        {
            "spec": {
                "infrastructure": {"templateRef": {**reference, "name": "a"}},
                "workers": {
                    "machineDeployments": [
                        {"infrastructure": {"templateRef": {**reference, "name": "b"}}},
                        {"infrastructure": {"templateRef": {**reference, "name": "c"}}},
                    ]
                },
            }
        },
    )
    assert [name for _, _, name in targets(record, "template")] == ["a", "b", "c"]


def test_azure_objects_know_owners_and_what_they_make(pointed):
    """Azure resources would hang loose beside the cluster they belong to."""
    pool = pointed(
        "containerservice.azure.com", "ManagedClustersAgentPool", {"spec": {"owner": {"name": "a"}}}
    )
    assert targets(pool, "cloud_owner") == [("ManagedCluster", "n", "a")]
    resource = {"group": "containerservice.azure.com", "kind": "ManagedCluster", "name": "a"}
    manifest = {
        "apiVersion": "resources.azure.com/v1api20200601",
        "kind": "ResourceGroup",
        "metadata": {"name": "rg"},
    }
    plane = pointed(
        "infrastructure.cluster.x-k8s.io",
        "AzureASOManagedControlPlane",
        {"spec": {"resources": [manifest]}, "status": {"resources": [{"resource": resource}]}},
    )
    assert targets(plane, "manages") == [
        ("ManagedCluster", "n", "a"),
        ("ResourceGroup", "n", "rg"),
    ]


def test_bare_metal_machine_names_its_host(pointed):
    """The host that a machine runs on stands in an annotation alone."""
    metadata = {"annotations": {"metal3.io/BareMetalHost": "metal/host-7"}}
    record = pointed("infrastructure.cluster.x-k8s.io", "Metal3Machine", {"metadata": metadata})
    assert targets(record, "node_host") == [("BareMetalHost", "metal", "host-7")]
    assert record.fact("host") == "metal/host-7"


def test_template_of_a_clone_is_found_by_annotation(pointed):
    """Why a machine has the wrong size could not be followed to its template."""
    metadata = {
        "annotations": {
            "cluster.x-k8s.io/cloned-from-name": "big",
            "cluster.x-k8s.io/cloned-from-groupkind": (
                "DevMachineTemplate.infrastructure.cluster.x-k8s.io"
            ),
        }
    }
    record = pointed("infrastructure.cluster.x-k8s.io", "DevMachine", {"metadata": metadata})
    assert targets(record, "cloned_from") == [("DevMachineTemplate", "n", "big")]


def test_addons_point_at_clusters_and_sets(pointed):
    """Which clusters a chart or resource set reaches could not be told."""
    group = "addons.cluster.x-k8s.io"
    binding = pointed(
        group,
        "ClusterResourceSetBinding",
        {"spec": {"clusterName": "shop", "bindings": [{"clusterResourceSetName": "cni"}]}},
    )
    assert targets(binding, "cluster") == [("Cluster", "n", "shop")]
    assert targets(binding, "resource_sets") == [("ClusterResourceSet", "n", "cni")]
    release = pointed(group, "HelmReleaseProxy", {"spec": {"clusterRef": {"name": "shop"}}})
    assert release.cluster == "shop"
    chart = pointed(
        group, "HelmChartProxy", {"status": {"matchingClusters": [{"name": "a"}, {"name": "b"}]}}
    )
    assert [name for _, _, name in targets(chart, "matching_clusters")] == ["a", "b"]


def test_alert_listens_to_named_objects_only(pointed):
    """A wildcard would be shown as an object called `*`."""
    record = pointed(
        "notification.toolkit.fluxcd.io",
        "Alert",
        {
            "spec": {
                "providerRef": {"name": "chat"},
                "eventSources": [
                    {"kind": "Kustomization", "name": "*"},
                    {"kind": "HelmRelease", "name": "web", "namespace": "apps"},
                    {"kind": "Nonsense", "name": "y"},
                ],
            }
        },
    )
    assert targets(record, "listens_to") == [("HelmRelease", "apps", "web")]
    assert targets(record, "provider") == [("Provider", "n", "chat")]


def test_secrets_and_config_maps_tell_which_cluster_they_open(pointed):
    """An Argo CD destination by name could not be followed to its Cluster."""
    labels = {
        "capi-to-argocd/owned": "true",
        "capi-to-argocd/cluster-secret-name": "shop-kubeconfig",
        "capi-to-argocd/cluster-namespace": "fleet",
    }
    secret = pointed("", "Secret", {"metadata": {"labels": labels}})
    assert targets(secret, "registers") == [("Cluster", "fleet", "shop")]
    labels["capi-to-argocd/cluster-secret-name"] = "shop"
    assert targets(pointed("", "Secret", {"metadata": {"labels": labels}}), "registers") == []
    source = {"fluxcd.controlplane.io/convertKubeConfigFrom": "fleet/shop-kubeconfig:value"}
    config = pointed("", "ConfigMap", {"metadata": {"annotations": source}})
    assert targets(config, "converted_from") == [("Secret", "fleet", "shop-kubeconfig")]


def test_terraform_names_the_secret_of_its_outputs(pointed):
    """What consumes the outputs could not be followed back to the plan."""
    spec = {
        "sourceRef": {"kind": "GitRepository", "name": "g"},
        "writeOutputsToSecret": {"name": "o"},
    }
    record = pointed("infra.contrib.fluxcd.io", "Terraform", {"spec": spec})
    assert targets(record, "outputs") == [("Secret", "n", "o")]
    assert targets(record, "source") == [("GitRepository", "n", "g")]
