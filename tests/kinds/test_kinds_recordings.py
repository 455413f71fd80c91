"""What real controllers wrote, read: nothing unreadable, and the verdicts that are true."""

import fnmatch
import gzip
import json
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleettui.kinds import Record, load_table
from fleettui.kinds.record import Flag, Verdict
from fleettui.manifests import read_file

RED = (Verdict.FAILED, Verdict.STALLED)
HEALTHY_NAMESPACES = ("retail", "analytics", "core")
UNFINISHED = {"paused", "deleting", "progressing", "waiting"}
TABLE = load_table()


def items_of(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.json.gz")):
        document = json.loads(gzip.decompress(path.read_bytes()))
        for item in document.get("items", ()):
            item.setdefault("apiVersion", document["apiVersion"])
            item.setdefault("kind", document["kind"].removesuffix("List"))
            yield item


@lru_cache(maxsize=16)
def records_of(folder: Path, version: str = "") -> dict[str, Record]:
    """Records by ``Kind/namespace/name``, of one version of the Cluster API kinds."""
    found: dict[str, Record] = {}
    for item in items_of(folder):
        group, _, served = item["apiVersion"].rpartition("/")
        if TABLE.spec_for(group, item["kind"]) is None:
            continue
        if version and group.endswith("cluster.x-k8s.io") and served != version:
            continue
        record = TABLE.reader(group, served, item["kind"]).read(json.dumps(item).encode())
        assert not record.flags & Flag.UNREADABLE, record
        found[f"{record.kind}/{record.namespace}/{record.name}"] = record
    return found


@pytest.mark.parametrize("version", ["v1beta1", "v1beta2"])
@pytest.mark.parametrize("state", ["1-healthy", "3-incidents"])
def test_recorded_healthy_clusters_have_no_red_object(shared_folder, state, version):
    """A fleet in which nothing is wrong would show faults, through either API version."""
    records = records_of(shared_folder / "recordings/capi/states" / state / "lists", version)
    healthy = [r for r in records.values() if r.namespace in HEALTHY_NAMESPACES]
    assert len(healthy) > 100
    assert [str(r.key) for r in healthy if r.verdict is not Verdict.CURRENT] == []


def test_recorded_versions_give_the_same_verdicts(shared_folder):
    """An upgrade of Cluster API would change what is red."""
    folder = shared_folder / "recordings/capi/states/3-incidents/lists"
    old, new = records_of(folder, "v1beta1"), records_of(folder, "v1beta2")
    different = {
        key: (old[key].verdict.value, new[key].verdict.value)
        for key in old.keys() & new.keys()
        if old[key].verdict is not new[key].verdict and new[key].flags & Flag.ABSENT_STATUS == 0
    }
    assert different == {}


@pytest.mark.parametrize("stream", ["create", "rollout", "delete"])
def test_recorded_ordinary_changes_never_turn_red(shared_folder, stream):
    """Every creation, rollout and deletion would ring an alarm for a minute."""
    folder = shared_folder / "recordings/capi/streams" / stream / "watch"
    red, seen = [], 0
    for path in sorted(folder.glob("*.jsonl.gz")):
        for line in gzip.decompress(path.read_bytes()).splitlines():
            event = json.loads(line)
            item = event["object"]
            group, _, version = item["apiVersion"].rpartition("/")
            if event["type"] == "BOOKMARK" or TABLE.spec_for(group, item["kind"]) is None:
                continue
            seen += 1
            record = TABLE.reader(group, version, item["kind"]).convert(item)
            if record.verdict in RED:
                red.append((record.kind, record.name, record.reason, record.message[:80]))
    assert seen > 50
    assert red == []


def incidents_of(shared: Path) -> Iterator[dict[str, Any]]:
    truth = yaml.safe_load((shared / "recordings/capi/truth.yaml").read_text())
    yield from truth["incidents"]


def test_recorded_cluster_api_incidents_show_at_their_root(shared_folder):
    """The object at fault would look well, and the search for the cause would start elsewhere."""
    wrong = []
    for incident in incidents_of(shared_folder):
        folder = shared_folder / "recordings/capi/states" / incident["recorded_in"] / "lists"
        records = records_of(folder, "v1beta2")
        named = [r for r in incident["roots"] if r.split("/")[0] != "Secret"]
        roots = [
            record
            for pattern in named
            for key, record in records.items()
            if fnmatch.fnmatchcase(key, pattern)
        ]
        told = [
            record
            for record in roots
            if record.verdict is not Verdict.CURRENT
            or record.flags & (Flag.PAUSED | Flag.DELETING | Flag.EXTERNAL)
        ]
        if not told:
            wrong.append((incident["cluster"], incident["story"]))
        if incident["state"] == "failing" and incident["readable_in"].startswith("condition"):
            reds = [record for record in roots if record.verdict in RED]
            if not any(incident["text"] in f"{r.condition}: {r.message}" for r in reds):
                wrong.append((incident["cluster"], [r.message for r in reds]))
    assert wrong == []


def test_recorded_flux_health_is_green(shared_folder):
    """A healthy GitOps setup would show faults."""
    records = records_of(shared_folder / "recordings/flux/healthy/objects")
    assert [r for r in records.values() if r.verdict in RED] == []
    flux = [r for r in records.values() if r.group.endswith("toolkit.fluxcd.io")]
    assert len(flux) > 20
    assert [str(r.key) for r in flux if r.verdict is not Verdict.CURRENT] == []


def test_recorded_flux_incidents_show_as_they_are(shared_folder):
    """A failing applier or source would look well, or wait for a wrong reason."""
    records = records_of(shared_folder / "recordings/flux/incidents/objects")
    truth = yaml.safe_load((shared_folder / "recordings/flux/incidents/truth.yaml").read_text())
    wrong, involved = [], set()
    for incident in truth["incidents"]:
        root = incident["root"]
        key = f"{root['kind']}/{root['namespace']}/{root['name']}"
        involved |= {
            f"{o['kind']}/{o['namespace']}/{o['name']}"
            for o in (root, incident["top"], *incident["consequences"])
        }
        record = records.get(key)
        if record is None:
            continue
        condition = incident["condition"]
        if incident["state"] == "failing":
            if record.verdict not in RED:
                wrong.append((key, record.verdict))
            told, true = (record.condition, record.reason), (condition["type"], condition["reason"])
            if true[0] in ("Ready", "Released") and told != true:
                wrong.append((key, told))
        elif incident["state"] == "paused" and "suspend" in incident["story"]:
            if not record.flags & Flag.PAUSED:
                wrong.append((key, "not paused"))
        elif record.verdict in RED:
            wrong.append((key, record.verdict))
    assert wrong == []
    blamed = [
        key
        for key, record in records.items()
        if record.verdict in RED
        and record.group.endswith("toolkit.fluxcd.io")
        and key not in involved
        and key not in {f"{o['kind']}/{o['namespace']}/{o['name']}" for i in truth["incidents"]
                        for o in i.get("also_right", ())}
    ]  # fmt: skip
    assert blamed == []


ARGO_WORDS = {
    "healthy": {Verdict.CURRENT},
    "degraded": set(RED),
    "error": set(RED),
    "progressing": {Verdict.IN_PROGRESS},
    "scaling": {Verdict.IN_PROGRESS},
    "oci": {Verdict.CURRENT},
}
DEVIATIONS = {
    "MachineHealthCheck/degraded_expectedMachines.yaml": "remediation is under way",
    "ImagePolicy/degraded.yaml": "waits for a dependency",
    "ClusterResourceSet/progressing_resourceapplied.yaml": "no condition, no phase of this kind",
}
"""Where Argo CD's verdict of an object alone is coarser than ours."""


def test_argo_health_samples_give_the_same_verdict(shared_folder):
    """Objects that Argo CD calls degraded would look well here, or the other way round."""
    wrong, seen = [], 0
    for path in sorted((shared_folder / "samples/argo-cd/health-testdata").rglob("*.yaml")):
        for document in read_file(path):
            body = document.value
            group, _, version = body["apiVersion"].rpartition("/")
            record = TABLE.reader(group, version, body["kind"]).convert(body)
            seen += 1
            name = f"{body['kind']}/{path.name}"
            word = path.stem.split("_")[0]
            if word == "suspended":
                if not record.flags & Flag.PAUSED:
                    wrong.append((name, "not paused"))
            elif name not in DEVIATIONS and record.verdict not in ARGO_WORDS[word]:
                wrong.append((name, record.verdict, record.reason))
    assert seen > 50
    assert wrong == []


def test_samples_all_load(shared_folder):
    """A manifest that upstream publishes would be unreadable."""
    seen, unknown = 0, set()
    for path in sorted((shared_folder / "samples").rglob("*.yaml")):
        for document in read_file(path):
            body = document.value
            if not isinstance(body, dict) or not (body.get("metadata") or {}).get("name"):
                continue
            group, _, version = str(body["apiVersion"]).rpartition("/")
            if TABLE.spec_for(group, body["kind"]) is None:
                unknown.add(f"{body['kind']}.{group}")
            record = TABLE.reader(group, version, body["kind"]).convert(body)
            # A hole of a template, where any real ConfigMap has a mapping.
            is_hole = isinstance(body.get("data"), str)
            assert is_hole or not record.flags & Flag.UNREADABLE, (path, record)
            seen += 1
    assert seen > 400
    assert unknown <= {
        "ClusterIssuer.cert-manager.io",
        "Gateway.gateway.networking.k8s.io",
        "GatewayClass.gateway.networking.k8s.io",
    }
