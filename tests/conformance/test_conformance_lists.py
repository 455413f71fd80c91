"""Lists as a real API server answers them."""

from typing import Any

import pytest


async def _pages(api: Any, limit: int, query: str = "") -> list[dict[str, Any]]:
    pages, token = [], ""
    while True:
        page = await api.get(f"{api.widgets}?limit={limit}&continue={token}{query}")
        pages.append(page)
        token = page["metadata"].get("continue", "")
        if not token:
            return pages


async def test_list_pages_carry_the_first_pages_revision_and_what_remains(api: Any) -> None:
    """A client that counts on progress or on one revision per list would break."""
    first = await api.get(f"{api.widgets}?limit=5")
    assert len(first["items"]) == 5
    assert first["metadata"]["remainingItemCount"] == 25
    await api.patch(f"{api.widgets}/w-20", {"spec": {"replicas": 7}})
    second = await api.get(f"{api.widgets}?limit=5&continue={first['metadata']['continue']}")
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    assert second["metadata"]["remainingItemCount"] == 20


async def test_list_pages_show_one_moment_despite_writes_in_between(api: Any) -> None:
    """Objects would be lost or doubled in a paged list of a busy kind."""
    first = await api.get(f"{api.widgets}?limit=10")
    await api.call("DELETE", f"{api.widgets}/w-15")
    await api.call("POST", api.widgets, {"metadata": {"name": "w-15x"}, "spec": {}})
    await api.patch(f"{api.widgets}/w-16", {"spec": {"replicas": 9}})
    token = first["metadata"]["continue"]
    rest = await api.get(f"{api.widgets}?limit=100&continue={token}")
    names = [item["metadata"]["name"] for item in rest["items"]]
    assert names == [f"w-{number:02d}" for number in range(10, 30)]
    assert rest["items"][6]["spec"]["replicas"] == 1
    assert rest["metadata"].get("continue", "") == ""


async def test_list_at_revision_zero_ignores_the_limit(api: Any) -> None:
    """A client that trusts the limit at resourceVersion 0 must meet the whole list here."""
    page = await api.get(f"{api.widgets}?limit=5&resourceVersion=0")
    assert len(page["items"]) == 30
    assert not page["metadata"].get("continue")


async def test_list_exact_shows_the_past(api: Any) -> None:
    """An exact read of an older revision would show the present."""
    before = (await api.get(f"{api.widgets}?limit=1"))["metadata"]["resourceVersion"]
    await api.call("DELETE", f"{api.widgets}/w-00")
    exact = f"{api.widgets}?resourceVersion={before}&resourceVersionMatch=Exact"
    assert len((await api.get(exact))["items"]) == 30
    assert len((await api.get(api.widgets))["items"]) == 29


async def test_list_not_older_than_the_future_is_504_with_its_cause(api: Any) -> None:
    """A client could not tell a restored server from a slow one."""
    path = f"{api.widgets}?resourceVersion=999999999&resourceVersionMatch=NotOlderThan"
    status, answer = await api.call("GET", path)
    assert (status, answer["reason"]) == (504, "Timeout")
    assert answer["details"]["causes"][0]["reason"] == "ResourceVersionTooLarge"
    assert answer["details"]["retryAfterSeconds"] == 1


async def test_list_with_a_compacted_token_is_410_with_an_inconsistent_token(api: Any) -> None:
    """A client that never meets 410 on a continue token would lose pages on a real server."""
    if not api.is_demo:
        pytest.skip("compaction of a real server takes minutes")
    first = await api.get(f"{api.widgets}?limit=5")
    await api.call("POST", "/demo/faults", {"compact": True})
    await api.patch(f"{api.widgets}/w-20", {"spec": {"replicas": 7}})
    await api.call("POST", "/demo/faults", {"compact": True})
    path = f"{api.widgets}?limit=5&continue={first['metadata']['continue']}"
    status, answer = await api.call("GET", path)
    assert (status, answer["reason"]) == (410, "Expired")
    fresh = answer["metadata"]["continue"]
    page = await api.get(f"{api.widgets}?limit=100&continue={fresh}")
    assert len(page["items"]) == 25
    exact = first["metadata"]["resourceVersion"]
    status, answer = await api.call(
        "GET", f"{api.widgets}?resourceVersion={exact}&resourceVersionMatch=Exact"
    )
    assert (status, answer["reason"]) == (410, "Expired")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("continue=garbage", 400),
        ("resourceVersionMatch=Exact", 422),
        ("resourceVersion=0&resourceVersionMatch=Exact", 422),
        ("sendInitialEvents=true", 422),
        ("labelSelector=a%3D%3D%3Db%28", 400),
        ("fieldSelector=spec.replicas%3D1", 400),
    ],
)
async def test_list_with_a_bad_parameter_is_refused(api: Any, query: str, status: int) -> None:
    """A wrong query would quietly list everything."""
    found, answer = await api.call("GET", f"{api.widgets}?{query}")
    assert found == status
    assert answer["kind"] == "Status"


async def test_list_selectors_filter(api: Any) -> None:
    """Selector reads would return other objects than on a real server."""
    by_name = await api.get(f"{api.widgets}?fieldSelector=metadata.name%3Dw-07")
    assert [item["metadata"]["name"] for item in by_name["items"]] == ["w-07"]
    by_label = await api.get(f"{api.widgets}?labelSelector=parity+in+(0)")
    none = await api.get(f"{api.widgets}?labelSelector=parity+notin+(0)")
    assert (len(by_label["items"]), len(none["items"])) == (30, 0)
    pages = await _pages(api, 7, "&labelSelector=parity")
    assert sum(len(page["items"]) for page in pages) == 30
    assert "remainingItemCount" not in pages[0]["metadata"]


async def test_list_metadata_only_and_table_carry_no_specs(api: Any) -> None:
    """Metadata-only lists are what keeps bulky kinds off the wire."""
    partial = await api.get(
        f"{api.widgets}?limit=2",
        Accept="application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json",
    )
    assert partial["kind"] == "PartialObjectMetadataList"
    assert "spec" not in partial["items"][0]
    assert partial["items"][0]["metadata"]["managedFields"]
    table = await api.get(
        f"{api.widgets}?limit=2",
        Accept="application/json;as=Table;g=meta.k8s.io;v=v1,application/json",
    )
    assert table["kind"] == "Table"
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Age"]
    assert table["rows"][0]["cells"][0] == "w-00"
    assert table["rows"][0]["object"]["kind"] == "PartialObjectMetadata"


async def test_list_over_128_kib_is_compressed_when_asked_for(api: Any) -> None:
    """Bytes on a slow link would be other than on a real server."""
    await api.patch(f"{api.widgets}/w-00", {"spec": {"text": "x" * 200_000}})
    url = api.url + api.widgets
    async with api.session.get(url, headers={"Accept-Encoding": "gzip"}) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
    async with api.session.get(url, headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers
    async with api.session.get(url + "/w-01", headers={"Accept-Encoding": "gzip"}) as answer:
        assert "Content-Encoding" not in answer.headers
