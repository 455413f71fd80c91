"""Watches as a real API server serves them."""

import asyncio
import json
from typing import Any

import pytest

WATCH_LIST = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"


async def _revision(api: Any) -> str:
    return str((await api.get(f"{api.widgets}?limit=1"))["metadata"]["resourceVersion"])


async def test_watch_from_a_revision_replays_what_came_after(api: Any) -> None:
    """A reconnect would lose what happened in between."""
    start = await _revision(api)
    await api.patch(f"{api.widgets}/w-03", {"spec": {"replicas": 3}})
    await api.call("DELETE", f"{api.widgets}/w-04")
    status, events = await api.watch(
        f"{api.widgets}?watch=1&resourceVersion={start}&timeoutSeconds=1"
    )
    found = [(e["type"], e["object"]["metadata"]["name"]) for e in events]
    assert (status, found) == (200, [("MODIFIED", "w-03"), ("DELETED", "w-04")])
    revisions = [int(e["object"]["metadata"]["resourceVersion"]) for e in events]
    assert revisions == sorted(revisions)
    assert revisions[0] > int(start)


async def test_watch_is_flushed_at_once(api: Any) -> None:
    """Live changes would appear late."""
    start = await _revision(api)
    url = f"{api.url}{api.widgets}?watch=1&resourceVersion={start}&timeoutSeconds=5"
    async with api.session.get(url) as answer:
        assert answer.status == 200
        await api.patch(f"{api.widgets}/w-03", {"spec": {"replicas": 3}})
        line = await asyncio.wait_for(answer.content.readline(), 3)
        assert json.loads(line)["type"] == "MODIFIED"


async def test_watch_from_an_expired_revision_is_an_error_event_in_a_200(api: Any) -> None:
    """A client that looks at the HTTP status alone must meet the real form of 410."""
    status, events = await api.watch(f"{api.widgets}?watch=1&resourceVersion=1&timeoutSeconds=5")
    assert status == 200
    assert [e["type"] for e in events] == ["ERROR"]
    assert (events[0]["object"]["code"], events[0]["object"]["reason"]) == (410, "Expired")
    assert events[0]["object"]["message"].startswith("too old resource version: 1 (")


async def test_watch_from_the_future_stays_silent(api: Any) -> None:
    """A client that resumes after a restore must find out by itself."""
    watching = asyncio.create_task(
        api.watch(f"{api.widgets}?watch=1&resourceVersion=999999999&timeoutSeconds=1")
    )
    await api.patch(f"{api.widgets}/w-03", {"spec": {"replicas": 3}})
    assert await watching == (200, [])


async def test_watch_from_nonsense_is_refused(api: Any) -> None:
    """Garbage would be taken for a revision."""
    status, _ = await api.call("GET", f"{api.widgets}?watch=1&resourceVersion=abc")
    assert status == 500


async def test_watch_sends_a_bookmark_two_seconds_before_its_end(api: Any) -> None:
    """Resuming after a quiet watch would start too far in the past."""
    start = await _revision(api)
    watching = asyncio.create_task(
        api.watch(
            f"{api.widgets}?watch=1&resourceVersion={start}&timeoutSeconds=3"
            "&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dw-05"
        )
    )
    await api.patch(f"{api.widgets}/w-06", {"spec": {"replicas": 3}})
    _, events = await watching
    assert [e["type"] for e in events] == ["BOOKMARK"]
    assert int(events[0]["object"]["metadata"]["resourceVersion"]) > int(start)


