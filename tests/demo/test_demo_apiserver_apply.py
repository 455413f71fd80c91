"""Patches and field ownership, as pure functions."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.demo.apiserver.apply import applied
from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.managed import (
    Writer,
    after_update,
    from_fields,
    leaves_of,
    spell,
    to_fields,
)
from fleettui.demo.apiserver.patches import json_patched, merge_patched, strategic_patched

TIME = "2025-06-01T12:00:00Z"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, max_size=3)
        | st.lists(inner, max_size=2)
    ),
    max_leaves=8,
)
SPECS = st.dictionaries(st.text("xyz", min_size=1, max_size=2), VALUES, max_size=3)


def writer(manager: str, operation: str = "Apply") -> Writer:
    """A writer of the kind under test."""
    return Writer(manager, operation, "example.com/v1")


def apply(live: dict[str, Any], config: dict[str, Any], who: str, **options: Any) -> Any:
    """`applied` with the usual arguments."""
    return applied(live, config, writer=writer(who), force=options.get("force", False), time=TIME)


@given(target=SPECS, patch=SPECS)
def test_merge_patch_is_idempotent(target: Any, patch: Any) -> None:
    """Sending a patch twice would change an object twice."""
    once = merge_patched(target, patch)
    assert merge_patched(once, patch) == once


@given(spec=SPECS)
def test_fields_survive_writing_and_reading(spec: Any) -> None:
    """Ownership would get lost between two applies."""
    paths = leaves_of({"spec": spec}) - {()}
    assert from_fields(to_fields(paths)) == paths


@given(spec=SPECS)
def test_apply_twice_changes_nothing(spec: Any) -> None:
    """Every reconcile would be a write."""
    first = apply({"metadata": {}}, {"spec": spec}, "a")
    assert apply(first, {"spec": spec}, "a") == first


@given(one=SPECS, two=SPECS)
def test_apply_then_apply_nothing_leaves_only_the_other_managers_fields(one: Any, two: Any) -> None:
    """A manager that lets go would leave its fields behind."""
    live = apply({"metadata": {}}, {"spec": one}, "a")
    both = apply(live, {"spec": two}, "b", force=True)
    left = apply(both, {}, "b")
    names = {entry["manager"] for entry in left["metadata"]["managedFields"]}
    assert "b" not in names


def test_apply_shares_fields_of_equal_value() -> None:
    """Two managers that agree would conflict."""
    live = apply({"metadata": {}}, {"spec": {"n": 1}}, "a")
    both = apply(live, {"spec": {"n": 1}}, "b")
    assert [e["manager"] for e in both["metadata"]["managedFields"]] == ["a", "b"]


def test_apply_merges_conditions_by_type() -> None:
    """A controller that applies one condition would wipe the others."""
    live = {
        "metadata": {},
        "status": {"conditions": [{"type": "A", "status": "True"}, {"type": "B", "status": "x"}]},
    }
    new = apply(live, {"status": {"conditions": [{"type": "B", "status": "False"}]}}, "b")
    assert [c["status"] for c in new["status"]["conditions"]] == ["True", "False"]
    fields = new["metadata"]["managedFields"][0]["fieldsV1"]["f:status"]["f:conditions"]
    assert fields == {'k:{"type":"B"}': {".": {}, "f:status": {}, "f:type": {}}}


def test_apply_conflict_names_every_manager_and_field() -> None:
    """A person could not be told who owns what."""
    live = apply({"metadata": {}}, {"spec": {"n": 1, "m": 1}}, "a")
    with pytest.raises(ApiError) as caught:
        apply(live, {"spec": {"n": 2, "m": 2}}, "b")
    assert caught.value.code == 409
    fields = [cause["field"] for cause in (caught.value.details or {})["causes"]]
    assert fields == [".spec.m", ".spec.n"]
    assert 'conflicts with "a":\n- .spec.m\n- .spec.n' in caught.value.message


def test_update_takes_changed_fields_from_their_owner() -> None:
    """A hand edit of a field that git owns would not show as such."""
    live = apply({"metadata": {}}, {"spec": {"n": 1, "m": 1}}, "git")
    edited = {**live, "spec": {"n": 2, "m": 1}}
    entries = after_update(live, edited, writer=writer("kubectl-edit", "Update"), time=TIME)
    owned = {entry["manager"]: entry["fieldsV1"] for entry in entries}
    assert owned == {
        "git": {"f:spec": {"f:m": {}}},
        "kubectl-edit": {"f:spec": {"f:n": {}}},
    }


def test_paths_are_spelled_as_in_conflict_messages() -> None:
    """Conflict messages would not match what people find on the web."""
    path = ("f:status", "f:conditions", 'k:{"type":"Ready"}', "f:status")
    assert spell(path) == '.status.conditions[type="Ready"].status'
    assert spell(("f:metadata", "f:finalizers", 'v:"x"')) == '.metadata.finalizers[="x"]'


def test_json_patch_errors_have_the_servers_status() -> None:
    """A failing test and a malformed patch would look alike."""
    with pytest.raises(ApiError) as caught:
        json_patched({"a": 1}, [{"op": "test", "path": "/a", "value": 2}])
    assert caught.value.code == 422
    with pytest.raises(ApiError) as caught:
        json_patched({"a": 1}, {"op": "test"})
    assert caught.value.code == 400


def test_strategic_merge_merges_named_items_and_obeys_delete() -> None:
    """`kubectl edit` of a pod would replace its containers."""
    target = {"containers": [{"name": "a", "image": "1"}, {"name": "b"}], "x": 1}
    patch = {
        "containers": [{"name": "a", "image": "2"}, {"name": "b", "$patch": "delete"}],
        "$setElementOrder/containers": [{"name": "a"}],
        "x": None,
    }
    assert strategic_patched(target, patch) == {"containers": [{"name": "a", "image": "2"}]}
