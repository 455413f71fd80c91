"""Which machine holds up a rollout, upgrade or scaling.

Source: Cluster API MachineDeployment and KubeadmControlPlane rollout (maxSurge,
preflight checks ControlPlaneIsStable and version skew), conditions RollingOut,
ScalingUp, ScalingDown; MachineHealthCheck's limits.
"""

from collections.abc import Iterator

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.stuck.story import Sentence, Story, condition_of, lasting, said, title_of
from fleettui.kinds.record import Verdict
from fleettui.kinds.spec import Role

_ROLES = frozenset({Role.WORKERS, Role.CONTROL_PLANE, Role.MACHINE_POOL})
_MOVES = ("RollingOut", "ScalingUp", "ScalingDown")


def tell_rollout(index: Index, row: Row, now: int) -> Story | None:
    """The story of machines being replaced, added or removed."""
    if row.spec.role not in _ROLES or row.is_deleting:
        return None
    moves = [c for kind in _MOVES if (c := condition_of(row, kind)) and c.status == "True"]
    replicas = row.replicas
    is_behind = replicas is not None and 0 <= replicas.up_to_date < replicas.desired
    if not moves and not is_behind:
        return None
    sentences = [
        Sentence(
            f"{move.type} for {lasting(now, move.since)}: {said(move)}", f"condition {move.type}"
        )
        for move in moves
    ]
    sentences += _counts(row)
    sentences += _sets(index, row)
    sentences += _blockers(index, row, now)
    if row.is_paused:
        sentences.append(
            Sentence(
                f"It is paused by {row.paused_by}: no machine is replaced until resumed.",
                row.paused_by,
                is_blocking=True,
            )
        )
    return Story("rollout under way", tuple(sentences), tuple(_next_steps(row)))


def _counts(row: Row) -> Iterator[Sentence]:
    counters = row.replicas
    if counters is None:
        return
    known = [
        f"{value} {name}"
        for name, value in (
            ("wanted", counters.desired),
            ("there", counters.current),
            ("ready", counters.ready),
            ("available", counters.available),
            ("up to date", counters.up_to_date),
        )
        if value >= 0
    ]
    yield Sentence(f"Machines: {', '.join(known)}.", "spec.replicas and status")


def _sets(index: Index, row: Row) -> Iterator[Sentence]:
    sets = [child for child in index.children(row) if child.spec.role is Role.MACHINE_SET]
    if len(sets) < 2:
        return
    newest = max(sets, key=lambda child: (_revision(child), child.created_at))
    for child in sets:
        counters = child.replicas
        if counters is None or (counters.desired == 0 and counters.current == 0):
            continue
        name = "new" if child is newest else "old"
        yield Sentence(
            f"The {name} MachineSet {child.name} has {counters.current} of {counters.desired}"
            f" machines, {max(counters.ready, 0)} ready.",
            f"MachineSet {child.name}",
        )


def _revision(row: Row) -> int:
    text = row.fact("revision")
    return int(text) if text.isdecimal() else 0


def _machines(index: Index, row: Row) -> Iterator[Row]:
    for child in index.children(row):
        if child.spec.role is Role.MACHINE:
            yield child
        elif child.spec.role is Role.MACHINE_SET:
            yield from _machines(index, child)


def _blockers(index: Index, row: Row, now: int) -> Iterator[Sentence]:
    for child in index.children(row):
        if child.spec.role is not Role.MACHINE_SET:
            continue
        up = condition_of(child, "ScalingUp")
        if up is not None and up.status == "True" and up.message:
            yield Sentence(
                f"{title_of(child)}: {said(up)}", "condition ScalingUp", is_blocking=True
            )
    sick = [m for m in _machines(index, row) if m.health is not Verdict.CURRENT or m.is_deleting]
    for machine in sorted(sick, key=lambda m: m.since or now)[:5]:
        state = "is being deleted" if machine.is_deleting else machine.health.value
        words = f"{machine.reason}: {' '.join(machine.message.split())}".strip(": ")
        yield Sentence(
            f"{title_of(machine)} {state}: {words}",
            f"Machine condition {machine.condition or 'Ready'}",
            is_blocking=True,
        )


def _next_steps(row: Row) -> Iterator[str]:
    if row.is_paused:
        yield f"resume it: fleettui resume {row.kind.lower()}/{row.namespace}/{row.name}"
    yield f"fleettui describe cluster {row.namespace}/{row.cluster} --show-machinesets"


def tell_health_check(index: Index, row: Row, now: int) -> Story | None:
    """The story of a health check that may not remediate."""
    if row.spec.role is not Role.HEALTH_CHECK:
        return None
    allowed = condition_of(row, "RemediationAllowed")
    if allowed is None or allowed.status != "False":
        return None
    sick = [m for m in _watched(index, row) if m.health is not Verdict.CURRENT]
    limit = row.fact("max_unhealthy")
    sentences = [
        Sentence(
            f"It does not remediate for {lasting(now, allowed.since)}: {said(allowed)}",
            "condition RemediationAllowed",
            is_blocking=True,
        ),
        Sentence(f"Its limit is {limit or 'not set'}.", "spec.remediation"),
        *(
            Sentence(
                f"{title_of(machine)}: {machine.reason}: {' '.join(machine.message.split())}",
                "Machine",
            )
            for machine in sick[:5]
        ),
    ]
    step = "repair machines until fewer are unhealthy than the limit, or delete one by hand"
    return Story("remediation blocked", tuple(sentences), (step,))


def _watched(index: Index, row: Row) -> Iterator[Row]:
    cluster = row.parent
    if cluster is None:
        return
    queue = list(index.children(cluster))
    for child in queue:
        if child.spec.role is Role.MACHINE:
            yield child
        queue.extend(index.children(child))
