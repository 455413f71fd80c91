"""Verdicts of Argo CD, the clouds' operators and built-in workloads."""

from typing import Any

import pytest

from fleettui.kinds.record import Flag, Verdict

FALSE = "False"


def condition(*words: str, **more: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Type, status and reason of an entry, and whatever else it has."""
    return words, more


@pytest.mark.parametrize(
    ("status", "spec", "verdict", "reason"),
    [
        ({"health": {"status": "Healthy"}, "sync": {"status": "Synced"}}, {}, "current", "Healthy"),
        (
            {"health": {"status": "Degraded"}, "sync": {"status": "Synced"}},
            {},
            "failed",
            "Degraded",
        ),
        (
            {"health": {"status": "Missing"}, "sync": {"status": "OutOfSync"}},
            {},
            "failed",
            "Missing",
        ),
        (
            {"health": {"status": "Progressing"}, "sync": {"status": "Synced"}},
            {},
            "in_progress",
            "Progressing",
        ),
        (
            {"health": {"status": "Healthy"}, "sync": {"status": "OutOfSync"}},
            {},
            "current",
            "Healthy",
        ),
        (
            {"health": {"status": "Healthy"}, "sync": {"status": "OutOfSync"}},
            {"syncPolicy": {"automated": {}}},
            "in_progress",
            "OutOfSync",
        ),
        (
            {"health": {"status": "Healthy"}, "sync": {"status": "OutOfSync"}},
            {"syncPolicy": {"automated": {"enabled": False}}},
            "current",
            "Healthy",
        ),
        (
            {
                "health": {"status": "Healthy"},
                "sync": {"status": "OutOfSync"},
                "operationState": {"phase": "Failed", "message": "boom"},
            },
            {},
            "failed",
            "SyncFailed",
        ),
        (
            {
                "health": {"status": "Healthy"},
                "sync": {"status": "Synced"},
                "operationState": {"phase": "Failed"},
            },
            {},
            "current",
            "Healthy",
        ),
        (
            {
                "health": {"status": "Healthy"},
                "sync": {"status": "OutOfSync"},
                "operationState": {"phase": "Running"},
            },
            {},
            "in_progress",
            "SyncRunning",
        ),
        (
            {"health": {"status": "Unknown"}, "sync": {"status": "Unknown"}},
            {},
            "unknown",
            "Unknown",
        ),
        ({}, {}, "unknown", "NoStatus"),
    ],
)
def test_application_verdicts(judged, status, spec, verdict, reason):
    """Sync, health and operations would contradict each other on screen."""
    record = judged("Application", spec=spec, **status)
    assert (record.verdict, record.reason) == (verdict, reason)


def test_application_error_condition_is_failed(judged):
    """Conditions of Argo CD have no status: their presence is the problem."""
    record = judged(
        "Application",
        {
            "type": "ComparisonError",
            "message": "rpc error",
            "lastTransitionTime": "2026-11-01T00:00:00Z",
        },
        health={"status": "Healthy"},
        sync={"status": "Unknown"},
    )
    assert (record.verdict, record.condition, record.message) == (
        Verdict.FAILED,
        "ComparisonError",
        "rpc error",
    )


def test_application_frozen_by_annotation_is_paused(judged):
    """A frozen Application would look as if it were being watched over."""
    record = judged(
        "Application",
        health={"status": "Healthy"},
        sync={"status": "Synced"},
        meta={"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}},
    )
    assert record.flags & Flag.PAUSED


def test_application_with_automation_switched_off_is_paused(judged):
    """A pause from here would not show as one."""
    status = {"health": {"status": "Healthy"}, "sync": {"status": "Synced"}}
    off = {"syncPolicy": {"automated": {"enabled": False}}}
    record = judged("Application", spec=off, **status)
    assert record.paused_by == "spec.syncPolicy.automated.enabled: false"
    manual = judged("Application", spec={"syncPolicy": {}}, **status)
    automatic = judged("Application", spec={"syncPolicy": {"automated": {}}}, **status)
    assert not manual.is_paused
    assert not automatic.is_paused


@pytest.mark.parametrize(
    ("conditions", "verdict"),
    [
        ([condition("ErrorOccurred", "True", "ApplicationGenerationFromParamsError")], "failed"),
        (
            [condition("ErrorOccurred", FALSE, "ok"), condition("ParametersGenerated", FALSE, "x")],
            "failed",
        ),
        (
            [condition("ErrorOccurred", FALSE, "ok"), condition("RolloutProgressing", "True", "x")],
            "in_progress",
        ),
        (
            [condition("ErrorOccurred", FALSE, "ok"), condition("ResourcesUpToDate", "True", "ok")],
            "current",
        ),
        ([], "unknown"),
    ],
)
def test_application_set_verdicts(judged, conditions, verdict):
    """A generator's error would look well: its condition is a negative one."""
    assert judged("ApplicationSet", *conditions).verdict == verdict


@pytest.mark.parametrize(
    ("entry", "verdict", "flag"),
    [
        (condition("Ready", "True", "Succeeded", observedGeneration=1), "current", 0),
        (condition("Ready", "True", "Succeeded", observedGeneration=0), "in_progress", 8),
        (condition("Ready", FALSE, "Reconciling", severity="Info"), "in_progress", 0),
        (condition("Ready", FALSE, "WaitingForOwner", severity="Warning"), "in_progress", 128),
        (condition("Ready", FALSE, "QuotaExceeded", severity="Warning"), "failed", 64),
        (condition("Ready", FALSE, "BadRequest", severity="Error"), "stalled", 0),
    ],
)
def test_aso_severity_decides(judged, entry, verdict, flag):
    """An error that needs a person would look like one that is retried."""
    record = judged("ManagedCluster", entry, meta={"generation": 1})
    assert record.verdict == verdict
    assert record.flags & flag == flag


@pytest.mark.parametrize(
    ("kind", "conditions", "verdict"),
    [
        ("Nodegroup", [condition("ACK.ResourceSynced", "True")], "current"),
        ("Nodegroup", [condition("ACK.ResourceSynced", FALSE)], "in_progress"),
        ("Nodegroup", [condition("ACK.Terminal", "True", message="bad")], "stalled"),
        (
            "Nodegroup",
            [condition("ACK.Recoverable", "True"), condition("ACK.ResourceSynced", FALSE)],
            "failed",
        ),
        ("Nodegroup", [condition("ACK.ReferencesResolved", FALSE)], "in_progress"),
        ("ContainerCluster", [condition("Ready", "True", "UpToDate")], "current"),
        ("ContainerCluster", [condition("Ready", FALSE, "UpdateFailed")], "failed"),
        ("ContainerCluster", [condition("Ready", FALSE, "DependencyNotReady")], "in_progress"),
        ("ContainerCluster", [condition("Ready", FALSE, "Updating")], "in_progress"),
        (
            "NodePool",
            [
                condition("Synced", "True", "ReconcileSuccess"),
                condition("Ready", "True", "Available"),
            ],
            "current",
        ),
        (
            "NodePool",
            [condition("Synced", FALSE, "ReconcileError"), condition("Ready", "True", "Available")],
            "failed",
        ),
        (
            "NodePool",
            [
                condition("Synced", "True", "ReconcileSuccess"),
                condition("Ready", FALSE, "Creating"),
            ],
            "in_progress",
        ),
        (
            "NodePool",
            [
                condition("Synced", "True", "ReconcileSuccess"),
                condition("Ready", FALSE, "Unavailable"),
            ],
            "failed",
        ),
        (
            "NodePool",
            [
                condition("Synced", "True", "ReconcileSuccess"),
                condition("LastAsyncOperation", FALSE, "AsyncCreateFailure"),
            ],
            "failed",
        ),
        (
            "CoreProvider",
            [condition("Ready", FALSE, "PreflightChecksFailed", severity="Error")],
            "failed",
        ),
    ],
)
def test_cloud_operator_verdicts(judged, kind, conditions, verdict):
    """Clusters of a cloud's own operator would have no health."""
    assert judged(kind, *conditions).verdict == verdict


def test_workload_deployment_counts_available_replicas(judged):
    """A controller that does not run would look well."""
    spec = {"replicas": 2}
    well = judged("Deployment", spec=spec, replicas=2, availableReplicas=2, updatedReplicas=2)
    down = judged("Deployment", spec=spec, replicas=2, unavailableReplicas=2, updatedReplicas=2)
    dead = judged(
        "Deployment", condition("Progressing", FALSE, "ProgressDeadlineExceeded"), spec=spec
    )
    assert [r.verdict for r in (well, down, dead)] == ["current", "in_progress", "failed"]


@pytest.mark.parametrize(
    ("kind", "conditions", "status", "verdict"),
    [
        ("Pod", [condition("Ready", "True", "x")], {"phase": "Running"}, "current"),
        ("Pod", [condition("Ready", FALSE, "x")], {"phase": "Running"}, "in_progress"),
        ("Pod", [], {"phase": "Failed", "reason": "Evicted"}, "failed"),
        (
            "Pod",
            [],
            {
                "phase": "Pending",
                "containerStatuses": [
                    {"name": "c", "state": {"waiting": {"reason": "ImagePullBackOff"}}}
                ],
            },
            "failed",
        ),
        (
            "Pod",
            [],
            {
                "phase": "Pending",
                "containerStatuses": [
                    {"name": "c", "state": {"waiting": {"reason": "ContainerCreating"}}}
                ],
            },
            "in_progress",
        ),
        ("Job", [condition("Complete", "True", "x")], {}, "current"),
        ("Job", [condition("Failed", "True", "BackoffLimitExceeded")], {}, "failed"),
        ("PersistentVolumeClaim", [], {"phase": "Pending"}, "in_progress"),
        ("PersistentVolumeClaim", [], {"phase": "Bound"}, "current"),
        ("PersistentVolumeClaim", [], {"phase": "Lost"}, "failed"),
    ],
)
def test_workload_verdicts(judged, kind, conditions, status, verdict):
    """A cause that stands in a built-in object would be passed over."""
    assert judged(kind, *conditions, **status).verdict == verdict


@pytest.mark.parametrize(
    ("kind", "spec", "status", "verdict"),
    [
        ("BareMetalHost", {}, {"operationalStatus": "OK"}, "current"),
        ("BareMetalHost", {}, {"errorType": "power", "errorMessage": "no BMC"}, "failed"),
        ("BareMetalHost", {}, {}, "unknown"),
        ("HetznerBareMetalHost", {"status": {"provisioningState": "x"}}, {}, "current"),
        ("HetznerBareMetalHost", {"status": {"errorMessage": "no disk"}}, {}, "failed"),
    ],
)
def test_bare_metal_host_verdicts(judged, kind, spec, status, verdict):
    """A host without conditions would be unfinished for ever, a broken one invisible."""
    assert judged(kind, spec=spec, **status).verdict == verdict
