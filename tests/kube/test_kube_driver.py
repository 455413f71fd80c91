"""The driver against a small real server: lists, watches and what goes wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from aiohttp import web
from kube_server import (
    MACHINE,
    KubeServer,
    kube_server,
    machine,
    read_machine,
    status,
    write_kubeconfig,
)

from fleettui import processes
from fleettui.kinds.batch import Batch, Deleted, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import Record
from fleettui.kube.client import Client
from fleettui.kube.credentials import Credentials
from fleettui.kube.driver import Following, Wanted
from fleettui.kube.gate import Policy
from fleettui.kube.kubeconfig import load_kubeconfig
from fleettui.kube.reflection import CatalogChanged, LinkChanged, Mode, Retry, Saved
from fleettui.kube.resource import Resource
from fleettui.kube.rhythm import Rhythm
from fleettui.kube.transport import Transport

SCOPE = Scope("here", "cluster.x-k8s.io", "Machine")


class FixedClient(Client):
    """A client that knows one kind without asking."""

    served: Resource | None = MACHINE

    async def resolve(
        self, group: str, kind: str, *, versions: Sequence[str], fresh: bool
    ) -> Resource | None:
        """The kind, unless the test took it away."""
        return self.served


class Mirror:
    """What somebody who applies the batches ends up with."""

    def __init__(self) -> None:
        self.versions: dict[str, str] = {}
        self.epoch: set[str] | None = None
        self.statuses: list[ScopeStatus] = []
        self.marks: list[Mark] = []
        self._changed = asyncio.Event()

    def apply(self, batch: Batch) -> None:
        """Applies one batch as the index would."""
        for event in batch.events:
            if isinstance(event, Record):
                self.versions[event.name] = event.resource_version
                if self.epoch is not None:
                    self.epoch.add(event.name)
            elif isinstance(event, Deleted):
                self.versions.pop(event.name, None)
            elif isinstance(event, ScopeStatus):
                self.statuses.append(event)
            else:
                self._mark(event)
        self._changed.set()

    def _mark(self, mark: Mark) -> None:
        self.marks.append(mark)
        if mark is Mark.INIT:
            self.epoch = set()
        elif mark is Mark.INIT_DONE and self.epoch is not None:
            self.versions = {n: v for n, v in self.versions.items() if n in self.epoch}
            self.epoch = None
        elif mark is Mark.FORGET:
            self.versions.clear()

    @property
    def phase(self) -> Phase:
        """The last phase told."""
        return self.statuses[-1].phase if self.statuses else Phase.PENDING

    async def until(self, is_true: Callable[[], bool]) -> None:
        """Waits for batches until something holds."""
        async with asyncio.timeout(120):
            while not is_true():
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), 0.01)


def held(server: KubeServer) -> dict[str, str]:
    """Names and versions on the server."""
    return {n: d["metadata"]["resourceVersion"] for n, d in server.objects.items()}


@asynccontextmanager
async def followed(
    server: KubeServer, folder: Path, *, quick: bool = True, saved: Saved | None = None
) -> AsyncIterator[tuple[Mirror, Following, FixedClient]]:
    """A following of the server's machines, applied to a mirror."""
    config = load_kubeconfig({}, home=folder, explicit=write_kubeconfig(folder / "c", server.url))
    entry = config.context()
    credentials = Credentials(entry.user, entry.cluster, run=processes.run_async, environment={})
    transport = Transport(entry.cluster, credentials, policy=Policy(), environment={})
    client = FixedClient(transport, pace=transport.pace)
    rhythm = Rhythm(chance=lambda: 0.0) if quick else Rhythm()
    wanted = Wanted(SCOPE, lambda _: read_machine, saved=saved)
    following = Following(client, wanted, rhythm=rhythm)
    mirror = Mirror()

    async def consume() -> None:
        async for batch in following.batches():
            mirror.apply(batch)

    task = asyncio.create_task(consume())
    try:
        yield mirror, following, client
    finally:
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await transport.close()


async def test_following_pages_then_watch_ends_equal_to_server(tmp_path: Path) -> None:
    """Without this nobody sees a fleet: pages, then changes, then deletions."""
    async with kube_server() as server:
        server.token = "secret"
        for index in range(1200):
            await server.put(f"m{index}")
        async with followed(server, tmp_path) as (mirror, following, _):
            await mirror.until(lambda: mirror.phase is Phase.LIVE)
            assert mirror.versions == held(server)
            assert mirror.statuses[-1].loaded == 1200
            await mirror.until(lambda: following.state.mode is Mode.WATCHING)
            await server.put("m1")
            await server.drop("m2")
            await mirror.until(lambda: mirror.versions == held(server))
        assert len(server.paths(watch=False)) == 3
        assert len(server.paths(watch=True)) == 1
        assert [s.expected for s in mirror.statuses if s.expected >= 0] == [1200, 1200]


