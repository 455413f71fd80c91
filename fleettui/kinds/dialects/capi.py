"""Health of Cluster API objects, in either condition scheme.

Knows the summary conditions, which entries are ordinary progress, which reasons
wait for something else and which are failures. Refuses to know neighbours: that
a Cluster's pools are sick is the index's business. Source: api/core/v1beta2
condition types and reasons; cmd/clusterctl/client/tree; provider contracts.
"""

import re
from collections.abc import Iterable

from fleettui.kinds.conditions import is_old
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
from fleettui.kinds.dialects.patience import can_wait, is_patient
from fleettui.kinds.paths import text_of
from fleettui.kinds.record import Condition, Flag, Verdict

_COMPLETED = re.compile(r"^\d+ of \d+ completed$")
_SUMMARIES = frozenset({"Ready", "Available", "UpToDate"})
_BELOW = frozenset({"MachinesReady", "WorkerMachinesReady", "ControlPlaneMachinesReady"})
"""Entries that repeat what Machines say about themselves."""
_CONSEQUENCES = _BELOW | {
    "MachinesUpToDate",
    "WorkerMachinesUpToDate",
    "ControlPlaneMachinesUpToDate",
    "MachineSetReady",
}
"""Entries that never decide, because the objects below are rows of their own."""
_MIRRORS = frozenset({"WorkersAvailable", "ControlPlaneAvailable"})
_GRAVE = frozenset(
    {
        "CertificatesAvailable", "ControlPlaneComponentsHealthy", "EtcdClusterHealthy",
        "RemediationAllowed", "RemoteConnectionProbe", "TopologyReconciled", "OwnerRemediated",
        "ResourcesApplied", "Discovered", "VariablesReady", "RefVersionsUpToDate",
        "VariablesReconciled", "ProviderInstalled",
    }
)  # fmt: skip
"""Positive entries worth a verdict even beside a summary that is True."""
_LATER = frozenset({"RemoteConnectionProbe", "EtcdClusterHealthy", "ControlPlaneComponentsHealthy"})
"""Entries that cannot be well before the object has been provisioned."""
_STARTING = frozenset({"Pending", "Provisioning"})
_MOVING = frozenset({"ScalingUp", "ScalingDown", "Scaling", "Updating", "Deleting"})


_PROVISIONED = Judgement(Verdict.CURRENT, "ready", "Provisioned")


def _first(conditions: Iterable[Condition]) -> Condition | None:
    return next(iter(conditions), None)


def _is_blocked(condition: Condition) -> bool:
    return "blocked because" in condition.message


class _Entries:
    """The entries of one scheme, sorted by what they do to a verdict."""

    __slots__ = ("bad", "busy", "deleting", "summary", "unknown")

    def __init__(self, conditions: Iterable[Condition], summary_types: tuple[str, ...]) -> None:
        self.summary: Condition | None = None
        self.deleting: Condition | None = None
        self.busy: list[Condition] = []
        self.bad: list[Condition] = []
        self.unknown: list[Condition] = []
        best = len(summary_types)
        for condition in conditions:
            kind = condition.type
            if kind in summary_types:
                rank = summary_types.index(kind)
                if rank < best:
                    best, self.summary = rank, condition
            if condition.negative:
                if condition.status == "True":
                    if kind == "Deleting":
                        self.deleting = condition
                    elif kind != "Paused":
                        self.busy.append(condition)
            elif condition.status == "False":
                if kind not in _SUMMARIES and kind not in _CONSEQUENCES:
                    self.bad.append(condition)
            elif condition.status == "Unknown" and kind not in _SUMMARIES:
                # the controller itself failed: it will not find out by waiting
                is_bad = condition.reason == "InternalError" and kind not in _CONSEQUENCES
                (self.bad if is_bad else self.unknown).append(condition)
        summary = self.summary
        if summary is not None:
            self.bad = [entry for entry in self.bad if entry.type != summary.type]
        if len(self.bad) > 1:
            self.bad.sort(key=lambda entry: entry.status != "False")


