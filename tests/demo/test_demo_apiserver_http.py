"""The server over HTTP: access, faults, recorder, logs, coming and going."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.demo.apiserver import outlet
from fleettui.demo.apiserver.authz import demo_access
from fleettui.demo.apiserver.builtins import EVENTS, NAMESPACES, PODS, SECRETS
from fleettui.demo.apiserver.certificate import new_identity
from fleettui.demo.apiserver.link import Line, Link, parse_link
from fleettui.demo.apiserver.memory import MemorySeeds
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.server import ApiServer
from fleettui.demo.apiserver.store import Store

WIDGETS = Resource(
    group="example.com",
    version="v1",
    kind="Widget",
    plural="widgets",
    singular="widget",
    served=("v1",),
)
PATH = "/apis/example.com/v1/namespaces/a/widgets"


def _store() -> Store:
    documents: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}},
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "a"}},
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": "a"},
            "spec": {"containers": [{"name": "one"}, {"name": "two"}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": "e", "namespace": "a"},
            "involvedObject": {"kind": "Widget", "name": "w1"},
            "reason": "Broken",
        },
    ]
    documents += [
        {
            "apiVersion": "example.com/v1",
            "kind": "Widget",
            "metadata": {"name": f"w{n}", "namespace": "a"},
            "spec": {"n": n},
        }
        for n in range(5)
    ]
    seeds = MemorySeeds(
        [NAMESPACES, SECRETS, PODS, EVENTS, WIDGETS],
        documents,
        logs={("a", "p"): ["first", "second", "third"]},
    )
    return Store(seeds)


class Client:
    """One server and a session of each person."""

    def __init__(self, server: ApiServer, session: aiohttp.ClientSession) -> None:
        self.server = server
        self.session = session

    async def call(
        self, method: str, path: str, *, who: str = "admin", body: Any = None, **headers: str
    ) -> tuple[int, Any]:
        """Status and JSON or text of a request."""
        sent = {"Authorization": f"Bearer {who}"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        url = self.server.url + path
        async with self.session.request(method, url, json=body, headers=sent) as answer:
            text = await answer.text()
            is_json = answer.content_type == "application/json" and text
            return answer.status, json.loads(text) if is_json else text


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A server of five widgets, a pod, a secret and an event in namespace a."""
    access = demo_access(admin="admin", oncall="oncall", tenant="tenant", tenant_namespaces=("a",))
    server = ApiServer(_store(), access)
    await server.start()
    async with aiohttp.ClientSession() as session:
        yield Client(server, session)
    await server.stop()


@pytest.mark.parametrize(
    ("who", "method", "path", "status"),
    [
        ("oncall", "GET", "/apis/example.com/v1/widgets", 200),
        ("oncall", "GET", f"{PATH}?watch=1&timeoutSeconds=1&resourceVersion=9999", 200),
        ("oncall", "GET", "/api/v1/namespaces/a/pods/p/log?container=one", 200),
        ("oncall", "GET", "/api/v1/secrets", 403),
        ("oncall", "GET", "/api/v1/namespaces/a/secrets/s", 403),
        ("oncall", "DELETE", f"{PATH}/w1", 403),
        ("oncall", "PATCH", f"{PATH}/w1", 403),
        ("oncall", "GET", "/readyz", 200),
        ("tenant", "GET", "/apis/example.com/v1/widgets", 403),
        ("tenant", "GET", PATH, 200),
        ("tenant", "GET", "/api/v1/namespaces", 403),
        ("tenant", "GET", "/api/v1/namespaces/a", 200),
        ("nobody", "GET", PATH, 401),
    ],
)
async def test_access_follows_the_token(
    client: Client, who: str, method: str, path: str, status: int
) -> None:
    """The on-call person could write, or could not read."""
    found, answer = await client.call(method, path, who=who)
    assert found == status, answer


async def test_forbidden_names_user_verb_resource_and_scope(client: Client) -> None:
    """A person could not tell an administrator what is missing."""
    _, answer = await client.call("DELETE", f"{PATH}/w1", who="oncall")
    assert answer["message"] == (
        'widgets.example.com "w1" is forbidden: User "demo-oncall" cannot delete resource '
        '"widgets" in API group "example.com" in the namespace "a"'
    )


