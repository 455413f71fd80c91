"""What stands beside a summary that says that all is well, or says nothing at all."""

import pytest

from fleettui.kinds.record import Verdict

WELL = (("Ready", "True", "ReconciliationSucceeded"), {})


@pytest.mark.parametrize(
    ("applied", "verdict", "message"),
    [
        ([True, True], Verdict.CURRENT, ""),
        ([True, False], Verdict.IN_PROGRESS, "1 of 2 are not ready"),
        ([], Verdict.CURRENT, ""),
    ],
)
def test_binding_tells_what_was_not_applied(judged, applied, verdict, message):
    """A cluster without its network plug-in is missing just this one line."""
    resources = [{"kind": "ConfigMap", "name": "cni", "applied": flag} for flag in applied]
    spec = {"bindings": [{"clusterResourceSetName": "cni", "resources": resources}]}
    record = judged("ClusterResourceSetBinding", spec=spec)
    assert (record.verdict, record.message) == (verdict, message)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"components": [{"name": "source-controller", "ready": False}]}, "ComponentNotReady"),
        ({"components": [{"name": "a", "ready": True}], "sync": {"ready": False}}, "SyncNotReady"),
    ],
)
def test_flux_report_is_judged_by_what_it_reports(judged, spec, reason):
    """Its own Ready says that the report was written, not that anything works."""
    record = judged("FluxReport", WELL, spec=spec)
    assert (record.verdict, record.reason) == (Verdict.FAILED, reason)
    assert judged("FluxReport", WELL, spec={"components": []}).verdict is Verdict.CURRENT


def test_release_that_was_rolled_back_is_a_failed_upgrade(judged):
    """What runs is not what was asked for, whatever Ready says."""
    record = judged(
        "HelmRelease",
        (("Ready", "True", "RollbackSucceeded"), {}),
        (("Released", "False", "UpgradeFailed"), {"message": "timed out"}),
    )
    assert (record.verdict, record.reason) == (Verdict.FAILED, "UpgradeFailed")


def test_old_ready_tells_a_failure_beside_available(judged):
    """Talos keeps Available true while etcd is losing members."""
    record = judged(
        "TalosControlPlane",
        (("Available", "True"), {}),
        (("Ready", "False", "EtcdClusterUnhealthy"), {"severity": "Warning"}),
        ready=True,
    )
    assert (record.verdict, record.reason) == (Verdict.FAILED, "EtcdClusterUnhealthy")
    rolling = judged(
        "TalosControlPlane",
        (("Available", "True"), {}),
        (("Ready", "False", "ScalingUp"), {"severity": "Warning"}),
        ready=True,
    )
    assert rolling.verdict is not Verdict.FAILED


@pytest.mark.parametrize("source", ["", "appTree"])
def test_application_names_its_degraded_resources_where_it_knows_them(judged, source):
    """Degraded alone sends a person to the Argo CD screen."""
    own = {} if source else {"health": {"status": "Degraded", "message": "no progress"}}
    web = {"kind": "Deployment", "namespace": "shop", "name": "web", **own}
    fine = {"kind": "Service", "namespace": "shop", "name": "web", "health": {"status": "Healthy"}}
    record = judged(
        "Application",
        health={"status": "Degraded"},
        sync={"status": "Synced"},
        resources=[fine, web],
        resourceHealthSource=source,
    )
    assert record.verdict is Verdict.FAILED
    assert record.message == ("" if source else "Deployment shop/web: no progress")


def test_update_without_a_reason_is_told_by_its_type(judged):
    """The old scheme needs no reason: an empty column would explain nothing."""
    record = judged(
        "AWSManagedControlPlane",
        (("Ready", "True"), {}),
        (("EKSControlPlaneUpdating", "True"), {}),
        ready=True,
    )
    assert (record.verdict, record.reason) == (Verdict.IN_PROGRESS, "EKSControlPlaneUpdating")


def test_azure_resource_that_is_behind_tells_the_generation_that_was_seen(judged):
    """The operator tells it in Ready alone."""
    record = judged(
        "ManagedCluster",
        (("Ready", "True", "Succeeded"), {"observedGeneration": 1}),
        meta={"generation": 2},
    )
    assert "generation 1 of 2" in record.message
