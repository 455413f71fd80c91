"""Recordings in which something refers to a kind that the server did not serve."""

from pathlib import Path
from typing import Any

from fleettui.fleet.recorded_link import RecordedLink
from fleettui.kinds import load_table
from fleettui.kinds.batch import Phase
from fleettui.kinds.record import ObjectKey
from fleettui.recorded.recording import Recording

INFRA = "infrastructure.cluster.x-k8s.io"


def _definition(kind: str) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{INFRA}"},
        "spec": {"group": INFRA, "names": {"kind": kind, "plural": plural}} if kind else {},
    }


def _absent(*defined: str) -> list[tuple[str, str]]:
    """Kinds told as not served, when these kinds were defined."""
    cluster = {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Cluster",
        "metadata": {"name": "c", "namespace": "a", "uid": "u"},
        "spec": {"infrastructureRef": {"apiGroup": INFRA, "kind": "FooCluster", "name": "c"}},
    }
    objects = {ObjectKey("cluster.x-k8s.io", "Cluster", "a", "c"): cluster}
    for kind in defined:
        body = _definition(kind)
        key = ObjectKey(
            "apiextensions.k8s.io", "CustomResourceDefinition", "", body["metadata"]["name"]
        )
        objects[key] = body
    link = RecordedLink(Recording("one", Path("one"), objects=objects, taken_at=9), load_table())
    return [
        (batch.scope.group, batch.scope.kind)
        for batch in link.batches()
        for event in batch.events
        if getattr(event, "phase", None) is Phase.ABSENT
    ]


def test_recording_tells_of_a_kind_that_was_referred_to_and_not_defined() -> None:
    """A cluster of a provider that was never installed would look merely slow."""
    assert _absent("BarCluster") == [(INFRA, "FooCluster")]


def test_recording_without_definitions_says_nothing_of_kinds() -> None:
    """Whoever records a few kinds by hand would see all others told as missing."""
    assert _absent() == []


def test_recording_of_definitions_without_bodies_says_nothing_of_kinds() -> None:
    """What was recorded as metadata alone would make every ConfigMap a missing one."""
    assert _absent("") == []


def test_recording_of_a_defined_kind_without_objects_says_nothing_of_it() -> None:
    """That no object was recorded is told by its own absence."""
    assert _absent("FooCluster", "BarCluster") == []
