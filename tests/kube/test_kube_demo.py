"""A whole opened context against the demo's API server over HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import msgspec
import pytest
from kube_server import write_kubeconfig

from fleettui.demo.apiserver.authz import demo_access
from fleettui.demo.apiserver.certificate import new_identity
from fleettui.demo.apiserver.faults import Fault as DemoFault
from fleettui.demo.apiserver.server import ApiServer
from fleettui.demo.apiserver.store import Store
from fleettui.demo.world import build_world
from fleettui.kinds.batch import Deleted, Mark, Phase, Scope, ScopeStatus
from fleettui.kinds.record import ObjectKey, Record
from fleettui.kube.access import Question
from fleettui.kube.context import KubeContext, Surroundings, cluster_uid, open_context
from fleettui.kube.definitions import metadata_reader
from fleettui.kube.driver import Following
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.gate import Policy, ReadOnlyViolation
from fleettui.kube.kubeconfig import load_kubeconfig
from fleettui.kube.link import Reach
from fleettui.kube.reflection import Mode
from fleettui.kube.rhythm import Rhythm
from fleettui.kube.writer import PatchType, Target

MACHINES = Scope("demo", "cluster.x-k8s.io", "Machine")
CLUSTER = ("cluster.x-k8s.io", "Cluster")
QUICK = Rhythm(chance=lambda: 0.0)
TENANT = "default"


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    """A management cluster with a few workload clusters, behind TLS."""
    world = build_world(0, 1, clusters=6, seed=3, now=datetime.now(UTC))
    access = demo_access(
        admin="admin", oncall="oncall", tenant="tenant", tenant_namespaces=(TENANT,)
    )
    identity = new_identity()
    api = ApiServer(Store(world), access, tls=identity.context())
    api.ca_pem = identity.ca_pem  # type: ignore[attr-defined]  # carried along for the kubeconfig
    await api.start()
    yield api
    await api.stop()


@asynccontextmanager
async def opened(
    server: ApiServer, folder: Path, *, token: str = "oncall", policy: Policy | None = None
) -> AsyncIterator[KubeContext]:
    """A context as the kubeconfig asks for it."""
    (folder / "ca.pem").write_bytes(server.ca_pem)  # type: ignore[attr-defined]  # see the fixture
    path = write_kubeconfig(
        folder / "config",
        server.url,
        user=(f"token: {token}",),
        cluster=("certificate-authority: ca.pem",),
    )
    entry = load_kubeconfig({}, home=folder, explicit=path).context()
    context = await open_context(
        entry, policy=policy or Policy(), around=Surroundings(rhythm=QUICK)
    )
    try:
        yield context
    finally:
        await context.close()


class Rows:
    """Names and versions of one scope, as they arrive."""

    def __init__(self, context: KubeContext, scope: Scope = MACHINES) -> None:
        self.versions: dict[str, str] = {}
        self.status = ScopeStatus(Phase.PENDING)
        self.following: Following = context.follow(scope, metadata_reader)
        self._seen: set[str] | None = None
        self._task = asyncio.create_task(self._consume())

    async def _consume(self) -> None:
        async for batch in self.following.batches():
            for event in batch.events:
                if isinstance(event, Record):
                    self.versions[event.name] = event.resource_version
                    if self._seen is not None:
                        self._seen.add(event.name)
                elif isinstance(event, Deleted):
                    self.versions.pop(event.name, None)
                elif isinstance(event, ScopeStatus):
                    self.status = event
                elif event is Mark.INIT:
                    self._seen = set()
                elif event is Mark.INIT_DONE and self._seen is not None:
                    self.versions = {n: self.versions[n] for n in self._seen}
                    self._seen = None

    async def close(self) -> None:
        """Ends the following."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task


async def until(is_true: Callable[[], bool]) -> None:
    """Lets everything run until something holds."""
    async with asyncio.timeout(120):
        while not is_true():
            await asyncio.sleep(0.005)


async def truth(context: KubeContext) -> dict[str, str]:
    """Names and versions of all Machines, listed now."""
    resource = await context.resolve(ObjectKey("cluster.x-k8s.io", "Machine", "", ""))
    read = metadata_reader(resource)
    records = [read(document) for document in await context.client.list_objects(resource)]
    return {record.name: record.resource_version for record in records}


