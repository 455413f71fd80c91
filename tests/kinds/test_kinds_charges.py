"""Which controller reconciles which kinds."""

import pytest

from fleettui.errors import UnreadableError
from fleettui.kinds import KindTable, load_table
from fleettui.kinds.charges import all_charges, charges_of, read_charges


@pytest.fixture(scope="module")
def table() -> KindTable:
    """The package's kinds."""
    return load_table()


def _in_charge(table: KindTable, group: str, kind: str) -> set[str]:
    spec = table.spec_for(group, kind)
    assert spec is not None
    return {charge.deployment for charge in all_charges() if charge.covers(spec)}


@pytest.mark.parametrize(
    ("group", "kind", "deployment"),
    [
        ("cluster.x-k8s.io", "Machine", "capi-controller-manager"),
        ("infrastructure.cluster.x-k8s.io", "AWSMachine", "capa-controller-manager"),
        ("controlplane.cluster.x-k8s.io", "AWSManagedControlPlane", "capa-controller-manager"),
        ("infrastructure.cluster.x-k8s.io", "AzureCluster", "capz-controller-manager"),
        (
            "containerservice.azure.com",
            "ManagedCluster",
            "azureserviceoperator-controller-manager",
        ),
        (
            "controlplane.cluster.x-k8s.io",
            "KubeadmControlPlane",
            "capi-kubeadm-control-plane-controller-manager",
        ),
        ("source.toolkit.fluxcd.io", "GitRepository", "source-controller*"),
        ("helm.toolkit.fluxcd.io", "HelmRelease", "helm-controller*"),
        ("argoproj.io", "Application", "argocd-application-controller"),
    ],
)
def test_charge_of_a_kind_is_its_one_controller(
    table: KindTable, group: str, kind: str, deployment: str
) -> None:
    """A dead controller would be told to stop what another one does."""
    assert _in_charge(table, group, kind) == {deployment}


def test_charge_of_a_sharded_controller_is_found_by_pattern() -> None:
    """Shards have suffixed names and would be strangers."""
    assert charges_of("source-controller-shard1")
    assert charges_of("my-own-operator") == ()


def test_charge_covers_no_templates(table: KindTable) -> None:
    """Nobody reconciles a template: none of them waits for a controller."""
    assert _in_charge(table, "infrastructure.cluster.x-k8s.io", "AWSMachineTemplate") == set()


@pytest.mark.parametrize(
    "entry", ["{deployment: a, groups: [x], kind: Y}", "{deployment: a}", "{groups: [x]}"]
)
def test_charge_with_a_mistake_says_which(entry: str) -> None:
    """A misspelt key would leave a controller in charge of everything."""
    with pytest.raises(UnreadableError):
        read_charges(f"controllers: [{entry}]")
