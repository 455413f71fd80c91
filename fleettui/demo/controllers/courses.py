"""What was going on in a cluster when the demo began goes on, and comes to its end.

A Machine that was half made joins, an unfinished rollout takes its other steps, releases are
installed. How things look then is told by the same cluster at rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleettui.demo.controllers.endings import is_providers, owned
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.controllers.replicas import converge
from fleettui.demo.controllers.rollout import continue_rollout
from fleettui.demo.controllers.view import CORE, settle
from fleettui.demo.world.catalogue import group_of
from fleettui.demo.world.conditions import find

Rest = Mapping[tuple[str, str, str], Document]
"""The objects of a cluster at rest, by group, kind and name."""
FIRST_S = 150.0
"""Time for somebody to look at how it is before it goes on."""
STEP_S = 9.0
_TOLD_LAST = ("kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "addons.cluster.x-k8s.io")


async def end_course(kit: Kit, namespace: str, name: str, rest: Rest) -> None:
    """Bring a cluster to its rest, step by step.

    Args:
        kit: the store.
        namespace: of the Cluster.
        name: of the Cluster.
        rest: how its objects are then.
    """
    await kit.pace.wait(FIRST_S)
    for machine in _unfinished(kit, namespace, name):
        await _finish(kit, machine, rest)
        settle(kit, namespace, name)
    cluster = kit.get(CORE, "Cluster", namespace, name)
    if cluster is None:
        return
    plane = kit.referred(cluster["spec"].get("controlPlaneRef"), namespace)
    if plane is not None and plane["kind"] == "KubeadmControlPlane":
        await converge(kit, plane)
    for deployment in kit.labelled(CORE, "MachineDeployment", namespace, name):
        await continue_rollout(kit, deployment)
    await kit.pace.wait(STEP_S)
    for (group, kind, _), document in rest.items():
        if group in _TOLD_LAST or kind == "MachineHealthCheck":
            _tell(kit, document)
    settle(kit, namespace, name)


def _unfinished(kit: Kit, namespace: str, name: str) -> list[Document]:
    """Machines that are not ready, those of the control plane first."""
    found = [
        machine
        for machine in kit.labelled(CORE, "Machine", namespace, name)
        if not _is_ready(machine)
    ]
    label = "cluster.x-k8s.io/control-plane"
    return sorted(found, key=lambda own: label not in own["metadata"]["labels"])


def _is_ready(machine: Document) -> bool:
    ready = find(machine.get("status", {}).get("conditions"), "Ready")
    return bool(ready and ready["status"] == "True")


async def _finish(kit: Kit, machine: Document, rest: Rest) -> None:
    """Its infrastructure comes, then its node."""
    own = rest.get((CORE, "Machine", machine["metadata"]["name"]))
    if own is None:
        return
    await kit.pace.wait(STEP_S)
    for document in _beside(own, rest):
        _take_over(kit, document)
    provider_id = own["spec"].get("providerID")
    kit.change(machine, lambda document: document["spec"].update(providerID=provider_id))
    settle(kit, machine["metadata"]["namespace"], own["spec"]["clusterName"])
    await kit.pace.wait(STEP_S)
    _take_over(kit, own)
    for child in owned(kit, own):
        if _key(child) not in rest:
            kit.delete(child)
            kit.release(child, is_providers)


def _beside(machine: Document, rest: Rest) -> Iterator[Document]:
    """What the Machine owns, and what that owns."""
    owners = {machine["metadata"]["uid"]}
    for document in rest.values():
        references = document["metadata"].get("ownerReferences", ())
        if any(owner["uid"] in owners for owner in references):
            owners.add(document["metadata"]["uid"])
            if document.get("status"):
                yield document


def _take_over(kit: Kit, document: Document) -> None:
    """Let an object have the spec and status that it has at rest, the status from now on."""
    kit.set_spec(document, document["spec"])
    _tell(kit, document)


def _tell(kit: Kit, document: Document) -> None:
    def edit(own: Document) -> None:
        news = {"lastTransitionTime": kit.now()}
        if "generation" in own["metadata"]:
            news["observedGeneration"] = own["metadata"]["generation"]
        own.update(status=_as_of_now(document.get("status", {}), news))

    kit.change_status(document, edit)


def _as_of_now(status: Any, news: Mapping[str, Any]) -> Any:
    """A copy whose conditions changed just now, by who has seen all that is wanted."""
    if isinstance(status, list):
        return [_as_of_now(item, news) for item in status]
    if not isinstance(status, dict):
        return status
    return {key: news.get(key, _as_of_now(value, news)) for key, value in status.items()}


def by_name(documents: Iterable[Document]) -> Rest:
    """The objects by group, kind and name."""
    return {_key(document): document for document in documents}


def _key(document: Document) -> tuple[str, str, str]:
    return group_of(document["apiVersion"]), document["kind"], document["metadata"]["name"]