def judge_capi(evidence: Evidence) -> Judgement:
    """Verdict of an object that follows a Cluster API contract."""
    if evidence.failure:
        return failed_field(evidence)
    conditions = evidence.conditions
    if not evidence.has_status and not evidence.is_deleting:
        return NO_STATUS
    if not evidence.is_deleting:
        plain = _all_well(evidence, conditions)
        if plain is not None:
            return plain
    newer = [entry for entry in conditions if not is_old(entry)]
    entries = _Entries(newer, evidence.summary)
    flags = 0
    if entries.summary is None and len(newer) < len(conditions):
        legacy = _Entries(conditions, evidence.summary)
        if legacy.summary is not None or not (entries.bad or entries.busy):
            entries, flags = legacy, Flag.LEGACY
    if evidence.is_deleting:
        return _deleting(evidence, entries, flags)
    if entries.summary is None:
        return _without_summary(evidence, entries, flags)
    if _has_nothing_to_do(evidence, entries.summary):
        return told(Verdict.CURRENT, entries.summary, flags=flags)
    if is_old(entries.summary):
        return _old_scheme(evidence, entries, entries.summary, flags)
    return _new_scheme(evidence, entries, entries.summary, flags)


def _has_nothing_to_do(evidence: Evidence, summary: Condition) -> bool:
    """Whether a health check may not remediate, and all that it watches is well.

    Source: with ``unhealthyInRange: [2-3]`` none unhealthy is out of range as well.
    """
    replicas = evidence.replicas
    if summary.type != "RemediationAllowed" or replicas is None:
        return False
    return replicas.ready >= replicas.desired >= 0


def _all_well(evidence: Evidence, conditions: tuple[Condition, ...]) -> Judgement | None:
    """Current, if every entry stands on its good side; the usual case, decided at once."""
    for entry in conditions:
        if entry.status != ("False" if entry.negative else "True") and entry.type != "Paused":
            return None
    if evidence.is_behind or evidence.ready is False or evidence.extras[0] in _STARTING:
        return None
    replicas = evidence.replicas
    if replicas is not None and replicas.ready < replicas.desired:
        return None
    for kind in evidence.summary:
        for entry in conditions:
            if entry.type == kind:
                flags = Flag.LEGACY if entry.deprecated else 0
                return told(Verdict.CURRENT, entry, flags=flags)
    return _PROVISIONED if evidence.ready is True else None


def _deleting(evidence: Evidence, entries: _Entries, flags: int) -> Judgement:
    worst = _first(entry for entry in entries.bad if entry.severity == "Error")
    if worst is not None:
        return told(Verdict.FAILED, worst, flags=flags)
    told_by = entries.deleting or entries.summary
    if told_by is None:
        return Judgement(Verdict.IN_PROGRESS, "deletionTimestamp", "Deleting", flags=flags)
    return told(Verdict.IN_PROGRESS, told_by, flags=flags)


def _old_scheme(evidence: Evidence, entries: _Entries, summary: Condition, flags: int) -> Judgement:
    if summary.status == "True":
        graver = _graver(evidence, summary)
        if graver is not None:
            return told(Verdict.FAILED, graver, flags=flags)
        return _well(evidence, entries, summary, flags)
    if summary.status == "Unknown":
        return _not_known(entries, summary, flags)
    cause = summary
    if not summary.message or not summary.reason or _COMPLETED.match(summary.message):
        alike = [e for e in entries.bad if e.severity == summary.severity]
        cause = _first(e for e in alike if e.message or e.reason) or summary
    if is_waiting(cause.reason) and summary.severity != "Error":
        return told(Verdict.IN_PROGRESS, cause, flags=flags | Flag.WAITING)
    says_nothing = not cause.reason and not cause.message
    unfinished = says_nothing or (cause.reason and not is_hard(cause.reason))
    failed = evidence.extras[0] == "Failed"
    if not failed and (summary.severity == "Info" or (not summary.severity and unfinished)):
        return told(Verdict.IN_PROGRESS, cause, flags=flags)
    return told(Verdict.FAILED, cause, flags=flags)


