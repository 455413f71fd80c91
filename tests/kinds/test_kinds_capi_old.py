"""Verdicts of Cluster API objects on the old scheme, flags and pools."""

from typing import Any

import pytest

from fleettui.kinds.record import Flag, Verdict

FALSE = "False"
READY = (("Ready", "True", "Ready"), {})


def condition(*words: str, **more: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Type, status and reason of an entry, and whatever else it has."""
    return words, more


@pytest.mark.parametrize(
    ("severity", "reason", "verdict"),
    [
        ("Error", "InstanceProvisionFailed", Verdict.FAILED),
        ("Warning", "QuotaExceeded", Verdict.FAILED),
        ("Info", "WaitingForBootstrapData", Verdict.IN_PROGRESS),
        ("Info", "InstanceNotReady", Verdict.IN_PROGRESS),
        ("Warning", "WaitingForClusterInfrastructure", Verdict.IN_PROGRESS),
    ],
)
def test_capi_old_ready_is_read_by_severity(judged, severity, reason, verdict):
    """Providers on the old contract would all look alike."""
    record = judged("AWSMachine", condition("Ready", FALSE, reason, severity=severity), ready=False)
    assert (record.verdict, record.reason) == (verdict, reason)
    assert record.flags & Flag.LEGACY


def test_capi_eks_update_beside_ready_is_progress(judged):
    """An EKS upgrade would be invisible: Ready stays True through it."""
    record = judged(
        "AWSManagedControlPlane",
        condition("Ready"),
        condition("EKSControlPlaneUpdating"),
        condition("EKSControlPlaneCreating", FALSE, "created", severity="Info"),
        ready=True,
    )
    assert (record.verdict, record.condition) == (Verdict.IN_PROGRESS, "EKSControlPlaneUpdating")


def test_capi_failure_message_is_failed_whatever_conditions_say(judged):
    """A terminal failure would hide behind an old Ready."""
    record = judged("AWSMachine", condition("Ready"), failureMessage="gone", failureReason="Lost")
    assert (record.verdict, record.message) == (Verdict.FAILED, "Lost: gone")


def test_capi_running_virtual_machine_is_not_busy(judged):
    """`VMRunning` ends like a busy condition and would never be well."""
    record = judged("AzureMachine", condition("Ready"), condition("VMRunning"), ready=True)
    assert record.verdict is Verdict.CURRENT


def test_capi_newer_list_beside_an_old_one_wins(judged):
    """Nutanix and Hetzner write both; the old list would decide."""
    record = judged(
        "NutanixMachine",
        condition("Ready", FALSE, "Old", severity="Error"),
        v1beta2={"conditions": [READY]},
        ready=True,
    )
    assert record.verdict is Verdict.CURRENT
    assert [c.deprecated for c in record.conditions] == [False, True]


def test_capi_object_without_status_is_unknown(judged):
    """A provider whose controller does not run would look healthy."""
    record = judged("AWSMachine")
    assert record.verdict is Verdict.UNKNOWN
    assert record.flags & Flag.ABSENT_STATUS


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ({"ready": True}, Verdict.CURRENT),
        ({"ready": False}, Verdict.IN_PROGRESS),
        ({"ready": True, "failureMessage": "no quota"}, Verdict.FAILED),
        ({}, Verdict.UNKNOWN),
    ],
)
def test_flag_only_machine_is_read_by_its_flag(judged, status, verdict):
    """GCP machines have no conditions at all."""
    assert judged("GCPMachine", **status).verdict is verdict


def test_flag_resources_not_ready_are_named(judged):
    """Which Azure resource is awaited would not be visible."""
    resource = {"group": "g", "kind": "ManagedCluster", "name": "aks", "version": "v1"}
    record = judged(
        "AzureASOManagedControlPlane",
        ready=False,
        resources=[{"ready": False, "resource": resource}, {"ready": True, "resource": resource}],
    )
    assert record.verdict is Verdict.IN_PROGRESS
    assert record.message == "not ready: ManagedCluster aks"


def test_agent_pool_error_of_azure_is_failed(judged):
    """AzureManagedMachinePool writes errorMessage, not failureMessage."""
    record = judged("AzureManagedMachinePool", condition("Ready"), errorMessage="quota", ready=True)
    assert record.verdict is Verdict.FAILED


def old(*conditions: dict[str, Any], **counters: int) -> dict[str, Any]:
    return {"v1beta1": {"conditions": list(conditions), **counters}}


def test_pool_health_comes_from_the_old_list_and_nodes(judged):
    """Upstream leaves a pool blank; it would look healthy with no node at all."""
    paused = condition("Paused", FALSE, "NotPaused")
    good = {"infrastructureProvisioned": True}
    well = judged(
        "MachinePool",
        paused,
        spec={"replicas": 3},
        replicas=3,
        readyReplicas=3,
        initialization=good,
        deprecated=old(condition("Ready"), readyReplicas=3),
    )
    assert well.verdict is Verdict.CURRENT
    short = judged(
        "MachinePool",
        paused,
        spec={"replicas": 3},
        replicas=3,
        readyReplicas=3,
        initialization=good,
        deprecated=old(condition("Ready"), readyReplicas=1),
    )
    assert (short.verdict, short.message) == (Verdict.IN_PROGRESS, "1 of 3 nodes are ready")
    broken = judged(
        "MachinePool",
        paused,
        spec={"replicas": 3},
        deprecated=old(
            condition(
                "InfrastructureReady", FALSE, "ScaleSetFailed", severity="Error", message="no"
            )
        ),
    )
    assert (broken.verdict, broken.condition) == (Verdict.FAILED, "InfrastructureReady")
