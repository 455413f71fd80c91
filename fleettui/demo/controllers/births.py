"""New Machines: cloned from a sibling, born without anything, healthy some steps later.

Source: the order in which Cluster API, bootstrap and infrastructure controllers write.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping
from typing import Any

import msgspec

from fleettui.demo.controllers.beside import bring_beside, take_host
from fleettui.demo.controllers.kit import Document, Kit
from fleettui.demo.controllers.view import CORE, cluster_of, machine_parts, settle
from fleettui.demo.world.conditions import NEGATIVE, find, fine, modern, put
from fleettui.demo.world.drafts import owner_of
from fleettui.demo.world.parts import MachineParts

_NO_HOSTS: Mapping[str, str] = {}
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_MACHINE_FIELDS = ("nodeRef", "nodeInfo", "addresses", "certificatesExpiryDate")


def new_suffix(length: int = 5) -> str:
    """A generated-name suffix."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def donor_for(kit: Kit, owner: Document) -> Document | None:
    """A Machine to model a new one on: of the same owner, healthy if there is one."""
    namespace, cluster = cluster_of(owner)
    machines = kit.labelled(CORE, "Machine", namespace, cluster)
    uid = owner["metadata"]["uid"]
    is_plane = owner["kind"] not in ("MachineSet", "MachinePool")
    label = "cluster.x-k8s.io/control-plane"

    group = "cluster.x-k8s.io/deployment-name"
    wanted = owner["metadata"].get("labels", {}).get(group)

    def rank(machine: Document) -> tuple[bool, bool, bool]:
        owners = [item["uid"] for item in machine["metadata"].get("ownerReferences", ())]
        ready = find(machine.get("status", {}).get("conditions"), "Ready")
        is_other = machine["metadata"]["labels"].get(group) != wanted
        return is_other, uid not in owners, not (ready and ready["status"] == "True")

    fitting = [
        item
        for item in machines
        if (label in item["metadata"]["labels"]) == is_plane
        and "deletionTimestamp" not in item["metadata"]
    ]
    return min(fitting, key=rank, default=None)


async def give_birth(kit: Kit, owner: Document, donor: Document | None = None) -> str | None:
    """Make one Machine of an owner and bring it up; its name once healthy, None if impossible."""
    donor = donor or donor_for(kit, owner)
    if donor is None:
        return None
    model = machine_parts(kit, donor)
    if model.infrastructure is None or model.bootstrap is None:
        return None
    name = f"{owner['metadata']['name']}-{new_suffix()}"
    machine = _clone(donor, donor, name)
    labels = owner["spec"].get("template", {}).get("metadata", {}).get("labels", {})
    machine["metadata"]["labels"] |= labels
    if owner["kind"] == "MachineSet":
        machine["metadata"]["labels"]["cluster.x-k8s.io/set-name"] = owner["metadata"]["name"]
    machine["metadata"]["ownerReferences"] = [owner_of(owner, controller=True)]
    version = owner["spec"].get("version") or owner["spec"].get("template", {}).get("spec", {}).get(
        "version"
    )
    if version:
        machine["spec"]["version"] = version
    grown = copy.deepcopy(machine)
    _unborn(machine)
    made = kit.create(machine, manager="capi-machineset")
    namespace, cluster = cluster_of(made)
    hosts = take_host(kit, model.infrastructure, name)
    for model_object in (model.infrastructure, model.bootstrap):
        child = _clone(model_object, donor, name, hosts)
        child["metadata"]["labels"] = dict(made["metadata"]["labels"])
        child["metadata"]["ownerReferences"] = [owner_of(made, controller=True)]
        _unready(child)
        kit.create(child)
    settle(kit, namespace, cluster)
    await kit.pace.wait(0.7)
    _ripen(kit, made, model, donor, hosts)
    settle(kit, namespace, cluster)
    await kit.pace.wait(0.7)
    _join(kit, made, grown)
    settle(kit, namespace, cluster)
    return name


