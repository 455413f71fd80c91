"""One context opened: everything the rest of the program asks of a cluster.

Composes transport, discovery, access reviews, link monitor and reflectors; the
rules are theirs. Importing this module costs no HTTP library: ``prepare`` loads
those in a thread, after the first frame.
"""

import asyncio
import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleettui import processes
from fleettui.errors import ConnectError, RefusedError
from fleettui.kinds.batch import Scope
from fleettui.kinds.record import ObjectKey
from fleettui.kube.access import AccessReviews, Identity
from fleettui.kube.calls import Call, Purpose
from fleettui.kube.catalog import Catalog
from fleettui.kube.client import Client
from fleettui.kube.credentials import Credentials
from fleettui.kube.definitions import DefinitionWatch
from fleettui.kube.discovery import Discovery
from fleettui.kube.driver import Following, ReaderFor, Wanted
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.gate import Policy
from fleettui.kube.kubeconfig import ContextEntry
from fleettui.kube.kubeconfig_entries import ExecPlugin
from fleettui.kube.limits import Turnstile
from fleettui.kube.link import LinkMonitor, LinkState, Reach
from fleettui.kube.plugins import ProgramRunner
from fleettui.kube.reflection import (
    CatalogChanged,
    CredentialsChanged,
    LinkChanged,
    Retry,
    Saved,
)
from fleettui.kube.resource import Resource
from fleettui.kube.rhythm import Rhythm
from fleettui.kube.sockets import raise_socket_limit
from fleettui.kube.source import CLUSTER_LABEL
from fleettui.kube.tenancy import Tenancy
from fleettui.kube.writer import DryRuns, Writer

if TYPE_CHECKING:
    from fleettui.kube.shell import GuardedApiClient
    from fleettui.kube.transport import Transport


async def prepare() -> None:
    """Loads the HTTP library in a thread; costs some 0.2 s of processor time once."""
    raise_socket_limit()
    await asyncio.to_thread(importlib.import_module, "fleettui.kube.transport")


def _refuse_none(plugin: ExecPlugin) -> str:
    return ""


PAGES_READ = 2
"""Pages of a context that are read at once: while one rests the other goes on."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a context takes from the process it runs in."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables for plug-ins and proxies."""
    run: ProgramRunner = processes.run_async
    plugin_refusal: Callable[[ExecPlugin], str] = _refuse_none
    """Why a credential program must not be run; empty: it may."""
    rhythm: Rhythm = field(default_factory=Rhythm)


class _SourceClient(Client):
    """A client that also knows what is served."""

    def __init__(self, transport: "Transport", discovery: Discovery) -> None:
        super().__init__(transport, pace=transport.pace)
        self._discovery = discovery

    async def resolve(
        self, group: str, kind: str, *, versions: Sequence[str], fresh: bool
    ) -> Resource | None:
        """What serves a kind, None if nothing does."""
        return await self._discovery.resolve(group, kind, versions=versions, fresh=fresh)


