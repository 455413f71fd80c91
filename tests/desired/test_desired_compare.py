"""What a sync would change is worked out from the live object alone, and is right."""

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fleettui.demo.apiserver.apply import applied
from fleettui.demo.apiserver.managed import Writer, after_update
from fleettui.desired.compare import Comparison, compare_applied, compare_exact
from fleettui.desired.hunks import MISSING, with_hunks
from fleettui.desired.object_diff import Change, ObjectDiff, diff_rendered
from fleettui.desired.objects import id_of
from fleettui.desired.render import Rendered
from fleettui.desired.unknown import unknown_text
from fleettui.desired.values import duration_s, quantity_of, same_value

FLUX = Writer("kustomize-controller", "Apply", "apps/v1")
HUMAN = Writer("kubectl-edit", "Update", "apps/v1")
MANAGERS = frozenset({"kustomize-controller"})
Document = dict[str, Any]


def _web(**changes: Any) -> Document:
    container: Document = {
        "name": "web",
        "image": "web:1.0",
        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
        "resources": {"limits": {"cpu": "500m", "memory": "1Gi"}},
        "args": ["--x", "--y"],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "prod", "labels": {"app": "web"}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [container]},
            },
            **changes,
        },
    }


def _apply(live: Document, desired: Document, time: str = "2026-11-01T00:00:00Z") -> Document:
    base = live or {
        "apiVersion": desired["apiVersion"],
        "kind": desired["kind"],
        "metadata": {"name": "web", "namespace": "prod", "uid": "1", "resourceVersion": "5"},
    }
    return applied(base, desired, writer=FLUX, force=True, time=time)


def _edit(live: Document, new: Document) -> Document:
    result = copy.deepcopy(new)
    result["metadata"]["managedFields"] = after_update(
        live, new, writer=HUMAN, time="2026-11-02T00:00:00Z"
    )
    return result


def _container(document: Document) -> Document:
    found: Document = document["spec"]["template"]["spec"]["containers"][0]
    return found


def _defaulted(live: Document) -> Document:
    """What the API server adds by itself."""
    result = copy.deepcopy(live)
    result["spec"].setdefault("strategy", {"type": "RollingUpdate"})
    result["spec"]["revisionHistoryLimit"] = 10
    _container(result)["imagePullPolicy"] = "IfNotPresent"
    result["status"] = {"replicas": 2}
    result["metadata"]["generation"] = 3
    return result


def _paths(comparison: Comparison) -> list[tuple[str, object, object]]:
    return [(hunk.path_text, hunk.before, hunk.after) for hunk in comparison.hunks]


def test_compare_untouched_object_is_equal_despite_defaults() -> None:
    """Defaults and status would otherwise be shown as drift on every object."""
    live = _defaulted(_apply({}, _web()))
    assert _paths(compare_applied(_web(), live, MANAGERS)) == []


def test_compare_edit_in_a_list_map_is_one_hunk_with_its_path() -> None:
    """One kubectl edit must be one line, at the right container and variable."""
    live = _defaulted(_apply({}, _web()))
    new = copy.deepcopy(live)
    _container(new)["env"][1]["value"] = "9"
    comparison = compare_applied(_web(), _edit(live, new), MANAGERS)
    (hunk,) = comparison.hunks
    assert hunk.path_text == "spec.template.spec.containers[name=web].env[name=B].value"
    assert (hunk.before, hunk.after) == ("9", "2")
    assert hunk.reason == "set by kubectl-edit at 2026-11-02T00:00:00Z"


def test_compare_fields_that_others_added_stay() -> None:
    """A sync does not remove what somebody else added; saying so would be a lie."""
    live = _defaulted(_apply({}, _web()))
    new = copy.deepcopy(live)
    new["metadata"]["annotations"] = {"note": "x"}
    _container(new)["env"].append({"name": "C", "value": "3"})
    new["spec"]["template"]["spec"]["containers"].append({"name": "sidecar", "image": "s:1"})
    assert _paths(compare_applied(_web(), _edit(live, new), MANAGERS)) == []


