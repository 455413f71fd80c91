"""Verdicts of Flux, flux-operator and Terraform objects."""

from typing import Any

import pytest

from fleettui.kinds.record import Flag, Verdict

FALSE = "False"


def condition(*words: str, **more: Any) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Type, status and reason of an entry, and whatever else it has."""
    return words, more


def test_flux_retried_failure_is_a_failure(judged):
    """kstatus calls it in progress, for ever."""
    record = judged(
        "Kustomization",
        condition("Ready", FALSE, "BuildFailed", message="no such file"),
        condition("Reconciling", "True", "ProgressingWithRetry"),
    )
    assert (record.verdict, record.reason) == (Verdict.FAILED, "BuildFailed")
    assert record.flags & Flag.RETRYING


def test_flux_retry_that_shows_progress_only_is_still_a_failure(judged):
    """A failing object would blink through every retry."""
    record = judged(
        "Kustomization",
        condition("Ready", "Unknown", "Progressing"),
        condition("Reconciling", "True", "ProgressingWithRetry", message="retrying"),
    )
    assert record.verdict is Verdict.FAILED


def test_flux_dependency_not_ready_waits(judged):
    """A whole chain would be red for one cause."""
    record = judged("Kustomization", condition("Ready", FALSE, "DependencyNotReady"))
    assert record.verdict is Verdict.IN_PROGRESS
    assert record.flags & Flag.WAITING


def test_flux_suspended_keeps_its_last_word(judged):
    """A suspended failure would look well, a suspended success busy."""
    spec = {"suspend": True}
    good = judged(
        "GitRepository",
        condition("Ready", "True", "Succeeded"),
        spec=spec,
        meta={"generation": 5},
        observedGeneration=4,
    )
    bad = judged("GitRepository", condition("Ready", FALSE, "GitOperationFailed"), spec=spec)
    assert (good.verdict, bad.verdict) == (Verdict.CURRENT, Verdict.FAILED)
    assert good.flags & Flag.PAUSED
    assert bad.flags & Flag.PAUSED
    assert good.paused_by == "spec.suspend"


def test_flux_failing_new_specification_is_not_stale(judged):
    """observedGeneration of a failing object stays behind; the condition's own decides."""
    now = judged(
        "HelmRelease",
        condition("Ready", FALSE, "InstallFailed", observedGeneration=2),
        meta={"generation": 2},
        observedGeneration=1,
    )
    before = judged(
        "HelmRelease",
        condition("Ready", FALSE, "InstallFailed", observedGeneration=1),
        meta={"generation": 2},
        observedGeneration=1,
    )
    assert (now.verdict, before.verdict) == (Verdict.FAILED, Verdict.FAILED)
    assert not now.flags & Flag.STALE_GENERATION
    assert before.flags & Flag.STALE_GENERATION


def test_flux_successful_rollback_is_a_failure_told_by_released(judged):
    """Reason RollbackSucceeded sounds like good news."""
    record = judged(
        "HelmRelease",
        condition("Ready", FALSE, "RollbackSucceeded", message="Helm rollback succeeded"),
        condition("Released", FALSE, "UpgradeFailed", message="immutable"),
        condition("Remediated", "True", "RollbackSucceeded"),
    )
    assert (record.verdict, record.condition, record.message) == (
        Verdict.FAILED,
        "Released",
        "immutable",
    )


def test_flux_exhausted_retries_are_stalled(judged):
    """Nobody would see that the controller has given up."""
    record = judged(
        "HelmRelease",
        condition("Stalled", "True", "RetriesExceeded", message="after 2 attempts"),
        condition("Ready", FALSE, "InstallFailed", message="bad values"),
    )
    assert (record.verdict, record.message) == (Verdict.STALLED, "bad values")


def test_flux_drift_beside_ready_is_told_and_not_red(judged):
    """Drift would be invisible, or an alarm where only a warning was asked for."""
    record = judged(
        "HelmRelease",
        condition("Ready", "True", "UpgradeSucceeded"),
        condition("Drifted", "True", "DriftDetected"),
        spec={"driftDetection": {"mode": "warn"}},
    )
    assert record.verdict is Verdict.CURRENT
    assert record.fact("drift_mode") == "warn"
    assert [c.type for c in record.conditions if c.is_bad] == ["Drifted"]


def test_flux_oci_helm_repository_and_alerts_are_static(judged):
    """Objects without any status would be unknown for ever."""
    for record in (judged("HelmRepository", spec={"type": "oci"}), judged("Alert")):
        assert record.verdict is Verdict.CURRENT
        assert record.flags & Flag.STATIC


def test_flux_untouched_object_is_flagged(judged):
    """A wrong shard key leaves an object that nobody ever reconciles."""
    record = judged("Kustomization", observedGeneration=-1)
    assert record.verdict is Verdict.IN_PROGRESS
    assert record.flags & Flag.ABSENT_STATUS


def test_flux_operator_annotation_pauses(judged):
    """Ready with reason ReconciliationDisabled would look active."""
    record = judged(
        "ResourceSet",
        condition("Ready", "True", "ReconciliationDisabled"),
        meta={"annotations": {"fluxcd.controlplane.io/reconcile": "Disabled"}},
    )
    assert record.flags & Flag.PAUSED


@pytest.mark.parametrize(
    ("conditions", "spec", "status", "verdict", "flag"),
    [
        (
            [condition("Ready", "Unknown", "TerraformPlannedWithChanges")],
            {},
            {"plan": {"pending": "plan-main-1"}},
            Verdict.IN_PROGRESS,
            Flag.WAITING,
        ),
        (
            [condition("Ready", FALSE, "TFExecApplyFailed"), condition("Reconciling", "True", "x")],
            {},
            {},
            Verdict.FAILED,
            Flag.RETRYING,
        ),
        ([condition("Ready", FALSE, "RetryLimitReached")], {}, {}, Verdict.STALLED, Flag.NONE),
        (
            [condition("Ready", FALSE, "x"), condition("StateLocked", "True", "LockHeld")],
            {},
            {},
            Verdict.FAILED,
            Flag.RETRYING,
        ),
        (
            [condition("Ready", FALSE, "RunnerQuotaExhausted")],
            {},
            {},
            Verdict.IN_PROGRESS,
            Flag.WAITING,
        ),
        ([condition("Ready", "True", "NoDrift")], {}, {}, Verdict.CURRENT, Flag.NONE),
    ],
)
def test_terraform_verdicts(judged, conditions, spec, status, verdict, flag):
    """A plan that waits for a person would look like any other progress."""
    record = judged("Terraform", *conditions, spec=spec, **status)
    assert record.verdict is verdict
    assert record.flags & flag == flag
