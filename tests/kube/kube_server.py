"""A small pretend API server: scripted lists and watches over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web

from fleettui.kinds.record import Record
from fleettui.kube.resource import Resource

MACHINE = Resource("cluster.x-k8s.io", "v1beta2", "machines", "Machine")
MACHINES = "/apis/cluster.x-k8s.io/v1beta2/machines"


def machine(
    name: str, version: int, *, namespace: str = "default", **spec: object
) -> dict[str, Any]:
    """A document of the kind the tests list."""
    return {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Machine",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": f"uid-{name}",
            "resourceVersion": str(version),
        },
        "spec": spec,
    }


class _Meta(msgspec.Struct, rename="camel"):
    name: str
    namespace: str
    uid: str
    resource_version: str


class _Document(msgspec.Struct):
    metadata: _Meta


def read_machine(document: bytes) -> Record:
    """A reader as small as a reader can be."""
    meta = msgspec.json.decode(document, type=_Document).metadata
    return Record(
        group="cluster.x-k8s.io",
        version="v1beta2",
        kind="Machine",
        namespace=meta.namespace,
        name=meta.name,
        uid=meta.uid,
        resource_version=meta.resource_version,
    )


def status(code: int, reason: str, message: str = "", **details: object) -> dict[str, Any]:
    """A Status object."""
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "code": code,
        "reason": reason,
        "message": message or reason,
        "details": details,
    }


Handler = Callable[[web.Request], Any]


@dataclass
class KubeServer:
    """What the server holds, what it was asked, and how it answers out of turn."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    version: int = 100
    token: str = ""
    requests: list[web.Request] = field(default_factory=list)
    scripted: list[Handler] = field(default_factory=list)
    """Answers given, one each, before the server behaves again."""
    log: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    expired: int = 0
    """Versions up to here are 410."""
    url: str = ""
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    body: bytes | None = None

    def paths(self, *, watch: bool | None = None) -> list[str]:
        """Paths asked for, of watches or of others."""
        return [
            request.path
            for request in self.requests
            if watch is None or ("watch" in request.query) is watch
        ]

    async def put(self, name: str, **spec: object) -> None:
        """Makes or changes an object."""
        kind = "MODIFIED" if name in self.objects else "ADDED"
        self.version += 1
        self.objects[name] = machine(name, self.version, **spec)
        await self._tell(kind, self.objects[name])

    async def drop(self, name: str) -> None:
        """Deletes an object."""
        self.version += 1
        gone = self.objects.pop(name)
        gone["metadata"]["resourceVersion"] = str(self.version)
        await self._tell("DELETED", gone)

    async def _tell(self, kind: str, document: dict[str, Any]) -> None:
        async with self.changed:
            self.log.append((self.version, {"type": kind, "object": document}))
            self.changed.notify_all()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request."""
        self.requests.append(request)
        if self.scripted:
            return await self.scripted.pop(0)(request)
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            return web.json_response(status(401, "Unauthorized"), status=401)
        if request.path != MACHINES:
            return web.Response(status=404, text="404 page not found\n")
        if "watch" in request.query:
            return await self._watch(request)
        return self._list(request)

    def _list(self, request: web.Request) -> web.Response:
        limit = int(request.query.get("limit", "0")) or len(self.objects)
        start, _, version = request.query.get("continue", "0/").partition("/")
        version = version or str(self.version)
        names = sorted(self.objects)[int(start) :]
        metadata: dict[str, Any] = {"resourceVersion": version}
        if len(names) > limit:
            metadata["continue"] = f"{int(start) + limit}/{version}"
            metadata["remainingItemCount"] = len(names) - limit
        return web.json_response(
            {
                "kind": "MachineList",
                "apiVersion": "cluster.x-k8s.io/v1beta2",
                "metadata": metadata,
                "items": [self.objects[name] for name in names[:limit]],
            }
        )

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        at = int(request.query["resourceVersion"])
        if at < self.expired:
            line = {"type": "ERROR", "object": status(410, "Expired", "too old resource version")}
            await response.write(json.dumps(line).encode() + b"\n")
            return response
        sent = sum(version <= at for version, _ in self.log)
        while True:
            async with self.changed:
                while len(self.log) == sent:
                    await self.changed.wait()
                fresh = self.log[sent:]
            sent += len(fresh)
            for _, event in fresh:
                await response.write(json.dumps(event).encode() + b"\n")


@asynccontextmanager
async def kube_server(
    *, ssl_context: Any = None, handler: Handler | None = None
) -> AsyncIterator[KubeServer]:
    """A server on a free port of loopback."""
    server = KubeServer()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler or server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl_context)
    await site.start()
    port = runner.addresses[0][1]
    scheme = "https" if ssl_context else "http"
    server.url = f"{scheme}://127.0.0.1:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()


def write_kubeconfig(
    path: Path,
    server: str,
    *,
    user: Sequence[str] = ("token: secret",),
    cluster: Sequence[str] = (),
    name: str = "here",
) -> Path:
    """A kubeconfig with one context."""
    lines = [
        f"current-context: {name}",
        "clusters:",
        f"- name: {name}",
        "  cluster:",
        f"    server: {server}",
        *(f"    {line}" for line in cluster),
        "users:",
        f"- name: {name}",
        "  user:" if user else "  user: {}",
        *(f"    {line}" for line in user),
        "contexts:",
        f"- name: {name}",
        f"  context: {{cluster: {name}, user: {name}}}",
    ]
    path.write_text("\n".join(lines) + "\n")
    return path