async def test_watch_list_streams_everything_then_says_so_then_goes_on(api: Any) -> None:
    """A streaming first list would never be seen as complete."""
    url = f"{api.url}{api.widgets}?watch=1&timeoutSeconds=5{WATCH_LIST}"
    async with api.session.get(url) as answer:
        events = [json.loads(await answer.content.readline()) for _ in range(31)]
        await api.patch(f"{api.widgets}/w-09", {"spec": {"replicas": 2}})
        live = json.loads(await answer.content.readline())
    assert {e["type"] for e in events[:30]} == {"ADDED"}
    assert events[30]["type"] == "BOOKMARK"
    annotations = events[30]["object"]["metadata"]["annotations"]
    assert annotations == {"k8s.io/initial-events-end": "true"}
    assert (live["type"], live["object"]["metadata"]["name"]) == ("MODIFIED", "w-09")


async def test_watch_list_from_the_future_ends_with_a_504_event(api: Any) -> None:
    """A streaming list against a restored server would hang."""
    _, events = await api.watch(
        f"{api.widgets}?watch=1&resourceVersion=999999999&timeoutSeconds=9{WATCH_LIST}"
    )
    assert [(e["type"], e["object"]["code"]) for e in events] == [("ERROR", 504)]


@pytest.mark.parametrize(
    "query", ["sendInitialEvents=true", "resourceVersionMatch=NotOlderThan&resourceVersion=1"]
)
async def test_watch_with_half_of_the_watch_list_parameters_is_422(api: Any, query: str) -> None:
    """A client's fallback to lists would never be exercised."""
    status, answer = await api.call("GET", f"{api.widgets}?watch=1&{query}")
    assert (status, answer["reason"]) == (422, "Invalid")


async def test_watch_with_a_selector_turns_changes_into_arrivals_and_departures(api: Any) -> None:
    """Objects that leave a selector would stay on the screen for ever."""
    start = await _revision(api)
    await api.patch(f"{api.widgets}/w-01", {"metadata": {"labels": {"in": "yes"}}})
    await api.patch(f"{api.widgets}/w-01", {"spec": {"replicas": 5}})
    await api.patch(f"{api.widgets}/w-01", {"metadata": {"labels": {"in": None}}})
    _, events = await api.watch(
        f"{api.widgets}?watch=1&resourceVersion={start}&timeoutSeconds=1&labelSelector=in%3Dyes"
    )
    assert [e["type"] for e in events] == ["ADDED", "MODIFIED", "DELETED"]


async def test_watch_metadata_only_and_table(api: Any) -> None:
    """`kubectl get -w` and metadata-only watches would fail."""
    start = await _revision(api)
    for replicas in (2, 3):
        await api.patch(f"{api.widgets}/w-01", {"spec": {"replicas": replicas}})
    path = f"{api.widgets}?watch=1&resourceVersion={start}&timeoutSeconds=1"
    partial = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"
    _, events = await api.watch(path, Accept=partial)
    assert [e["object"]["kind"] for e in events] == ["PartialObjectMetadata"] * 2
    table = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json"
    _, events = await api.watch(path, Accept=table)
    assert [bool(e["object"].get("columnDefinitions")) for e in events] == [True, False]


async def test_definition_spec_change_ends_watches_and_then_throttles(api: Any) -> None:
    """A client would relist, or hammer the server, after a harmless upgrade of a definition."""
    start = await _revision(api)
    path = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.{api.widgets[6:]}"
    path = path.split("/v1/namespaces")[0]
    url = f"{api.url}{api.widgets}?watch=1&resourceVersion={start}&timeoutSeconds=20"
    async with api.session.get(url) as answer:
        await api.patch(path, {"metadata": {"labels": {"a": "b"}}})
        column = {"name": "R", "type": "integer", "jsonPath": ".spec.replicas"}
        change = [{"op": "add", "path": "/spec/versions/0/additionalPrinterColumns", "value": []}]
        change.append({**change[0], "value": [column]})
        await api.patch(path, change, media="json-patch+json")
        assert await asyncio.wait_for(answer.content.read(), 10) == b""
    if api.is_demo:
        status, body = await api.call("GET", f"{api.widgets}?watch=1&resourceVersion={start}")
        assert (status, body["details"]["retryAfterSeconds"]) == (429, 1)
