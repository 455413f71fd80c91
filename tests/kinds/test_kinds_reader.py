"""Readers: the same record from bytes and from mappings, whatever the document looks like."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.errors import UnreadableError
from fleettui.kinds import load_table
from fleettui.kinds.paths import parse_path, parts_of
from fleettui.kinds.reader import paths_of
from fleettui.kinds.record import Flag, Owner, Record, Reference, Replicas, Verdict

TABLE = load_table()
SPECS = tuple(TABLE)


def machine(**changes: Any) -> dict[str, Any]:
    """A healthy Machine at v1beta2."""
    document = {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "Machine",
        "metadata": {
            "name": "m-1",
            "namespace": "fleet",
            "uid": "u-1",
            "resourceVersion": "42",
            "generation": 3,
            "creationTimestamp": "2026-11-01T00:00:00Z",
            "labels": {
                "cluster.x-k8s.io/cluster-name": "shop",
                "cluster.x-k8s.io/control-plane": "",
            },
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
                "pre-drain.delete.hook.machine.cluster.x-k8s.io/backup": "team",
            },
            "finalizers": ["machine.cluster.x-k8s.io"],
            "ownerReferences": [
                {
                    "apiVersion": "controlplane.cluster.x-k8s.io/v1beta2",
                    "kind": "KubeadmControlPlane",
                    "name": "shop-cp",
                    "uid": "u-cp",
                    "controller": True,
                }
            ],
        },
        "spec": {
            "clusterName": "shop",
            "version": "v1.34.1",
            "providerID": "demo://m-1",
            "bootstrap": {
                "configRef": {
                    "apiGroup": "bootstrap.cluster.x-k8s.io",
                    "kind": "KubeadmConfig",
                    "name": "m-1",
                }
            },
            "infrastructureRef": {
                "apiGroup": "infrastructure.cluster.x-k8s.io",
                "kind": "DevMachine",
                "name": "m-1",
            },
        },
        "status": {
            "phase": "Running",
            "observedGeneration": 3,
            "nodeRef": {"name": "node-1"},
            "nodeInfo": {"kubeletVersion": "v1.34.0"},
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "Ready",
                    "message": "",
                    "observedGeneration": 3,
                    "lastTransitionTime": "2026-11-01T00:10:00Z",
                }
            ],
        },
    }
    document.update(changes)
    return document


def read(document: dict[str, Any]) -> Record:
    group, _, version = document["apiVersion"].rpartition("/")
    return TABLE.reader(group, version, document["kind"]).read(json.dumps(document).encode())


def test_read_machine_gives_all_that_rows_need():
    """The tree would lack parents, versions, nodes or ages."""
    record = read(machine())
    assert (record.group, record.version, record.kind) == ("cluster.x-k8s.io", "v1beta2", "Machine")
    assert (record.namespace, record.name, record.uid) == ("fleet", "m-1", "u-1")
    assert record.resource_version == "42"
    assert (record.generation, record.observed_generation) == (3, 3)
    assert record.created_at == 1793491200
    assert record.cluster == "shop"
    assert record.kubernetes_version == "v1.34.0"
    assert record.fact("node") == "node-1"
    assert record.fact("provider_id") == "demo://m-1"
    assert record.verdict is Verdict.CURRENT
    assert record.since == 1793491800
    assert record.owners == (
        Owner("controlplane.cluster.x-k8s.io", "KubeadmControlPlane", "shop-cp", "u-cp", True),
    )
    assert {(r.relation, r.kind, r.namespace, r.name) for r in record.references} == {
        ("cluster", "Cluster", "fleet", "shop"),
        ("infrastructure", "DevMachine", "fleet", "m-1"),
        ("bootstrap", "KubeadmConfig", "fleet", "m-1"),
    }
    assert record.annotations == (
        ("pre-drain.delete.hook.machine.cluster.x-k8s.io/backup", "team"),
    )
    assert record.finalizers == ("machine.cluster.x-k8s.io",)


def test_read_item_without_kind_and_version_takes_those_of_the_list(table):
    """Items of typed lists carry neither; they would all be unreadable."""
    document = machine()
    del document["apiVersion"], document["kind"]
    record = table.reader("cluster.x-k8s.io", "v1beta1", "Machine").convert(document)
    assert (record.version, record.kind) == ("v1beta1", "Machine")


def test_read_partial_metadata_keeps_the_kind_asked_for(table):
    """A metadata-only list would turn every Secret into a PartialObjectMetadata row."""
    document = {
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": {"name": "s", "namespace": "n", "labels": {"a": "b"}},
    }
    record = table.reader("", "v1", "Secret").convert(document)
    assert (record.group, record.version, record.kind, record.name) == ("", "v1", "Secret", "s")
    assert record.verdict is Verdict.CURRENT
    partial = {**document, "metadata": {**document["metadata"], "generation": 1}}
    config = table.reader("bootstrap.cluster.x-k8s.io", "v1beta2", "KubeadmConfig").convert(partial)
    assert config.verdict is Verdict.UNKNOWN
    assert config.flags & Flag.ABSENT_STATUS


def test_read_without_name_is_refused(table):
    """A row without a name could never be found again."""
    reader = table.reader("cluster.x-k8s.io", "v1beta2", "Machine")
    for text in (b'{"metadata":{}}', b"{}", b"[]", b"null", b'"x"', b"{", b'{"metadata":[]}'):
        with pytest.raises(UnreadableError):
            reader.read(text)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": ["not", "an", "object"]},
        {"status": {"conditions": "none", "nodeRef": 7}},
        {"spec": {"infrastructureRef": {"name": 5, "kind": []}}},
        {"spec": {"bootstrap": {"configRef": {"apiGroup": 9, "kind": "K", "name": "n"}}}},
    ],
)
def test_read_odd_shape_still_gives_a_row(changes):
    """One malformed object would take its whole list away from the screen."""
    record = read(machine(**changes))
    assert record.name == "m-1"
    assert record.cluster == "shop" or record.flags & Flag.UNREADABLE


def test_read_wholly_odd_document_is_marked_unreadable():
    """An object that cannot be understood would look healthy."""
    record = read(machine(spec="gone", status=3))
    assert record.flags == Flag.UNREADABLE
    assert record.verdict is Verdict.UNKNOWN
    assert record.name == "m-1"
    assert record.owners


def test_read_null_where_an_object_stands_reads_like_absence():
    """`status: null`, as hand-written manifests have it, would hide the object's fields."""
    record = read(machine(status=None))
    assert not record.flags & Flag.UNREADABLE
    assert record.fact("provider_id") == "demo://m-1"


