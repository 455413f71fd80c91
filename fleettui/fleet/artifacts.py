"""Brings artifacts of Flux sources through the API server's proxy of a service.

Knows where an artifact's URL points and that only a source controller inside the
cluster is asked. Closed in read-only mode, by the gate. The archive is verified by
whoever unpacks it.

Source: Flux source API ``status.artifact.url``, ``http://SERVICE.NAMESPACE.svc…/PATH``.
"""

import re

from fleettui.desired.objects import Manifest, nested, text_of
from fleettui.desired.sources import SourceError, address_of
from fleettui.kube.calls import Purpose
from fleettui.kube.context import KubeContext
from fleettui.kube.faults import ApiError, Fault

_URL = re.compile(
    r"http://(?P<service>[a-z0-9-]+)\.(?P<namespace>[a-z0-9-]+)\.svc\.[a-z0-9.-]+?\.?"
    r"(?::(?P<port>[0-9]{1,5}))?/(?P<path>[^?#\s]+)"
)


async def read_artifact(context: KubeContext, source: Manifest) -> bytes:
    """A source's artifact, ``.tar.gz``, through the API server.

    Raises:
        SourceError: its address is none of a source controller, or it cannot be had here.
    """
    kind, name = text_of(source.get("kind")), text_of(nested(source, "metadata", "name"))
    where = f"{kind}/{name}"
    url = text_of(nested(source, "status", "artifact", "url"))
    found = _URL.fullmatch(url)
    if found is None:
        raise SourceError("its artifact has no address inside the cluster", where=where)
    if not context.policy.writes:
        raise SourceError(
            "its artifact can only be had through the cluster",
            where=where,
            hint="read-only mode closes port-forward and proxy; "
            f"name a folder with its files: --local {address_of(source) or 'URL'}=PATH",
        )
    service = f"http:{found['service']}:{found['port'] or 80}"
    path = f"/api/v1/namespaces/{found['namespace']}/services/{service}/proxy/{found['path']}"
    try:
        return await context.client.get_raw(path, purpose=Purpose.LIST)
    except ApiError as error:
        if error.fault is Fault.FORBIDDEN:
            hint = "it needs get on services/proxy"
        elif error.fault in (Fault.NOT_FOUND, Fault.NOT_SERVED):
            hint = "the controller may have replaced it: look again"
        else:
            hint = error.hint
        raise SourceError(f"its artifact cannot be had: {error}", where=where, hint=hint) from error