async def test_impersonation_acts_with_the_other_identitys_rights(client: Client) -> None:
    """`--as` would act as oneself."""
    status, _ = await client.call("GET", PATH, Impersonate_User="bob")
    assert status == 403
    status, _ = await client.call(
        "GET", PATH, Impersonate_User="bob", Impersonate_Group="fleet:oncall"
    )
    assert status == 200
    status, answer = await client.call("GET", PATH, who="oncall", Impersonate_User="bob")
    assert (status, answer["reason"]) == (403, "Forbidden")


async def test_rules_review_lists_what_the_person_may_do(client: Client) -> None:
    """The screen could not say which kinds are readable."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    _, answer = await client.call("POST", path, who="oncall", body={"spec": {"namespace": "a"}})
    rules = answer["status"]["resourceRules"]
    readable = [r for r in rules if "example.com" in r["apiGroups"]]
    assert readable[0]["verbs"] == ["get", "list", "watch"]
    assert not any("secrets" in rule["resources"] for rule in rules)


async def test_events_are_found_by_the_object_they_are_about(client: Client) -> None:
    """The detail pane would show the events of others."""
    path = "/api/v1/namespaces/a/events?fieldSelector=involvedObject.name%3D"
    _, found = await client.call("GET", f"{path}w1")
    _, none = await client.call("GET", f"{path}w2")
    assert [len(answer["items"]) for answer in (found, none)] == [1, 0]
    assert "kind" not in found["items"][0]


async def test_pod_log_tails_and_asks_for_a_container(client: Client) -> None:
    """Logs would be another pod's or endless."""
    path = "/api/v1/namespaces/a/pods/p/log"
    assert (await client.call("GET", f"{path}?container=one&tailLines=2"))[1] == "second\nthird\n"
    status, answer = await client.call("GET", path)
    assert (status, "choose one of: [one two]" in answer["message"]) == (400, True)


async def test_fault_status_hits_its_path_so_often_and_no_more(client: Client) -> None:
    """A test of retries could not say how often the server fails."""
    fault = {"path": PATH, "status": 429, "retry_after_s": 7, "count": 2, "skip": 1}
    await client.call("POST", "/demo/faults", body=fault)
    statuses = [(await client.call("GET", PATH))[0] for _ in range(4)]
    assert statuses == [200, 429, 429, 200]
    assert (await client.call("GET", "/demo/faults"))[1] == []


async def test_fault_of_a_resource_says_what_a_real_server_would(client: Client) -> None:
    """A kind whose conversion fails could not be shown as clients meet it."""
    text = 'conversion webhook for example.com/v1beta1, Kind=Widget failed: Post "https://x": EOF'
    fault = {"resource": "widgets.example.com", "status": 500, "count": -1, "message": text}
    await client.call("POST", "/demo/faults", body=fault)
    for path in (PATH, "/apis/example.com/v1/widgets", f"{PATH}/w1"):
        code, body = await client.call("GET", path)
        assert (code, body["message"]) == (500, text)
        assert "reason" not in body
    assert (await client.call("GET", "/api/v1/namespaces/a/secrets"))[0] == 200


async def test_fault_html_and_empty_look_like_a_broken_proxy(client: Client) -> None:
    """Proxy errors could not be tried."""
    await client.call("POST", "/demo/faults", body=[{"html": True}, {"empty": True, "status": 503}])
    assert "<html>" in (await client.call("GET", PATH))[1]
    assert await client.call("GET", PATH) == (503, "")


async def test_fault_cut_resets_the_connection_after_so_many_bytes(client: Client) -> None:
    """Broken transfers could not be tried."""
    await client.call("POST", "/demo/faults", body={"path": PATH, "cut_bytes": 100})
    with pytest.raises(aiohttp.ClientError):
        await client.call("GET", PATH)
    assert (await client.call("GET", PATH))[0] == 200