class KubeContext:
    """One management (or workload) cluster, seen as one identity."""

    def __init__(
        self, name: str, transport: "Transport", *, entry: ContextEntry, around: Surroundings
    ) -> None:
        """Compose; nothing is asked yet."""
        self.name = name
        self.entry = entry
        self.discovery = Discovery(transport)
        self.access = AccessReviews(transport)
        self.tenancy = Tenancy(transport, self.access)
        self._transport = transport
        self._around = around
        self._client = _SourceClient(transport, self.discovery)
        self._followings: set[Following] = set()
        self._readers = Turnstile(PAGES_READ)
        self._tasks: list[asyncio.Task[None]] = []
        self._monitor = LinkMonitor(
            self._probe,
            changed=self._link_changed,
            woken=self._woken,
            arrived_at=lambda: transport.pace.arrived_at,
        )
        self.definitions = DefinitionWatch(
            self.discovery, self._internal_following, changed=self._catalog_changed
        )

    # What it is ------------------------------------------------------------------

    @property
    def policy(self) -> Policy:
        """What may leave for this cluster."""
        return self._transport.policy

    @property
    def link(self) -> LinkState:
        """How the connection is."""
        return self._monitor.state

    @property
    def heard_at(self) -> float:
        """Unix seconds of the server's last sign of life, 0 for never."""
        return self._monitor.heard_at

    @property
    def transport(self) -> "Transport":
        """The guarded transport, for its pace, warnings and clock skew."""
        return self._transport

    @property
    def client(self) -> Client:
        """Requests that have no method here."""
        return self._client

    # Life ------------------------------------------------------------------------

    async def connect(self) -> Catalog:
        """Learns what the server serves.

        Raises:
            ConnectError: the server cannot be reached or does not accept us.
        """
        return await self.discovery.catalog()

    def start(self) -> None:
        """Begins to watch over the link and the kinds served; returns at once."""
        if not self._tasks:
            self._tasks = [
                asyncio.create_task(self._monitor.run(), name=f"link {self.name}"),
                asyncio.create_task(self.definitions.run(), name=f"definitions {self.name}"),
            ]

    async def close(self) -> None:
        """Ends everything and closes every connection."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        await self._transport.close()

    def retry(self) -> None:
        """Ends every wait of this context: a person asks for it now."""
        self._monitor.hurry()
        self.access.doubt_all()
        for following in self._followings:
            following.signal(CredentialsChanged())
            following.signal(Retry())

    # Reading ---------------------------------------------------------------------

    def follow(
        self,
        scope: Scope,
        reader_for: ReaderFor,
        *,
        versions: Sequence[str] = (),
        metadata_only: bool = False,
        streams_first: bool = False,
        rank: int = 0,
        saved: Saved | None = None,
        selector: str = "",
    ) -> Following:
        """A list and watch of one scope; iterate over its ``batches()``.

        Args:
            scope: what is followed; its cluster, if any, becomes a label selector.
            reader_for: gives the reader for the version that is served.
            versions: versions that the readers understand, best first.
            metadata_only: no row needs the body.
            streams_first: ask for the first list as a stream (KEP-3157).
            rank: lower is listed first.
            saved: where an earlier run stopped.
            selector: label selector, instead of that of the scope's cluster.
        """
        own = f"{CLUSTER_LABEL}={scope.cluster}" if scope.cluster else ""
        wanted = Wanted(
            scope,
            reader_for,
            versions=tuple(versions),
            label_selector=selector or own,
            metadata_only=metadata_only,
            streams_first=streams_first,
            rank=rank,
            saved=saved,
        )
        return self._internal_following(wanted)

    def forget(self, following: Following) -> None:
        """Stops telling a following about the link; call it when it is no longer iterated."""
        self._followings.discard(following)

    async def resolve(self, key: ObjectKey) -> Resource:
        """What serves the kind of an object.

        Raises:
            ApiError: NOT_SERVED, or discovery failed.
        """
        resource = await self.discovery.resolve(key.group, key.kind)
        if resource is None:
            raise ApiError(
                f"{key.kind} is not served here", fault=Fault.NOT_SERVED, where=self.name
            )
        return resource

    async def body(self, key: ObjectKey, *, purpose: Purpose = Purpose.SHORT) -> bytes:
        """One object as the server has it now, JSON; of a Secret only its metadata.

        Raises:
            ApiError: NOT_FOUND, FORBIDDEN and what else can go wrong.
        """
        resource = await self.resolve(key)
        return await self._client.body(
            resource, namespace=key.namespace, name=key.name, purpose=purpose
        )

    async def secret(self, namespace: str, name: str) -> bytes:
        """One Secret with its contents, JSON: for a workload kubeconfig, on request.

        Raises:
            ReadOnlyViolation: the policy does not allow it.
            ApiError: NOT_FOUND, FORBIDDEN and what else can go wrong.
        """
        path = Resource("", "v1", "secrets", "Secret").path(namespace=namespace, name=name)
        return await self._client.get_raw(path)

    async def identity(self) -> Identity | None:
        """Who the server thinks the person is; None if it does not tell."""
        return await self.access.identity()

    async def namespace_scopes(self, scope: Scope) -> Sequence[Scope]:
        """The scopes that can be followed instead of one that is forbidden as a whole.

        Raises:
            ApiError: the server did not answer.
        """
        resource = await self.resolve(ObjectKey(scope.group, scope.kind, "", ""))
        if not resource.namespaced or scope.namespace:
            return ()
        names = await self.tenancy.readable(
            resource, candidates=(self.entry.namespace or "default",)
        )
        return [scope._replace(namespace=name) for name in names]

    # Writing ---------------------------------------------------------------------

    def writer(self) -> Writer:
        """The one way to change things here.

        Raises:
            ReadOnlyViolation: this context is read-only.
        """
        return Writer(self._transport, policy=self.policy)

    def dry_runs(self) -> DryRuns:
        """Asks what an apply would give, and stores nothing.

        Raises:
            ReadOnlyViolation: this context is read-only.
        """
        return DryRuns(self._transport, policy=self.policy)

    async def api_client(self) -> "GuardedApiClient":
        """kubernetes_asyncio's client on the guarded transport; the first call imports it."""
        shell = await asyncio.to_thread(importlib.import_module, "fleettui.kube.shell")
        client: GuardedApiClient = shell.api_client(self._transport)
        return client

    # Signals ---------------------------------------------------------------------

    def _internal_following(self, wanted: Wanted) -> Following:
        following = Following(
            self._client,
            wanted,
            rhythm=self._around.rhythm,
            is_link_up=self._monitor.state.reach is not Reach.DOWN,
            troubled=self._troubled,
            readers=self._readers,
        )
        self._followings.add(following)
        return following

    async def _probe(self) -> None:
        async with self._transport.open(Call("/readyz", purpose=Purpose.PROBE)) as answer:
            await answer.read(limit_bytes=1 << 16)

    def _link_changed(self, state: LinkState) -> None:
        if state.reach is Reach.DOWN:
            # Watches on half-open connections would look live for minutes.
            self._transport.drop_watches()
        for following in self._followings:
            following.signal(LinkChanged(state.reach is Reach.UP, state.error))

    def _troubled(self, fault: Fault, resource: Resource | None) -> None:
        if fault is Fault.FORBIDDEN and resource is not None:
            self.access.refused(resource)
        elif fault in (Fault.UNREACHABLE, Fault.CUT):
            self._monitor.suspect()

    def _catalog_changed(self) -> None:
        for following in self._followings:
            following.signal(CatalogChanged())

    def _woken(self) -> None:
        self._transport.drop_watches()


