"""A pause that stands on a namespace holds for what obeys it there, and for nothing else."""

import asyncio

import pytest
from demo_truth import load_table

from fleettui.errors import UnreadableError
from fleettui.fleet.pausing_namespaces import read_pausing_namespace
from fleettui.fleet.recorded_link import RecordedLink
from fleettui.index import Index
from fleettui.index.stuck import stories_of
from fleettui.kinds.record import ObjectKey, ObjectRef
from fleettui.recorded.recording import Recording

NOW = 1_790_000_000
AZURE = "containerservice.azure.com"
POLICY = "serviceoperator.azure.com/reconcile-policy"
TABLE = load_table()


def body(group, kind, name, *, namespace="azure", version="v1", policy=""):
    metadata = {"name": name, "uid": f"{kind}-{name}", "generation": 1}
    if namespace:
        metadata["namespace"] = namespace
    if policy:
        metadata["annotations"] = {POLICY: policy}
    api_version = f"{group}/{version}" if group else version
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata}


@pytest.fixture
def index(tmp_path):
    recording = Recording("one", tmp_path, taken_at=NOW)
    found = [
        body("", "Namespace", "azure", namespace="", policy="skip"),
        body(AZURE, "ManagedCluster", "followed", version="v1api20250801"),
        body(AZURE, "ManagedCluster", "own", version="v1api20250801", policy="manage"),
        body(AZURE, "ManagedCluster", "else", version="v1api20250801", namespace="other"),
        body("source.toolkit.fluxcd.io", "GitRepository", "fleet"),
    ]
    for document in found:
        group, _, _ = document["apiVersion"].rpartition("/")
        metadata = document["metadata"]
        key = ObjectKey(group, document["kind"], metadata.get("namespace", ""), metadata["name"])
        recording.objects[key] = document
    index = Index(TABLE)
    for batch in RecordedLink(recording, TABLE).batches():
        index.apply(batch, NOW)
    return index


def row(index, kind, name, namespace="azure", group=AZURE):
    return index.get(ObjectRef("one", group, kind, namespace, name))


def test_pause_of_a_namespace_holds_for_what_obeys_the_same_annotation(index):
    """A landing zone that nobody reconciles would look alive."""
    above = index.paused_above(row(index, "ManagedCluster", "followed"))
    assert above is not None
    assert (above.kind, above.name) == ("Namespace", "azure")
    [story] = stories_of(index, row(index, "ManagedCluster", "followed"), NOW)
    assert "azure is paused by annotation" in story.sentences[0].text


@pytest.mark.parametrize(
    ("kind", "name", "namespace", "group"),
    [
        ("ManagedCluster", "own", "azure", AZURE),
        ("ManagedCluster", "else", "other", AZURE),
        ("GitRepository", "fleet", "azure", "source.toolkit.fluxcd.io"),
    ],
)
def test_pause_of_a_namespace_leaves_the_rest_alone(index, kind, name, namespace, group):
    """An object's own policy wins; other namespaces and other operators know nothing of it."""
    assert index.paused_above(row(index, kind, name, namespace, group)) is None


class Reader:
    """A fleet that may not read namespaces."""

    table = TABLE

    def __init__(self):
        self.asked = []

    async def read_row(self, ref):
        self.asked.append(ref.name)
        raise UnreadableError("forbidden")

    def settle(self):
        raise AssertionError("nothing came")


def test_namespace_is_read_only_for_kinds_that_obey_it(index):
    """People without the right would see errors, and every question would cost a request."""
    reader = Reader()
    repository = row(index, "GitRepository", "fleet", group="source.toolkit.fluxcd.io")
    asyncio.run(read_pausing_namespace(reader, repository))
    assert reader.asked == []
    asyncio.run(read_pausing_namespace(reader, row(index, "ManagedCluster", "followed")))
    assert reader.asked == ["azure"]