def test_compare_fields_that_git_dropped_go() -> None:
    """Removing a line from git removes the field: a read-only comparison must see that."""
    live = _defaulted(_apply({}, _web()))
    desired = _web()
    del _container(desired)["env"][0]
    del _container(desired)["resources"]["limits"]["memory"]
    del desired["spec"]["replicas"]
    assert _paths(compare_applied(desired, live, MANAGERS)) == [
        (
            "spec.template.spec.containers[name=web].env[name=A]",
            {"name": "A", "value": "1"},
            MISSING,
        ),
        ("spec.template.spec.containers[name=web].resources.limits.memory", "1Gi", MISSING),
        ("spec.replicas", 2, MISSING),
    ]


def test_compare_field_that_git_dropped_but_somebody_else_owns_stays() -> None:
    """An autoscaler that owns replicas keeps them when git lets go."""
    live = _apply({}, _web())
    shared = Writer("hpa", "Apply", "apps/v1")
    scale: Document = {**_web(), "metadata": {"name": "web"}, "spec": {"replicas": 2}}
    live = applied(live, scale, writer=shared, force=False, time="2026-11-03T00:00:00Z")
    desired = _web()
    del desired["spec"]["replicas"]
    assert _paths(compare_applied(desired, live, MANAGERS)) == []


def test_compare_atomic_list_edited_by_hand_is_a_difference_and_reordered_too() -> None:
    """Arguments are replaced as a whole, in order."""
    live = _apply({}, _web())
    for args in (["--x"], ["--y", "--x"], ["--x", "--y", "--z"]):
        new = copy.deepcopy(live)
        _container(new)["args"] = args
        comparison = compare_applied(_web(), _edit(live, new), MANAGERS)
        assert comparison.hunks
        assert _container(with_hunks(new, comparison.hunks))["args"] == ["--x", "--y"]


@pytest.mark.parametrize(
    ("desired", "live", "fields", "same"),
    [
        ("0.5", "500m", ["limits", "cpu"], True),
        (1, "1", ["requests", "cpu"], True),
        ("1024Mi", "1Gi", ["limits", "memory"], True),
        ("1Gi", "1G", ["limits", "memory"], False),
        ("1e3", "1k", ["hard", "pods"], True),
        ("0.5", "500m", ["data", "x"], False),
        (80, "80", ["targetPort"], True),
        ("25%", "25%", ["maxSurge"], True),
        (1, 1.0, ["x"], True),
        (True, 1, ["x"], False),
        ("10m", "10m0s", ["interval"], True),
        ("90s", "1m30s", ["interval"], True),
        ("90s", "1m", ["interval"], False),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00Z", ["at"], True),
        ("1", 1, ["env", "value"], False),
    ],
)
def test_same_value_follows_the_api_types(
    desired: object, live: object, fields: list[str], same: bool
) -> None:
    """500m and 0.5 are the same cpu but not the same text."""
    assert same_value(desired, live, fields) is same


def test_quantity_and_duration_refuse_other_text() -> None:
    """A text that only looks like a number must be compared as text."""
    assert quantity_of("1Gi") == 2**30
    assert [quantity_of(text) for text in ("", "x", "1Qi", "1.2.3", True)] == [None] * 5
    assert [duration_s(text) for text in ("", "x", "10", "1m x")] == [None] * 4
    assert duration_s("1h0m0.5s") is not None


def _judge(desired: Document, live: Document | None, **more: Any) -> ObjectDiff:
    rendered = Rendered(id_of(desired), desired["apiVersion"], desired, "a.yaml")
    return diff_rendered(rendered, live, managers=MANAGERS, **more)


def test_diff_immutable_field_is_a_conflict_unless_forced() -> None:
    """The sync fails there: calling it a change would hide that."""
    live = _apply({}, _web())
    desired = _web(selector={"matchLabels": {"app": "web", "tier": "x"}})
    found = _judge(desired, live)
    assert found.change is Change.IMMUTABLE
    assert "spec.selector is immutable" in found.reason
    assert _judge(desired, live, force=True).change is Change.RECREATED
    desired["metadata"]["annotations"] = {"kustomize.toolkit.fluxcd.io/force": "Enabled"}
    assert _judge(desired, live).change is Change.RECREATED


