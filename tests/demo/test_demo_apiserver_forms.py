"""Tables, paths, protobuf bodies, discovery: pure pieces of the server."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.demo.apiserver.definitions import definition_of, resource_of
from fleettui.demo.apiserver.discovery import aggregated, group_list, wanted_dialect
from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.jsonpath import first_value, values_at, with_value
from fleettui.demo.apiserver.protobuf import MAGIC, decoded_protobuf
from fleettui.demo.apiserver.resources import PrinterColumn, Resource, ScalePaths
from fleettui.demo.apiserver.tables import age_of, column_definitions, duration_of, row_of
from fleettui.demo.apiserver.target import target_of

NOW = datetime(2025, 6, 1, 12, 0, tzinfo=UTC)
WIDGETS = Resource(
    group="example.com",
    version="v1",
    kind="Widget",
    plural="widgets",
    singular="widget",
    served=("v1", "v1beta1"),
    short_names=("wd",),
    categories=("cluster-api",),
    scale=ScalePaths(),
    labels={"cluster.x-k8s.io/v1beta2": "v1"},
    printer_columns=(
        PrinterColumn("Ready", "string", '.status.conditions[?(@.type=="Ready")].status'),
        PrinterColumn("Cluster", "string", r".metadata.labels.cluster\.x-k8s\.io/name"),
        PrinterColumn("Replicas", "integer", ".spec.replicas", 1),
        PrinterColumn("Age", "date", ".metadata.creationTimestamp"),
    ),
)
OBJECT: dict[str, Any] = {
    "metadata": {
        "name": "w",
        "labels": {"cluster.x-k8s.io/name": "c"},
        "creationTimestamp": "2025-06-01T11:00:00Z",
    },
    "spec": {"replicas": 3, "list": [{"a": 1}, {"a": 2}]},
    "status": {"conditions": [{"type": "A", "status": "x"}, {"type": "Ready", "status": "True"}]},
}


def test_table_row_has_a_cell_for_every_column() -> None:
    """`kubectl get` would print values under the wrong headings."""
    row = row_of(WIDGETS, OBJECT, include="None", now=NOW)
    assert row == {"cells": ["w", "True", "c", 3, "60m"]}
    assert len(column_definitions(WIDGETS)) == len(row["cells"])
    bare = row_of(WIDGETS, {"metadata": {"name": "w"}}, include="Metadata", now=NOW)
    assert bare["cells"] == ["w", "", "", None, None]
    assert bare["object"]["kind"] == "PartialObjectMetadata"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5, "5s"),
        (119, "119s"),
        (150, "2m30s"),
        (600, "10m"),
        (4 * 3600 + 60, "4h1m"),
        (30 * 3600, "30h"),
        (49 * 3600, "2d1h"),
        (20 * 86400, "20d"),
        (800 * 86400, "2y70d"),
        (-5, "<invalid>"),
    ],
)
def test_durations_are_spelled_as_kubectl_does(seconds: int, text: str) -> None:
    """Ages would differ from those of a real server's tables."""
    assert duration_of(seconds) == text


@given(st.integers(0, 10**9))
def test_age_of_any_moment_is_its_duration(seconds: int) -> None:
    """An age would depend on how its moment is written."""
    moment = NOW - timedelta(seconds=seconds)
    assert age_of(moment.isoformat(), NOW) == duration_of(seconds)


@pytest.mark.parametrize(
    ("path", "values"),
    [
        (".spec.replicas", [3]),
        ("{.spec.replicas}", [3]),
        (".spec.list[1].a", [2]),
        (".spec.list[*].a", [1, 2]),
        (".spec['replicas']", [3]),
        (".status.conditions[?(@.type=='Ready')].status", ["True"]),
        (".spec.missing.deeper", []),
        (".spec[", []),
    ],
)
def test_json_paths_of_printer_columns(path: str, values: list[Any]) -> None:
    """Columns would stay empty."""
    assert values_at(OBJECT, path) == values