async def test_fault_freeze_sends_headers_and_nothing_more(client: Client) -> None:
    """A dead server behind a living connection could not be tried."""
    await client.call("POST", "/demo/faults", body={"path": PATH, "freeze": True})
    headers = {"Authorization": "Bearer admin"}
    async with client.session.get(client.server.url + PATH, headers=headers) as answer:
        assert answer.status == 200
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer.content.read(), 0.1)


async def test_fault_small_chunks_give_the_same_body(client: Client) -> None:
    """Chunk boundaries within a document could not be tried."""
    _, whole = await client.call("GET", PATH)
    await client.call("POST", "/demo/faults", body={"path": PATH, "chunk_bytes": 7})
    assert await client.call("GET", PATH) == (200, whole)


async def test_fault_expired_history_makes_resumed_watches_410(client: Client) -> None:
    """A relist after an outage could not be tried."""
    _, answer = await client.call("GET", PATH)
    revision = answer["metadata"]["resourceVersion"]
    client.server.store.patch_merge(WIDGETS, "a", "w1", {"spec": {"n": 9}}, manager="me")
    await client.call("POST", "/demo/faults", body={"expire_watches": True})
    _, text = await client.call("GET", f"{PATH}?watch=1&resourceVersion={revision}")
    assert text["object"]["code"] == 410


async def test_fault_document_with_an_unknown_word_is_refused(client: Client) -> None:
    """A misspelled fault would let a test pass for nothing."""
    status, answer = await client.call("POST", "/demo/faults", body={"stattus": 500})
    assert (status, "stattus" in answer["message"]) == (400, True)


async def test_recorder_tells_who_asked_for_what_and_what_it_cost(client: Client) -> None:
    """Nobody could prove that read-only mode only reads, or what a selector costs."""
    await client.call("GET", f"{PATH}?labelSelector=x%3Dy", who="oncall")
    await client.call("PATCH", f"{PATH}/w1", body={"spec": {"n": 2}})
    _, log = await client.call("GET", "/demo/requests")
    first, second = log
    assert (first["user"], first["verb"], first["resource"]) == (
        "demo-oncall",
        "list",
        "widgets.example.com",
    )
    assert (first["scanned"], first["returned"], first["status"]) == (5, 0, 200)
    assert (second["verb"], second["status"], second["body"]) == (
        "patch",
        415,
        '{"spec": {"n": 2}}',
    )
    _, stats = await client.call("GET", "/demo/stats")
    assert stats["resources"]["widgets.example.com"] == {"list": 1, "patch": 1}
    await client.call("DELETE", "/demo/requests")
    assert (await client.call("GET", "/demo/requests"))[1] == []


async def test_stopped_server_comes_back_on_its_port(client: Client) -> None:
    """Losing and finding a management cluster could not be shown."""
    url = client.server.url
    headers = {"Authorization": "Bearer admin"}
    watch = f"{url}{PATH}?watch=1&resourceVersion={client.server.store.revision}"
    async with client.session.get(watch, headers=headers) as answer:
        assert (await client.call("POST", "/demo/stop?seconds=0.3"))[0] == 200
        with pytest.raises(aiohttp.ClientError):
            await asyncio.wait_for(answer.content.read(), 5)
    with pytest.raises(aiohttp.ClientError):
        await client.call("GET", PATH)
    async with asyncio.timeout(60):
        while True:
            try:
                status, _ = await client.call("GET", PATH)
            except aiohttp.ClientConnectorError:
                continue
            break
    assert (status, client.server.url) == (200, url)


async def test_server_speaks_tls_with_its_own_authority() -> None:
    """kubectl would send no token."""
    identity = new_identity()
    access = demo_access(admin="admin", oncall="oncall", tenant="tenant")
    server = ApiServer(_store(), access, tls=identity.context())
    await server.start()
    trusting = ssl.create_default_context(cadata=identity.ca_pem.decode())
    trusting.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": "Bearer admin"}
        for host in (server.url, server.url.replace("127.0.0.1", "localhost")):
            async with session.get(f"{host}/version", ssl=trusting, headers=headers) as answer:
                assert answer.status == 200
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await session.get(f"{server.url}/version")
    await server.stop()