async def test_context_follows_and_sees_its_own_patch(server: ApiServer, tmp_path: Path) -> None:
    """What a person changes must show on screen through the watch, and only once."""
    async with opened(server, tmp_path, token="admin", policy=Policy(writes=True)) as context:
        rows = Rows(context)
        await until(lambda: rows.following.state.mode is Mode.WATCHING)
        held = await truth(context)
        assert rows.versions == held
        assert rows.versions
        key = ObjectKey("cluster.x-k8s.io", "Machine", "", "")
        resource = await context.resolve(key)
        documents = await context.client.list_objects(resource, limit=500)
        record = metadata_reader(resource)(documents[0])
        target = Target(resource, record.namespace, record.name)
        answer = await context.writer().patch(
            target,
            b'{"metadata":{"annotations":{"test":"1"}}}',
            patch_type=PatchType.MERGE,
            dry_run=True,
        )
        assert msgspec.json.decode(answer)["metadata"]["annotations"]["test"] == "1"
        assert await truth(context) == held
        await context.writer().patch(
            target, b'{"metadata":{"annotations":{"test":"1"}}}', patch_type=PatchType.MERGE
        )
        await until(lambda: rows.versions[record.name] != held[record.name])
        with pytest.raises(ApiError) as caught:
            await context.writer().delete(target, uid="somebody-else")
        assert caught.value.fault is Fault.CONFLICT
        await rows.close()
    resources = server.recorder.by_resource["machines.cluster.x-k8s.io"]
    assert resources["watch"] == 1


async def test_context_read_only_reads_everything_and_writes_nothing(
    server: ApiServer, tmp_path: Path
) -> None:
    """On call, nothing but reads and reviews may ever reach the server."""
    async with opened(server, tmp_path) as context:
        catalog = await context.connect()
        assert CLUSTER in catalog.kinds
        context.start()
        await until(lambda: context.definitions.is_known)
        labels = context.definitions.definitions["machines.cluster.x-k8s.io"].labels
        assert any(label.startswith("cluster.x-k8s.io/") for label in labels)
        identity = await context.identity()
        assert identity is not None
        assert identity.username == "demo-oncall"
        assert await cluster_uid(context)
        allowed = await context.access.may(Question("list", "cluster.x-k8s.io", "machines"))
        assert allowed.allowed
        refused = await context.access.may(Question("patch", "cluster.x-k8s.io", "machines"))
        assert not refused.allowed
        resource = await context.resolve(ObjectKey("cluster.x-k8s.io", "Cluster", "", ""))
        record = metadata_reader(resource)((await context.client.list_objects(resource))[0])
        key = ObjectKey(record.group, record.kind, record.namespace, record.name)
        assert record.name.encode() in await context.body(key)
        await context.client.events(
            key.kind, namespace=key.namespace, name=key.name, uid=record.uid
        )
        table = await context.client.table(resource)
        assert table.column_definitions[0].name.lower() == "name"
        assert await context.discovery.printer_columns(resource)
        with pytest.raises(ReadOnlyViolation):
            context.writer()
        with pytest.raises(ReadOnlyViolation):
            await context.secret(record.namespace, f"{record.name}-kubeconfig")
    verbs = {(r.verb, r.method) for r in server.recorder.requests if r.verb}
    assert {verb for verb, _ in verbs} <= {"get", "list", "watch", "create"}
    created = {r.resource for r in server.recorder.requests if r.verb == "create"}
    assert created <= {
        "selfsubjectaccessreviews.authorization.k8s.io",
        "selfsubjectreviews.authentication.k8s.io",
    }


async def test_context_one_namespace_only_finds_that_namespace(
    server: ApiServer, tmp_path: Path
) -> None:
    """A tenant who may not list everything must still see what is theirs."""
    async with opened(server, tmp_path, token="tenant") as context:
        rows = Rows(context)
        await until(lambda: rows.status.phase is Phase.FORBIDDEN)
        assert "machines" in rows.status.error
        scopes = await context.namespace_scopes(MACHINES)
        assert [scope.namespace for scope in scopes] == [TENANT]
        await rows.close()
        own = Rows(context, scopes[0])
        await until(lambda: own.status.phase is Phase.LIVE)
        await own.close()