def test_read_counters_written_as_text_are_numbers():
    """int-or-string fields would make whole objects unreadable."""
    document = {
        "apiVersion": "cluster.x-k8s.io/v1beta2",
        "kind": "MachineDeployment",
        "metadata": {"name": "md"},
        "spec": {"replicas": "3"},
        "status": {"replicas": 3, "readyReplicas": 2, "availableReplicas": 2},
    }
    assert read(document).replicas == Replicas(3, 3, 2, 2, -1)


def test_fingerprint_changes_with_the_entry(table):
    """Rows cached by an older understanding of a kind would be shown as current."""
    one = table.reader("cluster.x-k8s.io", "v1beta2", "Machine")
    other = table.reader("cluster.x-k8s.io", "v1beta1", "Machine")
    assert one.fingerprint != other.fingerprint
    again = load_table().reader("cluster.x-k8s.io", "v1beta2", "Machine")
    assert again.fingerprint == one.fingerprint


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2**40),
    st.sampled_from(["", "True", "v1", "2026-01-01T00:00:00Z", "a/b", "x", "Ready", "Failed"]),
    st.text(max_size=6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "kind", "apiVersion", "apiGroup", "namespace", "type",
                             "status", "reason", "message", "id", "x"]),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=8,
)  # fmt: skip


def put(document: dict[str, Any], keys: tuple[str, ...], value: object) -> None:
    for key in keys[:-1]:
        below = document.setdefault(key, {})
        if not isinstance(below, dict):
            return
        document = below
    document[keys[-1]] = value


@given(data=st.data())
def test_read_and_convert_agree_on_any_document(data):
    """A recording of an object would show another row than the live object."""
    spec = data.draw(st.sampled_from(SPECS))
    paths = [part for path in paths_of(spec) for part in parts_of(path)]
    known = [parse_path(path).keys for path in paths] + [
        ("status", "conditions"),
        ("status", "v1beta2", "conditions"),
        ("status", "deprecated", "v1beta1", "conditions"),
        ("status",),
        ("spec",),
        ("metadata", "labels"),
        ("metadata", "annotations"),
        ("metadata", "ownerReferences"),
        ("metadata", "finalizers"),
        ("metadata", "deletionTimestamp"),
        ("metadata", "generation"),
        ("status", "observedGeneration"),
    ]
    document: dict[str, Any] = {"metadata": {"name": data.draw(st.sampled_from(["n", "", None]))}}
    for keys in data.draw(st.lists(st.sampled_from(known), max_size=8)):
        put(document, keys, data.draw(VALUES))
    reader = TABLE.reader(spec.group, "v1", spec.kind)
    text = json.dumps(document).encode()
    try:
        converted = reader.convert(json.loads(text))
    except UnreadableError:
        with pytest.raises(UnreadableError):
            reader.read(text)
        return
    assert reader.read(text) == converted
    hash(converted.references)
    assert all(isinstance(value, str) for _, value in converted.facts)


def test_references_with_missing_parts_take_them_from_the_entry(table):
    """Short references of Flux would point nowhere."""
    record = table.reader("kustomize.toolkit.fluxcd.io", "v1", "Kustomization").convert(
        {
            "metadata": {"name": "apps", "namespace": "flux-system"},
            "spec": {
                "sourceRef": {"kind": "GitRepository", "name": "fleet"},
                "dependsOn": [{"name": "infra"}, {"name": "crds", "namespace": "other"}],
                "kubeConfig": {"secretRef": {"name": "shop-kubeconfig"}},
            },
        }
    )
    source = "source.toolkit.fluxcd.io"
    group = "kustomize.toolkit.fluxcd.io"
    told = {reference[:5]: reference.evidence for reference in record.references}
    assert told == {
        ("source", source, "GitRepository", "flux-system", "fleet"): "spec.sourceRef",
        ("depends_on", group, "Kustomization", "flux-system", "infra"): "spec.dependsOn",
        ("depends_on", group, "Kustomization", "other", "crds"): "spec.dependsOn",
        ("kubeconfig_secret", "", "Secret", "flux-system", "shop-kubeconfig"): (
            "spec.kubeConfig.secretRef"
        ),
        ("targets", "cluster.x-k8s.io", "Cluster", "flux-system", "shop"): (
            "name of Secret shop-kubeconfig in spec.kubeConfig.secretRef.name"
        ),
    }
    assert all(isinstance(reference, Reference) for reference in record.references)