def test_diff_wrong_type_is_refused_with_the_field() -> None:
    """An unquoted number in an environment variable breaks the whole sync."""
    live = _apply({}, _web())
    desired = _web(replicas="three")
    _container(desired)["env"][0]["value"] = 1
    found = _judge(desired, live)
    assert found.change is Change.REFUSED
    assert "spec.replicas: the API server refuses it: expected number, got text" in found.reason
    assert "env[name=A].value: the API server refuses it: expected text, got number" in found.reason


@pytest.mark.parametrize(
    ("place", "key", "value", "exists", "change"),
    [
        ("git", "reconcile", "disabled", True, Change.IGNORED),
        ("git", "reconcile", "Disabled", False, Change.IGNORED),
        ("cluster", "reconcile", "disabled", True, Change.IGNORED),
        ("git", "ssa", "Ignore", True, Change.IGNORED),
        ("git", "ssa", "IfNotPresent", True, Change.IGNORED),
        ("git", "ssa", "IfNotPresent", False, Change.CREATED),
        ("git", "ssa", "Merge", True, Change.CHANGED),
    ],
)
def test_diff_switch_leaves_an_object_alone_and_says_which(
    place: str, key: str, value: str, exists: bool, change: Change
) -> None:
    """A person must see that an object is skipped on purpose, and because of what."""
    desired = _web(replicas=7)
    live = _apply({}, _web()) if exists else None
    holder = desired if place == "git" else live
    assert holder is not None
    holder["metadata"]["annotations"] = {f"kustomize.toolkit.fluxcd.io/{key}": value}
    found = _judge(desired, live)
    assert found.change is change
    if change is Change.IGNORED:
        assert key in found.reason
        assert place in found.reason


def test_diff_secret_is_masked_in_every_part() -> None:
    """A diff on a shared screen must not show a password."""
    secret: Document = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "web", "namespace": "prod"},
        "data": {"same": "c2FtZQ==", "password": "bmV3LXBhc3M="},
    }
    live = copy.deepcopy(secret)
    live["data"]["password"] = "b2xkLXBhc3M="
    found = _judge(secret, live)
    text = repr(found)
    assert found.change is Change.CHANGED
    assert [hunk.path_text for hunk in found.hunks] == ["data.password"]
    for hidden in ("bmV3LXBhc3M=", "b2xkLXBhc3M=", "c2FtZQ=="):
        assert hidden not in text
    assert "*** (before)" in text
    assert "*** (after)" in text


@pytest.mark.parametrize(
    ("kind", "data", "hidden"),
    [
        ("ConfigMap", {"db-password": "hunter2"}, "hunter2"),
        ("ConfigMap", {"url": "postgres://u:hunter2@db/x"}, "hunter2"),
        ("ConfigMap", {"key.pem": "-----BEGIN PRIVATE KEY-----\nhunter2"}, "hunter2"),
    ],
)
def test_diff_masks_what_looks_like_a_secret_elsewhere(
    kind: str, data: dict[str, str], hidden: str
) -> None:
    """People put passwords into ConfigMaps."""
    desired = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "web", "namespace": "prod"},
        "data": dict.fromkeys(data, "other"),
    }
    live = {**desired, "data": data}
    assert hidden not in repr(_judge(desired, live))
    assert hidden not in repr(_judge(live, None))


def test_compare_unknown_value_matches_and_is_counted() -> None:
    """Encrypted values must not be shown as drift, and not as compared either."""
    desired = _web()
    desired["metadata"]["labels"]["zone"] = f"a-{unknown_text('encrypted')}-z"
    live = _apply({}, _web())
    live["metadata"]["labels"]["zone"] = "a-north-z"
    found = compare_applied(desired, live, MANAGERS)
    assert (found.hunks, len(found.unknown)) == ((), 1)
    live["metadata"]["labels"]["zone"] = "other"
    assert len(compare_applied(desired, live, MANAGERS).hunks) == 1


