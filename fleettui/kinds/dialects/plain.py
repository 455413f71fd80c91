"""Health of kinds with little to say: a flag, generic conditions, or nothing.

Source: kstatus generic.go; Cluster API provider contracts (ready flags).
"""

from collections.abc import Mapping

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
    unready,
)
from fleettui.kinds.record import Flag, Verdict


def judge_static(evidence: Evidence) -> Judgement:
    """Current unless a failure field or a flag in a list says otherwise.

    No controller sums the object up; a ClusterResourceSetBinding tells of each resource
    whether it was applied.
    """
    if evidence.failure:
        return failed_field(evidence)
    if words := unready(evidence.ready):
        return Judgement(Verdict.IN_PROGRESS, "ready", "NotReady", words, 0, Flag.STATIC)
    return Judgement(Verdict.CURRENT, flags=Flag.STATIC)


def _resource_name(item: Mapping[str, object]) -> str:
    resource = item.get("resource")
    if not isinstance(resource, Mapping):
        return "?"
    return f"{resource.get('kind', '?')} {resource.get('name', '?')}"


def judge_flag(evidence: Evidence) -> Judgement:
    """Verdict of an object with a ready flag and no conditions.

    The second path is a list of owned resources with their own ready flags, as the
    AzureASOManaged kinds have.
    """
    if evidence.failure:
        return failed_field(evidence)
    resources = evidence.extras[0]
    waits = [
        _resource_name(item)
        for item in (resources if isinstance(resources, list) else ())
        if isinstance(item, Mapping) and item.get("ready") is not True
    ]
    if waits:
        message = "not ready: " + ", ".join(waits)
        return Judgement(
            Verdict.IN_PROGRESS, "resources", "ResourcesNotReady", message, 0, Flag.WAITING
        )
    if evidence.ready is True:
        return Judgement(Verdict.CURRENT, "ready", "Ready")
    if not evidence.has_status:
        return NO_STATUS
    return Judgement(Verdict.IN_PROGRESS, "ready", "NotReady")


def judge_kstatus(evidence: Evidence) -> Judgement:
    """Verdict by Ready (or the entry's summary), Reconciling, Stalled and generations."""
    if evidence.failure:
        return failed_field(evidence)
    stalled = evidence.named("Stalled")
    if stalled is not None and stalled.status == "True":
        return told(Verdict.STALLED, stalled)
    reconciling = evidence.named("Reconciling")
    busy = reconciling is not None and reconciling.status == "True"
    summary = next(
        (found for kind in evidence.summary if (found := evidence.named(kind)) is not None), None
    )
    if summary is None:
        if evidence.is_behind and not evidence.is_paused:
            return behind(evidence)
        if busy and reconciling is not None:
            return told(Verdict.IN_PROGRESS, reconciling)
        if not evidence.has_status:
            return NO_STATUS
        if evidence.ready is False:
            return Judgement(Verdict.IN_PROGRESS, "ready", "NotReady")
        return Judgement(Verdict.CURRENT)
    if summary.is_bad:
        if is_waiting(summary.reason):
            return told(Verdict.IN_PROGRESS, summary, flags=Flag.WAITING)
        if is_hard(summary.reason):
            return told(Verdict.FAILED, summary, flags=Flag.RETRYING if busy else 0)
        return told(Verdict.IN_PROGRESS, summary)
    if summary.status == "Unknown":
        return told(Verdict.IN_PROGRESS if busy else Verdict.UNKNOWN, summary)
    if evidence.is_behind and not evidence.is_paused:
        return behind(evidence)
    if busy and reconciling is not None:
        return told(Verdict.IN_PROGRESS, reconciling)
    return told(Verdict.CURRENT, summary)


STATIC = Dialect(judge_static)
FLAG = Dialect(judge_flag, ("status.resources",))
KSTATUS = Dialect(judge_kstatus)
