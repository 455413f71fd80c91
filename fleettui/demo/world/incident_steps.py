"""The steps that incident files are written in; each changes drafts of one group.

A step names objects by `role: <role pattern>` and what happens to them; a few steps with a name of
their own (`unprovision`, `surge`, `outdate`) stand for what would be many lines in each file.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from fleettui.demo.world.conditions import find, modern, put
from fleettui.demo.world.drafts import Document, Draft, Drafts, metadata, owner_of, uid_of
from fleettui.demo.world.machines import MachinePlan, add_machine
from fleettui.demo.world.objects import add_objects, told

Step = Mapping[str, Any]


def apply_step(drafts: Drafts, step: Step) -> None:
    """Apply one step of an incident.

    Raises:
        KeyError: the step names nothing that is known, or a role that does not exist.
    """
    for name, action in _NAMED.items():
        if name in step:
            action(drafts, step)
            return
    pattern = step["role"]
    found = drafts.matching(pattern)
    if not found:
        raise KeyError(f"no object has the role {pattern}")
    for draft in found:
        _change(drafts, draft, step)


def merge(target: Document, patch: Mapping[str, Any]) -> None:
    """RFC 7386 merge patch in place."""
    for key, value in patch.items():
        if value is None:
            target.pop(key, None)
        elif isinstance(value, Mapping):
            below = target.setdefault(key, {})
            if not isinstance(below, dict):
                below = target[key] = {}
            merge(below, value)
        else:
            target[key] = copy.deepcopy(value)


def _change(drafts: Drafts, draft: Draft, step: Step) -> None:
    document = draft.document
    if step.get("remove"):
        _collect(drafts, draft)
        return
    merge(document, step.get("merge", {}))
    for condition in step.get("conditions", ()):
        place_condition(document, condition)
    for condition in step.get("old", ()):
        old = document["status"].setdefault("deprecated", {}).setdefault("v1beta1", {})
        put(old.setdefault("conditions", []), told({"at": "${since}"} | condition, "classic"))
    for kind in step.get("drop", ()):
        conditions = document["status"]["conditions"]
        conditions[:] = [item for item in conditions if item["type"] != kind]
    meta = document["metadata"]
    if "annotations" in step:
        meta.setdefault("annotations", {}).update(step["annotations"])
    if "finalizers" in step:
        meta.setdefault("finalizers", []).extend(step["finalizers"])
    if step.get("deleting"):
        at = step["deleting"] if isinstance(step["deleting"], str) else "${since}"
        meta["deletionTimestamp"] = at
        meta["deletionGracePeriodSeconds"] = 0
        meta["generation"] = meta.get("generation", 1) + 1
    if "manager" in step:
        by_hand = copy.deepcopy(dict(step.get("merge", {})))
        by_hand.pop("status", None)
        own = by_hand.pop("metadata", {})
        annotations = own.get("annotations", {}) | dict(step.get("annotations", {}))
        if annotations:
            by_hand["metadata"] = {"annotations": annotations}
        draft.edits.append((step["manager"], by_hand))
    for event in step.get("events", ()):
        _add_event(drafts, draft, event)


def _collect(drafts: Drafts, gone: Draft) -> None:
    """Take out a draft and what a provider kept beside it, as garbage collection does."""
    drafts.remove(gone.role)
    uid = gone.document["metadata"]["uid"]
    for draft in drafts.matching("beside/*"):
        owners = draft.document["metadata"].get("ownerReferences", ())
        if any(owner["uid"] == uid for owner in owners) and draft.role in drafts:
            _collect(drafts, draft)


def place_condition(document: Document, condition: Mapping[str, Any]) -> None:
    """Put a condition into the list and dialect that the object already uses."""
    status = document.setdefault("status", {})
    conditions = status.setdefault("conditions", [])
    generation = document["metadata"].get("generation", 1)
    told_at = {"at": "${since}"} | dict(condition)
    if document["apiVersion"].partition("/")[0].endswith("azure.com"):
        put(conditions, told(told_at, "aso", generation))
        return
    if "severity" in condition or _is_bare(conditions):
        put(conditions, told(told_at, "classic" if "severity" in condition else "bare"))
        other = status.get("v1beta2", {}).get("conditions")
        if other is not None:
            without = {key: value for key, value in told_at.items() if key != "severity"}
            put(other, told(without, "modern", generation))
        return
    put(conditions, told(told_at, "modern", generation))


def _is_bare(conditions: list[Document]) -> bool:
    return bool(conditions) and all("observedGeneration" not in item for item in conditions)


def _add_event(drafts: Drafts, draft: Draft, event: Mapping[str, Any]) -> None:
    document = draft.document
    meta = document["metadata"]
    number = len(drafts.matching("event/*"))
    role = f"event/{number}/{draft.role}"
    name = f"{meta['name']}.18ea9d6{number:02x}${{x8}}"
    own = metadata(
        name, namespace=meta.get("namespace") or "default", role=role, created="${since}"
    )
    del own["generation"]
    body: Document = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": own,
        "involvedObject": {
            "apiVersion": document["apiVersion"],
            "kind": document["kind"],
            "name": meta["name"],
            "namespace": meta.get("namespace", ""),
            "uid": meta["uid"],
        },
        "reason": event["reason"],
        "message": event["message"],
        "source": {"component": event["component"]},
        "firstTimestamp": "${since}",
        "lastTimestamp": "${soon}",
        "count": event.get("count", 9),
        "type": event.get("type", "Warning"),
        "eventTime": None,
        "reportingComponent": event["component"],
        "reportingInstance": "",
    }
    drafts.add(Draft(role, body, writer=event["component"], operation="Update", written="${since}"))


def _unprovision(drafts: Drafts, step: Step) -> None:
    """The Machine's infrastructure was asked for and never came."""
    where = step["unprovision"].removeprefix("machine/")
    machine = drafts[f"machine/{where}"].document
    infra = drafts[f"infra/{where}"].document
    for document in (machine, infra):
        document["spec"].pop("providerID", None)
        document["metadata"]["creationTimestamp"] = "${since}"
        document["status"].pop("addresses", None)
    infra["spec"].pop("instanceID", None)
    for key in ("instanceState", "vmState", "instanceID", "initialization", "bootState"):
        infra["status"].pop(key, None)
    if "ready" in infra["status"]:
        infra["status"]["ready"] = False
    status = machine["status"]
    for key in ("nodeRef", "nodeInfo", "certificatesExpiryDate"):
        status.pop(key, None)
    status["initialization"] = {"bootstrapDataSecretCreated": True}
    status["conditions"] = [
        item for item in status["conditions"] if item["type"] != "HealthCheckSucceeded"
    ]
    for kind in _COMPONENTS:
        if find(status["conditions"], kind):
            text = "Waiting for a Node with spec.providerID to exist"
            put(status["conditions"], modern(kind, "Unknown", "InspectionFailed", text))
    for draft in (drafts[f"machine/{where}"], drafts[f"infra/{where}"]):
        draft.written = "${since}"


