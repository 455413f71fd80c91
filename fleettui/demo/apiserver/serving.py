"""One authorised request on one store: reads, writes, watches, logs, reviews.

Chooses who answers; refuses to know about sockets and faults' bookkeeping.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import replace

from aiohttp import web

from fleettui.demo.apiserver import listing, objects, watching
from fleettui.demo.apiserver.authz import Authorizer, User
from fleettui.demo.apiserver.backends import Backends
from fleettui.demo.apiserver.bodies import MAX_BODY_BYTES, document_of, options_of
from fleettui.demo.apiserver.builtins import PODS
from fleettui.demo.apiserver.discovery import review_resources
from fleettui.demo.apiserver.errors import ApiError, bad_request, method_not_allowed
from fleettui.demo.apiserver.outlet import Outlet
from fleettui.demo.apiserver.paths import Paths
from fleettui.demo.apiserver.recorder import Recorded, Recorder
from fleettui.demo.apiserver.representation import Form, negotiate
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.reviews import reviewed
from fleettui.demo.apiserver.selectors import Selector, parse_selector
from fleettui.demo.apiserver.store import Store
from fleettui.demo.apiserver.target import Target
from fleettui.demo.apiserver.writes import Writes, Written

_REVIEWS = {(r.group, r.plural) for r in review_resources()}
_OPTIONS = {"create": "CreateOptions", "update": "UpdateOptions", "patch": "PatchOptions"}


class Serving:
    """Answers the requests of one store, once they are authorised."""

    def __init__(
        self,
        store: Store,
        authorizer: Authorizer,
        recorder: Recorder,
        *,
        backends: Backends | None = None,
        bookmark_every_s: float = 60.0,
        too_large_wait_s: float = 3.0,
    ) -> None:
        self._store = store
        self._backends = backends or Backends()
        self._authorizer = authorizer
        self._recorder = recorder
        self._paths = Paths(store)
        self._lister = listing.Lister(store, too_large_wait_s=too_large_wait_s)
        self._watcher = watching.Watcher(
            store, bookmark_every_s=bookmark_every_s, too_large_wait_s=too_large_wait_s
        )

    async def answer(
        self,
        request: web.BaseRequest,
        target: Target,
        *,
        user: User,
        outlet: Outlet,
        recorded: Recorded,
    ) -> web.StreamResponse:
        """Answer one request.

        Raises:
            ApiError: to be sent as a Status.
        """
        if not target.plural:
            if request.method in ("GET", "HEAD"):
                found = await self._paths.answer(target.path, request.headers, outlet)
                if found is not None:
                    return found
            return await _unknown_path(outlet)
        if (target.plural, target.subresource, target.verb) == ("services", "proxy", "get"):
            body = self._backends.answer(target)
            return await outlet.body(body, content_type="application/octet-stream")
        if (target.group, target.plural) in _REVIEWS:
            return await self._review(request, target, user, outlet)
        resource = self._store.find(target.group, target.version, target.plural)
        if resource is None or not _has_subresource(resource, target.subresource):
            return await _unknown_path(outlet)
        if resource.is_crd and self._store.table(resource).busy_until > time.monotonic():
            raise ApiError(429, "TooManyRequests", "storage is (re)initializing", retry_after_s=1)
        if target.verb in ("list", "watch", "get"):
            return await self._read(request, target, resource, outlet, recorded)
        return await self._write(request, target, resource, outlet, recorded)

    async def _review(
        self, request: web.BaseRequest, target: Target, user: User, outlet: Outlet
    ) -> web.StreamResponse:
        if target.verb != "create":
            raise method_not_allowed()
        body = await read_body(request)
        document = document_of(body, request.headers.get("Content-Type", ""))
        answer = reviewed(self._authorizer, user, target.plural, document)
        return await outlet.json(answer, status=201)

    async def _read(
        self,
        request: web.BaseRequest,
        target: Target,
        resource: Resource,
        outlet: Outlet,
        recorded: Recorded,
    ) -> web.StreamResponse:
        query = request.query
        namespace = target.namespace if resource.namespaced else ""
        if target.subresource == "log":
            return await self._log(target, query, outlet)
        if target.subresource == "scale":
            return await outlet.json(Writes(self._store, resource, target).scale())
        form = negotiate(
            request.headers.get("Accept", ""),
            resource,
            target.version,
            include=query.get("includeObject", ""),
        )
        if target.verb == "get":
            data = self._store.get_bytes(resource, namespace, target.name)
            recorded.scanned = recorded.returned = 1
            return await outlet.body(form.single(self._store, data) + b"\n")
        fields = query.get("fieldSelector", "")
        if target.name:
            fields = ",".join(filter(None, (fields, f"metadata.name={target.name}")))
        selector = parse_selector(resource, query.get("labelSelector", ""), fields)
        if target.verb == "watch":
            return await self._watch(form, query, target, selector, outlet, recorded)
        cost = listing.Cost()
        try:
            return await outlet.pieces(
                self._lister.pieces(
                    form,
                    listing.query_of(query),
                    namespace=namespace or None,
                    selector=selector,
                    cost=cost,
                )
            )
        finally:
            recorded.scanned, recorded.returned = cost.scanned, cost.returned

    async def _watch(
        self,
        form: Form,
        query: Mapping[str, str],
        target: Target,
        selector: Selector,
        outlet: Outlet,
        recorded: Recorded,
    ) -> web.StreamResponse:
        wanted = watching.query_of(query)
        if outlet.fault is not None and outlet.fault.drop_bookmarks:
            wanted = replace(wanted, bookmarks=False)
        if wanted.resource_version and not wanted.resource_version.isdigit():
            raise ApiError(
                500,
                "InternalError",
                f'strconv.ParseUint: parsing "{wanted.resource_version}": invalid syntax',
            )
        cost = listing.Cost()
        namespace = (target.namespace or None) if form.resource.namespaced else None
        try:
            async with aclosing(
                self._watcher.lines(form, wanted, namespace=namespace, selector=selector, cost=cost)
            ) as lines:
                return await outlet.stream(lines)
        finally:
            recorded.scanned, recorded.returned = cost.scanned, cost.returned

    async def _log(
        self, target: Target, query: Mapping[str, str], outlet: Outlet
    ) -> web.StreamResponse:
        pod = self._store.get(PODS, target.namespace, target.name)
        names = [c.get("name", "") for c in (pod.get("spec") or {}).get("containers") or ()]
        container = query.get("container", "") or (names[0] if len(names) == 1 else "")
        if not container and len(names) > 1:
            raise bad_request(
                f"a container name must be specified for pod {target.name}, choose one of: "
                f"[{' '.join(names)}]"
            )
        if container and names and container not in names:
            raise bad_request(f"container {container} is not valid for pod {target.name}")
        seeds = self._store.seeds
        lines = list(seeds.log(target.namespace, target.name, container))
        tail = query.get("tailLines", "")
        first = max(len(lines) - int(tail), 0) if tail.isdigit() else 0
        if query.get("follow") in ("true", "1"):
            return await outlet.stream(
                self._follow(target, container, first), content_type="text/plain"
            )
        text = "".join(f"{line}\n" for line in lines[first:])
        return await outlet.body(text.encode(), content_type="text/plain")

    async def _follow(self, target: Target, container: str, first: int) -> AsyncIterator[bytes]:
        while True:
            lines = list(self._store.seeds.log(target.namespace, target.name, container))
            yield "".join(f"{line}\n" for line in lines[first:]).encode()
            first = len(lines)
            await asyncio.sleep(1)

    async def _write(
        self,
        request: web.BaseRequest,
        target: Target,
        resource: Resource,
        outlet: Outlet,
        recorded: Recorded,
    ) -> web.StreamResponse:
        body = await read_body(request)
        self._recorder.keep_body(recorded, body)
        query = request.query
        options = options_of(
            query,
            dry_run_values=query.getall("dryRun", []),
            user_agent=request.headers.get("User-Agent", ""),
            kind=_OPTIONS.get(target.verb, "DeleteOptions"),
        )
        media = request.headers.get("Content-Type", "")
        writes = Writes(self._store, resource, target)
        if target.verb == "create" and not target.name:
            written = writes.create(body, media, options)
        elif target.verb == "update":
            written = writes.update(body, media, options)
        elif target.verb == "patch":
            written = writes.patch(body, media, options, query=query)
        elif target.verb == "delete" and not target.subresource:
            written = writes.delete(body, query, dry_run=options.dry_run)
        elif target.verb == "deletecollection":
            written = self._delete_all(target, resource, query, options.dry_run)
        else:
            raise method_not_allowed()
        return await self._sent(request, written, resource, target, outlet)

    def _delete_all(
        self, target: Target, resource: Resource, query: Mapping[str, str], dry_run: bool
    ) -> Written:
        selector = parse_selector(
            resource, query.get("labelSelector", ""), query.get("fieldSelector", "")
        )
        namespace = (target.namespace or None) if resource.namespaced else None
        table = self._store.table(resource)
        keys = [
            table.key_of(slot)
            for slot, data in table.scan(namespace=namespace)
            if selector.matches(data)
        ]
        for key in keys:
            self._store.delete(resource, *key, dry_run=dry_run)
        details = {"group": resource.group, "kind": resource.plural}
        return Written(
            {
                "kind": "Status",
                "apiVersion": "v1",
                "metadata": {},
                "status": "Success",
                "details": details,
            }
        )

    async def _sent(
        self,
        request: web.BaseRequest,
        written: Written,
        resource: Resource,
        target: Target,
        outlet: Outlet,
    ) -> web.StreamResponse:
        document = written.document
        if document.get("kind") != resource.kind:
            return await outlet.json(document, status=written.status)
        form = negotiate(request.headers.get("Accept", ""), resource, target.version, include="")
        data = form.single(self._store, objects.encoded(document))
        return await outlet.body(data + b"\n", status=written.status)


def _has_subresource(resource: Resource, name: str) -> bool:
    return (
        not name
        or (name == "status" and resource.has_status)
        or (name == "scale" and resource.scale is not None)
        or (name == "log" and resource.key == PODS.key)
    )


async def _unknown_path(outlet: Outlet) -> web.StreamResponse:
    return await outlet.body(
        b"404 page not found\n", status=404, content_type="text/plain; charset=utf-8"
    )


async def read_body(request: web.BaseRequest) -> bytes:
    """The whole body of a request.

    Raises:
        ApiError: 413 for a body over 3 MiB.
    """
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_chunked(65536):
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise ApiError(
                413,
                "RequestEntityTooLarge",
                f"Request entity too large: limit is {MAX_BODY_BYTES}",
            )
        parts.append(part)
    return b"".join(parts)
