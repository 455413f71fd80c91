"""`describe cluster` prints what the recorded output of the real clusterctl shows."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from fleettui.fleet.describe import Inventory, Options, build_tree, describe_lines
from fleettui.fleet.describe.inventory import at
from fleettui.kinds import KindTable, load_table
from fleettui.recorded.recording import Recording, open_recordings

VIEWS = {
    "plain": Options(),
    "all": Options(show_conditions="all"),
    "all-ungrouped-echo": Options(show_conditions="all", grouping=False, echo=True),
    "full": Options(
        show_conditions="all",
        grouping=False,
        echo=True,
        show_machine_sets=True,
        show_resource_sets=True,
        show_templates=True,
    ),
}
DEVIATIONS = {
    "differing": "a group whose members fail for different reasons says so",
    "deployment": "a MachineDeployment is shown though it has no Machine yet",
}
"""What is allowed to differ, and why."""
_SINCE = re.compile(r"^\d+[smhdy](\d+[smhdy])?$")


def columns_of(header: str) -> list[int]:
    """Where each column begins."""
    names = ("NAME", "REPLICAS", "AVAILABLE", "READY", "UP TO DATE", "STATUS", "REASON")
    starts, position = [], 0
    for name in (*names, "SINCE", "MESSAGE"):
        position = header.index(name, position)
        starts.append(position)
        position += len(name)
    return starts


def table_of(text: str) -> list[tuple[str, ...]]:
    """Rows of a printed description as stripped cells, SINCE left out."""
    lines = [line for line in text.splitlines() if line.strip()]
    starts = columns_of(lines[0])
    rows = []
    for line in lines[1:]:
        ends = [*starts[1:], len(line)]
        cells = [line[a:b].rstrip() for a, b in zip(starts, ends, strict=True)]
        name, *rest = cells
        since = rest[6].strip()
        assert not since or _SINCE.match(since), line
        message = rest[7].rstrip()
        rows.append((name.rstrip(), *(cell.strip() for cell in rest[:6]), message))
    return rows


def inventory_of(recording: Recording, namespace: str, table: KindTable) -> Inventory:
    """The objects of one namespace."""
    bodies = [b for b in recording.objects.values() if at(b, "metadata", "namespace") == namespace]
    return Inventory(bodies, table)


def is_deviation(real: list[tuple[str, ...]], ours: list[tuple[str, ...]]) -> str:
    """The name of the documented deviation that explains a difference; empty if none does."""
    plain = [(*row[:-1], re.sub(r" \(\d+ different reasons\)$", "", row[-1])) for row in ours]
    if plain == real:
        return "differing"
    bare = [_without_prefix(row) for row in plain]
    shown = [_without_prefix(row) for row in real]
    extra = [row for row in bare if row not in shown and row[0]]
    rest = [row for row in bare if row not in extra]
    of_deployments = all(_is_of_deployment(row) for row in extra)
    return "deployment" if rest[: len(shown)] == shown and extra and of_deployments else ""


def _without_prefix(row: tuple[str, ...]) -> tuple[str, ...]:
    return (re.sub(r"^[│├└─ ]+", "", row[0]), *row[1:])


def _is_of_deployment(row: tuple[str, ...]) -> bool:
    """Rows that hang below a Workers heading which clusterctl does not print."""
    words = ("Workers", "MachineDeployment ", "MachineSet ", "Templates")
    return row[0].startswith(words) or "Template " in row[0] or not row[1]


@pytest.fixture(scope="module")
def table() -> KindTable:
    """Every built-in kind."""
    return load_table()


@pytest.mark.parametrize(
    "state", ["1-healthy", "2-before", "3-incidents", "4-more-before", "5-more-incidents"]
)
def test_describe_of_every_recorded_cluster_agrees_with_clusterctl(
    shared_folder: Path, table: KindTable, state: str
) -> None:
    """A person who knows clusterctl's view must find the same rows, numbers and reasons here."""
    folder = shared_folder / "recordings" / "capi" / "states" / state
    recording = open_recordings(folder, table)[0]
    clusters = {
        f"{at(b, 'metadata', 'namespace')}_{at(b, 'metadata', 'name')}": b
        for key, b in recording.objects.items()
        if key.kind == "Cluster" and key.group == "cluster.x-k8s.io"
    }
    compared, deviating, wrong = 0, [], []
    for file in sorted((folder / "describe").glob("*.txt.gz")):
        name, view = file.name.removesuffix(".txt.gz").rsplit(".", 1)
        cluster: Any = clusters[name]
        inventory = inventory_of(recording, name.split("_", 1)[0], table)
        root = build_tree(cluster, inventory, VIEWS[view])
        real = table_of(gzip.decompress(file.read_bytes()).decode())
        ours = table_of("\n".join(describe_lines(root, recording.taken_at)))
        compared += 1
        if real != ours:
            deviation = is_deviation(real, ours)
            (deviating if deviation else wrong).append(f"{name}.{view} {deviation}")
            if not deviation:
                first = next(
                    ((r, o) for r, o in zip(real, ours, strict=False) if r != o), ("length", "")
                )
                wrong[-1] += f"\n  real {first[0]}\n  ours {first[1]}"
    assert compared > 10
    assert not wrong, "\n".join(wrong)
    assert {d.split()[1] for d in deviating} <= set(DEVIATIONS)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"replicas": 3, "conditions": []}, ("1/3", "False", "NodesNotReady")),
        (
            {
                "replicas": 3,
                "deprecated": {
                    "v1beta1": {
                        "readyReplicas": 3,
                        "conditions": [{"type": "Ready", "status": "True"}],
                    }
                },
            },
            ("3/3", "True", "NoReasonReported"),
        ),
        (
            {
                "replicas": 3,
                "deprecated": {
                    "v1beta1": {
                        "conditions": [
                            {
                                "type": "InfrastructureReady",
                                "status": "False",
                                "severity": "Error",
                                "reason": "QuotaExceeded",
                            }
                        ]
                    }
                },
            },
            ("3/3", "False", "QuotaExceeded"),
        ),
    ],
)
def test_describe_of_a_machine_pool_is_never_blank(
    table: KindTable, status: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    """Clusters of managed clouds consist of pools: clusterctl prints nothing about them."""

    def body(kind: str, **parts: Any) -> dict[str, Any]:
        labels = {"cluster.x-k8s.io/cluster-name": "c"}
        metadata = {"namespace": "a", "name": "c", "labels": labels}
        return {
            "apiVersion": "cluster.x-k8s.io/v1beta2",
            "kind": kind,
            "metadata": metadata,
            **parts,
        }

    have = int(expected[0][0])
    pool = body("MachinePool", spec={"replicas": 3}, status={**status, "replicas": have})
    cluster = body("Cluster", spec={})
    root = build_tree(cluster, Inventory([cluster, pool], table), Options())
    (row,) = [r for r in table_of("\n".join(describe_lines(root, 0))) if "MachinePool" in r[0]]
    assert (row[1], row[5], row[6]) == expected