async def test_following_410_in_stream_relists_and_drops_what_was_deleted(tmp_path: Path) -> None:
    """Otherwise objects deleted during an outage stay on screen for ever."""
    async with kube_server() as server:
        for name in "abc":
            await server.put(name)
        async with followed(server, tmp_path) as (mirror, following, _):
            await mirror.until(lambda: following.state.mode is Mode.WATCHING)
            server.objects.pop("b")
            server.version, server.expired = 20_000, 15_000
            server.objects["d"] = machine("d", 20_000)
            for request in server.requests:
                if "watch" in request.query and request.transport:
                    request.transport.abort()
            await mirror.until(lambda: mirror.versions == held(server))
            assert following.state.counters.gone == 1
            assert mirror.marks.count(Mark.INIT_DONE) == 2
            assert Phase.PENDING not in [s.phase for s in mirror.statuses[2:]]


async def _html(request: web.Request) -> web.Response:
    return web.Response(status=502, text="<html>bad gateway</html>", content_type="text/html")


async def _empty(request: web.Request) -> web.Response:
    return web.Response(status=200, body=b"", content_type="application/json")


async def _throttle(request: web.Request) -> web.Response:
    return web.json_response(
        status(429, "TooManyRequests"), status=429, headers={"Retry-After": "0"}
    )


async def _forbid(request: web.Request) -> web.Response:
    return web.json_response(status(403, "Forbidden", "no list on machines"), status=403)


@pytest.mark.parametrize("answer", [_html, _throttle])
async def test_following_transient_answer_is_survived(
    tmp_path: Path, answer: Callable[[web.Request], object]
) -> None:
    """A proxy's page or a busy server must not be shown as objects nor end the scope."""
    async with kube_server() as server:
        await server.put("a")
        server.scripted = [answer]
        async with followed(server, tmp_path) as (mirror, _, _):
            await mirror.until(lambda: mirror.phase is Phase.LIVE)
            assert mirror.versions == held(server)


async def test_following_watch_that_ends_at_once_backs_off(tmp_path: Path) -> None:
    """A server that closes every watch must not be asked a thousand times a second."""
    async with kube_server() as server:
        await server.put("a")
        async with followed(server, tmp_path) as (mirror, following, _):
            await mirror.until(lambda: following.state.mode is Mode.WATCHING)
            server.scripted = [_empty] * 50
            for request in server.requests:
                if "watch" in request.query and request.transport:
                    request.transport.abort()
            before = len(server.requests)
            await mirror.until(lambda: following.state.mode is Mode.BACKOFF)
            await mirror.until(lambda: following.state.counters.short_watches >= 2)
            assert len(server.requests) - before <= 4


async def test_following_forbidden_kind_says_so_and_keeps_quiet(tmp_path: Path) -> None:
    """Missing rights must be named, and must not be knocked at."""
    async with kube_server() as server:
        server.scripted = [_forbid] * 5
        async with followed(server, tmp_path) as (mirror, following, _):
            await mirror.until(lambda: mirror.phase is Phase.FORBIDDEN)
            assert "no list on machines" in mirror.statuses[-1].error
            assert mirror.statuses[-1].retry_at > 0
            assert len(server.requests) == 1
            following.signal(Retry())
            await mirror.until(lambda: len(server.requests) == 2)


async def test_following_kind_not_served_is_absent_until_it_appears(tmp_path: Path) -> None:
    """A missing CRD is no error, and its objects appear once it is installed."""
    async with kube_server() as server:
        await server.put("a")
        FixedClient.served = None
        try:
            async with followed(server, tmp_path) as (mirror, following, client):
                await mirror.until(lambda: mirror.phase is Phase.ABSENT)
                assert not server.requests
                client.served = MACHINE
                following.signal(CatalogChanged())
                await mirror.until(lambda: mirror.versions == held(server))
        finally:
            FixedClient.served = MACHINE


async def test_following_link_down_waits_for_its_probe(tmp_path: Path) -> None:
    """Forty kinds must not each knock at a server that is down."""
    async with kube_server() as server:
        server.scripted = [_html] * 3
        async with followed(server, tmp_path) as (mirror, following, _):
            await mirror.until(lambda: following.state.mode is Mode.BACKOFF)
            following.signal(LinkChanged(False, "refused"))
            await mirror.until(lambda: following.state.mode is Mode.WAIT_LINK)
            server.scripted = []
            following.signal(LinkChanged(True))
            await mirror.until(lambda: mirror.phase is Phase.LIVE)


@pytest.mark.parametrize(("version", "pages"), [("100", 1), ("999999", 2)])
async def test_following_resumes_only_from_a_version_the_server_knows(
    tmp_path: Path, version: str, pages: int
) -> None:
    """A restored server would otherwise stay silent, and old rows would look live."""
    async with kube_server() as server:
        await server.put("a")
        saved = Saved(version, age_s=10)
        async with followed(server, tmp_path, saved=saved) as (mirror, _, _):
            await mirror.until(lambda: mirror.phase is Phase.LIVE)
            assert mirror.statuses[0].phase is Phase.CACHED
            await mirror.until(lambda: mirror.versions == held(server))
            assert len(server.paths(watch=False)) == pages
