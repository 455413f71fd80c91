"""The one way out: TLS, proxies, headers, redirects, and the gate at the door."""

import asyncio
import gzip
import os
import ssl
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web
from kube_opened import transport_to
from kube_server import MACHINES, KubeServer, kube_server, status
from yarl import URL

import fleettui
from fleettui.errors import ConnectError, UsageError
from fleettui.kube.calls import Call, Purpose
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.gate import Policy, ReadOnlyViolation
from fleettui.kube.limits import TokenBucket
from fleettui.kube.pace import ROUND_TRIPS, TRY_PLAIN_AFTER, LinkPace, Warnings
from fleettui.kube.proxies import proxy_for
from fleettui.kube.tls import Trust, tls_context
from fleettui.kube.transport import Guard, Transport

LIST = Call(MACHINES, purpose=Purpose.LIST)


async def read(transport: Transport, call: Call = LIST) -> bytes:
    """The body of an answer."""
    async with transport.open(call) as answer:
        return await answer.read()


async def refused(transport: Transport, call: Call = LIST) -> ApiError:
    """The error a call ends with."""
    with pytest.raises(ApiError) as caught:
        await read(transport, call)
    return caught.value


# What is sent ----------------------------------------------------------------------------


async def test_request_carries_identity_and_tells_its_mode(tmp_path: Path) -> None:
    """Audit logs must be able to prove that read-only was read-only."""
    user = ("token: secret", "as: jane", "as-groups: [a, b]", "as-user-extra: {k: [v]}")
    async with kube_server() as server, transport_to(tmp_path, server.url, user=user) as transport:
        await read(transport)
    headers = server.requests[0].headers
    assert headers["User-Agent"] == f"fleettui/{fleettui.__version__} (read-only)"
    assert headers["Authorization"] == "Bearer secret"
    assert headers["Impersonate-User"] == "jane"
    assert headers.getall("Impersonate-Group") == ["a", "b"]
    assert headers["Impersonate-Extra-k"] == "v"
    assert "Cookie" not in headers


async def test_request_never_takes_netrc_cookies_or_environment_proxies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program's password must not reach a cluster."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login leak password leak\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

    async def cookie(request: web.Request) -> web.Response:
        response = web.json_response({})
        response.set_cookie("a", "b")
        return response

    async with kube_server() as server, transport_to(tmp_path, server.url, user=()) as transport:
        server.scripted = [cookie]
        await read(transport)
        await read(transport)
    assert "Authorization" not in server.requests[0].headers
    assert "Cookie" not in server.requests[1].headers


async def test_request_below_a_server_path_keeps_it(tmp_path: Path) -> None:
    """Gateways serve many clusters below one address."""
    async with kube_server() as server:
        below = f"{server.url}/k8s/clusters/c-1/"
        async with transport_to(tmp_path, below) as transport:
            assert (await refused(transport)).fault is Fault.NOT_SERVED
    assert server.requests[0].path == f"/k8s/clusters/c-1{MACHINES}"


async def test_compression_can_be_switched_off(tmp_path: Path) -> None:
    """disable-compression must be honoured: some proxies break on it."""
    async with kube_server() as server:
        cluster = ("disable-compression: true",)
        async with transport_to(tmp_path, server.url, cluster=cluster) as transport:
            await read(transport)
    assert "Accept-Encoding" not in server.requests[0].headers


async def test_gzip_answers_are_unpacked_and_counted(tmp_path: Path) -> None:
    """Over a VPN a compressed list is the difference between seconds and minutes."""

    async def packed(request: web.Request) -> web.Response:
        body = gzip.compress(b"x" * 100_000)
        return web.Response(body=body, headers={"Content-Encoding": "gzip"})

    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        server.scripted = [packed]
        async with transport.open(LIST) as answer:
            assert await answer.read() == b"x" * 100_000
            assert answer.wire_bytes < 1000
        server.scripted = [packed]
        with pytest.raises(ApiError):
            async with transport.open(LIST) as answer:
                await answer.read(limit_bytes=50_000)


