"""What runs everything else: controllers, their leaders, webhooks and certificates.

Knows how Deployments, Pods, Leases, EndpointSlices, webhook configurations and
Certificates belong together, and what a controller has left undone; names no cause.
Source: client-go leader election (a leader renews every few seconds);
admissionregistration.k8s.io/v1 clientConfig.service; Flux ``requestedAt``.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Final

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.waiting import waiting_since
from fleettui.index.walking import pieces_of
from fleettui.kinds.charges import Charge, all_charges, charges_of
from fleettui.kinds.moments import unix_seconds
from fleettui.kinds.record import Flag, ObjectRef, Verdict
from fleettui.kinds.spec import KindSpec

DEPLOYMENT: Final = ("apps", "Deployment")
STATEFUL_SET: Final = ("apps", "StatefulSet")
POD: Final = ("", "Pod")
LEASE: Final = ("coordination.k8s.io", "Lease")
ENDPOINTS: Final = ("discovery.k8s.io", "EndpointSlice")
CERTIFICATE: Final = ("cert-manager.io", "Certificate")
WEBHOOKS: Final = (
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
)
KINDS_NEEDED: Final = frozenset(
    {DEPLOYMENT, STATEFUL_SET, POD, LEASE, ENDPOINTS, CERTIFICATE, *WEBHOOKS}
)
"""What has to be followed to know all this."""
LEASE_STALE_S: Final = 120
"""A leader renews every 2 to 10 s; a lease this old has no leader."""
PATIENCE_S: Final = 300
"""How long an object may wait for its controller before it counts as left undone."""
BUSY_S: Final = 3600
"""As long for one that its controller is at work on: a health check may take its time-out."""
_PROVIDER: Final = "cluster.x-k8s.io/provider"
_PART_OF: Final = "app.kubernetes.io/part-of"
_HANDLED: Final = "handled_at"
REQUESTED: Final = "reconcile.fluxcd.io/requestedAt"


@dataclass(slots=True)
class Controller:
    """One controller of one context. Texts are raw."""

    ref: ObjectRef
    version: str = ""
    """Tag of its image."""
    image: str = ""
    desired: int = 0
    available: int = 0
    restarts: int = 0
    pods: list[ObjectRef] = field(default_factory=list)
    leader: str = ""
    """Pod that holds the lease; empty when there is none."""
    lease: str = ""
    renewed_at: int = 0
    """Last renewal of the lease, Unix seconds; 0 without one."""
    kinds: list[str] = field(default_factory=list)
    objects: int = 0
    """Objects that it is in charge of."""
    unobserved: int = 0
    """Objects whose latest specification it has not looked at for minutes."""
    unanswered: int = 0
    """Requests to reconcile that it has not acknowledged for minutes."""
    verdict: Verdict = Verdict.CURRENT
    trouble: str = ""
    """What is wrong with it, in one line; empty when it runs."""
    since: int = 0

    @property
    def lag(self) -> int:
        """Objects that wait for it."""
        return self.unobserved + self.unanswered


def is_controller(index: Index, row: Row) -> bool:
    """Whether a Deployment or StatefulSet runs a controller that matters to the fleet."""
    if (row.group, row.kind) not in (DEPLOYMENT, STATEFUL_SET):
        return False
    if charges_of(row.name) or row.label(_PROVIDER) is not None:
        return True
    if (row.label(_PART_OF) or "") in ("flux", "argocd", "cluster-api"):
        return True
    return lease_of(index, row) is not None


def lease_of(index: Index, row: Row) -> Row | None:
    """The leader Lease that a Pod of the Deployment holds."""
    prefix = f"{row.name}-"
    for lease in index.rows(LEASE, context=row.context, namespace=row.namespace):
        if lease.fact("holder").startswith(prefix):
            return lease
    return None


def controllers_of(index: Index, now: int) -> list[Controller]:
    """Every controller with what it has left undone, troubled ones first."""
    work = surveying(index, now)
    while True:
        try:
            next(work)
        except StopIteration as done:
            found: list[Controller] = done.value
            return found


def surveying(index: Index, now: int) -> Generator[None, None, list[Controller]]:
    """Does as ``controllers_of``, pausing between pieces of what is counted."""
    found = []
    for row in [row for kind in (DEPLOYMENT, STATEFUL_SET) for row in index.rows(kind)]:
        if is_controller(index, row):
            found.append((yield from _controller(index, row, now)))
        yield
    found.sort(key=lambda c: (c.verdict.rank, -c.lag, c.ref))
    return found


def _controller(index: Index, row: Row, now: int) -> Generator[None, None, Controller]:
    image = row.fact("image").split(",")[0].strip()
    replicas = row.replicas
    controller = Controller(
        row.ref,
        version=_tag(image),
        image=image,
        desired=max(replicas.desired, 0) if replicas else 0,
        available=max(replicas.available, 0) if replicas else 0,
        verdict=row.health,
        since=row.since,
    )
    for pod in pods_of(index, row):
        controller.pods.append(pod.ref)
        counts = [int(n) for n in pod.fact("restarts").split(",") if n.strip().isdigit()]
        controller.restarts += sum(counts)
    lease = lease_of(index, row)
    if lease is not None:
        controller.lease = lease.name
        controller.leader = lease.fact("holder").rpartition("_")[0] or lease.fact("holder")
        controller.renewed_at = unix_seconds(lease.fact("renewed_at"))
    for spec in list(kinds_of(index, row.context, row.name)):
        controller.kinds.append(spec.kind)
        yield from _count(index, row.context, spec, controller, now)
    trouble = trouble_of(index, row, now)
    if trouble:
        controller.trouble, controller.verdict = trouble, Verdict.FAILED
    return controller


def _tag(image: str) -> str:
    name = image.partition("@")[0]
    return name.rpartition(":")[2] if ":" in name.rpartition("/")[2] else ""


def kinds_of(index: Index, context: str, deployment: str) -> Iterator[KindSpec]:
    """Kinds with objects in the context that a Deployment is in charge of."""
    charges: tuple[Charge, ...] = charges_of(deployment)
    if charges:
        for spec in index.kinds(context):
            if any(charge.covers(spec) for charge in charges):
                yield spec


def _count(
    index: Index, context: str, spec: KindSpec, controller: Controller, now: int
) -> Iterator[None]:
    for piece in pieces_of(index, [(spec.group, spec.kind)]):
        for row in piece:
            if row.context != context:
                break
            controller.objects += 1
            if is_unobserved(row, now):
                controller.unobserved += 1
            elif is_unanswered(row, now):
                controller.unanswered += 1
        yield


def is_unobserved(row: Row, now: int) -> bool:
    """Whether the latest specification has waited for minutes to be looked at."""
    if not row.state.flags & Flag.STALE_GENERATION.value or row.is_paused:
        return False
    return now - waiting_since(row) > PATIENCE_S


def requested_at(row: Row) -> int:
    """When it was last asked to be reconciled, Unix seconds; 0 for never."""
    return unix_seconds(row.annotation(REQUESTED) or "")


def is_pending(row: Row) -> bool:
    """Whether a request to reconcile has not been acknowledged yet; a paused one waits rightly."""
    if _HANDLED not in row.state.fact_names or row.is_paused:
        return False
    asked = row.annotation(REQUESTED)
    return asked is not None and row.fact(_HANDLED) != asked


def is_unanswered(row: Row, now: int) -> bool:
    """Whether a request to reconcile has waited for minutes to be acknowledged."""
    if not is_pending(row):
        return False
    at = requested_at(row)
    is_busy = row.verdict is Verdict.IN_PROGRESS
    return at > 0 and now - at > (BUSY_S if is_busy else PATIENCE_S)


def pods_of(index: Index, row: Row) -> list[Row]:
    """Pods of a Deployment or StatefulSet, through its ReplicaSets or by name."""
    found = [
        pod
        for child in index.children(row)
        for pod in ([child] if child.kind == "Pod" else index.children(child))
        if pod.kind == "Pod"
    ]
    if found:
        return found
    prefix = f"{row.name}-"
    pods = index.rows(POD, context=row.context, namespace=row.namespace)
    return [pod for pod in pods if pod.name.startswith(prefix)]


def trouble_of(index: Index, row: Row, now: int) -> str:
    """Why a controller does not run, in one line; empty when it does or nothing is known."""
    replicas = row.replicas
    if replicas is not None and replicas.desired == 0:
        return "scaled to 0: nobody reconciles"
    if replicas is not None and replicas.desired > 0 and replicas.available <= 0:
        return f"0 of {replicas.desired} Pods are available"
    lease = lease_of(index, row)
    if lease is not None:
        renewed = unix_seconds(lease.fact("renewed_at"))
        if renewed and now - renewed > LEASE_STALE_S:
            return f"no leader: lease {lease.name} was last renewed {now - renewed} s ago"
    return ""


def unanswered_services(index: Index, webhook: Row) -> list[str]:
    """Services of a webhook configuration without a ready endpoint, as ``namespace/name``."""
    names = [name.strip() for name in webhook.fact("services").split(",") if name.strip()]
    spaces = [name.strip() for name in webhook.fact("namespaces").split(",") if name.strip()]
    found = []
    for place, name in enumerate(dict.fromkeys(names)):
        namespace = spaces[min(place, len(spaces) - 1)] if spaces else ""
        slices = [
            row
            for row in index.rows(ENDPOINTS, context=webhook.context, namespace=namespace)
            if row.fact("service") == name
        ]
        if slices and not any("true" in row.fact("endpoints_ready").lower() for row in slices):
            found.append(f"{slices[0].namespace}/{name}")
    return found


def controller_for(index: Index, context: str, spec: KindSpec) -> Row | None:
    """The Deployment or StatefulSet that reconciles a kind in a context, as far as is known."""
    for kind in (DEPLOYMENT, STATEFUL_SET):
        for row in index.rows(kind, context=context):
            if any(charge.covers(spec) for charge in charges_of(row.name)):
                return row
    return None


def lacks_controller(index: Index, context: str, spec: KindSpec) -> bool:
    """Whether all Deployments are known and none of them reconciles a kind with a known one."""
    if not any(charge.covers(spec) for charge in all_charges()):
        return False
    known = all(
        index.coverage.is_known(context, *kind, namespace="", cluster="")
        for kind in (DEPLOYMENT, STATEFUL_SET)
    )
    has_any = next(index.rows(DEPLOYMENT, context=context), None) is not None
    return known and has_any and controller_for(index, context, spec) is None
