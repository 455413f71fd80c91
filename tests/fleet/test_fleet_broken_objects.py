"""Objects nobody foresaw: fields gone, of other types, versions and owners that make no sense."""

import asyncio
import copy
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleettui.cli.output import open_output
from fleettui.cli.words import row_lines, tree_lines
from fleettui.fleet import Fleet, Opening, open_fleet
from fleettui.fleet.birth_forms import birth_form, birth_line
from fleettui.fleet.cause_forms import causes_form
from fleettui.fleet.dependency_forms import dependency_form, dependency_lines
from fleettui.fleet.describe import Options, build_tree, describe_form, describe_lines
from fleettui.fleet.describe.gather import gather
from fleettui.fleet.forms import get_form, grouped_roots, tree_form
from fleettui.fleet.trace_forms import trace_form, trace_lines
from fleettui.index import Row, TreeView
from fleettui.index.birth import birth_of
from fleettui.index.causes import CauseBoard
from fleettui.index.causes.explain import explain
from fleettui.index.dependencies import dependencies_of
from fleettui.index.joins import Joins
from fleettui.index.perspectives import PERSPECTIVES, named_perspective
from fleettui.index.trace import trace
from fleettui.kinds import KindTable, load_table
from fleettui.kinds.spec import Role
from fleettui.recorded.recording import open_recordings

JUNK: Sequence[Any] = (
    *(None, 0, -1, 1.5, True, "", "x", "a/b/c", 10**30, "2026-99-99T00:00:00Z", "\x1b[31m\u202e"),
    *([], {}, [None], [1], ["a"], [[]], [{}], [{"type": 1}], [{"type": "Ready", "status": True}]),
    *({"a": 1}, {"name": 1}, {"name": None, "kind": None}, {"name": ["x"]}),
)
VERSIONS = ("v1alpha3", "v1alpha4", "v1beta1", "v1beta3", "v1", "", "nonsense/x/y")
KEPT = frozenset(
    {("kind",), ("apiVersion",), ("metadata",), ("metadata", "name"), ("metadata", "namespace")}
)
"""Without these a document is no object at all."""

CORE = "cluster.x-k8s.io"
INFRA = "infrastructure.cluster.x-k8s.io"


def document(group: str, kind: str, name: str, owner: str = "", **parts: Any) -> dict[str, Any]:
    """An object of the cluster c1."""
    owners = [{"apiVersion": f"{CORE}/v1beta2", "kind": owner, "name": "c1", "controller": True}]
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "NotReady",
        "message": "no",
        "lastTransitionTime": "2026-01-02T03:04:05Z",
    }
    return {
        "apiVersion": f"{group}/{'v1' if 'toolkit' in group else 'v1beta2'}",
        "kind": kind,
        "metadata": {
            "name": name,
            "namespace": "a",
            "uid": f"{kind}-{name}",
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "labels": {f"{CORE}/cluster-name": "c1"},
            "ownerReferences": owners if owner else [],
        },
        "spec": {"clusterName": "c1", "replicas": 1, **parts},
        "status": {"conditions": [condition], "replicas": 1, "readyReplicas": 0},
    }


def reference(kind: str, group: str = INFRA) -> dict[str, str]:
    """A contract-versioned reference to an object called c1."""
    return {"apiGroup": group, "kind": kind, "name": "c1"}


def template(infrastructure: str) -> dict[str, Any]:
    """The part of a spec that says what machines are made of."""
    return {"spec": {"version": "v1.33.1", "infrastructureRef": reference(infrastructure)}}


DOCUMENTS = [
    document(
        *(CORE, "Cluster", "c1"),
        infrastructureRef=reference("AWSCluster"),
        controlPlaneRef=reference("KubeadmControlPlane", "controlplane.cluster.x-k8s.io"),
        topology={"classRef": {"name": "c1"}, "version": "v1.33.1"},
    ),
    document(INFRA, "AWSCluster", "c1", "Cluster"),
    document("controlplane.cluster.x-k8s.io", "KubeadmControlPlane", "c1", "Cluster"),
    document(CORE, "MachineDeployment", "c1", "Cluster", template=template("AWSMachineTemplate")),
    document(CORE, "MachineSet", "c1", "MachineDeployment"),
    document(CORE, "Machine", "c1", "MachineSet", infrastructureRef=reference("AWSMachine")),
    document(INFRA, "AWSMachine", "c1", "Machine"),
    document(CORE, "MachinePool", "c1", "Cluster", template=template("AWSMachinePool")),
    document(INFRA, "AWSMachinePool", "c1", "MachinePool"),
    document(CORE, "MachineHealthCheck", "c1", "Cluster", selector={"matchLabels": {"a": "b"}}),
    document("addons.cluster.x-k8s.io", "ClusterResourceSetBinding", "c1", bindings=[{}]),
    document("source.toolkit.fluxcd.io", "GitRepository", "c1", url="ssh://git@example.com/a"),
    document(
        *("kustomize.toolkit.fluxcd.io", "Kustomization", "c1"),
        sourceRef={"kind": "GitRepository", "name": "c1"},
        dependsOn=[{"name": "c1"}, {"name": "gone"}],
        kubeConfig={"secretRef": {"name": "c1-kubeconfig"}},
    ),
    document("argoproj.io", "Application", "c1", destination={"name": "c1"}, project="default"),
    document("infra.contrib.fluxcd.io", "Terraform", "c1", approvePlan="auto"),
    document("containerservice.azure.com", "ManagedCluster", "c1", owner={"name": "rg"}),
]


