"""What remediate and delete must know about a machine: owner, peers, checks.

Knows owners, label selectors and the guards of a control plane; knows no verb.

Source: Cluster API MachineHealthCheck selectors, KubeadmControlPlane
remediation guards, delete hooks.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fleettui.actions.documents import (
    controller_of,
    group_of,
    is_deleting,
    items_at,
    label,
    text_at,
    value_at,
)
from fleettui.actions.facts import Document, Facts, ListRequest
from fleettui.actions.managed import cluster_ref
from fleettui.kinds.record import ObjectRef

CONTROL_PLANE_LABEL = "cluster.x-k8s.io/control-plane"
_HOOKS = (
    "pre-drain.delete.hook.machine.cluster.x-k8s.io",
    "pre-terminate.delete.hook.machine.cluster.x-k8s.io",
)


def owner_ref(ref: ObjectRef, body: Document) -> ObjectRef | None:
    """The controlling owner, None for a machine that stands alone."""
    owner = controller_of(body)
    if owner is None:
        return None
    return ref._replace(
        group=group_of(str(owner.get("apiVersion", ""))),
        kind=str(owner.get("kind", "")),
        name=str(owner.get("name", "")),
    )


def is_control_plane(body: Document) -> bool:
    """Whether the machine is one of a control plane."""
    return value_at(body, ("metadata", "labels", CONTROL_PLANE_LABEL)) is not None


def peers_request(ref: ObjectRef, body: Document) -> ListRequest | None:
    """All machines of the same cluster."""
    cluster = cluster_ref(body, ref.context)
    if cluster is None:
        return None
    return ListRequest(ref.context, ref.group, ref.kind, ref.namespace, cluster.name)


def checks_request(ref: ObjectRef) -> ListRequest:
    """All health checks of the machine's namespace."""
    return ListRequest(ref.context, ref.group, "MachineHealthCheck", ref.namespace)


def control_plane_peers(facts: Facts, ref: ObjectRef, body: Document) -> list[Document] | None:
    """Machines of the same control plane, this one among them; None when not known."""
    request = peers_request(ref, body)
    found = facts.list(request) if request else None
    if found is None:
        return None
    return [machine for machine in found if is_control_plane(machine)]


def quorum_problem(facts: Facts, ref: ObjectRef, body: Document) -> str:
    """Why a control-plane machine may not go now, empty when it may (or is none)."""
    if not is_control_plane(body):
        return ""
    peers = control_plane_peers(facts, ref, body)
    if peers is None:
        return "the other machines of its control plane are not known"
    if len(peers) < 2:
        return "it is the only machine of its control plane"
    leaving = [text_at(m, ("metadata", "name")) for m in peers if is_deleting(m)]
    if leaving:
        return f"another machine of its control plane is being deleted: {', '.join(leaving)}"
    return ""


def matching_checks(facts: Facts, ref: ObjectRef, body: Document) -> list[Document] | None:
    """Health checks that select the machine; None when they are not known."""
    found = facts.list(checks_request(ref))
    if found is None:
        return None
    cluster = cluster_ref(body, ref.context)
    name = cluster.name if cluster else ""
    labels = value_at(body, ("metadata", "labels")) or {}
    return [
        check
        for check in found
        if text_at(check, ("spec", "clusterName")) == name
        and selects(value_at(check, ("spec", "selector")), labels)
    ]


def selects(selector: Any, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches everything.

    Source: apimachinery LabelSelector.
    """
    if not isinstance(selector, Mapping):
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    return all(_meets(entry, labels) for entry in items_at(selector, ("matchExpressions",)))


def _meets(entry: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(str(entry.get("key")))
    values: Sequence[str] = entry.get("values") or ()
    operator = entry.get("operator")
    if operator == "In":
        return value is not None and value in values
    if operator == "NotIn":
        return value is None or value not in values
    if operator == "Exists":
        return value is not None
    return operator == "DoesNotExist" and value is None


def hooks_of(body: Document) -> list[str]:
    """Annotations that hold a deletion until their owner removes them."""
    names = value_at(body, ("metadata", "annotations")) or {}
    return sorted(name for name in names if name.startswith(_HOOKS))


def cluster_name_of(ref: ObjectRef, body: Document) -> str:
    """Name of the machine's cluster, empty when it names none."""
    return label(body, "cluster.x-k8s.io/cluster-name") or text_at(body, ("spec", "clusterName"))