_COMPONENTS = (
    "NodeKubeadmLabelsAndTaintsSet",
    "APIServerPodHealthy",
    "ControllerManagerPodHealthy",
    "SchedulerPodHealthy",
    "EtcdPodHealthy",
    "EtcdMemberHealthy",
)


def _retire(drafts: Drafts, step: Step) -> None:
    """A Machine of a rollout that still belongs to the MachineSet before the newest."""
    role = step["retire"]
    group, _, index = role.removeprefix("machine/").partition("/")
    new = drafts[f"ms/{group}"].document
    old = _old_set(drafts, group)
    names = new["metadata"]["name"], old["metadata"]["name"]
    hashes = [own["metadata"]["labels"][_HASH] for own in (new, old)]
    for draft in drafts.matching(f"*/{group}/{index}"):
        texts = {names[0]: names[1], hashes[0]: hashes[1], "${version}": "${oldversion}"}
        own = replaced(draft.document, texts)
        own["metadata"]["creationTimestamp"] = draft.written = "${t1}"
        draft.document = own
    machine = drafts[role].document
    machine["metadata"]["ownerReferences"] = [owner_of(old, controller=True)]
    text = "* Version ${oldversion}, ${version} required"
    condition = {"type": "UpToDate", "status": "False", "reason": "NotUpToDate", "message": text}
    place_condition(machine, condition)
    owners = [
        draft.document["metadata"]["ownerReferences"][0]["uid"]
        for draft in drafts.matching(f"machine/{group}/*")
    ]
    for document in (old, new):
        document["spec"]["replicas"] = owners.count(document["metadata"]["uid"])


_HASH = "machine-template-hash"
_REVISION = "machinedeployment.clusters.x-k8s.io/revision"


