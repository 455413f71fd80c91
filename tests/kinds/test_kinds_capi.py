"""Verdicts of Cluster API objects on the newer condition scheme."""

from typing import Any

import pytest

from fleettui.kinds.record import Flag, Verdict

FALSE = "False"
READY = (("Ready", "True", "Ready"), {})


def condition(*words: str, **more: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Type, status and reason of an entry, and whatever else it has."""
    return words, more


def test_capi_available_cluster_is_current(judged):
    """A healthy cluster would not be green."""
    record = judged(
        "Cluster",
        condition("Available", "True", "Available"),
        condition("Paused", FALSE, "NotPaused"),
        condition("RollingOut", FALSE, "NotRollingOut"),
        initialization={"controlPlaneInitialized": True},
    )
    assert (record.verdict, record.condition) == (Verdict.CURRENT, "Available")
    assert not record.flags


@pytest.mark.parametrize("kind", ["RollingOut", "ScalingUp", "ScalingDown", "Remediating"])
def test_capi_busy_condition_beside_available_is_progress(judged, kind):
    """A rollout under way would look finished."""
    record = judged(
        "MachineDeployment",
        condition("Available", "True", "Available"),
        condition(kind, "True", kind),
    )
    assert (record.verdict, record.reason) == (Verdict.IN_PROGRESS, kind)


def test_capi_scaling_blocked_by_a_missing_template_is_failed(judged):
    """The cause stands in a positive condition that naive tools call progress."""
    record = judged(
        "MachineDeployment",
        condition("Available", "Unknown", "AvailableUnknown"),
        condition(
            "ScalingUp",
            "True",
            "ScalingUp",
            message="Scaling up from 0 to 2 replicas is blocked because T does not exist",
        ),
    )
    assert (record.verdict, record.condition) == (Verdict.FAILED, "ScalingUp")


def test_capi_scaling_blocked_by_a_preflight_check_waits(judged):
    """Waiting for the control plane would look like a fault of the workers."""
    record = judged(
        "MachineSet",
        condition(
            "ScalingUp",
            "True",
            "ScalingUp",
            message='blocked because: * KCP is upgrading ("ControlPlaneIsStable" check failed)',
        ),
    )
    assert record.verdict is Verdict.IN_PROGRESS
    assert record.flags & Flag.WAITING


def test_capi_refused_machines_are_found_in_the_old_list(judged):
    """An admission refusal stands nowhere else."""
    record = judged(
        "MachineSet",
        condition("ScalingUp", "True", "ScalingUp", message="Scaling up from 2 to 4 replicas"),
        deprecated={
            "v1beta1": {
                "conditions": [
                    condition(
                        "MachinesCreated",
                        FALSE,
                        "MachineCreationFailed",
                        severity="Error",
                        message="denied",
                    )
                ]
            }
        },
    )
    assert (record.verdict, record.condition, record.message) == (
        Verdict.FAILED,
        "MachinesCreated",
        "denied",
    )
    assert record.flags & Flag.LEGACY


def test_capi_unavailable_workers_whose_machines_are_coming_are_in_progress(judged):
    """Every new pool would be red until its first node joins."""
    record = judged(
        "MachineDeployment",
        condition("Available", FALSE, "NotAvailable", message="0 available replicas"),
        condition(
            "MachinesReady",
            FALSE,
            "NotReady",
            message="* Machine a:\n  * NodeHealthy: Waiting for a Node to exist",
        ),
    )
    assert record.verdict is Verdict.IN_PROGRESS


def test_capi_unavailable_workers_with_sick_machines_are_failed(judged):
    """Dead nodes would look like a rollout."""
    record = judged(
        "MachineDeployment",
        condition("Available", FALSE, "NotAvailable", message="1 available replicas"),
        condition(
            "MachinesReady",
            FALSE,
            "NotReady",
            message="* Machine a:\n  * NodeHealthy: Node.Ready: kubelet stopped posting\n"
            "* Machine b: Waiting for x",
        ),
    )
    assert record.verdict is Verdict.FAILED


def test_capi_sick_node_names_its_own_condition(judged):
    """The summary repeats everything; the cause would drown."""
    record = judged(
        "Machine",
        condition("Ready", FALSE, "NotReady", message="* NodeHealthy: no network"),
        condition("NodeHealthy", FALSE, "NodeNotHealthy", message="no network"),
        nodeRef={"name": "n"},
        phase="Running",
    )
    assert (record.verdict, record.condition) == (Verdict.FAILED, "NodeHealthy")


def test_capi_young_machine_waiting_for_bootstrap_data_is_in_progress(judged):
    """Every creation would start red."""
    record = judged(
        "Machine",
        condition("Ready", FALSE, "NotReady", message="* x: Waiting for y"),
        condition("BootstrapConfigReady", FALSE, "NotReady", message="status is not there"),
        phase="Pending",
    )
    assert record.verdict is Verdict.IN_PROGRESS


def test_capi_internal_error_is_failed_even_when_unknown(judged):
    """'Please check controller logs' would look like something not known yet."""
    record = judged(
        "DevMachine",
        condition("Ready", "Unknown", "ReadyUnknown", message="see below"),
        condition("VMProvisioned", "Unknown", "InternalError", message="check controller logs"),
    )
    assert (record.verdict, record.condition) == (Verdict.FAILED, "VMProvisioned")


def test_capi_newborn_that_could_not_look_at_its_parts_yet_is_no_failure(judged):
    """Every new cluster would be red until its controller's caches are filled."""
    entries = (
        condition("Available", FALSE, "NotAvailable"),
        condition("WorkersAvailable", "Unknown", "InternalError"),
        condition("ControlPlaneMachinesReady", "Unknown", "InternalError"),
    )
    young = judged("Cluster", *entries, phase="Pending")
    assert young.verdict in (Verdict.IN_PROGRESS, Verdict.UNKNOWN)
    done = {"infrastructureProvisioned": True, "controlPlaneInitialized": True}
    grown = judged("Cluster", *entries, phase="Provisioned", initialization=done)
    assert (grown.verdict, grown.condition) == (Verdict.FAILED, "WorkersAvailable")


def test_capi_generation_not_looked_at_is_progress_unless_paused(judged):
    """A controller that ignores a change would look as if it had done it."""
    conditions = [condition("Available", "True", "Available")]
    ready = {"controlPlaneInitialized": True}
    meta = {"generation": 2}
    record = judged(
        "KubeadmControlPlane", *conditions, meta=meta, observedGeneration=1, initialization=ready
    )
    assert record.verdict is Verdict.IN_PROGRESS
    assert record.flags & Flag.STALE_GENERATION
    meta["annotations"] = {"cluster.x-k8s.io/paused": "false"}
    paused = judged(
        "KubeadmControlPlane", *conditions, meta=meta, observedGeneration=1, initialization=ready
    )
    assert paused.verdict is Verdict.CURRENT
    assert paused.flags & Flag.PAUSED
    assert paused.paused_by == "annotation cluster.x-k8s.io/paused"


def test_capi_paused_failure_stays_failed(judged):
    """A pause would hide the fault that made somebody pause."""
    record = judged(
        "Cluster",
        condition("Available", FALSE, "NotAvailable", message="etcd lost"),
        condition("ControlPlaneAvailable", FALSE, "NotAvailable", message="etcd lost"),
        spec={"paused": True},
        initialization={"controlPlaneInitialized": True},
    )
    assert record.verdict is Verdict.FAILED
    assert record.flags & Flag.PAUSED


def test_capi_deleting_machine_tells_its_stage(judged):
    """Why a deletion takes long would not be visible."""
    record = judged(
        "Machine",
        condition("Ready", FALSE, "NotReady", message="Deleting: stage DrainingNode"),
        condition("Deleting", "True", "DrainingNode", message="Pod a/b: cannot evict"),
        meta={"deletionTimestamp": "2026-11-01T00:00:00Z"},
    )
    assert (record.verdict, record.condition) == (Verdict.IN_PROGRESS, "Deleting")
    assert "cannot evict" in record.message
    assert record.is_deleting


def test_capi_declared_negative_gate_is_well_when_false(judged):
    """A custom condition with negative polarity would be counted as a fault."""
    record = judged(
        "Machine",
        READY,
        condition("BurnInPending", FALSE, "Done"),
        spec={"readinessGates": [{"conditionType": "BurnInPending", "polarity": "Negative"}]},
        nodeRef={"name": "n"},
    )
    assert [c.negative for c in record.conditions] == [False, True]
    assert not record.conditions[1].is_bad


def test_capi_blocked_remediation_is_failed(judged):
    """A health check that may not act would look idle."""
    record = judged(
        "MachineHealthCheck",
        condition("RemediationAllowed", FALSE, "TooManyUnhealthy", message="3 of 3"),
        expectedMachines=3,
        currentHealthy=0,
    )
    assert (record.verdict, record.reason) == (Verdict.FAILED, "TooManyUnhealthy")
