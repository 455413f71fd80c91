"""Health of Argo CD's Applications and ApplicationSets.

Knows sync status, health, the last operation, and conditions whose presence is the
problem. Source: argo-cd pkg/apis/application/v1alpha1/types.go; util/health.
"""

from collections.abc import Mapping

from fleettui.kinds.dialects.evidence import NO_STATUS, Dialect, Evidence, Judgement, told
from fleettui.kinds.moments import unix_seconds
from fleettui.kinds.paths import text_of
from fleettui.kinds.record import Condition, Flag, Verdict

FEW = 3
"""Resources that are named."""
_RUNNING = frozenset({"Running", "Terminating"})
_BROKEN = frozenset({"Failed", "Error"})


def _error_of(conditions: tuple[Condition, ...]) -> Condition | None:
    for condition in conditions:
        if condition.type.endswith("Error"):
            return condition
    return None


def _is_automated(policy: object) -> bool:
    """Whether the controller applies by itself; ``enabled: false`` is understood from 3.1."""
    return isinstance(policy, Mapping) and policy.get("enabled") is not False


def _words_of(resources: object, health: object) -> str:
    """The resources that have the Application's health, where they tell their own.

    With ``resourceHealthSource: appTree`` they do not, and there are no words.
    """
    if health == "Healthy" or not isinstance(resources, list):
        return ""
    found = []
    for item in resources:
        own = item.get("health") if isinstance(item, Mapping) else None
        if isinstance(own, Mapping) and own.get("status") == health:
            name = f"{item.get('kind')} {item.get('namespace') or ''}/{item.get('name')}"
            words = text_of(own.get("message"))
            found.append(f"{name}: {words}" if words else name)
    more = f" and {len(found) - FEW} more" if len(found) > FEW else ""
    return "; ".join(found[:FEW]) + more


def judge_application(evidence: Evidence) -> Judgement:
    """Verdict of an Application; ``reason`` is the health, sync or operation word."""
    health, health_since, health_message, sync, phase, told_by_operation, finished, automated = (
        evidence.extras[:8]
    )
    error = _error_of(evidence.conditions)
    if error is not None:
        return told(Verdict.FAILED, error)
    if not health and not sync:
        return NO_STATUS
    since = unix_seconds(health_since)
    message = text_of(health_message) or _words_of(evidence.extras[8], health)
    operation = text_of(told_by_operation)
    if phase in _BROKEN and sync != "Synced":
        return Judgement(
            Verdict.FAILED, "operationState", f"Sync{phase}", operation, unix_seconds(finished)
        )
    if phase in _RUNNING:
        reason = "SyncRunning" if phase == "Running" else "SyncTerminating"
        verdict = Verdict.FAILED if health == "Degraded" else Verdict.IN_PROGRESS
        return Judgement(verdict, "operationState", reason, operation, 0)
    if health in ("Degraded", "Missing"):
        return Judgement(Verdict.FAILED, "health", str(health), message, since)
    if health == "Progressing":
        return Judgement(Verdict.IN_PROGRESS, "health", "Progressing", message, since)
    if health == "Suspended":
        return Judgement(Verdict.IN_PROGRESS, "health", "Suspended", message, since, Flag.WAITING)
    if sync == "Unknown" or health == "Unknown":
        return Judgement(Verdict.UNKNOWN, "sync", "Unknown", message, since)
    if sync == "OutOfSync" and _is_automated(automated):
        return Judgement(Verdict.IN_PROGRESS, "sync", "OutOfSync", operation)
    return Judgement(Verdict.CURRENT, "health", text_of(health), message, since)


def judge_application_set(evidence: Evidence) -> Judgement:
    """Verdict of an ApplicationSet by its conditions."""
    if not evidence.conditions:
        return NO_STATUS
    for kind in ("ErrorOccurred", "InvalidRolloutConfig"):
        condition = evidence.named(kind)
        if condition is not None and condition.is_bad:
            return told(Verdict.FAILED, condition)
    for kind in ("ParametersGenerated", "ResourcesUpToDate"):
        condition = evidence.named(kind)
        if condition is not None and condition.is_bad:
            return told(Verdict.FAILED, condition)
    rollout = evidence.named("RolloutProgressing")
    if rollout is not None and rollout.is_bad:
        return told(Verdict.IN_PROGRESS, rollout)
    settled = evidence.named("ResourcesUpToDate") or evidence.conditions[0]
    return told(Verdict.CURRENT, settled)


ARGO = Dialect(
    judge_application,
    (
        "status.health.status",
        "status.health.lastTransitionTime",
        "status.health.message",
        "status.sync.status",
        "status.operationState.phase",
        "status.operationState.message",
        "status.operationState.finishedAt",
        "spec.syncPolicy.automated",
        "status.resources",
    ),
)
ARGO_SET = Dialect(judge_application_set)