def _old_set(drafts: Drafts, group: str) -> Document:
    """The MachineSet before the newest; made if the group has none yet."""
    found = drafts.find(f"ms-old/{group}")
    if found is not None:
        return found
    new = drafts[f"ms/{group}"]
    meta = new.document["metadata"]
    hash_ = meta["labels"][_HASH]
    before = f"{int(hash_.partition('-')[0]) - 1}-c${{h1}}"
    name = meta["name"].removesuffix("k${h0}") + "c${h1}"
    own = replaced(new.document, {meta["name"]: name, hash_: before})
    own["metadata"] |= {"uid": uid_of(f"ms-old/{group}"), "creationTimestamp": "${t1}"}
    own["spec"]["replicas"] = 0
    own["spec"]["template"]["spec"]["version"] = "${oldversion}"
    for document, revision in ((own, "1"), (new.document, "2")):
        document["metadata"]["annotations"][_REVISION] = revision
    drafts[f"md/{group}"].document["metadata"]["annotations"][_REVISION] = "2"
    return drafts.add(replace(new, role=f"ms-old/{group}", document=own)).document


def replaced(document: Document, texts: Mapping[str, str]) -> Document:
    """A copy with texts replaced wherever they stand, keys included."""
    data = msgspec.json.encode(document).decode()
    for old, new in texts.items():
        data = data.replace(old, new)
    copied: Document = msgspec.json.decode(data)
    return copied


def _replace(drafts: Drafts, step: Step) -> None:
    """Other texts in objects, such as another version."""
    for pattern in step["in"]:
        for draft in drafts.matching(pattern):
            draft.document = replaced(draft.document, step["replace"])


def _surge(drafts: Drafts, step: Step) -> None:
    """One more Machine, as a rollout or scaling makes it."""
    group = step["surge"]
    machines = drafts.matching(f"machine/{group}/*")
    model = machines[-1].document
    index = len(machines)
    owner_uid = model["metadata"]["ownerReferences"][0]["uid"]
    owner = next(d.document for d in drafts if d.document["metadata"]["uid"] == owner_uid)
    infra = drafts[f"infra/{group}/{index - 1}"].document
    annotations = infra["metadata"]["annotations"]
    base = owner["metadata"]["name"]
    plan = MachinePlan(
        group=group,
        number=40 + index,
        name=f"{base}-zz${{r0}}",
        provider=drafts["cluster"].document["metadata"]["labels"]["fleet.example.com/provider"],
        bootstrap_kind=model["spec"]["bootstrap"]["configRef"]["kind"],
        template=annotations["cluster.x-k8s.io/cloned-from-name"],
        labels=dict(model["metadata"]["labels"]),
        created="${since}",
    )
    add_machine(drafts, plan, owner=owner, index=index)


def _outdate(drafts: Drafts, step: Step) -> None:
    """Machines that a rollout has not reached yet."""
    kind = step.get("template", "")
    found = drafts.matching(step["outdate"])
    for draft in found:
        document = draft.document
        lines = (
            ["* Version ${oldversion}, ${version} required"] if step.get("version", True) else []
        )
        if kind:
            lines.append(f"* {kind} is not up-to-date")
        if step.get("version", True):
            document["spec"]["version"] = "${oldversion}"
            document["status"]["nodeInfo"]["kubeletVersion"] = "${oldversion}"
        place_condition(
            document,
            {
                "type": "UpToDate",
                "status": "False",
                "reason": "NotUpToDate",
                "message": "\n".join(lines),
            },
        )


def _pause_all(drafts: Drafts, step: Step) -> None:
    """Paused=True on everything that reports it. Source: cluster-api util/paused."""
    for draft in drafts:
        status = draft.document.get("status", {})
        for conditions in (status.get("conditions"), status.get("v1beta2", {}).get("conditions")):
            if find(conditions, "Paused"):
                condition = {
                    "type": "Paused",
                    "status": "True",
                    "reason": "Paused",
                    "message": step["pause_all"],
                    "at": step.get("at", "${before}"),
                }
                generation = draft.document["metadata"].get("generation", 1)
                put(conditions or [], told(condition, "modern", generation))


def _add(drafts: Drafts, step: Step) -> None:
    """One more object, told as the data files tell theirs."""
    add_objects(drafts, [dict(step["add"])])


_NAMED: dict[str, Callable[[Drafts, Step], None]] = {
    "unprovision": _unprovision,
    "surge": _surge,
    "outdate": _outdate,
    "pause_all": _pause_all,
    "replace": _replace,
    "retire": _retire,
    "add": _add,
}
