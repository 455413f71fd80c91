"""What one object gives as a reason by itself, read from its structure.

Knows polarity, flags, generations, finalizers, dangling pointers and which
conditions only repeat what neighbours say; refuses to know any reason or message
by heart, so that a controller that words things anew is still understood.
Source: condition types of Cluster API's summaries (api/core/v1beta2), which name
the conditions that mirror other objects; domain.md section 21.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from fleettui.index.causes.hands import conduct_of
from fleettui.index.causes.machine_parts import is_born, is_expected
from fleettui.index.causes.neglect import PATIENCE_S, neglect_of
from fleettui.index.causes.running import running_of
from fleettui.index.causes.sets import sets_of
from fleettui.index.causes.signal import CauseState, Signal
from fleettui.index.index import Edge, Index
from fleettui.index.rows import Row
from fleettui.kinds.dialects.patience import TOPOLOGY_BUSY
from fleettui.kinds.record import Condition, Flag, ObjectRef, Verdict
from fleettui.kinds.spec import Dialect, Role

MIRRORS: Final = frozenset(
    {
        "Ready",
        "Available",
        "UpToDate",
        "MachinesReady",
        "MachinesUpToDate",
        "MachineSetReady",
        "ControlPlaneReady",
        "ControlPlaneAvailable",
        "ControlPlaneInitialized",
        "ControlPlaneMachinesReady",
        "ControlPlaneMachinesUpToDate",
        "WorkersAvailable",
        "WorkerMachinesReady",
        "WorkerMachinesUpToDate",
        "InfrastructureReady",
        "BootstrapConfigReady",
        "BootstrapReady",
        "ReplicasReady",
        "Resized",
        "Initialized",
        "HealthCheckSucceeded",
        "HelmReleaseProxiesReady",
        "HelmReleaseProxySpecsUpToDate",
    }
)
"""Condition types of Cluster API that sum up or repeat what other objects say."""
MIRROR_DIALECTS: Final = frozenset({Dialect.CAPI, Dialect.POOL, Dialect.FLAG})
BUSY: Final = frozenset({"RollingOut", "ScalingUp", "ScalingDown", "Remediating", "Updating"})
DIPPING: Final = frozenset({"EtcdClusterHealthy", "ControlPlaneComponentsHealthy"})
"""Conditions that are False for seconds whenever a control plane Machine comes or goes."""
UNHEALTHY: Final = "HealthCheckSucceeded"
"""Repeats what a Machine's node says, but for time-outs and what hands ask for."""
AFTERMATH: Final = frozenset({"OwnerRemediated", "ExternallyRemediated"})
"""Conditions that tell what is done about an unhealthy Machine, not what is wrong with it."""
REMEDIATION_S: Final = 300
"""How long the owner of an unhealthy Machine may take to replace it."""
DANGLING_RELATIONS: Final = frozenset(
    {
        "infrastructure",
        "control_plane",
        "bootstrap",
        "template",
        "class",
        "source",
        "includes",
        "chart",
        "depends_on",
        "kubeconfig_secret",
        "credentials",
        "resources",
        "remediation",
        "provider",
    }
)
"""Pointers that an object cannot work without, even if it still looks well."""
KIND_RELATIONS: Final = frozenset(
    {"infrastructure", "control_plane", "bootstrap", "template", "class"}
)
"""Pointers that name group and kind themselves: a kind that is not served is never found."""
READ_RELATIONS: Final = frozenset({"credentials"})
"""Pointers that a controller reads each time: one that says all is well has just done so."""
BIRTH_RELATIONS: Final = frozenset({"cloud_owner"})
"""Pointers needed to come into being: no trouble to an object that is well."""
JOINING_S: Final = 600
"""How long the parts of a new machine may take to run; time-outs of health checks are as long."""
FRESH_S: Final = 30
"""How much later than an object what it points at may be read: lists and watches of two kinds
keep no common time, and people apply both in any order."""
LONGEST_CIRCLE: Final = 256
"""Rows looked at in search of a circle of dependsOn."""
_LATER: Final = frozenset({"RemoteConnectionProbe"})
"""Conditions of a Cluster that cannot be True before its control plane answers."""


def signals_of(index: Index, row: Row, now: int) -> Iterator[Signal]:
    """Every reason the object gives by itself, in no order."""
    if row.is_paused:
        yield _paused(row)
    if row.is_deleting:
        yield _deleting(row)
    yield from _dangling(index, row, now)
    yield from _circle(index, row)
    yield from neglect_of(index, row, now)
    yield from _conditions(row, now)
    yield from _verdict(row, now)
    yield from conduct_of(index, row)
    yield from sets_of(index, row, now)
    yield from running_of(index, row, now)


def strongest(index: Index, row: Row, now: int) -> Signal | None:
    """The reason that tells most about the object; None when it is well by itself."""
    found = list(signals_of(index, row, now))
    return max(found, key=lambda signal: signal.weight, default=None)


