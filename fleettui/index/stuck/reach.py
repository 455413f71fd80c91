"""Why a workload cluster cannot be reached from its management cluster.

Knows the probe, the endpoint, the age of the kubeconfig and the ends of certificates as
objects tell them; connects to nothing.
Source: Cluster API condition RemoteConnectionProbe; a kubeadm kubeconfig holds a client
certificate of a year, that of a control plane without machines of its own a token of
minutes to an hour, which only a provider that reconciles renews (domain.md rule 6, 7).
"""

from collections.abc import Iterator
from typing import Final

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.stuck.story import Sentence, Story, ago, condition_of, lasting, said, title_of
from fleettui.kinds.moments import rfc3339, unix_seconds
from fleettui.kinds.record import ObjectRef, Verdict
from fleettui.kinds.spec import Role
from fleettui.text import age_text

SOON_S: Final = 30 * 86400
EVIDENCE: Final = "Machine status.certificatesExpiryDate, or its annotation certificates-expiry"


def tell_reach(index: Index, row: Row, now: int) -> Story | None:
    """The story of a cluster whose API server does not answer the controllers."""
    if row.spec.role is not Role.CLUSTER or row.is_deleting:
        return None
    probe = condition_of(row, "RemoteConnectionProbe")
    born = condition_of(row, "ControlPlaneInitialized")
    if probe is None or probe.status != "False" or (born is not None and born.status != "True"):
        return None
    sentences = [
        Sentence(
            f"Its API server has not answered for {lasting(now, probe.since)}: {said(probe)}",
            "condition RemoteConnectionProbe",
            is_blocking=True,
        ),
        *_endpoint(row),
        *_plane(index, row, now),
        *_kubeconfig(index, row, now),
        *_certificates(index, row, now),
        Sentence(
            "What its machines and nodes said is frozen: their conditions are those of before.",
            "conditions of Machines",
        ),
    ]
    return Story("unreachable", tuple(sentences), tuple(_next_steps(row)))


def _endpoint(row: Row) -> Iterator[Sentence]:
    endpoint = row.fact("endpoint")
    if endpoint:
        yield Sentence(f"It should answer at {endpoint}.", "spec.controlPlaneEndpoint")


def _machines(index: Index, row: Row) -> list[Row]:
    planes = [child for child in index.children(row) if child.spec.role is Role.CONTROL_PLANE]
    return [m for plane in planes for m in index.children(plane) if m.spec.role is Role.MACHINE]


def _plane(index: Index, row: Row, now: int) -> Iterator[Sentence]:
    machines = _machines(index, row)
    sick = [m for m in machines if m.health in (Verdict.FAILED, Verdict.STALLED) or m.is_deleting]
    for machine in sick[:3]:
        words = f"{machine.reason}: {' '.join(machine.message.split())}".strip(": ")
        yield Sentence(
            f"{title_of(machine)} of its control plane is {machine.health.value} for"
            f" {lasting(now, machine.since)}: {words}",
            f"Machine condition {machine.condition or 'Ready'}",
            is_blocking=len(sick) == len(machines),
        )
    if machines and not sick:
        yield Sentence(
            f"The machines of its control plane ({len(machines)}) were last said to be well, so"
            " look at the way there first: network, proxy, load balancer, firewall.",
            "Machines",
        )


def _kubeconfig(index: Index, row: Row, now: int) -> Iterator[Sentence]:
    name = f"{row.name}-kubeconfig"
    secret = index.get(ObjectRef(row.context, "", "Secret", row.namespace, name))
    if secret is not None and secret.created_at:
        yield Sentence(f"Its kubeconfig was made {ago(now, secret.created_at)}.", f"Secret {name}")
    planes = [child for child in index.children(row) if child.spec.role is Role.CONTROL_PLANE]
    if not planes or _machines(index, row):
        return
    above = row if row.is_paused else index.paused_above(planes[0])
    if above is not None:
        yield Sentence(
            f"{title_of(above)} is paused by {above.paused_by}: the token in the kubeconfig of a"
            " managed control plane lives minutes to an hour, and nobody renews it now.",
            above.paused_by,
            is_blocking=True,
        )
    else:
        yield Sentence(
            "The kubeconfig of a managed control plane holds a token of minutes to an hour; if"
            " its provider does not reconcile, it has ended.",
            f"Secret {name}",
        )


def _certificates(index: Index, row: Row, now: int) -> Iterator[Sentence]:
    ends = {m: unix_seconds(m.fact("certificates_expire")) for m in _machines(index, row)}
    known = {machine: end for machine, end in ends.items() if end}
    first = min(known.values(), default=0)
    if first - now > SOON_S:
        yield Sentence(
            f"The certificates of its control plane are good until {_day(first)}, in"
            f" {age_text(first - now)}.",
            EVIDENCE,
        )
    for machine, end in known.items():
        if end - now > SOON_S:
            continue
        words = f"ended {ago(now, end)}" if end <= now else f"end in {age_text(end - now)}"
        yield Sentence(
            f"The certificates of {title_of(machine)} {words}, on {_day(end)}.",
            EVIDENCE,
            is_blocking=end <= now,
        )


def _day(seconds: int) -> str:
    return rfc3339(seconds)[:10]


def _next_steps(row: Row) -> Iterator[str]:
    where = f"{row.name} -n {row.namespace}"
    yield (
        f"clusterctl get kubeconfig {where} > k && kubectl --kubeconfig k get --raw /readyz?verbose"
    )
    yield f"kubectl get secret {row.name}-kubeconfig -n {row.namespace} --show-managed-fields"
    yield f"fleettui why cluster/{row.namespace}/{row.name}"
