"""spec.topology of a Cluster is passed to its control plane and MachineDeployments.

Source: cluster-api exp/topology (desired state, field by field).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from fleettui.demo.apiserver.changes import Change
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.controllers.view import CORE, settle

_MANAGER = "capi-topology"
_NAME = "topology.cluster.x-k8s.io/deployment-name"


async def on_topology(kit: Kit, change: Change) -> None:
    """Reconcile a changed topology, or tell of a changed Cluster that it was seen."""
    new, old = change.new, change.old
    if new is None or old is None or change.type == "DELETED":
        return
    if new["metadata"].get("generation") == old["metadata"].get("generation"):
        return
    topology = new["spec"].get("topology")
    await kit.pace.wait(0.3)
    if topology and topology != old["spec"].get("topology") and not new["spec"].get("paused"):
        _pass_on(kit, new, topology)
    settle(kit, change.namespace, change.name)


def _pass_on(kit: Kit, cluster: Document, topology: dict[str, Any]) -> None:
    namespace, name = cluster["metadata"]["namespace"], cluster["metadata"]["name"]
    plane = kit.referred(cluster["spec"].get("controlPlaneRef"), namespace)
    if plane is not None:
        wanted = topology.get("controlPlane", {})
        kit.change(
            plane, partial(_set, wanted=wanted, version=topology["version"]), manager=_MANAGER
        )
    entries = {item["name"]: item for item in topology["workers"].get("machineDeployments", ())}
    for deployment in kit.labelled(CORE, "MachineDeployment", namespace, name):
        entry = entries.get(deployment["metadata"]["labels"].get(_NAME, ""))
        if entry is not None:
            kit.change(
                deployment,
                partial(_set, wanted=entry, version=topology["version"]),
                manager=_MANAGER,
            )


def _set(own: Document, *, wanted: dict[str, Any], version: str) -> None:
    spec = own["spec"]
    if "replicas" in wanted:
        spec["replicas"] = wanted["replicas"]
    after = wanted.get("rollout", {}).get("after")
    if after:
        spec.setdefault("rollout", {})["after"] = after
    target = spec if own["kind"] != "MachineDeployment" else spec["template"]["spec"]
    target["version"] = version
