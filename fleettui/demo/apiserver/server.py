"""One management cluster's HTTP server: socket, identity, faults, recorder.

Knows connections; refuses to know what objects mean. Extra to a real API server are the paths
under `/demo/`, which a demo's tests and benches use.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import time
import uuid
import weakref
from collections.abc import Coroutine
from typing import Any

from aiohttp import web

from fleettui.demo.apiserver.authz import Access, Authorizer
from fleettui.demo.apiserver.backends import Backends
from fleettui.demo.apiserver.errors import ApiError, bad_request, method_not_allowed
from fleettui.demo.apiserver.faults import Fault, Faults
from fleettui.demo.apiserver.garbage import GarbageCollector
from fleettui.demo.apiserver.link import Link
from fleettui.demo.apiserver.outlet import Outlet
from fleettui.demo.apiserver.recorder import Recorded, Recorder
from fleettui.demo.apiserver.serving import Serving, read_body
from fleettui.demo.apiserver.store import Store
from fleettui.demo.apiserver.target import target_of

COMPACTION_S = 300.0
"""etcd's history lives one to two of these; continue tokens die with it."""


class ApiServer:
    """A pretend kube-apiserver over one store."""

    def __init__(
        self,
        store: Store,
        access: Access,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        link: Link | None = None,
        compaction_s: float = COMPACTION_S,
        bookmark_every_s: float = 60.0,
        too_large_wait_s: float = 3.0,
    ) -> None:
        self.store = store
        self.recorder = Recorder()
        self.faults = Faults()
        self.backends = Backends()
        """What answers behind services."""
        self.host = host
        self.port = port
        """0 until started, if a free one was asked for."""
        self._link = link
        self._tls = tls
        self._compaction_s = compaction_s
        self._authorizer = Authorizer(
            access, groups=lambda: {resource.group for resource in store.resources}
        )
        self._serving = Serving(
            store,
            self._authorizer,
            self.recorder,
            backends=self.backends,
            bookmark_every_s=bookmark_every_s,
            too_large_wait_s=too_large_wait_s,
        )
        self._collector = GarbageCollector(store)
        self._web: web.Server | None = None
        self._socket: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: weakref.WeakSet[asyncio.BaseTransport] = weakref.WeakSet()

    @property
    def url(self) -> str:
        """The address for a kubeconfig."""
        scheme = "http" if self._tls is None else "https"
        return f"{scheme}://{self.host}:{self.port}"

    async def start(self) -> None:
        """Open the socket and begin to serve.

        Raises:
            OSError: the port is taken.
        """
        await self._open()
        self._spawn(self._collector.run())
        self._spawn(self._compact_regularly())

    async def stop(self) -> None:
        """Close the socket and every connection, end all work."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._close()

    async def pause(self, seconds: float) -> None:
        """Be gone for so many seconds, then come back on the same port."""
        await self._close()
        await asyncio.sleep(seconds)
        await self._open()

    async def _open(self) -> None:
        self._web = web.Server(self._handle, handler_cancellation=True, access_log=None)
        self._socket = await asyncio.get_running_loop().create_server(
            self._web, self.host, self.port, ssl=self._tls, reuse_address=True, backlog=1024
        )
        self.port = self._socket.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._web is not None:
            for connection in list(self._web.connections):
                if connection.transport is not None:
                    connection.transport.abort()
            await self._web.shutdown(0.1)
            self._web = None

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _compact_regularly(self) -> None:
        revision = self.store.revision
        while True:
            await asyncio.sleep(self._compaction_s)
            self.store.ledger.compact(revision)
            revision = self.store.revision

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/demo/"):
            return await self._backdoor(request)
        started = time.perf_counter()
        recorded = self.recorder.begin(
            time.time(),
            request.method,
            path=request.path,
            query=request.query_string,
            headers=request.headers,
        )
        outlet = Outlet(
            request,
            recorded,
            link=self._link,
            headers={"Audit-Id": str(uuid.uuid4()), "Cache-Control": "no-cache, private"},
        )
        try:
            return await self._answer(request, recorded, outlet)
        except ApiError as error:
            return await outlet.error(error)
        except ConnectionError:
            # The client went away, or a fault cut it off: there is nobody left to answer.
            return web.Response()
        finally:
            self.recorder.end(recorded, (time.perf_counter() - started) * 1000)

    async def _answer(
        self, request: web.BaseRequest, recorded: Recorded, outlet: Outlet
    ) -> web.StreamResponse:
        target = target_of(request.method, request.path, request.query)
        recorded.namespace, recorded.name = target.namespace, target.name
        if target.plural:
            self.recorder.routed(recorded, target.verb, target.spelled)
        if self._link is not None:
            await self._link.receive(_size_of(request))
            await self._link.round_trip(is_new_connection=self._is_new(request))
        fault = self.faults.take(
            request.method, request.path, verb=target.verb, resource=target.type_name
        )
        if fault is not None:
            recorded.fault = json.dumps({"path": fault.path, "status": fault.status})
            outlet.fault = fault
            await asyncio.sleep(fault.delay_s)
            if fault.status or fault.html or fault.empty:
                return await _faulty(fault, outlet)
        user = self._authorizer.user_of(
            request.headers, request.headers.getall("Impersonate-Group", [])
        )
        recorded.user = user.name
        self._authorizer.check(user, target.attributes)
        return await self._serving.answer(
            request, target, user=user, outlet=outlet, recorded=recorded
        )

    def _is_new(self, request: web.BaseRequest) -> bool:
        transport = request.transport
        if transport is None or transport in self._seen:
            return False
        self._seen.add(transport)
        return True

    async def _backdoor(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return web.json_response(await self._backdoor_answer(request))
        except ApiError as error:
            return web.json_response(error.status(), status=error.code)

    async def _backdoor_answer(self, request: web.BaseRequest) -> Any:
        match request.method, request.path:
            case "GET", "/demo/requests":
                return self.recorder.log()
            case "DELETE", "/demo/requests":
                self.recorder.clear()
                return {}
            case "GET", "/demo/stats":
                return {**self.recorder.stats(), "revision": self.store.revision}
            case "GET", "/demo/faults":
                return self.faults.waiting()
            case "DELETE", "/demo/faults":
                self.faults.clear()
                return {}
            case "POST", "/demo/faults":
                faults = self.faults.add_json(await read_body(request))
                self._act(faults)
                return {"accepted": len(faults)}
            case "POST", "/demo/stop":
                return self._stop_soon(request.query.get("seconds", "1"))
        raise method_not_allowed()

    def _stop_soon(self, text: str) -> dict[str, float]:
        try:
            seconds = float(text)
        except ValueError as exc:
            raise bad_request(f"seconds: {text!r} is not a number") from exc
        if not 0 <= seconds <= 3600:
            raise bad_request("seconds: 0 to 3600")

        async def work() -> None:
            # The answer to this very request leaves before the connections are cut.
            await asyncio.sleep(0.05)
            await self.pause(seconds)

        self._spawn(work())
        return {"stopping_s": seconds}

    def _act(self, faults: list[Fault]) -> None:
        for fault in faults:
            if fault.compact:
                self.store.ledger.compact()
            if fault.expire_watches:
                self.store.ledger.expire_watches()
            if fault.close_watches:
                self.store.ledger.end_watches()


def _size_of(request: web.BaseRequest) -> int:
    """Bytes of a request on the wire, as HTTP/1.1 spells it."""
    head = len(request.method) + len(request.raw_path) + len("  HTTP/1.1\r\n\r\n")
    fields = sum(len(name) + len(value) + 4 for name, value in request.raw_headers)
    return head + fields + (request.content_length or 0)


async def _faulty(fault: Fault, outlet: Outlet) -> web.StreamResponse:
    status = fault.status or (502 if fault.html else 503)
    headers: dict[str, str] = {}
    if fault.retry_after_s is not None:
        headers["Retry-After"] = str(fault.retry_after_s)
    if fault.html:
        page = f"<html><head><title>{status} Bad Gateway</title></head><body></body></html>\n"
        return await outlet.body(
            page.encode(), status=status, content_type="text/html", headers=headers
        )
    if fault.empty:
        return await outlet.body(b"", status=status, content_type="text/plain", headers=headers)
    reason = fault.reason or ("" if fault.message else _REASONS.get(status, "InternalError"))
    message = fault.message or "injected by the demo"
    raise ApiError(status, reason, message, retry_after_s=fault.retry_after_s)


_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}
