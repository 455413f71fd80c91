"""One object of a context, as small as 600,000 of them must be.

Knows what a row can tell about its own object and its neighbours in the tree;
refuses to know how rows are found, linked or re-rolled (``index``, ``links``,
``health``). What equal objects share stands in a ``State``; moments are packed.
Rows are not seen by the cycle collector: whoever drops one cuts its links.
"""

import re
import struct
import sys
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from fleettui.index.bags import Bag, rows_of
from fleettui.index.rollup import FAULTS_MASK, VERDICTS
from fleettui.index.shapes import OWN_NAMESPACE, LinkShape, Shapes, State
from fleettui.kinds.record import (
    Condition,
    Flag,
    ObjectKey,
    ObjectRef,
    Owner,
    Record,
    Reference,
    Replicas,
    Verdict,
)
from fleettui.kinds.spec import KindSpec

PAUSED: Final = int(Flag.PAUSED)
"""The flag as a plain integer: flags of an enum are slow."""
RANK: Final = 7
"""Picks the rank of the derived health out of ``standing``."""
LOWER_BOUND: Final = 8
"""``since`` is when it was first seen so, not when it began."""
OVERDUE: Final = 16
"""In progress for longer than its kind's limit."""
STUCK: Final = 32
"""Terminating for longer than its kind's limit."""
FROM_BELOW: Final = 64
"""Health is that of a neighbour below, worse than its own."""
UNREAD: Final = 128
"""Would look current, but a part that decides has not been read."""
STICKY: Final = 256
"""A failure whose retry is under way: failed until a success is seen."""
NO_NODE: Final = 1024
"""With OVERDUE: it is the MachineHealthCheck's node start-up time-out that ran out."""
LAST_MOMENT: Final = 0xFFFFFFFF
"""Moments are kept in four bytes, which last until 2106."""
DELETING: Final = 2048
"""Deletion has been asked for."""
KEPT: Final = RANK | DELETING
"""What a new document does not change by itself."""
GONE: Final = 512
"""No longer in the index."""


class Realm:
    """A namespace of a context, or the context itself: where roots stand and counts end."""

    __slots__ = ("context", "counts", "namespace", "roots", "whole")

    def __init__(self, context: str, namespace: str, whole: "Realm | None") -> None:
        """Start empty.

        Args:
            context: name of the context.
            namespace: empty for cluster-scoped objects and for the context itself.
            whole: the context's own realm; None for the context itself.
        """
        self.context = context
        self.namespace = namespace
        self.whole = whole
        self.counts = 0
        self.roots: dict[Row, None] = {}


class Place:
    """All objects of one kind in one namespace of one context, by name."""

    __slots__ = (
        "context",
        "group",
        "kind",
        "namespace",
        "realm",
        "reverse_homes",
        "routes",
        "rows",
        "spec",
    )

    def __init__(self, realm: Realm, spec: KindSpec) -> None:
        """Start empty in this realm."""
        self.context = realm.context
        self.group = spec.group
        self.kind = spec.kind
        self.namespace = realm.namespace
        self.spec = spec
        self.realm = realm
        self.rows: dict[str, Row] = {}
        self.routes: dict[LinkShape, tuple[tuple[str, str, str], str]] = {}
        """Where the targets of each shape are kept: the kind in its context, and the namespace."""
        self.reverse_homes = frozenset(name[1:] for name in spec.home if name.startswith("~"))


