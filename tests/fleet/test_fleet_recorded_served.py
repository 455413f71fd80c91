"""A recording opened from files and the same objects from a server give the same tree."""

from pathlib import Path
from typing import Any

import pytest

from fleettui.demo.apiserver.authz import demo_access
from fleettui.demo.apiserver.memory import MemorySeeds
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.server import ApiServer
from fleettui.demo.apiserver.store import Store
from fleettui.fleet import Fleet, Opening, open_fleet
from fleettui.fleet.forms import tree_form
from fleettui.kinds import load_table
from fleettui.recorded.recording import Recording, open_recordings, split_api_version

LEFT_OUT = frozenset({"context", "message", "since", "health", "reason", "rollup", "stopped_by"})
"""What depends on the moment of looking: a recording stands still, a server does not."""


def seeds_of(recording: Recording) -> MemorySeeds:
    """The recorded objects of kinds that are understood, as a server's content."""
    table = load_table()
    resources: dict[tuple[str, str], Resource] = {}
    documents = []
    for key, document in recording.objects.items():
        spec = table.spec_for(key.group, key.kind)
        if spec is None or not document["metadata"].get("uid"):
            continue
        version = split_api_version(str(document["apiVersion"]))[1]
        resources[key.group, key.kind] = Resource(
            group=key.group,
            version=version,
            kind=key.kind,
            plural=spec.plural,
            singular=key.kind.lower(),
            served=(version,),
            namespaced=spec.namespaced,
            is_crd="." in key.group,
        )
        documents.append(document)
    return MemorySeeds(list(resources.values()), documents)


def bare(node: dict[str, Any]) -> dict[str, Any]:
    """A node without what depends on the moment, children in order."""
    kept = {name: value for name, value in node.items() if name not in LEFT_OUT}
    kept["children"] = sorted(
        (bare(child) for child in node["children"]),
        key=lambda child: (child["kind"], child["name"]),
    )
    kept["links"] = sorted(
        (
            {name: link[name] for name in ("relation", "kind", "namespace", "name", "found")}
            for link in node["links"]
        ),
        key=str,
    )
    return kept


async def tree_of(fleet: Fleet) -> list[dict[str, Any]]:
    """The whole tree, comparable."""
    await fleet.start()
    try:
        assert await fleet.wait_synced(120)
        fleet.settle()
        document = tree_form(fleet, fleet.index.roots())
        nodes = [bare(node) for node in document["items"]]
        return sorted(nodes, key=lambda node: (node["kind"], node["namespace"], node["name"]))
    finally:
        await fleet.close()


@pytest.mark.parametrize("state", ["capi/states/3-incidents", "flux/incidents"])
async def test_tree_of_a_recording_equals_the_tree_of_a_server_with_it(
    shared_folder: Path, tmp_path: Path, state: str
) -> None:
    """An incident looked at afterwards must look as it did live."""
    folder = shared_folder / "recordings" / state
    recording = open_recordings(folder, load_table())[0]
    seeds = seeds_of(recording)
    kinds = {(resource.group, resource.kind) for resource in seeds.resources()}
    server = ApiServer(Store(seeds), demo_access(admin="admin", oncall="o", tenant="t"))
    await server.start()
    try:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(
            "{apiVersion: v1, kind: Config, current-context: live,"
            " contexts: [{name: live, context: {cluster: a, user: a}}],"
            f" clusters: [{{name: a, cluster: {{server: '{server.url}'}}}}],"
            " users: [{name: a, user: {token: admin}}]}"
        )
        live = await tree_of(
            open_fleet(Opening(kubeconfig=kubeconfig, asked=frozenset(kinds), depth="full"))
        )
    finally:
        await server.stop()
    recorded = await tree_of(open_fleet(Opening(sources=(folder,))))
    served = {(group, kind) for group, kind in kinds}
    recorded = [node for node in recorded if (node["group"], node["kind"]) in served]
    assert [n["name"] for n in live] == [n["name"] for n in recorded]
    for ours, theirs in zip(live, recorded, strict=True):
        assert ours == theirs
