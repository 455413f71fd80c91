"""The table of kinds: names, roles, readers and unknown providers."""

import pytest

from fleettui.errors import UsageError
from fleettui.kinds import PrinterColumn, read_version
from fleettui.kinds.spec import Depth, Dialect, Role


def test_find_short_name_any_case_gives_the_kind(table):
    """Without this, `:KCP` finds nothing."""
    assert [spec.kind for spec in table.find("KCP")] == ["KubeadmControlPlane"]
    assert [spec.kind for spec in table.find("machines")] == ["Machine"]


def test_named_ambiguous_word_lists_candidates(table):
    """Providers of two groups would be mixed up silently."""
    with pytest.raises(UsageError) as caught:
        table.named("providers")
    assert "providers.notification.toolkit.fluxcd.io" in caught.value.hint
    assert "providers.clusterctl.cluster.x-k8s.io" in caught.value.hint


def test_named_misspelt_word_names_the_nearest(table):
    """A typing error would leave a person without a way on."""
    with pytest.raises(UsageError) as caught:
        table.named("machin")
    assert "machine" in caught.value.hint


def test_contract_unknown_provider_gets_role_version_and_columns(table):
    """A provider nobody wrote an entry for would not appear in the tree."""
    spec = table.add_contract(
        group="infrastructure.cluster.x-k8s.io",
        kind="QuuxMachinePool",
        plural="quuxmachinepools",
        labels={
            "cluster.x-k8s.io/provider": "infrastructure-quux",
            "cluster.x-k8s.io/v1beta1": "v1alpha1_v1alpha2",
        },
        served=("v1beta1", "v1alpha2", "v1alpha1"),
        columns=[
            PrinterColumn("Zone", ".spec.zone"),
            PrinterColumn("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            PrinterColumn("Size", ".status.size", "integer"),
        ],
    )
    assert (spec.role, spec.depth, spec.dialect) == (Role.INFRA_POOL, Depth.SPINE, Dialect.CAPI)
    assert spec.versions == ("v1alpha2",)
    assert spec.provider == "quux"
    assert {"zone", "size"} <= {column.name for column in spec.columns}
    record = table.reader(spec.group, "v1alpha2", spec.kind).convert(
        {
            "metadata": {"name": "p", "namespace": "n"},
            "spec": {"zone": "z-1"},
            "status": {"ready": True, "size": 3},
        }
    )
    assert record.fact("zone") == "z-1"
    assert record.fact("size") == "3"
    assert record.verdict == "current"


@pytest.mark.parametrize(
    ("labels", "served", "understood", "chosen"),
    [
        ({"cluster.x-k8s.io/v1beta1": "v1beta1_v1beta2"}, ["v1beta2", "v1beta1"], [], "v1beta2"),
        ({"cluster.x-k8s.io/v1beta1": "v1beta1"}, ["v1beta2", "v1beta1"], ["v1beta2"], "v1beta1"),
        (
            {"cluster.x-k8s.io/v1beta1": "v1", "cluster.x-k8s.io/v1beta2": "v1alpha2"},
            ["v1", "v1alpha2"],
            [],
            "v1alpha2",
        ),
        ({}, ["v2", "v1"], ["v1"], "v1"),
        ({}, ["v2", "v1"], ["v3"], "v2"),
        ({"cluster.x-k8s.io/v1beta2": "v1beta2"}, ["v1beta1"], ["v1beta1"], "v1beta1"),
        ({}, [], ["v1"], ""),
    ],
)
def test_read_version_follows_the_newest_contract_that_is_served(
    labels, served, understood, chosen
):
    """Objects would be read at a version whose conditions mean something else."""
    assert read_version(labels, served, understood=understood) == chosen