def test_json_path_sets_what_it_reads() -> None:
    """Scaling would write where nobody reads."""
    document: dict[str, Any] = {}
    with_value(document, ".spec.replicas", 5)
    assert first_value(document, ".spec.replicas") == 5


def test_definition_tells_everything_its_type_was_made_of() -> None:
    """A kind would lose its columns or its contract on the way through discovery."""
    assert resource_of(definition_of(WIDGETS, revision="1")) == WIDGETS


def test_definition_without_names_is_refused() -> None:
    """A broken definition would take the server down."""
    with pytest.raises(ApiError) as caught:
        resource_of({"metadata": {"name": "x.y"}, "spec": {"group": "y"}})
    assert caught.value.code == 422


def test_both_discovery_dialects_tell_the_same() -> None:
    """Clients of different age would see different kinds."""
    legacy = {group["name"] for group in group_list([WIDGETS])["groups"]}
    new = aggregated([WIDGETS], is_core=False, version="v2")
    assert {item["metadata"]["name"] for item in new["items"]} == legacy
    found = next(i for i in new["items"] if i["metadata"]["name"] == "example.com")
    assert [v["version"] for v in found["versions"]] == ["v1", "v1beta1"]
    subresources = found["versions"][0]["resources"][0]["subresources"]
    assert [s["subresource"] for s in subresources] == ["status", "scale"]


@pytest.mark.parametrize(
    ("accept", "dialect"),
    [
        ("application/json", None),
        ("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", "v2"),
        (
            "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,"
            "application/json",
            "v2beta1",
        ),
        ("application/json,application/json;v=v2;as=APIGroupDiscoveryList", None),
    ],
)
def test_discovery_dialect_follows_the_accept_header(accept: str, dialect: str | None) -> None:
    """An old client would be answered in a dialect it does not know."""
    assert wanted_dialect(accept) == dialect


@pytest.mark.parametrize(
    ("method", "path", "query", "expected"),
    [
        ("GET", "/apis/g/v1/things", {}, ("list", "things", "", "", "")),
        ("GET", "/apis/g/v1/things", {"watch": "true"}, ("watch", "things", "", "", "")),
        ("GET", "/apis/g/v1/namespaces/n/things/x", {}, ("get", "things", "n", "x", "")),
        ("GET", "/api/v1/namespaces/n/pods/p/log", {}, ("get", "pods", "n", "p", "log")),
        ("PATCH", "/apis/g/v1/things/x/status", {}, ("patch", "things", "", "x", "status")),
        ("GET", "/api/v1/namespaces/n", {}, ("get", "namespaces", "n", "n", "")),
        ("PUT", "/api/v1/namespaces/n/status", {}, ("update", "namespaces", "n", "n", "status")),
        ("DELETE", "/apis/g/v1/things", {}, ("deletecollection", "things", "", "", "")),
        ("POST", "/api/v1/namespaces", {}, ("create", "namespaces", "", "", "")),
        ("GET", "/readyz", {}, ("get", "", "", "", "")),
    ],
)
def test_target_of_a_request(
    method: str, path: str, query: dict[str, str], expected: tuple[str, ...]
) -> None:
    """A request would be authorised as another one."""
    found = target_of(method, path, query)
    parts = (found.verb, found.plural, found.namespace, found.name, found.subresource)
    assert parts == expected


def _field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2, len(content))) + content


def test_protobuf_review_is_read() -> None:
    """`kubectl auth can-i` would be refused."""
    attributes = _field(2, b"list") + _field(3, b"g") + _field(5, b"things")
    review = _field(2, _field(1, attributes))
    meta = _field(1, b"authorization.k8s.io/v1") + _field(2, b"SelfSubjectAccessReview")
    document = decoded_protobuf(MAGIC + _field(1, meta) + _field(2, review))
    assert document == {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "list", "group": "g", "resource": "things"}},
    }


@given(st.binary(max_size=40))
def test_protobuf_garbage_is_an_error_and_never_a_crash(data: bytes) -> None:
    """A broken client would take the server down."""
    try:
        found = decoded_protobuf(MAGIC + data)
    except ValueError:
        return
    assert found is None or isinstance(found, dict)