# Failures --------------------------------------------------------------------------------


async def test_redirect_is_not_followed(tmp_path: Path) -> None:
    """The token must not be sent to wherever a server points."""

    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": "http://127.0.0.1:1/steal"})

    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        server.scripted = [elsewhere]
        error = await refused(transport)
    assert error.fault is Fault.REDIRECTED
    assert "http://127.0.0.1:1/steal" in str(error)
    assert len(server.requests) == 1


async def test_401_renews_credentials_once_and_repeats_once(tmp_path: Path) -> None:
    """A token that expired in the night must be invisible in the morning."""
    (tmp_path / "tok").write_text("old")
    user = ("tokenFile: tok",)
    async with kube_server() as server, transport_to(tmp_path, server.url, user=user) as transport:
        server.token = "old"
        await read(transport)
        server.token = "new"
        (tmp_path / "tok").write_text("new\n")
        await read(transport)
        assert len(server.requests) == 3
        server.token = "other"
        assert (await refused(transport)).fault is Fault.UNAUTHORIZED
        assert len(server.requests) == 4


async def test_connection_refused_names_server_and_step(tmp_path: Path) -> None:
    """The commonest failure must be told in one line."""
    async with transport_to(tmp_path, "http://127.0.0.1:1") as transport:
        error = await refused(transport)
    assert error.fault is Fault.UNREACHABLE
    assert "refused" in str(error).lower()
    assert "http://127.0.0.1:1" in str(error)
    assert "VPN" in error.hint


async def test_unknown_host_says_that_it_cannot_be_resolved(tmp_path: Path) -> None:
    """A VPN that is off shows as an unknown name."""
    async with transport_to(tmp_path, "https://no-such-host.invalid") as transport:
        error = await refused(transport)
    assert "cannot resolve no-such-host.invalid" in str(error)


async def test_server_error_text_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """A hostile server writes error messages too."""

    async def hostile(request: web.Request) -> web.Response:
        return web.json_response(status(500, "X", "\x1b]52;c;eA==\x07\u202eboo"), status=500)

    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        server.scripted = [hostile]
        text = str(await refused(transport))
    assert text.isprintable()
    assert "␛]52" in text


async def test_credentials_do_not_leave_over_plain_http(tmp_path: Path) -> None:
    """A token on an unencrypted wire is everybody's token."""
    async with transport_to(tmp_path, "http://192.0.2.1:6443") as transport:
        with pytest.raises(UsageError) as caught:
            await read(transport)
    assert "unencrypted" in str(caught.value)


async def test_answer_cut_in_the_middle_is_told_as_cut(tmp_path: Path) -> None:
    """Half a list must never count as a list."""

    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.abort()
        return response

    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        server.scripted = [cut]
        assert (await refused(transport)).fault is Fault.CUT


async def test_silence_is_cut_after_the_idle_time(tmp_path: Path) -> None:
    """A frozen server keeps the connection and says nothing: rows would look live."""
    release = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await release.wait()
        return response

    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        server.scripted = [silent]
        async with transport.open(Call(MACHINES, purpose=Purpose.WATCH)) as answer:
            with pytest.raises(ApiError) as caught:
                async for _ in answer.chunks(idle_s=0.05):
                    pass
        release.set()
    assert caught.value.fault is Fault.CUT


async def test_watches_do_not_use_up_the_connections_of_others(tmp_path: Path) -> None:
    """With one pool the request after the last watch would wait for ever."""
    release = asyncio.Event()

    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await release.wait()
        return response

    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        server.scripted = [hang] * 120
        watch = Call(MACHINES, purpose=Purpose.WATCH)
        opened = [transport.open(watch) for _ in range(120)]
        for each in opened:
            await each.__aenter__()
        async with asyncio.timeout(60):
            await read(transport)
        for each in opened:
            await each.__aexit__(None, None, None)
        release.set()


