"""Recordings of providers that nobody has heard of."""

import asyncio
from pathlib import Path
from typing import Any

import yaml

from fleettui.fleet import Fleet, Opening, open_fleet
from fleettui.fleet.refs import one_row
from fleettui.kinds.record import Verdict
from fleettui.kinds.spec import Role

INFRA = "infrastructure.cluster.x-k8s.io"
LABELS = {"cluster.x-k8s.io/cluster-name": "c"}


def an_object(api_version: str, kind: str, name: str, **parts: Any) -> dict[str, Any]:
    """One object of the cluster c."""
    metadata = {"name": name, "namespace": "a", "labels": LABELS}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


DOCUMENTS = [
    an_object(
        "cluster.x-k8s.io/v1beta2",
        "Cluster",
        "c",
        spec={
            "infrastructureRef": {"apiGroup": INFRA, "kind": "AcmeCluster", "name": "c"},
            "controlPlaneRef": {"apiGroup": "acme.example", "kind": "AcmeBrain", "name": "c"},
        },
    ),
    an_object(f"{INFRA}/v1beta3", "AcmeCluster", "c", status={"failureMessage": "no network"}),
    an_object("acme.example/v1", "AcmeBrain", "c", spec={"size": "big"}),
    an_object("acme.example/v1", "AcmeStranger", "s"),
    {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "acmebrains.acme.example"},
        "spec": {
            "group": "acme.example",
            "names": {"kind": "AcmeBrain", "plural": "acmebrains"},
            "versions": [
                {
                    "name": "v1",
                    "additionalPrinterColumns": [
                        {"name": "Size", "type": "string", "jsonPath": ".spec.size"}
                    ],
                }
            ],
        },
    },
]


def opened(path: Path) -> Fleet:
    """A settled fleet of one recording."""
    fleet = open_fleet(Opening(sources=(path,)))

    async def read() -> None:
        await fleet.start()
        await fleet.wait_synced(120)
        fleet.settle()
        await fleet.close()

    asyncio.run(read())
    return fleet


def test_recorded_provider_nobody_knows_stands_in_its_cluster(tmp_path: Path) -> None:
    """An incident of an unknown provider must not look like a cluster without anything."""
    path = tmp_path / "acme.yaml"
    path.write_text(yaml.safe_dump_all(DOCUMENTS))
    fleet = opened(path)
    cluster = one_row(fleet, "Cluster/a/c")
    kids = {row.kind: row for row in fleet.index.children(cluster)}
    assert set(kids) == {"AcmeCluster", "AcmeBrain"}
    assert kids["AcmeCluster"].spec.role is Role.INFRA_CLUSTER
    assert (kids["AcmeCluster"].health, cluster.health) == (Verdict.FAILED, Verdict.FAILED)
    assert kids["AcmeBrain"].fact("size") == "big"
    assert fleet.table.spec_for("acme.example", "AcmeStranger") is None