def _clone(
    document: Document, donor: Document, name: str, hosts: Mapping[str, str] = _NO_HOSTS
) -> Document:
    old = donor["metadata"]["name"].encode()
    text = msgspec.json.encode(document).replace(old, name.encode())
    for before, after in hosts.items():
        text = text.replace(before.encode(), after.encode())
    clone: Document = msgspec.json.decode(text)
    for key in ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generation"):
        clone["metadata"].pop(key, None)
    for key in ("deletionTimestamp", "deletionGracePeriodSeconds", "annotations"):
        value = clone["metadata"].pop(key, None)
        if key == "annotations" and value:
            kept = {k: v for k, v in value.items() if "remediate" not in k and "paused" not in k}
            clone["metadata"]["annotations"] = kept
    provider = clone.get("spec", {}).get("providerID")
    if provider and not provider.endswith(name):
        clone["spec"]["providerID"] = provider[:-8] + secrets.token_hex(4)
    return clone


def _unborn(machine: Document) -> None:
    machine["spec"].pop("providerID", None)
    status = machine["status"]
    for key in _MACHINE_FIELDS:
        status.pop(key, None)
    status["initialization"] = {}
    status["deprecated"] = {"v1beta1": {"conditions": []}}
    quiet = [item for item in status["conditions"] if item["type"] in NEGATIVE]
    status["conditions"] = [fine(item["type"]) for item in quiet]
    put(status["conditions"], fine("UpToDate"))


def _unready(child: Document) -> None:
    for key in ("providerID", "instanceID"):
        child["spec"].pop(key, None)
    status: dict[str, Any] = {}
    kinds = [item["type"] for item in child.get("status", {}).get("conditions", ())]
    if "Ready" in kinds:
        waiting = "WaitingForBootstrapData"
        old = child["status"]["conditions"][0]
        condition = modern("Ready", "False", waiting, "* Waiting for bootstrap data")
        if "observedGeneration" not in old:
            condition = {
                "type": "Ready",
                "status": "False",
                "severity": "Info",
                "reason": waiting,
                "lastTransitionTime": old["lastTransitionTime"],
            }
        status["conditions"] = [condition]
    child["status"] = status


def _ripen(
    kit: Kit,
    machine: Document,
    parts: MachineParts,
    donor: Document,
    hosts: Mapping[str, str],
) -> None:
    """Bootstrap data is there and the infrastructure runs, with all that goes with it."""
    name = machine["metadata"]["name"]
    for model in (parts.bootstrap, parts.infrastructure):
        ripe = _clone(model, donor, name, hosts) if model is not None else None
        child = kit.refresh_by_name(ripe) if ripe is not None else None
        if model is None or ripe is None or child is None:
            continue
        bring_beside(kit, model, child, {donor["metadata"]["name"]: name, **hosts})
        spec, status = ripe.get("spec", {}), ripe.get("status", {})
        if status.get("conditions"):
            status["conditions"] = [_good(item, kit.now()) for item in status["conditions"]]
        kit.set_spec(child, spec)
        kit.set_status(child, status)
        provider = spec.get("providerID")
        if provider:
            kit.set_spec(machine, {"providerID": provider})


def _good(condition: Document, at: str) -> Document:
    if "observedGeneration" not in condition:
        return {"lastTransitionTime": at, "status": "True", "type": condition["type"]}
    return fine(condition["type"], at=at)


def _join(kit: Kit, machine: Document, grown: Document) -> None:
    """The node registered and is healthy."""
    at = kit.now()

    def edit(own: Document) -> None:
        status = own["status"]
        for key in _MACHINE_FIELDS:
            if key in grown["status"]:
                status[key] = grown["status"][key]
        status["nodeRef"] = {"name": own["metadata"]["name"]}
        if "nodeInfo" in status:
            status["nodeInfo"]["kubeletVersion"] = own["spec"].get("version", "")
        generation = own["metadata"].get("generation", 1)
        for condition in grown["status"]["conditions"]:
            if condition["type"] not in ("Ready", "Available", "OwnerRemediated"):
                good = fine(condition["type"], at=at, generation=generation)
                put(status["conditions"], good)
        status["conditions"].sort(key=lambda item: item["type"] in NEGATIVE)

    kit.change_status(machine, edit)


def owner_document(kit: Kit, machine: Document) -> Document | None:
    """The controller owner of a Machine as it is now."""
    for owner in machine["metadata"].get("ownerReferences", ()):
        group = owner["apiVersion"].partition("/")[0]
        found = kit.get(group, owner["kind"], machine["metadata"]["namespace"], owner["name"])
        if found is not None and found["metadata"]["uid"] == owner["uid"]:
            return found
    return None