def _paused(row: Row) -> Signal:
    condition = next((c for c in row.conditions if c.type == "Paused" and c.is_bad), None)
    return Signal(
        CauseState.PAUSED,
        weight=92 if row.is_deleting else 88,  # nothing goes on with its deletion either
        condition=condition.type if condition else row.paused_by,
        reason="Paused",
        message=f"paused by {row.paused_by}"
        + (f": {condition.message}" if condition and condition.message else ""),
        since=condition.since if condition else 0,
        is_hard=True,
    )


def _deleting(row: Row) -> Signal:
    told = next((c for c in row.conditions if c.type == "Deleting" and c.status == "True"), None)
    message = told.message if told else ""
    if row.finalizers:
        message = f"{message}\n" if message else ""
        message += f"held by finalizers: {', '.join(row.finalizers)}"
    return Signal(
        CauseState.DELETING,
        weight=90,
        condition="Deleting" if told else "metadata.finalizers",
        reason=told.reason if told else "Finalizers",
        message=message,
        since=row.deleted_at,
        is_hard=True,
    )


def dangling_edges(index: Index, row: Row) -> Iterator[Edge]:
    """Needed pointers whose target is known not to exist."""
    needed = DANGLING_RELATIONS | BIRTH_RELATIONS
    if row.health is Verdict.CURRENT:
        needed = DANGLING_RELATIONS - READ_RELATIONS if row.conditions else DANGLING_RELATIONS
    for edge in index.unmet(row, needed):
        key = edge.key
        if lacks_kind_of(index, edge) or index.coverage.is_known(
            key.context, key.group, key.kind, namespace=key.namespace, cluster=""
        ):
            yield edge


def lacks_kind_of(index: Index, edge: Edge) -> bool:
    """Whether the server does not even serve the kind of what a pointer names."""
    key = edge.key
    return edge.relation in KIND_RELATIONS and index.coverage.lacks_kind(
        key.context, key.group, key.kind
    )


def _dangling(index: Index, row: Row, now: int) -> Iterator[Signal]:
    if row.is_deleting or now - row.created_at < FRESH_S:
        return
    for edge in dangling_edges(index, row):
        told = _mention_of(row, edge.key)
        message = f"{edge.key.kind} {edge.key.name} does not exist, named by {edge.evidence}"
        if lacks_kind_of(index, edge):
            message += f": the server serves no kind {edge.key.kind} of {edge.key.group}"
        yield Signal(
            CauseState.FAILING,
            weight=85,
            condition=told.type if told else edge.evidence,
            reason=told.reason if told and told.reason else "NotFound",
            message=f"{message}\n{told.message}" if told and told.message else message,
            since=told.since if told else row.created_at,
            is_hard=True,
            missing=edge.key,
        )


def circle_of(index: Index, row: Row) -> list[Row]:
    """The rows of a circle of dependsOn that the row is in, itself first; empty without one."""
    trail: list[Row] = [row]
    seen: set[Row] = set()
    branches = [_dependencies(index, row)]
    while branches:
        following = next(branches[-1], None)
        if following is None:
            branches.pop()
            trail.pop()
        elif following is row:
            return trail
        elif following not in seen and len(seen) < LONGEST_CIRCLE:
            seen.add(following)
            trail.append(following)
            branches.append(_dependencies(index, following))
    return []


def _dependencies(index: Index, row: Row) -> Iterator[Row]:
    if all(shape.relation != "depends_on" for shape in row.state.link_shapes):
        return
    for edge in index.edges(row, "depends_on"):
        if edge.target is not None:
            yield edge.target


def _circle(index: Index, row: Row) -> Iterator[Signal]:
    circle = circle_of(index, row)
    if circle:
        names = " → ".join(f"{member.kind} {member.name}" for member in (*circle, row))
        yield Signal(
            CauseState.FAILING,
            weight=66,
            condition="spec.dependsOn",
            reason="CircularDependency",
            message=f"dependsOn goes in a circle, so none of them is ever applied again: {names}",
            since=0,
            is_hard=True,
        )


def _mention_of(row: Row, key: ObjectRef) -> Condition | None:
    """The condition that names the missing object or its kind, whatever its polarity."""
    name = re.compile(rf"(?<![\w.-]){re.escape(key.name)}(?![\w-])")
    named = [c for c in row.conditions if name.search(c.message)]
    named += [c for c in row.conditions if key.kind in c.message]
    return next(iter(named), None)


