"""A node of a description: an object, a heading, or a group of equal siblings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleettui.fleet.describe.inventory import Body, at, name_of
from fleettui.kinds.moments import unix_seconds
from fleettui.kinds.record import Record, Verdict
from fleettui.kinds.spec import Role

NO_REASON = "NoReasonReported"
"""What clusterctl puts where a condition has no reason."""


@dataclass(frozen=True, slots=True)
class State:
    """One condition as descriptions show it."""

    type: str
    status: str
    reason: str
    message: str
    since: int


def states_of(body: Body) -> list[State]:
    """Conditions in the order of the document, of the newest scheme it carries.

    Source: ``util/conditions/getter.go``: ``status.v1beta2.conditions`` wins over
    ``status.conditions``; an entry without reason reads NoReasonReported.
    """
    entries = at(body, "status", "v1beta2", "conditions")
    if not isinstance(entries, Sequence):
        entries = at(body, "status", "conditions")
    if not isinstance(entries, Sequence):
        return []
    return [
        State(
            type=str(entry.get("type") or ""),
            status=str(entry.get("status") or ""),
            reason=str(entry.get("reason") or NO_REASON),
            message=str(entry.get("message") or ""),
            since=unix_seconds(entry.get("lastTransitionTime")),
        )
        for entry in entries
        if isinstance(entry, Mapping)
    ]


_STATUSES: Mapping[Verdict, str] = {Verdict.CURRENT: "True", Verdict.UNKNOWN: "Unknown"}


def state_of(record: Record) -> State:
    """What the program makes of an object, in the form of a condition."""
    return State(
        type="Ready",
        status=_STATUSES.get(record.verdict, "False"),
        reason=record.reason or NO_REASON,
        message=record.message,
        since=record.since,
    )


@dataclass(slots=True)
class Node:
    """One row of a description, with what hangs below it."""

    kind: str
    namespace: str
    name: str
    role: Role
    body: Body | None = None
    """None for headings and groups."""
    is_virtual: bool = False
    version: str = ""
    contract: str = ""
    """Contract version of a control plane, which decides where its counters are."""
    is_grouping: bool = False
    """Equal children are merged into one line."""
    shows_conditions: bool = False
    abnormal_only: bool = False
    z_order: int = 0
    children: list["Node"] = field(default_factory=list)
    members: list[str] = field(default_factory=list)
    """Names in a group, sorted."""
    counts: dict[str, int] = field(default_factory=dict)
    """Available, Ready, UpToDate members of a group."""
    states: list[State] = field(default_factory=list)
    judged: State | None = None
    """What stands for an object that upstream's conditions do not sum up."""
    complaints: set[str] = field(default_factory=set)
    """What not-ready members of a group say, their own names taken out."""

    @property
    def is_group(self) -> bool:
        """Whether it stands for several equal siblings."""
        return bool(self.members)

    @property
    def is_deleting(self) -> bool:
        """Whether deletion has been asked for."""
        return bool(at(self.body, "metadata", "deletionTimestamp"))

    def state(self, kind: str) -> State | None:
        """The condition of a type."""
        return next((state for state in self.states if state.type == kind), None)

    def mark(self, kind: str) -> tuple[str, str] | None:
        """Status and reason of a condition, for comparing siblings."""
        state = self.state(kind)
        return (state.status, state.reason) if state else None


def object_node(body: Body, role: Role) -> Node:
    """The node of an object, without children."""
    return Node(
        kind=str(body.get("kind")),
        namespace=str(at(body, "metadata", "namespace") or ""),
        name=name_of(body),
        role=role,
        body=body,
        version=_version_of(body, role),
        states=states_of(body),
    )


def heading(kind: str, namespace: str, name: str) -> Node:
    """A row that only carries a title."""
    return Node(kind=kind, namespace=namespace, name=name, role=Role.OTHER, is_virtual=True)


_VERSION_PATHS: Mapping[Role, tuple[str, ...]] = {
    Role.CLUSTER: ("spec", "topology", "version"),
    Role.CONTROL_PLANE: ("spec", "version"),
    Role.WORKERS: ("spec", "template", "spec", "version"),
    Role.MACHINE_SET: ("spec", "template", "spec", "version"),
    Role.MACHINE_POOL: ("spec", "template", "spec", "version"),
    Role.MACHINE: ("spec", "version"),
}


def _version_of(body: Body, role: Role) -> str:
    path = _VERSION_PATHS.get(role)
    value: Any = at(body, *path) if path else None
    return str(value or "")
