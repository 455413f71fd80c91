"""Transports and contexts as a kubeconfig asks for them."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from kube_server import write_kubeconfig

from fleettui import processes
from fleettui.kube.credentials import Credentials
from fleettui.kube.gate import Policy
from fleettui.kube.kubeconfig import load_kubeconfig
from fleettui.kube.limits import TokenBucket
from fleettui.kube.transport import Transport


@asynccontextmanager
async def transport_to(
    folder: Path,
    server: str,
    *,
    user: tuple[str, ...] = ("token: secret",),
    cluster: tuple[str, ...] = (),
    policy: Policy | None = None,
    environment: dict[str, str] | None = None,
    bucket: TokenBucket | None = None,
) -> AsyncIterator[Transport]:
    """A transport as a kubeconfig asks for it."""
    path = write_kubeconfig(folder / "config", server, user=user, cluster=cluster)
    entry = load_kubeconfig({}, home=folder, explicit=path).context()
    identity = Credentials(
        entry.user, entry.cluster, run=processes.run_async, environment=dict(os.environ)
    )
    transport = Transport(
        entry.cluster,
        identity,
        policy=policy or Policy(),
        environment=environment or {},
        bucket=bucket,
    )
    try:
        yield transport
    finally:
        await transport.close()