def _graver(evidence: Evidence, summary: Condition) -> Condition | None:
    """Ready, where it tells a failure beside another summary that is True.

    In the old scheme Ready sums everything up, and ordinary progress makes it a Warning.
    """
    if summary.type == "Ready":
        return None
    ready = _first(e for e in evidence.conditions if e.type == "Ready" and is_old(e))
    if ready is None or ready.status != "False" or is_waiting(ready.reason):
        return None
    return ready if ready.severity == "Error" or is_hard(ready.reason) else None


def _new_scheme(evidence: Evidence, entries: _Entries, summary: Condition, flags: int) -> Judgement:
    if summary.status == "True":
        return _well(evidence, entries, summary, flags)
    blocked = _blocked(entries, flags)
    if blocked is not None:
        return blocked
    starting = _is_starting(evidence)
    hard = _first(entry for entry in entries.bad if _is_failure(entry, starting))
    if hard is not None:
        return told(Verdict.FAILED, hard, flags=flags)
    if is_hard(summary.reason) and summary.status == "False":
        return told(Verdict.FAILED, summary, flags=flags)
    refused = _refusal(evidence)
    if refused is not None:
        return told(Verdict.FAILED, refused, flags=Flag.LEGACY)
    if starting or is_patient(summary.message):
        return _unfinished(entries, summary, flags)
    if summary.status == "Unknown":
        return _not_known(entries, summary, flags)
    softer = [entry for entry in entries.bad if not can_wait(entry)]
    if entries.busy or is_waiting(summary.reason) or (entries.bad and not softer):
        return _unfinished(entries, summary, flags)
    if all(entry.type in _MIRRORS for entry in softer) and _machines_come(evidence):
        return told(Verdict.IN_PROGRESS, summary, flags=flags)
    cause = _first(entry for entry in softer if entry.type in _GRAVE)
    if cause is None and len(softer) == 1 and softer[0].type not in _MIRRORS:
        cause = softer[0]
    return told(Verdict.FAILED, cause or summary, flags=flags)


def _machines_come(evidence: Evidence) -> bool:
    """Whether what is missing is only Machines that are on their way, or going."""
    below = [e for e in evidence.conditions if e.type in _BELOW and not e.deprecated]
    return bool(below) and all(e.status == "True" or can_wait(e) for e in below)


def _is_failure(entry: Condition, starting: bool) -> bool:
    # What a newborn repeats of objects that were not looked at yet is no failure of its own.
    if (starting and entry.type in _LATER | _MIRRORS) or can_wait(entry):
        return False
    return is_hard(entry.reason)


def _refusal(evidence: Evidence) -> Condition | None:
    """What only the old list tells: that creating Machines was refused.

    Source: machineset_controller.go writes MachineCreationFailed to MachinesCreated; the
    newer ScalingUp keeps saying that it scales up.
    """
    return _first(
        entry
        for entry in evidence.conditions
        if entry.type == "MachinesCreated"
        and entry.status == "False"
        and entry.severity == "Error"
        and entry.reason != "PreflightCheckFailed"
    )


def _well(evidence: Evidence, entries: _Entries, summary: Condition, flags: int) -> Judgement:
    """Verdict beside a summary that is True."""
    blocked = _blocked(entries, flags)
    if blocked is not None:
        return blocked
    grave = _first(
        entry
        for entry in entries.bad
        if entry.type in _GRAVE and entry.severity in ("", "Error") and not can_wait(entry)
    )
    if grave is not None and (is_hard(grave.reason) or not entries.busy):
        return told(Verdict.FAILED, grave, flags=flags)
    if entries.busy:
        return told(Verdict.IN_PROGRESS, entries.busy[0], flags=flags)
    if evidence.is_behind and not evidence.is_paused:
        return behind(evidence, flags=flags)
    if evidence.extras[0] in _STARTING:
        return _by_phase(evidence, flags)
    replicas = evidence.replicas
    if summary.type == "RemediationAllowed" and replicas and -1 < replicas.ready < replicas.desired:
        message = f"{replicas.ready} of {replicas.desired} machines are healthy"
        return Judgement(
            Verdict.IN_PROGRESS, "currentHealthy", "UnhealthyMachines", message, flags=flags
        )
    return told(Verdict.CURRENT, summary, flags=flags)


