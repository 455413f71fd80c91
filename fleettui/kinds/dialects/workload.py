"""Health of built-in workloads: deployments, pods, jobs, claims, nodes.

Source: Kubernetes API reference, apps/v1, batch/v1 and core/v1 status fields; kubectl
``rollout status``.
"""

from collections.abc import Mapping

from fleettui.kinds.dialects.evidence import NO_STATUS, Dialect, Evidence, Judgement, behind, told
from fleettui.kinds.paths import text_of
from fleettui.kinds.record import Flag, Verdict

_WAITS = frozenset({"ContainerCreating", "PodInitializing"})
_PHASES: Mapping[str, Verdict] = {
    "Pending": Verdict.IN_PROGRESS,
    "Failed": Verdict.FAILED,
    "Lost": Verdict.FAILED,
    "Unknown": Verdict.UNKNOWN,
    "Succeeded": Verdict.CURRENT,
    "Bound": Verdict.CURRENT,
    "Active": Verdict.CURRENT,
    "Terminating": Verdict.IN_PROGRESS,
}


def judge_workload(evidence: Evidence) -> Judgement:
    """Verdict by containers, conditions, phase and counters, whichever the kind has."""
    containers = _containers(evidence)
    if containers is not None:
        return containers
    for kind in ("ReplicaFailure", "Failed", "FailureTarget"):
        condition = evidence.named(kind)
        if condition is not None and condition.is_bad:
            return told(Verdict.FAILED, condition)
    progressing = evidence.named("Progressing")
    if progressing is not None and progressing.is_bad:
        return told(Verdict.FAILED, progressing)
    done = evidence.named("Complete")
    if done is not None and done.status == "True":
        return told(Verdict.CURRENT, done)
    phase = text_of(evidence.extras[0])
    if phase in _PHASES and phase != "Pending":
        message = text_of(evidence.extras[4])
        return Judgement(_PHASES[phase], "phase", text_of(evidence.extras[3]) or phase, message)
    if evidence.is_behind:
        return behind(evidence)
    return _counted(evidence, phase)


def _counted(evidence: Evidence, phase: str) -> Judgement:
    replicas = evidence.replicas
    if replicas is not None and replicas.desired >= 0:
        have = max(
            0,
            min(replicas.available, replicas.up_to_date)
            if replicas.up_to_date >= 0
            else replicas.available,
        )
        if have < replicas.desired:
            message = f"{have} of {replicas.desired} available and up to date"
            return Judgement(Verdict.IN_PROGRESS, "replicas", "NotAvailable", message)
        return Judgement(Verdict.CURRENT, "replicas", "Available")
    for kind in evidence.summary:
        condition = evidence.named(kind)
        if condition is not None:
            good = condition.status == "True"
            return told(Verdict.CURRENT if good else Verdict.IN_PROGRESS, condition)
    if phase:
        return Judgement(_PHASES.get(phase, Verdict.CURRENT), "phase", phase)
    return Judgement(Verdict.CURRENT) if evidence.has_status else NO_STATUS


def _containers(evidence: Evidence) -> Judgement | None:
    """The first container that cannot start or ended badly."""
    for statuses in evidence.extras[1:3]:
        for item in statuses if isinstance(statuses, list) else ():
            state = item.get("state") if isinstance(item, Mapping) else None
            if not isinstance(state, Mapping):
                continue
            waiting = state.get("waiting")
            if isinstance(waiting, Mapping):
                reason = text_of(waiting.get("reason"))
                if reason and reason not in _WAITS:
                    message = (
                        f"container {item.get('name', '?')}: {text_of(waiting.get('message'))}"
                    )
                    return Judgement(
                        Verdict.FAILED, "containerStatuses", reason, message, 0, Flag.RETRYING
                    )
    return None


WORKLOAD = Dialect(
    judge_workload,
    (
        "status.phase",
        "status.initContainerStatuses",
        "status.containerStatuses",
        "status.reason",
        "status.message",
    ),
)
