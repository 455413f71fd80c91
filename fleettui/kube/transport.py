"""Sends every byte that leaves for a cluster, and judges it twice before it does.

The one module that imports aiohttp's client, so it is imported in a thread by
``context.prepare``. Knows sessions, sockets, time-outs, encodings and the words
for what breaks; asks ``credentials`` whom to be and ``gate`` whether to send.
Never follows redirects, reads no environment, netrc or cookies.

Source: aiohttp 3.14 client reference (middlewares, request_class,
socket_factory); tcp(7); client-go ``transport`` defaults.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from yarl import URL

import fleettui
from fleettui.errors import ConnectError, UsageError
from fleettui.kube import gate
from fleettui.kube.answer import HttpAnswer
from fleettui.kube.calls import HEADERS_S, READ_S, Call, Purpose
from fleettui.kube.credentials import Credentials, Presented
from fleettui.kube.faults import ApiError, Fault, error_of
from fleettui.kube.kubeconfig_entries import ClusterEntry
from fleettui.kube.limits import TokenBucket, Turnstile
from fleettui.kube.pace import LinkPace, Warnings
from fleettui.kube.proxies import is_loopback, proxy_for
from fleettui.kube.sockets import keepalive_socket
from fleettui.kube.tls import Trust, tls_context
from fleettui.text import one_line

CONNECT_S = 10.0
"""Longest wait for TCP and TLS."""
HARD_CAP_S = 600.0
"""Longest any request but a watch may take."""
_ERROR_BODY_BYTES = 64 << 10
_READ_BUFFER_BYTES = 2 << 20
_BROKEN = (aiohttp.ClientError, OSError)


class Guard:
    """Applies the gate to requests as they are about to be sent."""

    def __init__(self, cluster: ClusterEntry, policy: gate.Policy) -> None:
        """Fix the address and what may be asked of it."""
        self._origin = URL(cluster.server).origin()
        self._prefix = cluster.prefix
        self.policy = policy

    def check_call(self, call: Call) -> None:
        """Passes an allowed call, so that a refused one costs neither time nor a place.

        Raises:
            ReadOnlyViolation: the call asks for more than allowed.
        """
        given = (("Accept", call.accept), ("Content-Type", call.content_type))
        gate.check(
            call.method,
            call.path,
            query=call.query,
            headers=[(name, value) for name, value in given if value],
            body=call.body,
            policy=self.policy,
        )

    def check(self, request: aiohttp.ClientRequest) -> None:
        """Passes an allowed request.

        Raises:
            ReadOnlyViolation: the request goes elsewhere or asks for more than allowed.
        """
        url = request.url
        if url.origin() != self._origin:
            raise gate.ReadOnlyViolation("request leaves for another server", where=str(url))
        gate.check(
            request.method,
            gate.strip_prefix(url.raw_path, self._prefix),
            query=gate.query_pairs(url.raw_query_string),
            headers=list(request.headers.items()),
            body=self._body(request),
            policy=self.policy,
        )

    def _body(self, request: aiohttp.ClientRequest) -> bytes:
        body = request.body
        if isinstance(body, bytes):
            return body
        if isinstance(body, aiohttp.BytesPayload):
            return body.decode().encode()
        raise gate.ReadOnlyViolation("a body is bytes", where=str(request.url))

    async def middleware(
        self,
        request: aiohttp.ClientRequest,
        handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
    ) -> aiohttp.ClientResponse:
        """The first judgement: before a name is resolved."""
        self.check(request)
        return await handler(request)

    def request_class(self) -> type[aiohttp.ClientRequest]:
        """The second judgement: a request that cannot be sent without it."""
        guard = self

        class GuardedRequest(aiohttp.ClientRequest):
            async def send(self, conn: "aiohttp.connector.Connection") -> aiohttp.ClientResponse:
                guard.check(self)
                return await super().send(conn)

        return GuardedRequest


class _Once:
    """Stops the library from repeating a request whose answer was lost."""

    def __init__(self) -> None:
        self._sent = False

    async def __call__(
        self,
        request: aiohttp.ClientRequest,
        handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]],
    ) -> aiohttp.ClientResponse:
        if self._sent:
            raise aiohttp.ServerDisconnectedError("the connection broke before an answer came")
        self._sent = True
        return await handler(request)


@dataclass(slots=True)
class _Pool:
    """Two sessions of one TLS identity: watches never wait for a free connection."""

    trust: Trust
    short: aiohttp.ClientSession
    watch: aiohttp.ClientSession
    users: int = 0
    is_retired: bool = False

    async def close(self) -> None:
        await self.short.close()
        await self.watch.close()


class Transport:
    """All connections of one context."""

    def __init__(
        self,
        cluster: ClusterEntry,
        credentials: Credentials,
        *,
        policy: gate.Policy,
        environment: Mapping[str, str],
        bucket: TokenBucket | None = None,
    ) -> None:
        """Fix address, identity, policy and rate; nothing is connected yet.

        Raises:
            UsageError: the address, proxy or their combination is not supported.
        """
        parts = urlsplit(cluster.server)
        self._is_loopback = is_loopback(parts.hostname or "")
        self._cluster = cluster
        self._credentials = credentials
        self._guard = Guard(cluster, policy)
        self._proxy = proxy_for(
            cluster.server, configured=cluster.proxy_url, environment=environment
        )
        self._base = f"{parts.scheme}://{parts.netloc}{cluster.prefix}"
        self._agent = f"fleettui/{fleettui.__version__}" + ("" if policy.writes else " (read-only)")
        self._pool: _Pool | None = None
        self._retired: list[_Pool] = []
        self._watching: set[aiohttp.ClientResponse] = set()
        self._lock = asyncio.Lock()
        self._bucket = bucket or TokenBucket()
        self._lists = Turnstile(4, beside=2)
        self._shorts = Turnstile(16)
        self.pace = LinkPace(is_loopback=self._is_loopback)
        self.warnings = Warnings()

    @property
    def policy(self) -> gate.Policy:
        """What may leave through this transport."""
        return self._guard.policy

    @property
    def server(self) -> str:
        """URL of the API server."""
        return self._cluster.server

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[HttpAnswer]:
        """Sends a call and gives its answer; the connection is released at the end.

        A 401 is answered once with renewed credentials. Nothing else is repeated.

        Raises:
            ApiError: for everything but success.
            ReadOnlyViolation: the policy does not let the call out.
            ConnectError: credentials cannot be had.
        """
        self._guard.check_call(call)
        async with AsyncExitStack() as stack:
            await self._wait_turn(call, stack)
            presented = await self._credentials.present()
            try:
                answer = await self._send(call, presented, stack)
            except ApiError as error:
                if error.fault is not Fault.UNAUTHORIZED:
                    raise
                if not await self._credentials.renew(presented):
                    raise
                presented = await self._credentials.present()
                answer = await self._send(call, presented, stack)
            yield answer

    async def close(self) -> None:
        """Closes every connection, also those in use."""
        pools = [*self._retired, *([self._pool] if self._pool else [])]
        self._pool = None
        self._retired = []
        for pool in pools:
            await pool.close()

    def drop_watches(self) -> None:
        """Breaks every watch, so that each is opened anew: their sockets may be dead."""
        for response in list(self._watching):
            response.close()

    async def _wait_turn(self, call: Call, stack: AsyncExitStack) -> None:
        if call.purpose not in (Purpose.LIST, Purpose.SHORT):
            return
        is_further = any(key == "continue" for key, _ in call.query)
        # Lists that have begun are finished first: their tokens die.
        rank = 2 * call.rank - is_further
        if not is_further:  # further pages pace themselves: one is in flight
            await self._bucket.take(rank=rank)
        is_list = call.purpose is Purpose.LIST and call.rank > 0  # looked at: small, at once
        places = self._lists if is_list else self._shorts
        await stack.enter_async_context(places.hold(rank=rank, level=call.rank))

    async def _send(self, call: Call, presented: Presented, stack: AsyncExitStack) -> HttpAnswer:
        if presented.authorization and self._base.startswith("http://") and not self._is_loopback:
            raise UsageError(
                "credentials are not sent over unencrypted http",
                where=self._cluster.server,
                hint="Use an https:// server address.",
            )
        pool = await self._pool_for(presented.trust)
        pool.users += 1
        stack.push_async_callback(self._release, pool)
        session = pool.watch if call.purpose in (Purpose.WATCH, Purpose.PROBE) else pool.short
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(HEADERS_S[call.purpose]):
                response = await self._request(session, call, presented)
        except _BROKEN as error:
            raise self._translate(error, call) from error
        stack.callback(response.close)
        if call.purpose is Purpose.WATCH:
            self._watching.add(response)
            stack.callback(self._watching.discard, response)
        stream = response.content.iter_any()
        answer = HttpAnswer(response.status, response.headers, stream, call=call, broken=_BROKEN)
        self._note(answer, call, asyncio.get_running_loop().time() - started)
        if not 200 <= response.status < 300 and response.status != 304:
            raise await self._error(answer, call)
        answer.arrived = self.pace.note_arrival
        return answer

    async def _request(
        self, session: aiohttp.ClientSession, call: Call, presented: Presented
    ) -> aiohttp.ClientResponse:
        encoding = self.pace.encoding(call.purpose)
        headers = [("Accept", call.accept), ("User-Agent", self._agent)]
        if not self._cluster.disable_compression:
            headers.append(("Accept-Encoding", encoding))
        optional = {
            "Authorization": presented.authorization,
            "Content-Type": call.content_type,
            "If-None-Match": call.if_none_match,
        }
        headers.extend((name, value) for name, value in optional.items() if value)
        headers.extend(self._credentials.impersonation)
        query = f"?{urlencode(call.query, quote_via=quote)}" if call.query else ""
        middlewares: tuple[aiohttp.ClientMiddlewareType, ...] = (self._guard.middleware,)
        if call.method not in ("GET", "HEAD"):
            middlewares = (*middlewares, _Once())
        return await session.request(
            call.method,
            URL(f"{self._base}{call.path}{query}", encoded=True),
            headers=headers,
            data=call.body or None,
            allow_redirects=False,
            skip_auto_headers=("Accept-Encoding", "Content-Type"),
            proxy=self._proxy or None,
            server_hostname=self._cluster.tls_server_name or None,
            timeout=aiohttp.ClientTimeout(
                total=None if call.purpose is Purpose.WATCH else HARD_CAP_S,
                sock_connect=CONNECT_S,
                sock_read=READ_S[call.purpose],
            ),
            middlewares=middlewares,
        )

    async def _pool_for(self, trust: Trust) -> _Pool:
        async with self._lock:
            if self._pool is not None and self._pool.trust == trust:
                return self._pool
            context = await asyncio.to_thread(tls_context, trust, where=self._cluster.server)
            old, self._pool = self._pool, self._new_pool(trust, context)
            if old is not None:
                old.is_retired = True
                self._retired.append(old)
                await self._drain(old)
            return self._pool

    def _new_pool(self, trust: Trust, context: object) -> _Pool:
        def session(limit: int) -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(
                limit=limit,
                ssl=context,  # type: ignore[arg-type]  # an SSLContext; object keeps ssl unimported
                socket_factory=keepalive_socket,
                keepalive_timeout=60.0,
            )
            return aiohttp.ClientSession(
                connector=connector,
                request_class=self._guard.request_class(),
                middlewares=(self._guard.middleware,),
                trust_env=False,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                read_bufsize=_READ_BUFFER_BYTES,
            )

        return _Pool(trust, short=session(16), watch=session(0))

    async def _release(self, pool: _Pool) -> None:
        pool.users -= 1
        await self._drain(pool)

    async def _drain(self, pool: _Pool) -> None:
        if pool.is_retired and pool.users == 0 and pool in self._retired:
            self._retired.remove(pool)
            await pool.close()

    def _note(self, answer: HttpAnswer, call: Call, seconds: float) -> None:
        self.pace.note_round_trip(call.purpose, seconds)
        self.pace.note_date(answer.headers.get("Date", ""))
        self.warnings.note(answer.headers.get("Warning", ""))

    async def _error(self, answer: HttpAnswer, call: Call) -> ApiError:
        try:
            body = await answer.read(limit_bytes=_ERROR_BODY_BYTES)
        except ApiError:
            body = b""  # the status says enough; the body only adds words
        return error_of(answer.status, answer.headers, body, where=call.where)

    def _translate(self, error: Exception, call: Call) -> ConnectError:
        where = self._cluster.server
        fault, words, hint = _words_of(error, urlsplit(where).hostname or "", call.purpose)
        return ApiError(words, fault=fault, where=where, hint=hint)


def _words_of(error: Exception, host: str, purpose: Purpose) -> tuple[Fault, str, str]:
    reach = "Check the network, VPN and the server address in the kubeconfig."
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        cause = one_line(str(error.certificate_error), limit=300)
        hint = "Check certificate-authority and tls-server-name in the kubeconfig."
        return Fault.TLS, f"the server's certificate is not trusted: {cause}", hint
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        hint = "Does the server speak TLS at this address? Check the port and http or https."
        return Fault.TLS, f"no TLS connection: {one_line(str(error.os_error), limit=300)}", hint
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Fault.UNREACHABLE, f"cannot resolve {host}", reach
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return Fault.UNREACHABLE, f"the proxy answered {error.status}", "Check proxy-url."
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Fault.UNREACHABLE, "the proxy cannot be reached", "Check proxy-url."
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Fault.UNREACHABLE, f"no connection in {CONNECT_S:.0f} s", reach
    if isinstance(error, aiohttp.ClientConnectorError):
        number = error.os_error.errno
        cause = os.strerror(number) if number and number > 0 else str(error.os_error)
        return Fault.UNREACHABLE, f"cannot connect: {one_line(cause, limit=200)}", reach
    if isinstance(error, TimeoutError):
        limit_s = READ_S[purpose] or HEADERS_S[purpose]
        return Fault.CUT, f"no answer in {limit_s:.0f} s", reach
    if isinstance(error, aiohttp.ClientResponseError):
        return Fault.SERVER, "the answer is no HTTP", reach
    # TLS 1.3 servers judge a client certificate after the handshake; the library
    # drops their alert and tells of a broken connection.
    hint = "If this repeats, check that the client certificate has not expired."
    return Fault.CUT, "the connection broke before an answer came", hint
