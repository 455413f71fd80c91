"""The store: revisions, pages of one moment, history, garbage."""

import asyncio
import base64
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleettui.demo.apiserver.builtins import DEFINITIONS, NAMESPACES
from fleettui.demo.apiserver.errors import ApiError, NotFound
from fleettui.demo.apiserver.garbage import GarbageCollector
from fleettui.demo.apiserver.listing import Cost, Lister, ListQuery
from fleettui.demo.apiserver.memory import MemorySeeds
from fleettui.demo.apiserver.representation import Form
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.selectors import Selector, parse_selector
from fleettui.demo.apiserver.store import Store

WIDGETS = Resource(
    group="example.com",
    version="v1",
    kind="Widget",
    plural="widgets",
    singular="widget",
    served=("v1", "v1alpha1"),
)
NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)


def widget(name: str, namespace: str = "a", **metadata: Any) -> dict[str, Any]:
    """One object."""
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": namespace, **metadata},
        "spec": {"n": 1},
        "status": {"phase": "Running"},
    }


def store_of(*documents: dict[str, Any], **options: Any) -> Store:
    """A store with these seeds."""
    return Store(MemorySeeds([NAMESPACES, WIDGETS], documents), now=lambda: NOW, **options)


def listed(
    store: Store, *, limit: int = 0, token: str = "", namespace: str | None = None
) -> tuple[list[dict[str, Any]], str]:
    """Items and continue token of one list request."""

    async def read() -> bytes:
        query = ListQuery(limit=limit, token=token)
        pieces = Lister(store).pieces(
            Form(WIDGETS, "v1"), query, namespace=namespace, selector=Selector(), cost=Cost()
        )
        return b"".join([piece async for piece in pieces])

    document = msgspec.json.decode(asyncio.run(read()))
    return document["items"], document["metadata"].get("continue", "")


def test_store_seeds_have_increasing_revisions_across_kinds() -> None:
    """A client that compares revisions of two kinds would see time run backwards."""
    store = store_of(widget("x"), widget("y"))
    seeds = [int(d["metadata"]["resourceVersion"]) for d in store.list(WIDGETS)]
    assert seeds == sorted(set(seeds))
    written = store.patch_merge(WIDGETS, "a", "x", {"spec": {"n": 2}}, manager="me")
    assert int(written["metadata"]["resourceVersion"]) == store.revision > max(seeds)


def test_store_mutate_without_a_change_writes_nothing() -> None:
    """Controllers would wake each other for ever."""
    store = store_of(widget("x"))
    before = store.revision
    store.mutate(WIDGETS, "a", "x", lambda document: None, manager="me")
    assert store.revision == before


def test_store_subscription_hears_of_every_change_with_both_states() -> None:
    """Controllers and watches would miss what happened."""
    store = store_of(widget("x"))
    queue = store.subscribe([WIDGETS])
    store.create(WIDGETS, widget("new"), manager="me")
    store.patch_merge(WIDGETS, "a", "x", {"spec": {"n": 2}}, manager="me")
    store.delete(WIDGETS, "a", "new")
    changes = queue.drain()
    assert [(c.type, c.name) for c in changes] == [
        ("ADDED", "new"),
        ("MODIFIED", "x"),
        ("DELETED", "new"),
    ]
    old, new = changes[1].old, changes[1].new
    assert old is not None and new is not None
    assert (old["spec"]["n"], new["spec"]["n"]) == (1, 2)
    assert changes[0].old is None
    queue.close()
    store.delete(WIDGETS, "a", "x")
    assert queue.drain() == []


def test_store_create_drops_status_and_twice_conflicts() -> None:
    """An object could be born with a status, or replace another."""
    store = store_of()
    made = store.create(WIDGETS, widget("x"), manager="me")
    assert "status" not in made
    assert made["metadata"]["generation"] == 1
    with pytest.raises(ApiError) as caught:
        store.create(WIDGETS, widget("x"), manager="me")
    assert caught.value.reason == "AlreadyExists"


