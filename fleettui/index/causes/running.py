"""Reasons that lie with what runs everything else: controllers, webhooks, certificates.

Conditions freeze green when a controller is down, so these come before the objects.
"""

from collections.abc import Iterator
from typing import Final

from fleettui.index.causes.signal import CauseState, Signal
from fleettui.index.controllers import (
    CERTIFICATE,
    DEPLOYMENT,
    STATEFUL_SET,
    WEBHOOKS,
    is_controller,
    kinds_of,
    trouble_of,
    unanswered_services,
)
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.certificates import last_end
from fleettui.kinds.moments import rfc3339, unix_seconds
from fleettui.kinds.record import Verdict
from fleettui.kinds.spec import Role

WATCHED: Final = frozenset({DEPLOYMENT, STATEFUL_SET, CERTIFICATE, *WEBHOOKS})
"""Kinds whose trouble can come with time alone."""
_NAMED: Final = 4
CA_BUNDLES: Final = "ca_bundles"
"""Fact of a webhook configuration: what its services' certificates are checked against."""
SOON_S: Final = 7 * 86400
"""Whoever renews certificates does so weeks before."""


def running_of(index: Index, row: Row, now: int) -> Iterator[Signal]:
    """Reasons of a controller, a webhook configuration or a certificate."""
    if row.spec.role is not Role.CONTROLLER:
        return
    key = (row.group, row.kind)
    if key in (DEPLOYMENT, STATEFUL_SET):
        yield from _controller(index, row, now)
    elif key in WEBHOOKS:
        yield from _webhook(index, row)
        yield from _trust(row, now)
    elif key == CERTIFICATE:
        yield from _certificate(row, now)


def is_troubled(index: Index, row: Row, now: int) -> bool:
    """Whether any of these reasons holds now."""
    return any(True for _ in running_of(index, row, now))


def _controller(index: Index, row: Row, now: int) -> Iterator[Signal]:
    trouble = trouble_of(index, row, now)
    if not trouble or not is_controller(index, row):
        return
    kinds = [spec.kind for spec in kinds_of(index, row.context, row.name)]
    frozen = ""
    if kinds:
        more = f" and {len(kinds) - _NAMED} more kinds" if len(kinds) > _NAMED else ""
        frozen = f"; {', '.join(kinds[:_NAMED])}{more} stay as they are, however green they look"
    told = next((c for c in row.conditions if c.is_bad), None)
    yield Signal(
        CauseState.FAILING,
        weight=84,
        condition=told.type if told else "status.availableReplicas",
        reason=told.reason if told and told.reason else "ControllerDown",
        message=f"controller {row.name}: {trouble}{frozen}",
        since=row.since or (told.since if told else 0),
        is_hard=True,
    )


def _webhook(index: Index, row: Row) -> Iterator[Signal]:
    services = [
        service
        for service in unanswered_services(index, row)
        if not _is_down(index, row.context, service.partition("/")[0])
    ]
    if services and "Fail" in row.fact("failure_policy"):
        yield Signal(
            CauseState.FAILING,
            weight=83,
            condition="webhooks.clientConfig",
            reason="NoEndpoints",
            message=f"nobody answers: Service {', '.join(services)} has no ready endpoint, so "
            "every write that the webhook is asked about is refused",
            since=0,
            is_hard=True,
        )


def _trust(row: Row, now: int) -> Iterator[Signal]:
    """The certificate that the API server checks a webhook's own against."""
    if "Fail" not in row.fact("failure_policy"):
        return
    ends = [end for bundle in set(row.fact(CA_BUNDLES).split(",")) if (end := last_end(bundle))]
    end = min(ends, default=0)
    if not end or end - now > SOON_S:
        return
    is_over = end <= now
    services = ", ".join(dict.fromkeys(row.fact("services").split(", ")))
    yield Signal(
        CauseState.FAILING if is_over else CauseState.WAITING,
        weight=86 if is_over else 40,
        condition="webhooks.clientConfig.caBundle",
        reason="Expired" if is_over else "ExpiresSoon",
        message=f"certificate has expired: that of Service {services} is trusted until "
        f"{rfc3339(end)} only, so every write that the webhook is asked about is refused"
        if is_over
        else f"certificate of Service {services} is trusted until {rfc3339(end)} only, and "
        "nobody has renewed it",
        since=end if is_over else 0,
        is_hard=True,
    )


def _is_down(index: Index, context: str, namespace: str) -> bool:
    """Whether a Deployment beside the Service is not available: that is the reason, then."""
    rows = index.rows(DEPLOYMENT, context=context, namespace=namespace)
    return any(row.health is not Verdict.CURRENT for row in rows)


def _certificate(row: Row, now: int) -> Iterator[Signal]:
    ends = unix_seconds(row.fact("not_after"))
    if ends and ends <= now:
        told = next((c for c in row.conditions if c.status == "False"), None)
        yield Signal(
            CauseState.FAILING,
            weight=86,
            condition=told.type if told else "status.notAfter",
            reason=told.reason if told else "Expired",
            message=f"certificate of {row.fact('dns_names') or row.name} expired at "
            f"{row.fact('not_after')}; whoever asks it over TLS is refused",
            since=ends,
            is_hard=True,
        )