def test_compare_ignores_ownership_recorded_at_another_version() -> None:
    """Paths of v1beta1 mean something else in v1beta2: nothing may be removed by them."""
    live = _apply({}, _web())
    for entry in live["metadata"]["managedFields"]:
        entry["apiVersion"] = "apps/v1beta2"
    desired = _web()
    del desired["spec"]["replicas"]
    assert _paths(compare_applied(desired, live, MANAGERS)) == []


def test_compare_exact_sees_every_difference_but_server_metadata() -> None:
    """A dry run's answer is compared field by field."""
    before = _defaulted(_apply({}, _web()))
    after = copy.deepcopy(before)
    after["metadata"]["resourceVersion"] = "9"
    assert _paths(compare_exact(before, after)) == []
    del after["spec"]["revisionHistoryLimit"]
    _container(after)["image"] = "web:2"
    assert _paths(compare_exact(before, after)) == [
        ("spec.template.spec.containers[name=web].image", "web:1.0", "web:2"),
        ("spec.revisionHistoryLimit", 10, MISSING),
    ]


_names = st.sampled_from("abc")
_scalars = st.integers(1, 3) | st.sampled_from(["x", "y"])
_env = st.dictionaries(_names, st.sampled_from(["1", "2"]), max_size=3)
_args = st.lists(st.sampled_from("xy"), max_size=2)
_plain_map = st.dictionaries(_names, _scalars, max_size=3)


@st.composite
def _objects(draw: st.DrawFn) -> Document:
    """Deployments that differ in list-maps, maps, atomic lists and scalars."""
    containers = [
        {
            "name": name,
            "image": draw(st.sampled_from(["i:1", "i:2"])),
            **(
                {"env": [{"name": key, "value": value} for key, value in env.items()]}
                if (env := draw(_env))
                else {}
            ),
            **(
                {"args": args}
                if (args := draw(st.lists(st.sampled_from("xy"), max_size=2)))
                else {}
            ),
        }
        for name in sorted(draw(st.sets(_names, min_size=1)))
    ]
    document = _web()
    document["spec"]["template"]["spec"]["containers"] = containers
    document["spec"]["replicas"] = draw(st.integers(1, 3))
    document["metadata"]["labels"] = {
        "app": "web",
        **draw(st.dictionaries(_names, st.sampled_from("12"), max_size=2)),
    }
    config = draw(_plain_map)
    if config:
        document["spec"]["config"] = config
    return document


def _trimmed(value: Any) -> Any:
    """Without what an apply never changes, and without emptied containers."""
    if isinstance(value, dict):
        inner = {key: _trimmed(item) for key, item in value.items() if key != "managedFields"}
        return {key: item for key, item in inner.items() if item not in ({}, [], None)}
    if isinstance(value, list):
        items = [_trimmed(item) for item in value]
        named = all(isinstance(item, dict) and "name" in item for item in items)
        return sorted(items, key=lambda item: item["name"]) if named else items
    return value


def _has_names(document: Document) -> bool:
    """Whether the server would accept it: an item half owned by a person loses its name."""
    containers = document["spec"]["template"]["spec"]["containers"]
    variables = [variable for item in containers for variable in item.get("env", [])]
    return all("name" in item for item in [*containers, *variables])


@given(_objects(), _objects(), _objects())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_compare_predicts_what_the_server_does(
    first: Document, edited: Document, wanted: Document
) -> None:
    """What we say a sync changes must be what another implementation of apply changes."""
    live = _apply({}, first)
    human = {**copy.deepcopy(edited), "metadata": {**live["metadata"], **edited["metadata"]}}
    live = _edit(live, human)
    answer = _apply(live, wanted, "2026-11-05T00:00:00Z")
    assume(_has_names(answer))
    comparison = compare_applied(wanted, live, MANAGERS)
    predicted = with_hunks(live, comparison.hunks)
    assert _trimmed(predicted) == _trimmed(answer)


