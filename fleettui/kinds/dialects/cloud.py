"""Health of the clouds' own operators: Azure, AWS, Google, Crossplane.

Source: azure-service-operator v2 pkg/genruntime/conditions; aws-controllers-k8s
runtime pkg/condition; Config Connector pkg/k8s reasons; crossplane-runtime
apis/common/v1/condition.go.
"""

from fleettui.kinds.dialects.evidence import (
    NO_STATUS,
    Dialect,
    Evidence,
    Judgement,
    behind,
    is_waiting,
    told,
)
from fleettui.kinds.record import Flag, Verdict

_ASO_WAITING = frozenset(
    {"WaitingForOwner", "ReferenceNotFound", "SecretNotFound", "ConfigMapNotFound"}
)


def judge_aso(evidence: Evidence) -> Judgement:
    """Verdict by the one Ready condition and its severity.

    Error means that the operator has stopped until the specification changes.
    """
    ready = evidence.named("Ready")
    if ready is None:
        return NO_STATUS
    if ready.status == "True":
        if -1 < ready.observed_generation < evidence.generation and not evidence.is_paused:
            return behind(evidence, seen=ready.observed_generation)
        return told(Verdict.CURRENT, ready)
    if ready.severity == "Error":
        return told(Verdict.STALLED, ready)
    if ready.severity == "Warning":
        if ready.reason in _ASO_WAITING:
            return told(Verdict.IN_PROGRESS, ready, flags=Flag.WAITING)
        return told(Verdict.FAILED, ready, flags=Flag.RETRYING)
    return told(Verdict.IN_PROGRESS, ready)


def judge_ack(evidence: Evidence) -> Judgement:
    """Verdict of an object of AWS Controllers for Kubernetes."""
    terminal = evidence.named("ACK.Terminal")
    if terminal is not None and terminal.status == "True":
        return told(Verdict.STALLED, terminal)
    recoverable = evidence.named("ACK.Recoverable")
    if recoverable is not None and recoverable.status == "True":
        return told(Verdict.FAILED, recoverable, flags=Flag.RETRYING)
    synced = evidence.named("ACK.ResourceSynced") or evidence.named("Ready")
    resolved = evidence.named("ACK.ReferencesResolved")
    if resolved is not None and resolved.status != "True":
        return told(Verdict.IN_PROGRESS, resolved, flags=Flag.WAITING)
    if synced is None:
        return NO_STATUS
    if synced.status == "True":
        return told(Verdict.CURRENT, synced)
    return told(Verdict.IN_PROGRESS, synced)


_CNRM_WAITING = frozenset({"DependencyNotReady", "DependencyNotFound", "DependencyInvalid"})
_CNRM_BUSY = frozenset({"Updating", "Creating", "Deleting"})


def judge_config_connector(evidence: Evidence) -> Judgement:
    """Verdict of an object of Google's Config Connector."""
    ready = evidence.named("Ready")
    if ready is None:
        return NO_STATUS
    if ready.status == "True":
        if evidence.is_behind and not evidence.is_paused:
            return behind(evidence)
        return told(Verdict.CURRENT, ready)
    if ready.reason in _CNRM_WAITING:
        return told(Verdict.IN_PROGRESS, ready, flags=Flag.WAITING)
    if ready.reason in _CNRM_BUSY or ready.status == "Unknown":
        return told(Verdict.IN_PROGRESS, ready)
    return told(Verdict.FAILED, ready, flags=Flag.RETRYING)


_CROSSPLANE_BUSY = frozenset({"Creating", "Deleting"})


def judge_crossplane(evidence: Evidence) -> Judgement:
    """Verdict of a managed or composite resource: Synced first, then Ready."""
    synced, ready = evidence.named("Synced"), evidence.named("Ready")
    if synced is not None and synced.status == "False":
        if synced.reason == "ReconcilePaused":
            return told(
                Verdict.CURRENT if ready is None or ready.status == "True" else Verdict.UNKNOWN,
                ready or synced,
                flags=Flag.PAUSED,
            )
        return told(Verdict.FAILED, synced, flags=Flag.RETRYING)
    operation = evidence.named("LastAsyncOperation")
    if operation is not None and operation.status == "False":
        return told(Verdict.FAILED, operation, flags=Flag.RETRYING)
    if ready is None:
        return NO_STATUS if synced is None else told(Verdict.IN_PROGRESS, synced)
    if ready.status == "True":
        return told(Verdict.CURRENT, ready)
    if ready.reason in _CROSSPLANE_BUSY or is_waiting(ready.reason):
        return told(Verdict.IN_PROGRESS, ready)
    if ready.reason == "Unavailable":
        return told(Verdict.FAILED, ready)
    return told(Verdict.IN_PROGRESS, ready)


ASO = Dialect(judge_aso)
ACK = Dialect(judge_ack)
CONFIG_CONNECTOR = Dialect(judge_config_connector)
CROSSPLANE = Dialect(judge_crossplane)
