"""A provider nobody has heard of, installed on a server while the program runs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from fleettui.demo.apiserver.authz import demo_access
from fleettui.demo.apiserver.server import ApiServer
from fleettui.demo.apiserver.store import Store
from fleettui.demo.world import build_world
from fleettui.fleet import Fleet, Opening, open_fleet
from fleettui.index import Row
from fleettui.kinds.record import Verdict

GROUP = "infrastructure.cluster.x-k8s.io"
CAPI = "cluster.x-k8s.io"
WAIT_S = 120.0


@pytest.fixture
async def server() -> AsyncIterator[ApiServer]:
    """A management cluster with two ordinary workload clusters."""
    world = build_world(0, 1, clusters=2, seed=5, now=datetime.now(UTC), incidents=())
    api = ApiServer(Store(world), demo_access(admin="admin", oncall="oncall", tenant="tenant"))
    await api.start()
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "acme"}}
    await post(api, "/api/v1/namespaces", namespace)
    yield api
    await api.stop()


@pytest.fixture
async def fleet(server: ApiServer, tmp_path: Path) -> AsyncIterator[Fleet]:
    """The ordinary program's fleet on it, read-only, running."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        "{apiVersion: v1, kind: Config, current-context: live,"
        " contexts: [{name: live, context: {cluster: a, user: a}}],"
        f" clusters: [{{name: a, cluster: {{server: '{server.url}'}}}}],"
        " users: [{name: a, user: {token: oncall}}]}"
    )
    found = open_fleet(Opening(kubeconfig=kubeconfig, read_only=True, depth="full"))
    await found.start()
    assert await found.wait_synced(WAIT_S)
    yield found
    await found.close()


async def post(server: ApiServer, path: str, document: dict[str, Any]) -> dict[str, Any]:
    """Creates an object as the administrator; the object as it is then."""
    headers = {"Authorization": "Bearer admin"}
    async with (
        aiohttp.ClientSession(server.url, headers=headers) as session,
        session.post(path, json=document) as answer,
    ):
        found: dict[str, Any] = await answer.json()
        assert answer.status == 201, found
        return found


def definition(kind: str, *, columns: list[dict[str, Any]], labels: bool = True) -> dict[str, Any]:
    """A provider's CRD as its release manifest installs it."""
    plural = f"{kind.lower()}s"
    opened = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    contract = {f"{CAPI}/provider": "infrastructure-acme", f"{CAPI}/v1beta2": "v1beta7"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}", "labels": contract if labels else {}},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [
                {
                    "name": "v1beta7",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {
                            "type": "object",
                            "properties": {"spec": opened, "status": opened},
                        }
                    },
                    "additionalPrinterColumns": columns,
                }
            ],
        },
    }


def acme(kind: str, name: str, owner: Row | None = None, **fields: Any) -> dict[str, Any]:
    """An object of the unknown provider."""
    owners = []
    if owner is not None:
        owners = [
            {
                "apiVersion": f"{owner.group}/{owner.version}",
                "kind": owner.kind,
                "name": owner.name,
                "uid": owner.uid,
                "controller": True,
            }
        ]
    return {
        "apiVersion": f"{GROUP}/v1beta7",
        "kind": kind,
        "metadata": {"name": name, "namespace": "acme", "ownerReferences": owners},
        **fields,
    }


def condition(status: str, reason: str, message: str = "") -> dict[str, Any]:
    """A Ready condition of the new scheme."""
    return {
        "type": "Ready",
        "status": status,
        "reason": reason,
        "message": message,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 1,
    }


async def settled(fleet: Fleet, is_there: Callable[[], bool]) -> None:
    """Waits until the fleet shows it."""
    came = asyncio.Event()
    fleet.on_change = came.set
    async with asyncio.timeout(WAIT_S):
        while True:
            came.clear()
            fleet.settle()
            if is_there():
                return
            await came.wait()


def row_of(fleet: Fleet, kind: str, name: str) -> Row | None:
    """The row of an object by its kind's name."""
    return next((row for row in fleet.index.rows() if (row.kind, row.name) == (kind, name)), None)