class Row(msgspec.Struct, gc=False, eq=False):
    """What the index keeps of one object. Only the index writes to it."""

    place: Place
    name: str
    identity: int | str
    """uid, packed into an integer when it is a canonical UUID."""
    revision: int | str
    """resourceVersion."""
    state: State
    links: tuple[str | int, ...]
    """Names for the shapes of the state: owners' names, owners' uids, references' names."""
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    fact_values: tuple[str, ...]
    moments: bytes
    """created_at, deleted_at, since, then each condition's moment; 4 bytes each."""
    cluster: str
    generation: int
    observed_generation: int
    epoch: int = 0
    standing: int = 3
    """Rank of the derived health and the bits above."""
    broken_since: int = 0
    """Start of the unbroken failure or of the unbroken progress; 0 when neither."""
    blamed: State | None = None
    """For a sticky failure: the state that told why."""
    parent: "Row | None" = None
    """Home parent; None for a root."""
    kids: Bag = None
    inbound: Bag = None
    """Every row that points here."""
    counts: int = 0
    """Packed roll-up of the home subtree, this row included."""

    def __repr__(self) -> str:
        """Name the object; what it points at would never end."""
        return f"Row({self.ref}, {self.health.value})"

    # -- identity -------------------------------------------------------------------------
    @property
    def context(self) -> str:
        """The context that the object lives in."""
        return self.place.context

    @property
    def group(self) -> str:
        """The API group."""
        return self.place.group

    @property
    def kind(self) -> str:
        """The kind."""
        return self.place.kind

    @property
    def namespace(self) -> str:
        """The namespace, empty for a cluster-scoped object."""
        return self.place.namespace

    @property
    def spec(self) -> KindSpec:
        """The data entry of the kind, or a generic one for kinds without."""
        return self.place.spec

    @property
    def ref(self) -> ObjectRef:
        """Identity across contexts, built anew at each call."""
        place = self.place
        return ObjectRef(place.context, place.group, place.kind, place.namespace, self.name)

    @property
    def key(self) -> ObjectKey:
        """Identity inside the context."""
        place = self.place
        return ObjectKey(place.group, place.kind, place.namespace, self.name)

    @property
    def uid(self) -> str:
        """The object's uid."""
        return unpack_uid(self.identity)

    @property
    def resource_version(self) -> str:
        """The resourceVersion of the document last read."""
        return str(self.revision)

    @property
    def version(self) -> str:
        """API version that the document was read at."""
        return self.state.version

    @property
    def is_gone(self) -> bool:
        """Whether the row has left the index."""
        return bool(self.standing & GONE)

    # -- health ---------------------------------------------------------------------------
    @property
    def verdict(self) -> Verdict:
        """What the document itself says."""
        return self.state.verdict

    @property
    def health(self) -> Verdict:
        """What the index derives from the verdict, the neighbours and the clock."""
        return VERDICTS[self.standing & RANK]

    @property
    def culprit(self) -> "Row | None":
        """The row below whose health this row shows; None when it is its own."""
        if not self.standing & FROM_BELOW:
            return None
        rank = self.standing & RANK
        worst = [row for row in rows_of(self.kids) if (row.standing & RANK) == rank]
        feeding = [row for row in worst if feeds(row, self)]
        return min(feeding, key=lambda row: (row.broken_since, row.kind, row.name), default=None)

    @property
    def condition(self) -> str:
        """Type of the condition that decided the verdict."""
        return (self.blamed or self.state).condition

    @property
    def reason(self) -> str:
        """Why it is as it is: the object's own word, or one that says that time ran out."""
        standing = self.standing
        if standing & STUCK:
            return "DeletionTakesTooLong"
        if standing & OVERDUE:
            return "NodeStartupTimeout" if standing & NO_NODE else "TakesTooLong"
        if (culprit := self.culprit) is not None:
            return culprit.reason
        if standing & UNREAD:
            return "NotAllRead"
        return (self.blamed or self.state).reason

    @property
    def message(self) -> str:
        """Raw text that goes with the reason; unsafe to show without ``safe_text``."""
        standing = self.standing
        if standing & STUCK:
            return _timed_out("being deleted", self.spec.limits.terminating_s, self.state)
        if standing & NO_NODE:
            return _timed_out("no node within the health check's start-up time-out", 0, self.state)
        if standing & OVERDUE:
            return _timed_out("in progress", self.spec.limits.in_progress_s, self.state)
        if (culprit := self.culprit) is not None:
            return f"{culprit.kind} {culprit.name}: {culprit.message}"
        if standing & UNREAD:
            return "a part that decides about its health has not been read"
        return (self.blamed or self.state).message

    @property
    def since(self) -> int:
        """Start of the unbroken failure or progress, else when the verdict changed; 0 unknown."""
        if (culprit := self.culprit) is not None:
            return culprit.since
        return self.broken_since or self._moment(2)

    @property
    def since_is_lower_bound(self) -> bool:
        """Whether it may have begun earlier: ``since`` is when it was first seen so."""
        if (culprit := self.culprit) is not None:
            return culprit.since_is_lower_bound
        return bool(self.standing & LOWER_BOUND)

    @property
    def flags(self) -> Flag:
        """What is true beside the health."""
        return Flag(self.state.flags)

    @property
    def is_paused(self) -> bool:
        """Whether the object itself asks not to be reconciled."""
        return bool(self.state.flags & PAUSED)

    @property
    def paused_by(self) -> str:
        """What pauses it, in words."""
        return self.state.paused_by

    @property
    def is_deleting(self) -> bool:
        """Whether deletion has been asked for."""
        return bool(self.standing & DELETING)

    @property
    def has_faults(self) -> bool:
        """Whether it or anything in its home subtree is failed or stalled."""
        return bool(self.counts & FAULTS_MASK)

    # -- what the document holds ----------------------------------------------------------
    @property
    def created_at(self) -> int:
        """creationTimestamp, Unix seconds."""
        return self._moment(0)

    @property
    def deleted_at(self) -> int:
        """deletionTimestamp, Unix seconds; 0 when it is not being deleted."""
        return self._moment(1)

    @property
    def told_since(self) -> int:
        """When the deciding condition last changed, as the object says; 0 unknown."""
        return self._moment(2)

    def _moment(self, place: int) -> int:
        return int.from_bytes(self.moments[4 * place : 4 * place + 4], "little")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition, in the order of the document."""
        return tuple(
            msgspec.structs.replace(shape, since=self._moment(place))
            for place, shape in enumerate(self.state.conditions, start=3)
        )

    @property
    def replicas(self) -> Replicas | None:
        """Counters of a scalable object."""
        return self.state.replicas

    @property
    def kubernetes_version(self) -> str:
        """The Kubernetes version that runs, or the one asked for."""
        return self.state.kubernetes_version

    @property
    def finalizers(self) -> tuple[str, ...]:
        """What must happen before the object can go."""
        return self.state.finalizers

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """What the kind adds, name to raw text."""
        return tuple(zip(self.state.fact_names, self.fact_values, strict=True))

    def fact(self, name: str) -> str:
        """Return the fact's raw text, empty if the object does not have it."""
        for known, value in zip(self.state.fact_names, self.fact_values, strict=True):
            if known == name:
                return value
        return ""

    def label(self, name: str) -> str | None:
        """Return the label's value, None without it."""
        return _value_of(self.labels, name)

    def annotation(self, name: str) -> str | None:
        """Return the annotation's value, None if it was absent or of no interest."""
        return _value_of(self.annotations, name)

    @property
    def owners(self) -> tuple[Owner, ...]:
        """Its ownerReferences."""
        shapes = self.state.owner_shapes
        count = len(shapes)
        return tuple(
            Owner(
                shape.group,
                shape.kind,
                str(self.links[place]),
                unpack_uid(self.links[count + place]),
                shape.controller,
            )
            for place, shape in enumerate(shapes)
        )

    @property
    def references(self) -> tuple[Reference, ...]:
        """Its named pointers at other objects."""
        first = 2 * len(self.state.owner_shapes)
        return tuple(
            Reference(
                shape.relation,
                shape.group,
                shape.kind,
                self.namespace if shape.namespace == OWN_NAMESPACE else shape.namespace,
                str(self.links[first + place]),
                shape.evidence,
            )
            for place, shape in enumerate(self.state.link_shapes)
        )

    def pointers(self) -> list[tuple[LinkShape, str]]:
        """Return owners and references alike: shape and name, owners first."""
        owners = self.state.owner_shapes
        shapes = self.state.link_shapes
        links = self.links
        found = list(zip(owners, links, strict=False))
        found += zip(shapes, links[2 * len(owners) :], strict=True)
        return found  # type: ignore[return-value]  # only the uids in between are not str

    # -- tree -----------------------------------------------------------------------------
    @property
    def children(self) -> list["Row"]:
        """Rows whose home parent this is, by role, kind and name; sorted at each call."""
        return sorted(rows_of(self.kids), key=sibling_order)

    @property
    def root(self) -> "Row":
        """The top of the home tree, itself for a root."""
        row = self
        while row.parent is not None:
            row = row.parent
        return row


