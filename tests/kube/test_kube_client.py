"""Requests for single things: bodies, events, logs, tables, and the shape of each."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from kube_opened import transport_to
from kube_server import MACHINE, MACHINES, KubeServer, kube_server

from fleettui.kube.calls import METADATA_LIST_ONLY, METADATA_ONLY
from fleettui.kube.client import Client, LogRequest
from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.resource import Resource
from fleettui.kube.source import Slice

SECRET = Resource("", "v1", "secrets", "Secret")

Act = Callable[[Client], Awaitable[object]]


def answer(body: object, *, text: str = "") -> Callable[[web.Request], Awaitable[web.Response]]:
    """A scripted answer."""

    async def respond(request: web.Request) -> web.Response:
        return web.Response(text=text) if text else web.json_response(body)

    return respond


async def asked(
    folder: Path, body: object, act: Act, *, text: str = ""
) -> tuple[web.Request, object]:
    """The request that an action sends, and what it gives for an answer."""
    async with kube_server() as server, transport_to(folder, server.url) as transport:
        server.scripted = [answer(body, text=text)]
        result = await act(Client(transport, pace=transport.pace))
    return server.requests[0], result


async def test_body_of_a_secret_is_metadata_only(tmp_path: Path) -> None:
    """A detail pane must not pull passwords onto the screen."""
    request, _ = await asked(tmp_path, {}, lambda c: c.body(SECRET, namespace="n", name="s"))
    assert request.path == "/api/v1/namespaces/n/secrets/s"
    assert request.headers["Accept"] == METADATA_ONLY


async def test_list_of_secrets_is_metadata_only_whatever_was_asked(tmp_path: Path) -> None:
    """No list may ever carry the contents of all Secrets of a cluster."""
    page = {"metadata": {"resourceVersion": "1"}, "items": []}
    request, _ = await asked(
        tmp_path, page, lambda c: c.read_page(Slice(SECRET), limit=5, token="t/1")
    )
    assert request.headers["Accept"] == METADATA_LIST_ONLY
    assert dict(request.query) == {"limit": "5", "continue": "t/1"}


async def test_events_are_asked_for_by_the_object(tmp_path: Path) -> None:
    """All events of a namespace would be thousands; another object's would mislead."""
    page = {"metadata": {"resourceVersion": "1"}, "items": [{"reason": "A"}, {"reason": "B"}]}
    request, found = await asked(
        tmp_path, page, lambda c: c.events("Machine", namespace="n", name="m", uid="u")
    )
    assert request.path == "/api/v1/namespaces/n/events"
    assert request.query["fieldSelector"] == (
        "involvedObject.kind=Machine,involvedObject.name=m,involvedObject.uid=u"
    )
    assert found == [b'{"reason": "A"}', b'{"reason": "B"}']


async def test_list_objects_reads_every_page_with_its_selector(tmp_path: Path) -> None:
    """Half of a cluster's machines would look like a cluster that lost half of them."""
    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        for number in range(7):
            await server.put(f"m{number}")
        client = Client(transport, pace=transport.pace)
        found = await client.list_objects(MACHINE, label_selector="x in (a,b)", limit=3)
    assert len(found) == 7
    assert [request.query["labelSelector"] for request in server.requests] == ["x in (a,b)"] * 3


async def test_estimate_and_versions_tell_what_a_list_holds_without_reading_it(
    tmp_path: Path,
) -> None:
    """Nobody on a VPN may have to pull 3.8 GB to learn that it is 3.8 GB."""
    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        for number in range(50):
            await server.put(f"m{number}")
        client = Client(transport, pace=transport.pace)
        estimate = await client.estimate(Slice(MACHINE), sample=5)
        versions = (await client.versions(Slice(MACHINE))).of
    assert estimate.objects == 50
    assert 50 * 100 < estimate.decoded_bytes < 50 * 400
    held = server.objects["m7"]["metadata"]
    assert versions["default", "m7"] == (held["uid"], held["resourceVersion"])
    assert len(versions) == 50
    assert "PartialObjectMetadataList" in server.requests[-1].headers["Accept"]


async def test_logs_arrive_with_the_options_that_were_asked_for(tmp_path: Path) -> None:
    """The last lines of the right container name the cause; a whole log would be megabytes."""

    async def read(client: Client) -> bytes:
        wanted = LogRequest(container="manager", tail_lines=5, previous=True, since_s=60)
        return b"".join([c async for c in client.logs(namespace="n", pod="p", wanted=wanted)])

    request, text = await asked(tmp_path, None, read, text="line\n")
    assert text == b"line\n"
    assert request.path == "/api/v1/namespaces/n/pods/p/log"
    assert {k: v for k, v in request.query.items() if k != "limitBytes"} == {
        "container": "manager",
        "tailLines": "5",
        "previous": "true",
        "sinceSeconds": "60",
    }


async def test_table_of_an_unknown_kind_is_read(tmp_path: Path) -> None:
    """Kinds nobody described are shown as their own authors meant."""
    body = {
        "kind": "Table",
        "columnDefinitions": [{"name": "Name", "type": "string"}],
        "rows": [{"cells": ["a"], "object": {"metadata": {"name": "a"}}}],
    }
    request, table = await asked(tmp_path, body, lambda c: c.table(MACHINE))
    assert "as=Table" in request.headers["Accept"]
    assert table.rows[0].cells == ["a"]  # type: ignore[attr-defined]  # a Table
    with pytest.raises(ApiError):
        await asked(tmp_path, {"kind": "List"}, lambda c: c.table(MACHINE))


async def _open(server: KubeServer, client: Client, *, is_initial: bool) -> None:
    part = Slice(MACHINE, label_selector="a=b", metadata_only=True)
    async with client.open_watch(
        part, resource_version="7", timeout_s=250, idle_s=5, is_initial=is_initial
    ) as chunks:
        async for _ in chunks:
            pass


@pytest.mark.parametrize("is_initial", [False, True])
async def test_watch_asks_with_exactly_the_parameters_it_needs(
    tmp_path: Path, is_initial: bool
) -> None:
    """Without bookmarks the end never comes; with a version too many the server refuses."""
    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        server.scripted = [answer({})]
        await _open(server, Client(transport, pace=transport.pace), is_initial=is_initial)
    query = dict(server.requests[0].query)
    own = (
        {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        if is_initial
        else {"resourceVersion": "7"}
    )
    assert query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "timeoutSeconds": "250",
        "labelSelector": "a=b",
        **own,
    }
    assert "as=PartialObjectMetadata;" in server.requests[0].headers["Accept"]


async def test_watch_answered_by_a_login_page_is_a_proxy_error(tmp_path: Path) -> None:
    """Lines of HTML must not be counted as garbled events of a live watch."""
    async with kube_server() as server, transport_to(tmp_path, server.url) as transport:
        server.scripted = [answer(None, text="<html>sign in</html>")]
        with pytest.raises(ApiError) as caught:
            await _open(server, Client(transport, pace=transport.pace), is_initial=False)
    assert caught.value.fault is Fault.SERVER
    assert MACHINES in str(caught.value)
