"""Health of MachinePools, which sum nothing up in the newer scheme.

Source: cluster-api core/reconcilers/machinepool/machinepool_controller_status.go: the
newer list holds Paused only; without pool Machines its counters copy ``status.replicas``,
so the node-based counter of the old status decides.
"""

from fleettui.kinds.dialects.evidence import (
    NO_STATUS,
    Dialect,
    Evidence,
    Judgement,
    behind,
    failed_field,
    is_hard,
    is_waiting,
    told,
)
from fleettui.kinds.paths import number_of
from fleettui.kinds.record import Flag, Verdict

_STEPS = ("BootstrapReady", "InfrastructureReady", "ReplicasReady")


def judge_pool(evidence: Evidence) -> Judgement:
    """Verdict of a MachinePool by its old list and its counters."""
    if evidence.failure:
        return failed_field(evidence)
    phase, provisioned = evidence.extras[0], evidence.extras[1]
    if phase == "Failed":
        return Judgement(Verdict.FAILED, "phase", "Failed")
    if not evidence.has_status:
        return NO_STATUS
    for kind in (*_STEPS, "Ready"):
        condition = evidence.named(kind)
        if condition is None or condition.status != "False":
            continue
        if condition.severity in ("Error", "Warning") and not is_waiting(condition.reason):
            return told(Verdict.FAILED, condition, flags=Flag.LEGACY)
        if not condition.severity and is_hard(condition.reason):
            return told(Verdict.FAILED, condition, flags=Flag.LEGACY)
        waiting = Flag.WAITING if is_waiting(condition.reason) else 0
        return told(Verdict.IN_PROGRESS, condition, flags=Flag.LEGACY | waiting)
    if provisioned is False:
        return Judgement(Verdict.IN_PROGRESS, "infrastructureProvisioned", "NotProvisioned")
    short = _short_of_nodes(evidence)
    if short is not None:
        return short
    if evidence.is_behind and not evidence.is_paused:
        return behind(evidence)
    ready = evidence.named("Ready")
    if ready is not None and ready.status == "True":
        return told(Verdict.CURRENT, ready, flags=Flag.LEGACY)
    return Judgement(Verdict.CURRENT, "replicas", "NodesReady")


def _short_of_nodes(evidence: Evidence) -> Judgement | None:
    replicas = evidence.replicas
    if replicas is None or replicas.desired < 0:
        return None
    have = max(replicas.ready, number_of(evidence.extras[2]), 0)
    if replicas.ready >= 0:
        have = replicas.ready
    message = f"{have} of {replicas.desired} nodes are ready"
    if have < replicas.desired:
        return Judgement(Verdict.IN_PROGRESS, "readyReplicas", "NodesNotReady", message)
    if replicas.current > replicas.desired:
        message = f"{replicas.current} replicas, {replicas.desired} wanted"
        return Judgement(Verdict.IN_PROGRESS, "replicas", "ScalingDown", message)
    return None


POOL = Dialect(
    judge_pool,
    (
        "status.phase",
        "status.initialization.infrastructureProvisioned",
        "status.readyReplicas",
    ),
)