async def open_context(entry: ContextEntry, *, policy: Policy, around: Surroundings) -> KubeContext:
    """A context that is ready to be asked; nothing is connected yet.

    Args:
        entry: the context in the kubeconfig.
        policy: what may leave, for the context's whole life.
        around: environment and program runner.

    Raises:
        UsageError: the entry is broken, or its server or proxy is not supported.
        RefusedError: the credential program must not be run.
    """
    entry.require()
    plugin = entry.user.plugin if entry.user else None
    reason = around.plugin_refusal(plugin) if plugin else ""
    if plugin and reason:
        raise RefusedError(
            f"the credential plug-in {plugin.command} is not run: {reason}", where=entry.name
        )
    await prepare()
    from fleettui.kube.transport import Transport

    if not entry.cluster.server:
        raise ConnectError("the context has no server", where=entry.name)
    credentials = Credentials(
        entry.user, entry.cluster, run=around.run, environment=around.environment
    )
    transport = Transport(entry.cluster, credentials, policy=policy, environment=around.environment)
    return KubeContext(entry.name, transport, entry=entry, around=around)


async def cluster_uid(context: KubeContext) -> str:
    """UID of the namespace kube-system: what a cluster is, whatever it is called.

    Empty when it may not be read.

    Raises:
        ApiError: the server did not answer.
    """
    try:
        body = await context.body(ObjectKey("", "Namespace", "", "kube-system"))
    except ApiError as error:
        if error.fault in (Fault.FORBIDDEN, Fault.NOT_FOUND):
            return ""
        raise
    return context.definitions.uid_of(body)