COLUMNS = [
    {"name": "Rack", "type": "string", "jsonPath": ".spec.rack"},
    {"name": "Power", "type": "string", "jsonPath": ".status.power"},
    {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
]


async def test_unknown_provider_is_placed_in_the_tree_without_code(
    server: ApiServer, fleet: Fleet
) -> None:
    """A platform team's own provider must not be invisible, nor wait for a release of ours."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for kind, columns in (("AcmeCluster", []), ("AcmeMachine", COLUMNS), ("AcmeCable", [])):
        await post(server, definitions, definition(kind, columns=columns))
    core, infra = f"/apis/{CAPI}/v1beta2/namespaces/acme", f"/apis/{GROUP}/v1beta7/namespaces/acme"
    reference = {"apiGroup": GROUP, "kind": "AcmeCluster", "name": "plant"}
    await post(
        server,
        f"{core}/clusters",
        {
            "apiVersion": f"{CAPI}/v1beta2",
            "kind": "Cluster",
            "metadata": {"name": "plant", "namespace": "acme"},
            "spec": {"infrastructureRef": reference},
        },
    )
    await settled(fleet, lambda: row_of(fleet, "Cluster", "plant") is not None)
    cluster = row_of(fleet, "Cluster", "plant")
    failing = {
        "conditions": [condition("False", "NoRack", "no rack left in row 7")],
        "initialization": {"provisioned": True},
    }
    await post(server, f"{infra}/acmeclusters", acme("AcmeCluster", "plant", status=failing))
    machine = {
        "apiVersion": f"{CAPI}/v1beta2",
        "kind": "Machine",
        "metadata": {
            "name": "plant-0",
            "namespace": "acme",
            "labels": {f"{CAPI}/cluster-name": "plant"},
        },
        "spec": {
            "clusterName": "plant",
            "infrastructureRef": {"apiGroup": GROUP, "kind": "AcmeMachine", "name": "box-0"},
        },
    }
    await post(server, f"{core}/machines", machine)
    box = acme("AcmeMachine", "box-0", spec={"rack": "r7"}, status={"power": "on"})
    await post(server, f"{infra}/acmemachines", box)
    await post(server, f"{infra}/acmecables", acme("AcmeCable", "c-0", cluster))
    names = (("AcmeCluster", "plant"), ("AcmeMachine", "box-0"), ("AcmeCable", "c-0"))
    await settled(fleet, lambda: all(row_of(fleet, *name) for name in names))
    found = {kind: row_of(fleet, kind, name) for kind, name in names}
    parents = {
        kind: row.parent.ref[2:] if row and row.parent else None for kind, row in found.items()
    }
    assert parents == {
        "AcmeCluster": ("Cluster", "acme", "plant"),
        "AcmeMachine": ("Machine", "acme", "plant-0"),
        "AcmeCable": ("Cluster", "acme", "plant"),
    }
    infrastructure, cabled = found["AcmeCluster"], found["AcmeMachine"]
    assert infrastructure is not None
    assert cabled is not None
    assert (infrastructure.health, infrastructure.reason) == (Verdict.FAILED, "NoRack")
    assert infrastructure.spec.provider == "acme"
    assert ("rack", "r7") in cabled.facts
    assert ("power", "on") in cabled.facts
    plant = row_of(fleet, "Cluster", "plant")
    assert plant is not None
    assert plant.health is Verdict.FAILED
    assert plant.culprit is infrastructure


async def test_unknown_kind_of_a_providers_group_needs_no_labels(
    server: ApiServer, fleet: Fleet
) -> None:
    """Raw CRDs carry no contract labels; their group tells enough to show them."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    await post(server, definitions, definition("BareMachine", columns=COLUMNS, labels=False))
    path = f"/apis/{GROUP}/v1beta7/namespaces/acme/baremachines"
    await post(server, path, acme("BareMachine", "b-0", spec={"rack": "r1"}))
    await settled(fleet, lambda: row_of(fleet, "BareMachine", "b-0") is not None)
    row = row_of(fleet, "BareMachine", "b-0")
    assert row is not None
    assert dict(row.facts)["rack"] == "r1"
