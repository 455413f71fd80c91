"""Health of Flux objects, of flux-operator's, and of tofu-controller's Terraform.

Knows that a failure being retried is still a failure, that a suspended object keeps
its last word, and that observedGeneration of a failing object stays behind. Source:
fluxcd/pkg/apis/meta conditions; kustomize-controller finalizeStatus; kstatus
generic.go and the corrections to it in the Flux documentation; tofu-controller
api/v1alpha2 conditions.
"""

from collections.abc import Mapping

from fleettui.kinds.dialects.evidence import (
    NO_STATUS,
    Dialect,
    Evidence,
    Judgement,
    behind,
    told,
)
from fleettui.kinds.paths import text_of
from fleettui.kinds.record import Condition, Flag, Verdict

_WAITING_REASONS = frozenset({"DependencyNotReady", "RunnerQuotaExhausted"})
_RETRY_REASON = "ProgressingWithRetry"
_GIVEN_UP = frozenset({"RetryLimitReached"})
_UNDONE = ("Rollback", "Uninstall")
_ABNORMAL = ("FetchFailed", "StorageOperationFailed", "BuildFailed", "IncludeUnavailable")


def judge_flux(evidence: Evidence) -> Judgement:
    """Verdict of an object with Ready, Reconciling and Stalled."""
    ready = evidence.named("Ready")
    reconciling = evidence.named("Reconciling")
    stalled = evidence.named("Stalled")
    if stalled is not None and stalled.status == "True":
        return _stalled(evidence, stalled, ready)
    if ready is None:
        return _not_judged(evidence, reconciling)
    if ready.status == "False":
        return _failing(evidence, ready, reconciling)
    if ready.status == "Unknown":
        return _busy(evidence, ready, reconciling)
    released = evidence.named("Released")
    if released is not None and released.status == "False" and ready.reason.startswith(_UNDONE):
        return told(Verdict.FAILED, released)  # what runs is not what was asked for
    if evidence.is_paused:
        return told(Verdict.CURRENT, ready)
    if evidence.is_behind:
        return behind(evidence)
    if reconciling is not None and reconciling.status == "True":
        return told(Verdict.IN_PROGRESS, reconciling)
    abnormal = _abnormal(evidence)
    if abnormal is not None:
        return told(Verdict.FAILED, abnormal, flags=Flag.RETRYING)
    outdated = evidence.named("ArtifactOutdated")
    if outdated is not None and outdated.status == "True":
        return told(Verdict.IN_PROGRESS, outdated)
    return told(Verdict.CURRENT, ready)


def _abnormal(evidence: Evidence) -> Condition | None:
    for kind in _ABNORMAL:
        condition = evidence.named(kind)
        if condition is not None and condition.status == "True":
            return condition
    return None


def _told_cause(evidence: Evidence, ready: Condition | None) -> Condition | None:
    """The entry whose words name the cause: Released behind a rollback, else Ready.

    Source: helm-controller leaves Ready=False with reason RollbackSucceeded; what
    went wrong stands in Released.
    """
    released = evidence.named("Released")
    undone = ready is None or ready.reason.startswith(_UNDONE)
    if undone and released is not None and released.status == "False":
        return released
    return ready


def _stalled(evidence: Evidence, stalled: Condition, ready: Condition | None) -> Judgement:
    cause = _told_cause(evidence, ready)
    if cause is None or cause.status == "True":
        return told(Verdict.STALLED, stalled)
    return told(Verdict.STALLED, cause)


def _failing(evidence: Evidence, ready: Condition, reconciling: Condition | None) -> Judgement:
    stale = 0
    if not evidence.is_paused and -1 < ready.observed_generation < evidence.generation:
        stale = Flag.STALE_GENERATION
    if ready.reason in _WAITING_REASONS:
        return told(Verdict.IN_PROGRESS, ready, flags=Flag.WAITING | stale)
    cause = _told_cause(evidence, ready) or ready
    retried = not evidence.is_paused and reconciling is not None and reconciling.status == "True"
    return told(Verdict.FAILED, cause, flags=stale | (Flag.RETRYING if retried else 0))


def _busy(evidence: Evidence, ready: Condition, reconciling: Condition | None) -> Judgement:
    """In progress, unless the progress is the retry of a failure the object still tells."""
    released = evidence.named("Released")
    if released is not None and released.status == "False":
        return told(Verdict.FAILED, released, flags=Flag.RETRYING)
    if reconciling is not None and reconciling.reason == _RETRY_REASON:
        return told(Verdict.FAILED, reconciling, flags=Flag.RETRYING)
    waiting = Flag.WAITING if ready.reason in _WAITING_REASONS else 0
    return told(Verdict.IN_PROGRESS, ready, flags=waiting)


def _not_judged(evidence: Evidence, reconciling: Condition | None) -> Judgement:
    if reconciling is not None and reconciling.status == "True":
        failed = reconciling.reason == _RETRY_REASON
        verdict = Verdict.FAILED if failed else Verdict.IN_PROGRESS
        return told(verdict, reconciling, flags=Flag.RETRYING if failed else 0)
    if _is_static(evidence):
        return Judgement(Verdict.CURRENT, flags=Flag.STATIC)
    return NO_STATUS if evidence.is_paused else NO_STATUS._replace(verdict=Verdict.IN_PROGRESS)


def _is_static(evidence: Evidence) -> bool:
    """Whether no controller reports on the object: a HelmRepository of type oci."""
    return evidence.extras[0] == "oci"


def judge_report(evidence: Evidence) -> Judgement:
    """Verdict of a FluxReport: Flux's rules, and what it reports of controllers and source.

    Its own Ready only says that the report was written.
    """
    components, sync_ready, sync_status = evidence.extras[1:4]
    for item in components if isinstance(components, list) else ():
        if isinstance(item, Mapping) and item.get("ready") is False:
            words = f"{text_of(item.get('name'))}: {text_of(item.get('status'))}"
            return Judgement(Verdict.FAILED, "components", "ComponentNotReady", words)
    if sync_ready is False:
        return Judgement(Verdict.FAILED, "sync", "SyncNotReady", text_of(sync_status))
    return judge_flux(evidence)


def judge_terraform(evidence: Evidence) -> Judgement:
    """Verdict of a Terraform object: Flux's rules, plans that wait and locks besides."""
    ready = evidence.named("Ready")
    locked = evidence.named("StateLocked")
    if locked is not None and locked.status == "True":
        return told(Verdict.FAILED, locked, flags=Flag.RETRYING)
    if ready is not None and ready.status == "False" and ready.reason in _GIVEN_UP:
        return told(Verdict.STALLED, ready)
    if ready is not None and ready.status == "Unknown":
        pending, approval = evidence.extras[1], evidence.extras[2]
        if pending and approval not in ("auto", pending):
            return told(Verdict.IN_PROGRESS, ready, flags=Flag.WAITING)
    return judge_flux(evidence)


FLUX_REPORT = Dialect(
    judge_report, ("spec.type", "spec.components", "spec.sync.ready", "spec.sync.status")
)
FLUX = Dialect(judge_flux, ("spec.type",))
TERRAFORM = Dialect(judge_terraform, ("spec.type", "status.plan.pending", "spec.approvePlan"))