def _conditions(row: Row, now: int) -> Iterator[Signal]:
    if row.spec.dialect not in MIRROR_DIALECTS:
        return
    own = [c for c in row.conditions if not c.negative and c.type not in MIRRORS]
    bad = [condition for condition in own if condition.status == "False"]
    if row.spec.role is Role.CLUSTER and not is_born(row):
        bad = [condition for condition in bad if condition.type not in _LATER]
    if row.spec.role is Role.HEALTH_CHECK and row.verdict is Verdict.CURRENT:
        bad = []  # it may not remediate, and has nothing to
    is_starting = row.verdict is Verdict.IN_PROGRESS and (
        row.spec.role in _STEPWISE
        or (row.spec.role is Role.MACHINE and now - row.created_at < JOINING_S)
    )
    is_red = row.verdict in (Verdict.FAILED, Verdict.STALLED)
    for condition in _remediated(row.conditions) if row.spec.role is Role.MACHINE else ():
        is_late = now - condition.since >= REMEDIATION_S
        yield _condition_signal(condition, is_starting=not is_late, waits=False, is_after=True)
    for condition in bad:
        if condition.type in AFTERMATH:
            continue
        is_young = now - condition.since < PATIENCE_S
        is_fresh = is_young and (not is_red or condition.type in DIPPING)
        is_fresh = is_fresh or _is_expected(row, condition.since, now)
        yield _condition_signal(
            condition, is_starting=is_starting or is_fresh, waits=_waits(condition, bad)
        )
    for condition in own:
        if condition.status == "Unknown" and not condition.deprecated:
            yield _signal(CauseState.WAITING, 25, condition)


def _remediated(conditions: Sequence[Condition]) -> Iterator[Condition]:
    """What tells that a Machine is to be replaced, and what became of it."""
    for condition in conditions:
        is_asked = condition.type == UNHEALTHY or condition.type in AFTERMATH
        if is_asked and condition.status == "False" and not condition.deprecated:
            yield condition


def _is_expected(row: Row, since: int, now: int) -> bool:
    """Whether it is so wherever machines are made, and goes by itself."""
    if row.spec.role is Role.HEALTH_CHECK:  # it counts machines that have not started as unwell
        return now - since < JOINING_S
    return is_expected(row, since, now)


def _waits(condition: Condition, bad: list[Condition]) -> bool:
    """Whether the reason names another unfinished step of the same object."""
    return any(other.type in condition.reason for other in bad if other is not condition)


def _condition_signal(
    condition: Condition, *, is_starting: bool, waits: bool, is_after: bool = False
) -> Signal:
    later = 3 if waits else 0
    if is_after:  # the node's own words tell more, what is done about them tells less
        later = 8 if condition.type in AFTERMATH else 6
    if condition.type == "TopologyReconciled" and condition.reason in TOPOLOGY_BUSY:
        return _signal(CauseState.WAITING, 50, condition, is_hard=True)
    if condition.severity == "Info":
        return _signal(CauseState.WAITING, 35 - later, condition)
    if condition.deprecated and condition.severity != "Error":
        return _signal(CauseState.WAITING, 20 - later, condition)
    if is_starting:
        return _signal(CauseState.PROGRESSING, 55 - later, condition, is_hard=True)
    weight = 74 if condition.deprecated else 72
    return _signal(CauseState.FAILING, weight - later, condition, is_hard=True)


def _signal(
    state: CauseState, weight: int, condition: Condition, *, is_hard: bool = False
) -> Signal:
    return Signal(
        state,
        weight,
        condition=condition.type,
        reason=condition.reason,
        message=condition.message,
        since=condition.since,
        is_hard=is_hard,
    )


_STEPWISE: Final = frozenset({Role.INFRA_MACHINE, Role.INFRA_CLUSTER, Role.INFRA_POOL})
"""Objects that are provisioned in steps, each with a condition of its own."""


def _verdict(row: Row, now: int) -> Iterator[Signal]:
    verdict = row.verdict
    if verdict is Verdict.CURRENT or row.is_deleting:
        return
    mirrors = MIRRORS if row.spec.dialect in MIRROR_DIALECTS else frozenset[str]()
    state = row.blamed or row.state
    hard = state.condition not in mirrors and state.condition not in BUSY
    since = row.broken_since or row.told_since
    dips = state.condition in DIPPING and now - since < PATIENCE_S
    is_asked = state.condition == UNHEALTHY or state.condition in AFTERMATH
    dips = dips or (is_asked and now - since < REMEDIATION_S)
    is_soft = dips or state.flags & Flag.WAITING or _is_expected(row, since, now)
    if verdict in (Verdict.FAILED, Verdict.STALLED) and not is_soft:
        is_watcher = row.spec.role is Role.HEALTH_CHECK  # what it watches is the deeper reason
        kind, weight = CauseState.FAILING, 70 if is_watcher else 80 if hard else 60
    elif verdict is Verdict.UNKNOWN:
        kind, weight = CauseState.WAITING, 22
    elif state.flags & Flag.WAITING:
        kind, weight = CauseState.WAITING, 30
    else:
        kind, weight = CauseState.PROGRESSING, 32
    yield Signal(
        kind,
        weight,
        condition=state.condition,
        reason=state.reason,
        message=state.message,
        since=since,
        is_hard=hard and kind is CauseState.FAILING,
    )