FEEDING_ROLES: Final = frozenset(
    {
        "infra_cluster",
        "control_plane",
        "workers",
        "machine_pool",
        "infra_pool",
        "health_check",
        "cloud_cluster",
        "cloud_pool",
    }
)
"""Roles whose health is the health of what stands above: the spine of a cluster."""
TAKING_ROLES: Final = FEEDING_ROLES | {"cluster"}


def feeds(child: Row, parent: Row) -> bool:
    """Whether the parent's health takes the child's into account.

    Leaves never feed: a cluster must show the same health whether they have been
    read or not. Kinds with nothing but a flag speak through whatever they own.

    Source: Cluster's Available never covers pools and managed control planes
    (cluster_controller_status.go); ASO-managed and GCP kinds have no conditions.
    """
    if child.place.spec.depth != "spine":
        return False
    spec = parent.place.spec
    if spec.dialect == "flag":
        return True
    return spec.role in TAKING_ROLES and child.place.spec.role in FEEDING_ROLES


def sibling_order(row: Row) -> tuple[int, str, str, str]:
    """Return the key that sorts rows of one parent: role, kind, name, namespace."""
    spec = row.place.spec
    return (ROLE_ORDER.get(spec.role, 99), spec.kind, row.name, row.place.namespace)


ROLE_ORDER: Final = {
    role: place
    for place, role in enumerate(
        (
            "cluster",
            "cloud_cluster",
            "infra_cluster",
            "control_plane",
            "workers",
            "machine_pool",
            "infra_pool",
            "cloud_pool",
            "machine_set",
            "machine",
            "infra_machine",
            "bootstrap",
            "health_check",
            "addon",
            "source",
            "applier",
        )
    )
}