@given(_objects())
@settings(max_examples=40, deadline=None)
def test_compare_applied_object_never_differs(document: Document) -> None:
    """diff(render(x), apply(render(x))) is empty, with defaults on."""
    live = _defaulted(_apply({}, document))
    assert _paths(compare_applied(document, live, MANAGERS)) == []


@given(_objects(), _objects())
@settings(max_examples=40, deadline=None)
def test_compare_exact_hunks_turn_one_object_into_the_other(
    before: Document, after: Document
) -> None:
    """A patch that does not give the other object would be worthless."""
    comparison = compare_exact(before, after)
    assert _trimmed(with_hunks(before, comparison.hunks)) == _trimmed(after)
    assert compare_exact(after, after).hunks == ()


def test_compare_list_with_doubled_keys_is_compared_in_order() -> None:
    """A list whose items share their key would be told apart wrongly and never be clean."""
    checks = [{"type": "Ready", "status": "Unknown"}, {"type": "Ready", "status": "False"}]
    fields = {"f:spec": {"f:checks": {".": {}, 'k:{"type":"Ready"}': {"f:status": {}}}}}
    entry = {"manager": "kustomize-controller", "operation": "Apply", "fieldsV1": fields}
    live = {
        "apiVersion": "example.com/v1",
        "kind": "Probe",
        "metadata": {"name": "a", "managedFields": [entry]},
        "spec": {"checks": checks},
    }
    desired = {
        "apiVersion": "example.com/v1",
        "kind": "Probe",
        "metadata": {"name": "a"},
        "spec": {"checks": checks},
    }
    assert compare_applied(desired, live, {"kustomize-controller"}).hunks == ()


def _pool(spec: Any, live_spec: Any, fields: Document) -> tuple[Document, Document]:
    """An object as git has it and as a server stores it, with what our manager owns."""
    head = {"apiVersion": "example.com/v1beta1", "kind": "Pool"}
    entry = {"manager": "kustomize-controller", "operation": "Apply", "fieldsV1": fields}
    entry["apiVersion"] = head["apiVersion"]
    live = {**head, "metadata": {"name": "a", "managedFields": [entry]}, "spec": live_spec}
    return {**head, "metadata": {"name": "a"}, "spec": spec}, live


def test_compare_field_that_a_conversion_dropped_is_no_difference() -> None:
    """An old version's field that the store has no place for would be red for ever."""
    fields: Document = {"f:spec": {"f:retry": {}, "f:size": {}}}
    desired, live = _pool({"retry": True, "size": 3}, {"size": 3}, fields)
    assert compare_applied(desired, live, MANAGERS).hunks == ()
    removed_by_hand: Document = {"f:spec": {"f:size": {}}}
    desired, live = _pool({"retry": True, "size": 3}, {"size": 3}, removed_by_hand)
    assert _paths(compare_applied(desired, live, MANAGERS)) == [("spec.retry", MISSING, True)]


def test_compare_null_whose_place_was_filled_by_defaults_is_no_difference() -> None:
    """``spec:`` without anything under it is what many templates leave behind."""
    defaults = {"backend": {"docker": {}}}
    desired, live = _pool(None, defaults, {"f:spec": {}})
    assert compare_applied(desired, live, MANAGERS).hunks == ()
    desired, live = _pool(None, {**defaults, "size": 3}, {"f:spec": {"f:size": {}}})
    assert _paths(compare_applied(desired, live, MANAGERS)) == [("spec.size", 3, MISSING)]


def test_compare_exact_leaves_out_what_conversions_write() -> None:
    """A dry run at an old version never answers with the notes of its conversion."""
    desired, live = _pool({"size": 3}, {"size": 3}, {})
    live["metadata"]["annotations"] = {"cluster.x-k8s.io/conversion-data": "{}", "a": "b"}
    desired["metadata"]["annotations"] = {"a": "b"}
    assert compare_exact(live, desired).hunks == ()
