"""What objects say happened to them before."""

import pytest

from fleettui.errors import UnreadableError
from fleettui.kinds.loader import package_roles, read_specs
from fleettui.kinds.past import past_of

RELEASES = [
    {"version": 5, "status": "deployed", "chartName": "redis", "chartVersion": "22.0.7"},
    {"version": 4, "status": "superseded", "chartName": "redis", "chartVersion": "21.1.0"},
]


def test_past_of_a_release_tells_earlier_ones(table):
    """What ran before is where a rollback goes to."""
    spec = table.spec_for("helm.toolkit.fluxcd.io", "HelmRelease")
    past = past_of(spec, {"status": {"history": RELEASES}})
    assert [entry["chart_version"] for entry in past.entries] == ["22.0.7", "21.1.0"]
    assert [column.title for column in past.columns] == [
        *("RELEASE", "STATUS", "CHART", "CHART VERSION")
    ]
    assert [cell.text for cell in past.cells(past.entries[1])] == [
        *("4", "superseded", "redis", "21.1.0")
    ]


def test_past_of_an_application_is_newest_first(table):
    """Argo CD appends, Flux prepends: a person reads both from the top."""
    spec = table.spec_for("argoproj.io", "Application")
    history = [{"id": 1, "revision": "a" * 40}, {"id": 2, "revision": "b" * 40}]
    past = past_of(spec, {"status": {"history": history}})
    assert [cell.text for entry in past.entries for cell in past.cells(entry)] == [
        *("2", "b" * 8, "1", "a" * 8)
    ]


@pytest.mark.parametrize("status", [None, "x", {"history": {"a": 1}}, {"history": [1, None, []]}])
def test_past_of_anything_else_is_empty(table, status):
    """A status of another version must not end the program."""
    spec = table.spec_for("helm.toolkit.fluxcd.io", "HelmRelease")
    assert past_of(spec, {"status": status}).entries == ()
    assert past_of(table.spec_for("cluster.x-k8s.io", "Cluster"), {"status": status}).entries == ()


def test_history_without_columns_is_refused_with_its_line():
    """Whoever writes an entry is told which line is wrong and what is missing."""
    text = "group: g\nkinds:\n  - kind: A\n    role: cloud\n    history: {path: status.history}\n"
    with pytest.raises(UnreadableError, match="a history without columns") as error:
        read_specs(text, "a.yaml", package_roles())
    assert error.value.where == "a.yaml:5"
