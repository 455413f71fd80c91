"""A server that knows Cluster API's v1beta1 only shows the same fleet."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fleettui.demo.apiserver.authz import demo_access
from fleettui.demo.apiserver.seeds import Seeds
from fleettui.demo.apiserver.server import ApiServer
from fleettui.demo.apiserver.store import Store
from fleettui.demo.world import build_world
from fleettui.demo.world.era import OldWorld
from fleettui.fleet import Opening, open_fleet
from fleettui.index import Row
from fleettui.index.upgrades import shown_version

SHOWN = ("kind", "namespace", "name")
CLUSTERS = 23
"""One of every flavour of the demo."""


async def rows_of(seeds: Seeds, folder: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    """Every row that the program sees on a server, by kind, namespace and name."""
    server = ApiServer(Store(seeds), demo_access(admin="admin", oncall="o", tenant="t"))
    await server.start()
    try:
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(
            "{apiVersion: v1, kind: Config, current-context: live,"
            " contexts: [{name: live, context: {cluster: a, user: a}}],"
            f" clusters: [{{name: a, cluster: {{server: '{server.url}'}}}}],"
            " users: [{name: a, user: {token: admin}}]}"
        )
        fleet = open_fleet(Opening(kubeconfig=kubeconfig, depth="full"))
        await fleet.start()
        assert await fleet.wait_synced(120)
        fleet.settle()
        found = {_key(row): _told(row) for row in fleet.index.rows()}
        await fleet.close()
        return found
    finally:
        await server.stop()


def _key(row: Row) -> tuple[str, ...]:
    return row.group, row.kind, row.namespace, row.name


def _told(row: Row) -> dict[str, Any]:
    return {
        "version": row.version,
        "parent": _key(row.parent) if row.parent else None,
        "health": row.health.value,
        "replicas": row.replicas,
        "kubernetes": shown_version(row),
        "paused": row.is_paused,
        "deleting": row.is_deleting,
    }


async def test_v1beta1_server_gives_the_same_tree_and_health(tmp_path: Path) -> None:
    """Most installations are behind: an old API must not mean an empty or a wrong tree."""
    now = datetime.now(UTC)
    world = build_world(0, 1, clusters=CLUSTERS, seed=2, now=now)
    modern = await rows_of(world, tmp_path)
    old = await rows_of(OldWorld(world), tmp_path)
    versions = {key[:2]: told.pop("version") for key, told in old.items()}
    for told in modern.values():
        told.pop("version")
    assert versions["cluster.x-k8s.io", "Cluster"] == "v1beta1"
    assert versions["controlplane.cluster.x-k8s.io", "KubeadmControlPlane"] == "v1beta1"
    assert old.keys() == modern.keys()
    differing = {key: (old[key], modern[key]) for key in old if old[key] != modern[key]}
    assert differing == {}
    assert len({told["health"] for told in old.values()}) > 2