def test_link_lets_bytes_pass_one_after_another() -> None:
    """A slow link would be as fast as a loopback when several lists run at once."""
    link = Link(8_000_000, 80)
    assert link.down.reserve(1_000_000, 0.0) == pytest.approx(1.0)
    assert link.down.reserve(1_000_000, 0.0) == pytest.approx(2.0)
    assert link.down.reserve(1_000_000, 10.0) == pytest.approx(1.0)


def test_link_lets_requests_pass_beside_answers() -> None:
    """A long list would hold up the requests that go the other way, or these would be free."""
    link = Link(8_000_000, 80)
    assert link.down.reserve(1_000_000, 0.0) == pytest.approx(1.0)
    assert link.up.reserve(500_000, 0.0) == pytest.approx(0.5)
    assert link.up.reserve(500_000, 0.2) == pytest.approx(0.8)


@given(
    st.lists(
        st.tuples(st.integers(0, 200_000), st.floats(0, 2)),
        min_size=1,
        max_size=40,
    )
)
def test_link_never_passes_more_than_its_rate(sends: list[tuple[int, float]]) -> None:
    """Bursts would be faster than the line that was asked for."""
    line, now, begun, size = Line(1_000_000), 0.0, 0.0, 0
    done = 0.0
    for size_bytes, pause in sends:
        now += pause
        if now >= done:
            begun, size = now, 0
        size += size_bytes
        done = now + line.reserve(size_bytes, now)
        assert done == pytest.approx(begun + size * 8 / 1_000_000)


def test_link_delays_a_new_connection_by_its_handshakes() -> None:
    """Opening connections would cost nothing, as it does on a loopback."""
    link = Link(1e12, 80)
    assert link.wait_s(is_new_connection=False) == pytest.approx(0.08)
    assert link.wait_s(is_new_connection=True) == pytest.approx(0.24)


@pytest.mark.parametrize(
    ("text", "rate", "delay"),
    [("20mbit,80ms", 20e6, 80), ("512kbit", 512e3, 0), ("1.5mbit/s,5ms", 1.5e6, 5)],
)
def test_link_is_spelled_as_rate_and_delay(text: str, rate: float, delay: float) -> None:
    """The flag would set another link than it says."""
    link = parse_link(text)
    assert (link.rate_bps, link.delay_ms) == (rate, delay)


@pytest.mark.parametrize("text", ["fast", "20mb", "80", "0mbit"])
def test_link_that_is_spelled_differently_is_refused(text: str) -> None:
    """A misspelled link would be no link."""
    with pytest.raises(ValueError, match="20mbit,80ms"):
        parse_link(text)


async def test_list_in_chunks_is_packed_before_it_is_counted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link would carry the long lists of compressing clients at their plain size."""
    monkeypatch.setattr(outlet, "_WHOLE_BYTES", 64)
    path = "/apis/example.com/v1/widgets"
    _, plain = await client.call("GET", path, Accept_Encoding="identity")
    _, packed = await client.call("GET", path, Accept_Encoding="gzip")
    _, requests = await client.call("GET", "/demo/requests")
    sizes = [request["bytes_sent"] for request in requests if request["path"] == path]
    assert packed == plain
    assert len(packed["items"]) == 5
    assert sizes[1] < sizes[0] / 2


async def test_link_delays_answers_and_gives_them_whole() -> None:
    """A throttled server would cut or garble what it sends."""
    access = demo_access(admin="admin", oncall="oncall", tenant="tenant")
    server = ApiServer(_store(), access, link=Link(1_000_000, 20))
    await server.start()
    async with aiohttp.ClientSession() as session:
        client = Client(server, session)
        loop = asyncio.get_running_loop()
        started = loop.time()
        status, answer = await client.call("GET", PATH)
        assert (status, len(answer["items"])) == (200, 5)
        assert loop.time() - started >= 0.06
    await server.stop()