def moments_of(record: Record) -> bytes:
    """Return the record's moments, packed."""
    moments = [record.created_at, record.deleted_at, record.since]
    moments += [entry.since for entry in record.conditions]
    try:
        return struct.pack(f"<{len(moments)}I", *moments)
    except struct.error:
        clamped = [min(max(0, moment), LAST_MOMENT) for moment in moments]
        return struct.pack(f"<{len(moments)}I", *clamped)


UidOf = Callable[[Owner], int | str]


def links_of(record: Record, uid_of: UidOf) -> tuple[str | int, ...]:
    """Return the names that fill the record's link shapes.

    Args:
        record: what points.
        uid_of: gives the owner's packed uid, that of its row if there is one, so that
            the two share it.
    """
    intern = sys.intern
    if record.owners:
        owners = record.owners
        names: list[str | int] = [intern(owner.name) for owner in owners]
        names += [uid_of(owner) for owner in owners]
        names += [intern(reference.name) for reference in record.references]
        return tuple(names)
    return tuple([intern(reference.name) for reference in record.references])


def fact_values_of(record: Record) -> tuple[str, ...]:
    """Return the values of the record's facts, short ones shared."""
    intern = sys.intern
    return tuple([intern(value) if len(value) <= 80 else value for _, value in record.facts])


def make_row(place: Place, record: Record, shapes: Shapes, uid_of: UidOf) -> Row:
    """Return a row for the record, not linked to anything yet."""
    return Row(
        place,
        sys.intern(record.name),
        pack_uid(record.uid),
        pack_revision(record.resource_version),
        shapes.state_of(record),
        links_of(record, uid_of),
        shapes.pairs_of(record.labels),
        shapes.pairs_of(record.annotations),
        fact_values_of(record),
        moments_of(record),
        sys.intern(record.cluster),
        record.generation,
        record.observed_generation,
        standing=3 | DELETING if record.deleted_at else 3,
    )


_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def pack_uid(uid: str) -> int | str:
    """Return the uid as an integer when that loses nothing."""
    if _UUID.fullmatch(uid) is None:
        return uid
    return int(uid.replace("-", ""), 16)


def unpack_uid(packed: int | str) -> str:
    """Return the uid that was packed."""
    if isinstance(packed, str):
        return packed
    digits = f"{packed:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def pack_revision(revision: str) -> int | str:
    """Return the resourceVersion as an integer when that loses nothing."""
    plain = revision.isascii() and revision.isdigit() and len(revision) <= 20
    if plain and (revision[0] != "0" or revision == "0"):
        return int(revision)
    return revision


def _value_of(pairs: Iterable[tuple[str, str]], name: str) -> str | None:
    for known, value in pairs:
        if known == name:
            return value
    return None


def _timed_out(what: str, limit_s: int, state: State) -> str:
    own = ": ".join(part for part in (state.reason, state.message) if part)
    text = f"{what} for more than {limit_s // 60} min" if limit_s else what
    return f"{text}; {own}" if own else text