def _by_phase(evidence: Evidence, flags: int) -> Judgement:
    """Verdict by the coarse phase, where nothing better is told."""
    phase = text_of(evidence.extras[0])
    if phase == "Failed":
        verdict = Verdict.FAILED
    elif phase in _MOVING or phase in _STARTING:
        verdict = Verdict.IN_PROGRESS
    else:
        verdict = Verdict.UNKNOWN if phase == "Unknown" else Verdict.CURRENT
    return Judgement(verdict, "phase", phase, flags=flags)


def _blocked(entries: _Entries, flags: int) -> Judgement | None:
    """Progress that its own message calls blocked.

    Source: MachineSet and MachineDeployment ScalingUp messages; a missing template
    never comes by itself, a preflight check waits for another object.
    """
    entry = _first(entry for entry in entries.busy if _is_blocked(entry))
    if entry is None:
        return None
    if "does not exist" in entry.message:
        return told(Verdict.FAILED, entry, flags=flags)
    return told(Verdict.IN_PROGRESS, entry, flags=flags | Flag.WAITING)


def _is_starting(evidence: Evidence) -> bool:
    """Whether the object has never been provisioned."""
    return evidence.ready is False or evidence.extras[0] in _STARTING


def _unfinished(entries: _Entries, summary: Condition, flags: int) -> Judgement:
    step = _first(e for e in entries.bad if not can_wait(e))
    waits = can_wait(summary) or (step is None and bool(entries.bad))
    return told(Verdict.IN_PROGRESS, summary, flags=flags | (Flag.WAITING if waits else 0))


def _not_known(entries: _Entries, summary: Condition, flags: int) -> Judgement:
    if entries.busy:
        return told(Verdict.IN_PROGRESS, summary, flags=flags)
    return told(Verdict.UNKNOWN, summary, flags=flags)


def _without_summary(evidence: Evidence, entries: _Entries, flags: int) -> Judgement:
    """Verdict of kinds that sum nothing up, and of objects too young for a summary."""
    blocked = _blocked(entries, flags)
    if blocked is not None:
        return blocked
    refused = _refusal(evidence)
    if refused is not None:
        return told(Verdict.FAILED, refused, flags=Flag.LEGACY)
    grave = _first(
        entry
        for entry in entries.bad
        if (entry.type in _GRAVE or is_hard(entry.reason))
        and entry.severity in ("", "Error")
        and not can_wait(entry)
    )
    if grave is not None:
        return told(Verdict.FAILED, grave, flags=flags)
    if evidence.extras[0] == "Failed":
        return _by_phase(evidence, flags)
    step = _first((*entries.bad, *entries.busy))
    if evidence.ready is False:
        if step is not None:
            return told(Verdict.IN_PROGRESS, step, flags=flags)
        return Judgement(Verdict.IN_PROGRESS, "ready", "NotReady", flags=flags)
    if entries.busy:
        return told(Verdict.IN_PROGRESS, entries.busy[0], flags=flags)
    if not evidence.has_status:
        return NO_STATUS
    doubt = _first(e for e in entries.unknown if e.type not in _CONSEQUENCES)
    if doubt is not None and evidence.ready is not True:
        if can_wait(doubt):
            return told(Verdict.IN_PROGRESS, doubt, flags=flags | Flag.WAITING)
        return told(Verdict.UNKNOWN, doubt, flags=flags)
    if evidence.is_behind and not evidence.is_paused:
        return behind(evidence, flags=flags)
    if evidence.ready is None and not any(c.type != "Paused" for c in evidence.conditions):
        if evidence.extras[0]:
            return _by_phase(evidence, flags)
        message = "nothing about its health has been reported"
        return Judgement(Verdict.UNKNOWN, "", "NotReported", message, flags=flags)
    if evidence.ready is True:
        return _PROVISIONED._replace(flags=flags)
    return Judgement(Verdict.CURRENT, flags=flags)


CAPI = Dialect(
    judge_capi,
    ("status.phase",),
    ("spec.availabilityGates", "spec.readinessGates"),
)
