"""Which step of becoming a node, or a cluster, does not finish.

Source: Cluster API machine contract: bootstrap data, infrastructure, node, health;
cluster: infrastructure, control plane, workers.
"""

from collections.abc import Iterator

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.stuck.story import Sentence, Story, ago, condition_of, lasting, said, title_of
from fleettui.kinds.record import Flag, Verdict
from fleettui.kinds.spec import Role
from fleettui.text import age_text

_MACHINE_STEPS = (
    ("bootstrap data", ("BootstrapConfigReady", "BootstrapReady")),
    ("infrastructure", ("InfrastructureReady",)),
    ("node joined", ("NodeReady", "NodeHealthy")),
    ("healthy", ("NodeHealthy", "HealthCheckSucceeded")),
)
_CLUSTER_STEPS = (
    ("infrastructure", ("InfrastructureReady",)),
    ("control plane initialised", ("ControlPlaneInitialized",)),
    ("control plane available", ("ControlPlaneAvailable", "ControlPlaneReady")),
    ("workers available", ("WorkersAvailable",)),
    ("reachable from here", ("RemoteConnectionProbe",)),
)
_STEPS = {Role.MACHINE: _MACHINE_STEPS, Role.CLUSTER: _CLUSTER_STEPS}
_TROUBLE = frozenset({Verdict.FAILED, Verdict.STALLED, Verdict.IN_PROGRESS, Verdict.UNKNOWN})


def tell_provisioning(index: Index, row: Row, now: int) -> Story | None:
    """The story of a machine or cluster that does not get ready."""
    steps = _STEPS.get(row.spec.role)
    if steps is None or row.is_deleting or row.health not in _TROUBLE:
        return None
    sentences = list(_walk(row, steps, now))
    sentences += _parts(index, row, now)
    age = age_text(now - row.created_at) if row.created_at else "some time"
    opening = Sentence(f"{title_of(row)} exists since {age}.", "metadata.creationTimestamp")
    return Story("not ready", (opening, *sentences), tuple(_next_steps(row)))


def _walk(row: Row, steps: tuple[tuple[str, tuple[str, ...]], ...], now: int) -> Iterator[Sentence]:
    is_first = True
    for title, types in steps:
        condition = condition_of(row, *types)
        if condition is None:
            continue
        if condition.status == "True":
            yield Sentence(f"✓ {title}, {ago(now, condition.since)}", f"condition {condition.type}")
            continue
        since = f" for {age_text(now - condition.since)}" if condition.since else ""
        yield Sentence(
            f"✗ {title}: {said(condition)}{since}",
            f"condition {condition.type}",
            is_blocking=is_first,
        )
        is_first = False


def _parts(index: Index, row: Row, now: int) -> Iterator[Sentence]:
    for edge in index.edges(row):
        if edge.relation not in ("infrastructure", "bootstrap", "control_plane"):
            continue
        target = edge.target
        if target is None:
            yield Sentence(
                f"{edge.key.kind} {edge.key.name} is not there.", edge.evidence, is_blocking=True
            )
        elif target.health is not Verdict.CURRENT:
            words = f"{target.reason}: {' '.join(target.message.split())}".strip(": ")
            yield Sentence(
                f"{title_of(target)} says: {words or target.health.value}",
                f"{edge.evidence}, condition {target.condition or 'none'}",
            )
        if target is not None and target.is_paused:
            yield Sentence(
                f"{title_of(target)} is paused by {target.paused_by}: nothing will happen to it.",
                target.paused_by,
                is_blocking=True,
            )
        if target is not None and target.flags & Flag.ABSENT_STATUS:
            yield Sentence(
                f"{title_of(target)} is untouched for {lasting(now, target.created_at)}.",
                "status is empty",
                is_blocking=True,
            )


def _next_steps(row: Row) -> Iterator[str]:
    if row.spec.role is Role.MACHINE:
        yield "the infrastructure provider's log about this machine: :controllers"
        yield f"clusterctl describe cluster {row.cluster} -n {row.namespace} --show-conditions all"
    else:
        yield f"fleettui why cluster/{row.namespace}/{row.name}"