# Writing ---------------------------------------------------------------------------------


async def test_acts_do_not_wait_for_the_rate_of_reads(tmp_path: Path) -> None:
    """A bulk has a rate of its own; behind the reads' it would take many times as long."""
    empty = TokenBucket(rate_per_s=0.001, burst=1)
    async with (
        kube_server() as server,
        transport_to(tmp_path, server.url, bucket=empty) as transport,
    ):
        await read(transport, Call(MACHINES, purpose=Purpose.SHORT))
        waiting = asyncio.create_task(read(transport, Call(MACHINES, purpose=Purpose.SHORT)))
        for _ in range(5):
            await read(transport, Call(MACHINES, purpose=Purpose.ACT))
        assert not waiting.done()
        assert len(server.requests) == 6
        waiting.cancel()


async def test_lost_answer_to_a_write_is_not_repeated(tmp_path: Path) -> None:
    """A scale-up sent twice because an answer got lost is an incident."""

    async def drop(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    call = Call(
        f"{MACHINES.replace('machines', 'namespaces/d/machines')}/a",
        method="DELETE",
        body=b'{"preconditions":{"uid":"x"}}',
        content_type="application/json",
    )
    async with kube_server() as server:
        writing = Policy(writes=True)
        async with transport_to(tmp_path, server.url, policy=writing) as transport:
            server.scripted = [drop, drop, drop]
            error = await refused(transport, call)
    assert error.is_outcome_unknown
    assert len(server.requests) == 1
    assert "(read-only)" not in server.requests[0].headers["User-Agent"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_read_only_lets_no_write_out_however_it_is_sent(tmp_path: Path, method: str) -> None:
    """Neither our own calls, nor a session used behind our back, may change anything."""
    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        await read(transport)
        with pytest.raises(ReadOnlyViolation):
            await read(transport, Call(f"{MACHINES}/a", method=method))
        guard = Guard(transport._cluster, Policy())
        async with aiohttp.ClientSession(request_class=guard.request_class()) as session:
            with pytest.raises(ReadOnlyViolation):
                await session.request(method, f"{server.url}{MACHINES}/a", middlewares=())
            with pytest.raises(ReadOnlyViolation):
                await session.get(f"{server.url}/api/v1/namespaces/d/pods/p/exec", middlewares=())
            with pytest.raises(ReadOnlyViolation):
                await session.ws_connect(f"{server.url}{MACHINES}")
            with pytest.raises(ReadOnlyViolation):
                await session.get(URL(f"{server.url}/api/v1/pods/%2e%2e", encoded=True))
            with pytest.raises(ReadOnlyViolation):
                await session.get(server.url.replace("127.0.0.1", "localhost") + "/version")
    assert [request.method for request in server.requests] == ["GET"]


async def test_gate_refuses_before_a_name_is_resolved(tmp_path: Path) -> None:
    """A refused request must not even show in a DNS log."""
    async with transport_to(tmp_path, "https://no-such-host.invalid") as transport:
        with pytest.raises(ReadOnlyViolation):
            await read(transport, Call(f"{MACHINES}/a", method="DELETE"))


# TLS -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A private certificate authority."""
    return trustme.CA()


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """TLS of a server with a certificate for some names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@asynccontextmanager
async def tls_server(context: ssl.SSLContext) -> AsyncIterator[KubeServer]:
    """The usual server behind TLS."""
    async with kube_server(ssl_context=context) as server:
        yield server


def written_ca(folder: Path, authority: trustme.CA) -> str:
    """The line of a kubeconfig that trusts an authority."""
    (folder / "ca.pem").write_bytes(authority.cert_pem.bytes())
    return "certificate-authority: ca.pem"


async def test_private_authority_is_trusted_by_being_named(
    tmp_path: Path, authority: trustme.CA
) -> None:
    """Every kubeadm cluster has its own authority."""
    async with tls_server(server_context(authority, "127.0.0.1")) as server:
        cluster = (written_ca(tmp_path, authority),)
        async with transport_to(tmp_path, server.url, cluster=cluster) as transport:
            assert b"MachineList" in await read(transport)


async def test_unknown_authority_is_refused_and_never_made_insecure(
    tmp_path: Path, authority: trustme.CA
) -> None:
    """A person in the middle must not get the token."""
    async with tls_server(server_context(authority, "127.0.0.1")) as server:
        async with transport_to(tmp_path, server.url) as transport:
            error = await refused(transport)
        assert error.fault is Fault.TLS
        assert "not trusted" in str(error)
        assert not server.requests
        cluster = ("insecure-skip-tls-verify: true",)
        async with transport_to(tmp_path, server.url, cluster=cluster) as transport:
            assert b"MachineList" in await read(transport)


async def test_wrong_name_fails_and_tls_server_name_decides(
    tmp_path: Path, authority: trustme.CA
) -> None:
    """Tunnels need tls-server-name, and a wrong one must not pass."""
    async with tls_server(server_context(authority, "inner.test")) as server:
        trusting = written_ca(tmp_path, authority)
        async with transport_to(tmp_path, server.url, cluster=(trusting,)) as transport:
            assert (await refused(transport)).fault is Fault.TLS
        named = (trusting, "tls-server-name: inner.test")
        async with transport_to(tmp_path, server.url, cluster=named) as transport:
            assert b"MachineList" in await read(transport)
        other = (trusting, "tls-server-name: other.test")
        async with transport_to(tmp_path, server.url, cluster=other) as transport:
            assert (await refused(transport)).fault is Fault.TLS


async def test_client_certificate_is_presented_rotated_and_left_nowhere(
    tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rotated certificate must be used, and a key must never stay on a disk."""
    monkeypatch.setattr("fleettui.kube.credentials.RotatedFile.check_every_s", 0.0)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    names: list[str] = []

    async def who(request: web.Request) -> web.Response:
        assert request.transport is not None
        certificate = request.transport.get_extra_info("peercert")
        names.append(dict(pair[0] for pair in certificate["subject"])["commonName"])
        return web.json_response({})

    def present(name: str) -> None:
        issued = authority.issue_cert(f"{name}@x.test", common_name=name)
        (tmp_path / "c.pem").write_bytes(issued.cert_chain_pems[0].bytes())
        (tmp_path / "k.pem").write_bytes(issued.private_key_pem.bytes())

    context = server_context(authority, "127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    authority.configure_trust(context)
    async with kube_server(ssl_context=context, handler=who) as server:
        user = ("client-certificate: c.pem", "client-key: k.pem")
        cluster = (written_ca(tmp_path, authority),)
        present("alice")
        async with transport_to(tmp_path, server.url, user=user, cluster=cluster) as transport:
            await read(transport)
            present("bob")
            await read(transport)
    assert names == ["alice", "bob"]
    assert list((tmp_path / "tmp").iterdir()) == []


async def test_server_that_wants_a_certificate_is_hinted_at(
    tmp_path: Path, authority: trustme.CA
) -> None:
    """A refused or expired client certificate looks like a broken network otherwise."""
    context = server_context(authority, "127.0.0.1")
    context.verify_mode = ssl.CERT_REQUIRED
    async with tls_server(context) as server:
        cluster = (written_ca(tmp_path, authority),)
        async with transport_to(tmp_path, server.url, cluster=cluster) as transport:
            error = await refused(transport)
    assert error.fault is Fault.CUT
    assert "client certificate" in error.hint


def test_client_key_without_memfd_lives_in_a_private_file_for_a_moment(
    tmp_path: Path, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are no anonymous files the key is 0600 and gone at once."""
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    modes: list[int] = []
    load = ssl.SSLContext.load_cert_chain

    def spy(self: ssl.SSLContext, path: Path, **more: object) -> None:
        modes.append(stat.S_IMODE(path.stat().st_mode))
        load(self, path, **more)  # type: ignore[arg-type]  # passes everything on

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", spy)
    issued = authority.issue_cert("a@x.test")
    tls_context(
        Trust(certificate=issued.cert_chain_pems[0].bytes(), key=issued.private_key_pem.bytes())
    )
    assert modes == [0o600]
    assert list(tmp_path.iterdir()) == []


def test_strict_checks_are_dropped_only_for_private_authorities(authority: trustme.CA) -> None:
    """EKS and microk8s authorities lack an extension that Go does not ask for."""
    strict = ssl.VERIFY_X509_STRICT
    private = tls_context(Trust(ca=authority.cert_pem.bytes()))
    assert not private.verify_flags & strict
    assert private.verify_mode is ssl.CERT_REQUIRED
    assert private.check_hostname
    system = tls_context(Trust())
    assert system.verify_flags == ssl.create_default_context().verify_flags


@pytest.mark.parametrize(
    "trust",
    [
        Trust(ca=b"no pem"),
        Trust(certificate=b"x", key=b"y"),
        Trust(certificate=b"-----BEGIN CERTIFICATE-----\n", key=b""),
    ],
)
def test_unusable_certificates_are_one_clear_error(trust: Trust) -> None:
    """OpenSSL's own words help nobody, and its prompt would freeze the screen."""
    with pytest.raises(ConnectError) as caught:
        tls_context(trust, where="here")
    assert str(caught.value).startswith("here: the c")


def test_encrypted_key_is_refused_instead_of_asked_for(authority: trustme.CA) -> None:
    """OpenSSL would ask for a pass phrase on the terminal that the program is drawing on."""
    issued = authority.issue_cert("a@x.test")
    key = (
        b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
        b"MIIBvTBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI\n"
        b"-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    with pytest.raises(ConnectError):
        tls_context(Trust(certificate=issued.cert_chain_pems[0].bytes(), key=key))


# Proxies ---------------------------------------------------------------------------------


async def test_proxy_url_is_used_for_requests(tmp_path: Path) -> None:
    """Many clusters are reachable only through one."""
    async with kube_server() as proxy:
        cluster = (f"proxy-url: {proxy.url}",)
        async with transport_to(
            tmp_path, "http://inner.test:6443", user=(), cluster=cluster
        ) as transport:
            assert b"MachineList" in await read(transport)
    assert proxy.requests[0].headers["Host"] == "inner.test:6443"


_PROXIES = {"HTTPS_PROXY": "http://p:3128", "HTTP_PROXY": "q:80"}


@pytest.mark.parametrize(
    ("server", "exceptions", "proxy"),
    [
        ("https://api.corp.test:6443", "", "http://p:3128"),
        ("http://api.corp.test", "", "http://q:80"),
        ("https://127.0.0.1:6443", "", ""),
        ("https://localhost", "", ""),
        ("https://[::1]", "", ""),
        ("https://api.corp.test", "*", ""),
        ("https://api.corp.test", "corp.test", ""),
        ("https://api.corp.test", ".corp.test", ""),
        ("https://api.corp.test", "*.corp.test", ""),
        ("https://corp.test", ".corp.test", "http://p:3128"),
        ("https://notcorp.test", "corp.test", "http://p:3128"),
        ("https://api.corp.test:6443", "api.corp.test:6443", ""),
        ("https://api.corp.test:6443", "api.corp.test:443", "http://p:3128"),
        ("https://10.1.2.3", "10.0.0.0/8", ""),
        ("https://11.1.2.3", "10.0.0.0/8", "http://p:3128"),
        ("https://10.1.2.3", "10.1.2.3", ""),
        ("https://10.1.2.3:6443", "10.1.2.3:6443", ""),
        ("https://[fd00::5]", "fd00::/8", ""),
        ("https://[fd00::5]:6443", "[fd00::5]:6443", ""),
        ("https://10.1.2.3", "nonsense/x, ,10.1.2.3", ""),
        ("https://API.Corp.Test", "corp.TEST", ""),
    ],
)
def test_proxy_of_the_environment_follows_gos_rules(
    server: str, exceptions: str, proxy: str
) -> None:
    """What kubectl reaches without a proxy must be reached without one here."""
    environment = {**_PROXIES, "NO_PROXY": exceptions}
    assert proxy_for(server, configured="", environment=environment) == proxy


def test_proxy_url_beats_exceptions_and_socks_is_a_clear_error() -> None:
    """An explicit proxy is meant; a kind that is not supported must be said."""
    environment = {"NO_PROXY": "*"}
    assert proxy_for("https://x", configured="http://p", environment=environment) == "http://p"
    with pytest.raises(UsageError) as caught:
        proxy_for("https://x", configured="socks5://p", environment={})
    assert "socks5" in str(caught.value)


# Pace ------------------------------------------------------------------------------------


def test_encoding_follows_the_link() -> None:
    """Compression wins over a VPN and loses on the machine next door."""
    assert LinkPace(is_loopback=True).encoding(Purpose.LIST) == "identity"
    far = LinkPace(is_loopback=False)
    assert far.encoding(Purpose.LIST) == "gzip"
    assert far.encoding(Purpose.WATCH) == "identity"
    far.note_round_trip(Purpose.SHORT, 0.001)
    assert far.encoding(Purpose.LIST) == "identity"
    far.note_list(wire_bytes=4_000_000, decoded_bytes=4_000_000, seconds=2.0)
    assert far.encoding(Purpose.LIST) == "gzip"


def test_encoding_goes_back_when_the_link_is_wide_again() -> None:
    """One list of a busy server would cost compression for the rest of the day."""
    near = LinkPace(is_loopback=False)
    near.note_round_trip(Purpose.SHORT, 0.001)
    near.note_list(wire_bytes=4_000_000, decoded_bytes=4_000_000, seconds=2.0)
    for _ in range(TRY_PLAIN_AFTER):
        assert near.encoding(Purpose.LIST) == "gzip"
        near.note_list(wire_bytes=400_000, decoded_bytes=4_000_000, seconds=0.1)
    assert near.encoding(Purpose.LIST) == "identity"
    near.note_list(wire_bytes=4_000_000, decoded_bytes=4_000_000, seconds=0.05)
    assert near.encoding(Purpose.LIST) == "identity"


@pytest.mark.parametrize("is_loopback", [False, True])
def test_encoding_follows_a_laptop_to_the_far_end_of_a_vpn(is_loopback: bool) -> None:
    """Who left the office would pull eight times the bytes until a restart, tunnels included."""
    pace = LinkPace(is_loopback=is_loopback)
    pace.note_round_trip(Purpose.PROBE, 0.001)
    assert pace.encoding(Purpose.LIST) == "identity"
    for _ in range(ROUND_TRIPS):
        pace.note_round_trip(Purpose.PROBE, 0.08)
    assert pace.encoding(Purpose.LIST) == "gzip"
    pace.note_round_trip(Purpose.PROBE, 0.001)
    assert pace.encoding(Purpose.LIST) == "identity"


def test_warnings_are_kept_once_each() -> None:
    """A deprecated API says so in a header that nobody else reads."""
    warnings = Warnings()
    warnings.note('299 - "old API", 299 - "say \\"hi\\""')
    warnings.note('299 - "old API"')
    warnings.note("nonsense")
    assert list(warnings.texts) == ["old API", 'say \\"hi\\"']


def test_clock_skew_is_taken_from_the_date_header() -> None:
    """Ages computed with a wrong local clock would all be wrong."""
    pace = LinkPace(is_loopback=False)
    pace.note_date("Thu, 01 Jan 1970 00:00:00 GMT")
    assert pace.skew_s < -1e9
    before = pace.skew_s
    pace.note_date("nonsense")
    assert pace.skew_s == before
