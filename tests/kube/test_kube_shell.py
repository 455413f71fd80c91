"""Writing, and kubernetes_asyncio's generated classes, behind the same gate."""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from kube_opened import transport_to
from kube_server import MACHINE, kube_server, status
from kubernetes_asyncio import client as library

from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.gate import Policy, ReadOnlyViolation
from fleettui.kube.shell import GuardedApiClient, api_client
from fleettui.kube.transport import Transport
from fleettui.kube.writer import PatchType, Target, Writer

_MUTATING = ("create_", "patch_", "replace_", "delete_", "connect_")
_REVIEWS = {
    "create_self_subject_access_review",
    "create_self_subject_rules_review",
    "create_self_subject_review",
}


def mutators(client: GuardedApiClient) -> Iterator[tuple[str, Any, list[str]]]:
    """Every generated method that is no read, with the names of what it must be given."""
    for class_name, kind in inspect.getmembers(library, inspect.isclass):
        if not class_name.endswith("Api"):
            continue
        api = kind(client)
        for name, method in inspect.getmembers(api, inspect.ismethod):
            if name.startswith(_MUTATING) and not name.endswith("_with_http_info"):
                required = [
                    parameter.name
                    for parameter in inspect.signature(method).parameters.values()
                    if parameter.default is parameter.empty
                    and parameter.kind is not parameter.VAR_KEYWORD
                ]
                yield f"{class_name}.{name}", method, required


async def test_shell_every_generated_mutator_is_refused_in_read_only_mode(tmp_path: Path) -> None:
    """Whatever a plug-in calls, read-only must mean that nothing changes."""
    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        client = api_client(transport)
        refused = 0
        for name, method, required in mutators(client):
            if name.rpartition(".")[2] in _REVIEWS:
                continue
            given = {key: {} if key == "body" else "x" for key in required}
            with pytest.raises(ReadOnlyViolation):
                await method(**given)
            refused += 1
        await client.close()
    assert refused > 500
    assert server.requests == []


async def test_shell_reads_through_the_transport(tmp_path: Path) -> None:
    """Typed calls must carry the same identity and User-Agent as everything else."""

    async def namespaces(request: web.Request) -> web.Response:
        items = [{"metadata": {"name": "a"}}]
        return web.json_response({"kind": "NamespaceList", "items": items, "metadata": {}})

    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        server.scripted = [namespaces]
        found = await library.CoreV1Api(api_client(transport)).list_namespace(limit=5)
        with pytest.raises(library.ApiException) as caught:
            await library.CoreV1Api(api_client(transport)).read_namespace("zzz")
    assert [item.metadata.name for item in found.items] == ["a"]
    assert server.requests[0].query == {"limit": "5"}
    assert server.requests[0].headers["Authorization"] == "Bearer secret"
    assert "fleettui" in server.requests[0].headers["User-Agent"]
    assert caught.value.status == 404


TARGET = Target(MACHINE, "default", "a")


async def test_writer_does_not_exist_in_read_only_mode(tmp_path: Path) -> None:
    """Permission is a capability: what is not there cannot be used by mistake."""
    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        with pytest.raises(ReadOnlyViolation):
            Writer(transport, policy=transport.policy)


async def _sent(server: Any, transport: Transport, act: Any) -> tuple[web.Request, Any]:
    seen: list[Any] = []

    async def record(request: web.Request) -> web.Response:
        seen.append(json.loads(await request.text()))
        return web.json_response({"metadata": {"resourceVersion": "7"}})

    server.scripted = [record]
    assert b'"7"' in await act(Writer(transport, policy=transport.policy))
    return server.requests[-1], seen[0]


async def test_writer_sends_exactly_what_was_planned(tmp_path: Path) -> None:
    """A misspelled dry run would change things; a delete without uid could hit a namesake."""
    async with kube_server() as server:
        writing = Policy(writes=True)
        async with transport_to(tmp_path, server.url, policy=writing) as transport:
            request, body = await _sent(
                server,
                transport,
                lambda w: w.patch(
                    TARGET, b'{"a":1}', patch_type=PatchType.MERGE, dry_run=True, force=True
                ),
            )
            assert request.method == "PATCH"
            assert request.headers["Content-Type"] == "application/merge-patch+json"
            assert dict(request.query) == {
                "fieldManager": "fleettui",
                "fieldValidation": "Strict",
                "dryRun": "All",
                "force": "true",
            }
            assert body == {"a": 1}
            request, body = await _sent(
                server, transport, lambda w: w.delete(TARGET, uid="u1", resource_version="5")
            )
            assert request.method == "DELETE"
            assert body["preconditions"] == {"uid": "u1", "resourceVersion": "5"}
            request, body = await _sent(server, transport, lambda w: w.create_event("d", b"{}"))
            assert (request.method, request.path) == ("POST", "/api/v1/namespaces/d/events")


async def test_writer_tells_conflict_and_failed_test_apart(tmp_path: Path) -> None:
    """A conflict is planned again; a failed precondition is told to the person."""

    async def conflict(request: web.Request) -> web.Response:
        return web.json_response(status(409, "Conflict", "modified"), status=409)

    async def invalid(request: web.Request) -> web.Response:
        return web.json_response(status(422, "Invalid", "test failed"), status=422)

    async with kube_server() as server:
        writing = Policy(writes=True)
        async with transport_to(tmp_path, server.url, policy=writing) as transport:
            server.scripted = [conflict, invalid]
            for fault in (Fault.CONFLICT, Fault.INVALID):
                with pytest.raises(ApiError) as caught:
                    await Writer(transport, policy=writing).patch(
                        TARGET, b"[]", patch_type=PatchType.JSON
                    )
                assert caught.value.fault is fault
                assert not caught.value.is_outcome_unknown
