"""The objects a description is made of: whole documents of one namespace.

Knows how to look documents up; does not fetch. Source: clusterctl
``client/tree/discovery.go`` (what is read, by reference and by label).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fleettui.kinds import KindTable
from fleettui.kinds.record import Record
from fleettui.kinds.spec import Role

Body = Mapping[str, Any]
CLUSTER_LABEL = "cluster.x-k8s.io/cluster-name"
CONTROL_PLANE_LABEL = "cluster.x-k8s.io/control-plane"


def at(body: object, *path: str) -> Any:
    """The value at a path; None where the path ends early."""
    for name in path:
        if not isinstance(body, Mapping):
            return None
        body = body.get(name)
    return body


def maps_at(body: object, *path: str) -> list[Body]:
    """The maps in the list at a path; empty where there is no list."""
    found = at(body, *path)
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


def group_of(body: Body) -> str:
    """API group of a document."""
    return str(body.get("apiVersion") or "").rpartition("/")[0]


def name_of(body: Body) -> str:
    """metadata.name."""
    return str(at(body, "metadata", "name") or "")


class Inventory:
    """Documents of one namespace by identity and by role."""

    def __init__(self, bodies: Iterable[Body], table: KindTable) -> None:
        """Documents of other namespaces than the cluster's must not be among them."""
        self._table = table
        self._by_key: dict[tuple[str, str, str], Body] = {}
        for body in bodies:
            self._by_key[(group_of(body), str(body.get("kind")), name_of(body))] = body

    def role_of(self, body: Body) -> Role:
        """What the object is to the fleet; OTHER when its kind is unknown."""
        spec = self._table.spec_for(group_of(body), str(body.get("kind")))
        return spec.role if spec else Role.OTHER

    def judged(self, body: Body) -> Record:
        """What the program makes of the object, as everywhere else it is shown."""
        version = str(body.get("apiVersion") or "").rpartition("/")[2]
        return self._table.reader(group_of(body), version, str(body.get("kind"))).convert(body)

    def referred(self, reference: object) -> Body | None:
        """The object that a reference of either API version names; None if it is not there."""
        if not isinstance(reference, Mapping):
            return None
        group = reference.get("apiGroup")
        if group is None:
            group = str(reference.get("apiVersion") or "").rpartition("/")[0]
        return self._by_key.get(
            (str(group), str(reference.get("kind")), str(reference.get("name")))
        )

    def of_role(self, role: Role, cluster: str) -> list[Body]:
        """Objects of a role labelled with a cluster's name, in order of name."""
        found = [
            body
            for body in self._by_key.values()
            if self.role_of(body) is role
            and at(body, "metadata", "labels", CLUSTER_LABEL) == cluster
        ]
        return sorted(found, key=name_of)

    def named(self, kind: str, name: str) -> Body | None:
        """The object of a kind and name, whatever its group."""
        return next((b for (_, k, n), b in self._by_key.items() if (k, n) == (kind, name)), None)