async def test_context_wrong_token_waits_and_is_named(server: ApiServer, tmp_path: Path) -> None:
    """An expired sign-in must be told in one line, for this context only."""
    async with opened(server, tmp_path, token="wrong") as context:
        with pytest.raises(ApiError) as caught:
            await context.connect()
        assert caught.value.fault is Fault.UNAUTHORIZED
        rows = Rows(context)
        await until(lambda: rows.following.state.mode is Mode.AUTH_WAIT)
        assert rows.status.error
        assert rows.status.retry_at
        await rows.close()


async def test_context_server_gone_and_back_converges(server: ApiServer, tmp_path: Path) -> None:
    """Old rows stay, marked stale, and what changed meanwhile is there afterwards."""
    async with opened(server, tmp_path, token="admin") as context:
        context.start()
        rows = Rows(context)
        await until(lambda: rows.following.state.mode is Mode.WATCHING)
        before = dict(rows.versions)
        back = asyncio.create_task(server.pause(3))
        await until(lambda: rows.status.phase is Phase.STALE)
        await until(lambda: context.link.reach is Reach.DOWN)
        assert rows.versions == before
        assert rows.status.error
        await back
        await until(lambda: rows.status.phase is Phase.LIVE)
        assert context.link.reach is not Reach.DOWN
        assert rows.versions == await truth(context)
        await rows.close()


@pytest.mark.parametrize("status", [410, 429, 500, 503])
async def test_context_watch_refused_once_recovers(
    server: ApiServer, tmp_path: Path, status: int
) -> None:
    """Each of these happens in every cluster every week."""
    server.faults.add(DemoFault(path="/apis/cluster.x-k8s.io", verb="watch", status=status))
    async with opened(server, tmp_path, token="admin") as context:
        rows = Rows(context)
        await until(lambda: rows.following.state.mode is Mode.WATCHING)
        assert rows.versions == await truth(context)
        await rows.close()


async def test_context_streamed_first_list_gives_the_same_rows(
    server: ApiServer, tmp_path: Path
) -> None:
    """A list that comes as events must end as whole as one that comes in pages."""
    async with opened(server, tmp_path, token="admin") as context:
        following = context.follow(MACHINES, metadata_reader, streams_first=True)
        names: set[str] = set()
        async for batch in following.batches():
            names.update(event.name for event in batch.events if isinstance(event, Record))
            if Mark.INIT_DONE in batch.events:
                break
        assert names == set(await truth(context))
        assert following.state.counters.pages == 0


_CRD = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "gadgets.test.example"},
    "spec": {
        "group": "test.example",
        "scope": "Namespaced",
        "names": {"plural": "gadgets", "singular": "gadget", "kind": "Gadget"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object"}},
            }
        ],
    },
}


async def test_context_crd_installed_later_is_found_by_itself(
    server: ApiServer, tmp_path: Path
) -> None:
    """A provider that is installed while one watches must appear within seconds."""
    async with opened(server, tmp_path, token="admin") as context:
        context.start()
        await until(lambda: context.definitions.is_known)
        rows = Rows(context, Scope("demo", "test.example", "Gadget"))
        await until(lambda: rows.status.phase is Phase.ABSENT)
        async with aiohttp.ClientSession(
            headers={"Authorization": "Bearer admin"},
            connector=aiohttp.TCPConnector(ssl=False),
        ) as session:
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            answer = await session.post(server.url + path, json=_CRD)
            assert answer.status == 201
            await until(lambda: rows.status.phase is Phase.LIVE)
            gadget = {"apiVersion": "test.example/v1", "kind": "Gadget", "metadata": {"name": "g"}}
            path = "/apis/test.example/v1/namespaces/default/gadgets"
            answer = await session.post(server.url + path, json=gadget)
            assert answer.status == 201
            await until(lambda: set(rows.versions) == {"g"})
            path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/gadgets.test.example"
            await session.delete(server.url + path)
            await until(lambda: rows.status.phase is Phase.ABSENT)
            assert rows.versions == {}
        await rows.close()