def test_store_other_version_has_its_own_api_version() -> None:
    """An old client would be handed objects of a version it did not ask for."""
    store = store_of(widget("x"))
    data = store.types.convert(WIDGETS, store.get_bytes(WIDGETS, "a", "x"), "v1alpha1")
    assert msgspec.json.decode(data)["apiVersion"] == "example.com/v1alpha1"


def test_store_delete_of_an_owner_deletes_its_dependents() -> None:
    """Deleting a cluster would leave its machines."""
    owner = widget("owner", uid="u-1")
    reference = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "owner", "uid": "u-1"}
    other = {**reference, "uid": "u-2", "name": "other"}
    store = store_of(
        owner,
        widget("child", ownerReferences=[reference]),
        widget("shared", ownerReferences=[reference, other]),
        widget("stranger"),
    )
    store.delete(WIDGETS, "a", "owner")
    asyncio.run(GarbageCollector(store).collect())
    left = {d["metadata"]["name"]: d for d in store.list(WIDGETS)}
    assert sorted(left) == ["shared", "stranger"]
    assert left["shared"]["metadata"]["ownerReferences"] == [other]


def test_store_foreground_delete_waits_for_dependents() -> None:
    """An owner would be gone before what it owns."""
    reference = {"apiVersion": "example.com/v1", "kind": "Widget", "name": "owner", "uid": "u-1"}
    child = widget("child", ownerReferences=[reference], finalizers=["hold"])
    store = store_of(widget("owner", uid="u-1"), child)
    store.delete(WIDGETS, "a", "owner", propagation="Foreground")
    collector = GarbageCollector(store)
    asyncio.run(collector.collect())
    assert store.get(WIDGETS, "a", "owner")["metadata"]["finalizers"] == ["foregroundDeletion"]
    store.mutate(WIDGETS, "a", "child", lambda d: d["metadata"].pop("finalizers"), manager="me")
    asyncio.run(collector.collect())
    with pytest.raises(NotFound):
        store.get(WIDGETS, "a", "owner")


def test_store_namespace_delete_takes_its_contents_along() -> None:
    """A deleted namespace would keep its objects."""
    store = store_of(widget("x", namespace="gone"))
    store.create(NAMESPACES, {"metadata": {"name": "gone"}, "kind": "Namespace"}, manager="me")
    store.delete(NAMESPACES, "", "gone")
    assert store.get(NAMESPACES, "", "gone")["status"]["phase"] == "Terminating"
    asyncio.run(GarbageCollector(store).collect())
    assert list(store.list(WIDGETS)) == []
    with pytest.raises(NotFound):
        store.get(NAMESPACES, "", "gone")


def test_store_definitions_of_seeds_are_established_objects() -> None:
    """Kinds could not be discovered through their definitions."""
    store = store_of()
    document = store.get(DEFINITIONS, "", "widgets.example.com")
    assert [c["type"] for c in document["status"]["conditions"]] == ["NamesAccepted", "Established"]
    assert [v["name"] for v in document["spec"]["versions"]] == ["v1", "v1alpha1"]


def test_store_history_is_bounded_and_old_watches_are_told() -> None:
    """Memory would grow with every write."""
    store = store_of(widget("x"), history_changes=10)
    for n in range(2, 60):
        store.patch_merge(WIDGETS, "a", "x", {"spec": {"n": n}}, manager="me")
    table = store.table(WIDGETS)
    assert len(table.log) == 10
    assert table.floor == store.revision - 10


def test_store_written_objects_are_packed_above_the_limit() -> None:
    """Hours of churn would hold every written object in full."""
    store = store_of(widget("x"), unpacked_bytes=0)
    big = {"text": "x" * 10_000}
    store.patch_merge(WIDGETS, "a", "x", {"spec": big}, manager="me")
    entry = next(iter(store.table(WIDGETS).changed.values()))
    assert entry.size_bytes < 1000
    assert store.get(WIDGETS, "a", "x")["spec"]["text"] == big["text"]