def paths_of(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    items = enumerate(value) if isinstance(value, list) else ()
    for key, item in value.items() if isinstance(value, dict) else items:
        yield (*at, key)
        yield from paths_of(item, (*at, key))


def broken(chance: random.Random, whole: Any, others: Sequence[Any]) -> Any:
    """A copy with one to five things wrong."""
    found = copy.deepcopy(whole)
    for _ in range(chance.choice((1, 1, 2, 5))):
        what = chance.random()
        if what < 0.1:
            group = found["apiVersion"].rpartition("/")[0]
            found["apiVersion"] = f"{group}/{chance.choice(VERSIONS)}".removeprefix("/")
            continue
        if what < 0.2:  # any owner at all, so circles too
            other = chance.choice(others)
            owner = {"apiVersion": other["apiVersion"], "kind": other["kind"], "controller": True}
            owner["name"] = other["metadata"]["name"]
            found["metadata"]["ownerReferences"] = [owner]
            continue
        path = chance.choice([path for path in paths_of(found) if path not in KEPT] or [()])
        holder = found
        for key in path[:-1]:
            holder = holder[key]
        if path and what < 0.5:
            del holder[path[-1]]
        elif path:
            holder[path[-1]] = copy.deepcopy(chance.choice(JUNK))
    return found


def shown(fleet: Fleet) -> set[Row]:
    """Rows in the tree, all of it open; says everything in every grouping on the way."""
    output = open_output("never")
    rows: set[Row] = set()
    for word in (*PERSPECTIVES, "kind", "label:x"):
        view = TreeView(fleet.index)
        view.set_perspective(named_perspective(word, now=fleet.now()))
        view.show_machine_sets(show=True)
        view.expand_all()
        view.settle()
        tree_lines(view, fleet, output)
        if word == "cluster":
            groups = grouped_roots(view)
            msgspec.json.encode(tree_form(fleet, groups, groups=groups))
            lines = view.lines(0, len(view))
            rows = {line.row for line in lines if line.row is not None and not line.is_link}
    return rows


async def tell_everything(fleet: Fleet, rows: Sequence[Row]) -> None:
    """Makes every word that the command line has of these rows."""
    now, index = fleet.now(), fleet.index
    msgspec.json.encode(get_form(fleet, rows))
    row_lines(rows, fleet, open_output("never"))
    board = CauseBoard(index)
    board.refresh(now)
    msgspec.json.encode(causes_form(fleet, board.causes(None), {}))
    graph = dependencies_of(index)
    dependency_lines(graph)
    msgspec.json.encode(dependency_form(fleet, graph))
    joins = Joins(index)
    for row in rows:
        explain(index, row, now)
        found = trace(index, row, joins=joins)
        trace_lines(index, found)
        msgspec.json.encode(trace_form(fleet, found))
        if row.spec.role is Role.CLUSTER:
            birth = birth_of(index, row, joins=joins)
            birth_line(birth, now)
            msgspec.json.encode(birth_form(birth))
            body, inventory, _ = await gather(fleet, row, with_sets=True)
            for options in (Options(), Options("all", True, True, True, True, False)):
                root = build_tree(body, inventory, options)
                describe_lines(root, now)
                msgspec.json.encode(describe_form(root, now))


def check(documents: Sequence[Any], file: Path, table: KindTable) -> None:
    """Opens the documents as a recording: nothing ends early, no object is lost."""
    file.write_bytes(msgspec.json.encode({"apiVersion": "v1", "kind": "List", "items": documents}))

    async def work() -> None:
        fleet = open_fleet(Opening(sources=(file,)))
        await fleet.start()
        assert await fleet.wait_synced(120)
        fleet.settle()
        assert [info.error for info in fleet.contexts()] == [""]
        rows = list(fleet.index.rows())
        ((recording),) = open_recordings(file, table)
        known = {key for key in recording.objects if table.spec_for(key.group, key.kind)}
        assert {row.ref[1:] for row in rows} == set(map(tuple, known))
        visible = {row for row in rows if row.spec.role is not Role.PLATFORM}
        assert visible <= shown(fleet)
        await tell_everything(fleet, rows)
        await fleet.close()

    asyncio.run(work())


@pytest.fixture(scope="module")
def table() -> KindTable:
    """Every built-in kind."""
    return load_table()


@given(seed=st.integers(0, 2**32))
@settings(max_examples=20)
def test_fleet_of_broken_objects_shows_every_one(
    tmp_path_factory: pytest.TempPathFactory, table: KindTable, seed: int
) -> None:
    """One odd object of an old or half-written provider must never hide the others."""
    chance = random.Random(seed)
    documents = [
        broken(chance, whole, DOCUMENTS) if chance.random() < 0.6 else whole for whole in DOCUMENTS
    ]
    check(documents, tmp_path_factory.getbasetemp() / "broken.json", table)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("folder", ["recordings/capi/states/3-incidents", "samples"])
def test_recordings_with_broken_objects_show_every_one(
    shared_folder: Path, tmp_path: Path, table: KindTable, folder: str, seed: int
) -> None:
    """What real controllers and real repositories write, with anything of it broken."""
    chance = random.Random(seed)
    recordings = open_recordings(shared_folder / folder, table)
    objects = [body for recording in recordings for body in recording.objects.values()]
    known = [b for b in objects if table.spec_for(b["apiVersion"].rpartition("/")[0], b["kind"])]
    some = chance.sample(known, 80)
    mixed = [broken(chance, body, some) if chance.random() < 0.6 else body for body in some]
    check(mixed, tmp_path / "broken.json", table)
