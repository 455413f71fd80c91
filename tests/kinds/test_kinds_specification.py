"""When a specification was last written: told of objects whose controller is behind."""

import json
from typing import Any

import pytest

from fleettui.kinds import load_table
from fleettui.kinds.record import Record
from fleettui.kinds.specification import SPECIFIED_AT, specified_at

TABLE = load_table()
MANAGED = [
    {
        "manager": "kubectl",
        "operation": "Apply",
        "time": "2026-03-01T10:00:00Z",
        "fieldsV1": {"f:spec": {"f:replicas": {}}},
    },
    {
        "manager": "topology",
        "operation": "Apply",
        "time": "2026-03-01T11:30:00Z",
        "fieldsV1": {"f:metadata": {"f:labels": {}}, "f:spec": {"f:version": {}}},
    },
    {
        "manager": "manager",
        "operation": "Update",
        "subresource": "status",
        "time": "2026-03-01T12:00:00Z",
        "fieldsV1": {"f:status": {}},
    },
    {
        "manager": "labeller",
        "operation": "Update",
        "time": "2026-03-01T12:30:00Z",
        "fieldsV1": {"f:metadata": {}},
    },
]


def _records(*, observed: int, managed: Any = MANAGED) -> list[Record]:
    """The same control plane, read from bytes and from a mapping."""
    document = {
        "apiVersion": "controlplane.cluster.x-k8s.io/v1beta2",
        "kind": "KubeadmControlPlane",
        "metadata": {
            "name": "prod",
            "namespace": "fleet",
            "generation": 4,
            "managedFields": managed,
        },
        "status": {
            "observedGeneration": observed,
            "conditions": [{"type": "Available", "status": "True", "reason": "Available"}],
        },
    }
    reader = TABLE.reader("controlplane.cluster.x-k8s.io", "v1beta2", "KubeadmControlPlane")
    return [reader.read(json.dumps(document).encode()), reader.convert(document)]


def test_specification_of_an_object_that_waits_has_the_time_of_its_last_change() -> None:
    """A change of a second ago on an old object would seem ignored for months."""
    for record in _records(observed=3):
        assert dict(record.facts)[SPECIFIED_AT] == "2026-03-01T11:30:00Z"


def test_specification_that_was_looked_at_costs_no_fact() -> None:
    """Hundreds of thousands of rows would carry what nobody needs."""
    for record in _records(observed=4):
        assert SPECIFIED_AT not in dict(record.facts)


@pytest.mark.parametrize("managed", [None, [], "odd", [1, None], [{"time": 7}], [{"fieldsV1": 1}]])
def test_specification_without_usable_managed_fields_is_read_all_the_same(managed: Any) -> None:
    """Proxies and backups strip them; the object must not be lost for it."""
    for record in _records(observed=3, managed=managed):
        assert record.name == "prod"
        assert SPECIFIED_AT not in dict(record.facts)


def test_specified_at_of_nothing_is_empty() -> None:
    """A reader without the field asks nothing."""
    assert specified_at(None) == ""


def test_managers_are_read_out_of_bytes_and_of_values_alike() -> None:
    """Who wrote a ConfigMap was lost where the object came from a server."""
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x", "managedFields": [{"manager": "gitops"}, {"manager": "kubectl"}]},
    }
    reader = load_table().reader("", "v1", "ConfigMap")
    for record in (reader.convert(body), reader.read(json.dumps(body).encode())):
        assert record.fact("managers") == "gitops, kubectl"