NAMES = st.sampled_from([f"w{n}" for n in range(8)])
SPACES = st.sampled_from(["a", "b"])
WRITES = st.lists(
    st.tuples(st.sampled_from(["create", "patch", "delete", "forget"]), SPACES, NAMES), max_size=25
)


def _write(store: Store, verb: str, namespace: str, name: str, n: int) -> None:
    try:
        if verb == "create":
            store.create(WIDGETS, widget(name, namespace), manager="me")
        elif verb == "patch":
            store.patch_merge(WIDGETS, namespace, name, {"spec": {"n": n}}, manager="me")
        elif verb == "delete":
            store.delete(WIDGETS, namespace, name)
    except ApiError:
        # Writes of objects that are (not) there are part of the game.
        return


@settings(max_examples=40, deadline=None)
@given(
    before=WRITES,
    between=st.lists(WRITES, min_size=1, max_size=4),
    limit=st.integers(1, 4),
    namespace=st.sampled_from([None, "a", "b"]),
)
def test_store_pages_show_one_moment_whatever_is_written_in_between(
    before: Any, between: Any, limit: int, namespace: str | None
) -> None:
    """A paged first list would lose or double objects on a busy cluster."""
    seeds = [widget(f"w{n}", space) for n in (1, 3, 4, 6) for space in ("a", "b")]
    store = store_of(*seeds)
    for n, write in enumerate(before):
        _write(store, *write, n)
    expected, _ = listed(store, namespace=namespace)
    found, token = listed(store, limit=limit, namespace=namespace)
    step = 0
    while token:
        for n, write in enumerate(between[step % len(between)]):
            _write(store, *write, 100 + n)
        step += 1
        page, token = listed(store, limit=limit, token=token, namespace=namespace)
        found += page
    assert found == expected
    whole = store.table(WIDGETS)
    for space in (None, "a", "b"):
        assert whole.total(space) == len(listed(store, namespace=space)[0])


@settings(max_examples=40, deadline=None)
@given(writes=WRITES, cut=st.integers(0, 25))
def test_store_watch_history_leads_from_any_moment_to_now(writes: Any, cut: int) -> None:
    """A client that lists and then watches would not end up with what the server has."""
    store = store_of(*[widget(f"w{n}") for n in (1, 3, 4)])
    state: dict[tuple[str, str], Any] = {}
    start = store.revision
    for n, write in enumerate(writes):
        if n == cut:
            start = store.revision
            state = {}
        _write(store, *write, n)
    snapshot = store.table(WIDGETS).snapshot(start)
    assert snapshot is not None
    for _, data in store.table(WIDGETS).scan(snapshot=snapshot):
        document = msgspec.json.decode(data)
        state[(document["metadata"]["namespace"], document["metadata"]["name"])] = document
    for change in store.table(WIDGETS).log:
        if change.revision <= start:
            continue
        if change.type == "DELETED":
            state.pop((change.namespace, change.name))
        else:
            state[(change.namespace, change.name)] = change.new
    assert [state[key] for key in sorted(state)] == list(store.list(WIDGETS))


def test_continue_tokens_are_opaque_text_without_padding() -> None:
    """A token would have to be escaped in a URL."""
    store = store_of(widget("x"), widget("y"))
    _, token = listed(store, limit=1)
    assert "=" not in token
    assert base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


@pytest.mark.parametrize(
    ("text", "matching"),
    [
        ("a=1", {"one"}),
        ("a==1,b", {"one"}),
        ("a!=1", {"two", "none"}),
        ("a in (1, 2)", {"one", "two"}),
        ("a notin (1)", {"two", "none"}),
        ("!a", {"none"}),
        ("a,!b", {"two"}),
        ("", {"one", "two", "none"}),
    ],
)
def test_label_selector_matches(text: str, matching: set[str]) -> None:
    """Selector reads would return other objects than a real server's."""
    labels = {"one": {"a": "1", "b": "x"}, "two": {"a": "2"}, "none": {}}
    selector = parse_selector(WIDGETS, text, "")
    found = {
        name
        for name, found in labels.items()
        if selector.matches(msgspec.json.encode({"metadata": {"labels": found}}))
    }
    assert found == matching
