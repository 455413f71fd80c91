"""Plain values: what a reader got out of one document.

Knows the shape that every kind is brought into; knows neither Kubernetes
documents nor the index. Values carry no ids, no context and no links to each
other, so watches, cache shards, snapshots and recordings all carry the same
thing. Moments are whole Unix seconds (UTC), 0 for "not known": 600,000 objects
with half a dozen moments each do not fit into datetimes.
"""

from enum import IntFlag, StrEnum
from typing import NamedTuple

import msgspec


class Verdict(StrEnum):
    """What one document says about itself, worst first."""

    FAILED = "failed"
    STALLED = "stalled"
    IN_PROGRESS = "in_progress"
    UNKNOWN = "unknown"
    CURRENT = "current"

    @property
    def rank(self) -> int:
        """0 is worst."""
        return _RANKS[self]


_RANKS = {verdict: rank for rank, verdict in enumerate(Verdict)}


class ObjectRef(NamedTuple):
    """Identity of an object across contexts: version-free and uid-free."""

    context: str
    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """``CONTEXT:KIND/NAMESPACE/NAME``, without the context when it is empty."""
        path = "/".join(part for part in (self.kind, self.namespace, self.name) if part)
        return f"{self.context}:{path}" if self.context else path


class ObjectKey(NamedTuple):
    """Identity of an object inside its context."""

    group: str
    kind: str
    namespace: str
    name: str

    def ref(self, context: str) -> ObjectRef:
        """This object as seen from outside its context."""
        return ObjectRef(context, *self)


class Condition(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One entry of a condition list, of either Cluster API scheme, Flux, Argo CD or ASO."""

    type: str
    status: str
    """``True``, ``False`` or ``Unknown``; Argo CD's entries, which have none, read ``True``."""
    reason: str = ""
    message: str = ""
    since: int = 0
    """lastTransitionTime."""
    severity: str = ""
    """``Error``, ``Warning``, ``Info`` in the old Cluster API scheme and ASO, else empty."""
    observed_generation: int = -1
    """-1 when the entry has none."""
    deprecated: bool = False
    """Read from ``status.deprecated.v1beta1`` (or the old list beside a new one)."""
    negative: bool = False
    """True is the abnormal or busy side (domain: polarity)."""

    @property
    def is_bad(self) -> bool:
        """Whether the entry stands on its abnormal side."""
        return self.status == ("True" if self.negative else "False")


class Owner(NamedTuple):
    """One ownerReference."""

    group: str
    kind: str
    name: str
    uid: str
    controller: bool


class Reference(NamedTuple):
    """A named pointer at another object of the same context (or a ``cluster`` elsewhere)."""

    relation: str
    """A name of ``kinds.relations``: infrastructure, control_plane, bootstrap, source, …"""
    group: str
    kind: str
    namespace: str
    name: str
    evidence: str = ""
    """Where the pointer stands, in words: ``spec.infrastructureRef``, ``label …/cluster-name``."""

    @property
    def key(self) -> ObjectKey:
        """The object pointed at."""
        return ObjectKey(self.group, self.kind, self.namespace, self.name)


class Replicas(NamedTuple):
    """Counters of a scalable object; -1 where the object does not say."""

    desired: int = -1
    current: int = -1
    ready: int = -1
    available: int = -1
    up_to_date: int = -1


class Flag(IntFlag):
    """What is true beside the verdict; never a rank."""

    NONE = 0
    PAUSED = 1
    """The object itself says that it is not to be reconciled."""
    DELETING = 2
    STATIC = 4
    """A kind that is never reconciled (no controller writes its status)."""
    STALE_GENERATION = 8
    """observedGeneration is behind generation."""
    LEGACY = 16
    """Health was read from the old condition scheme."""
    UNREADABLE = 32
    """The document did not have the shape its kind promises; only metadata was read."""
    RETRYING = 64
    """A failure that its controller keeps retrying."""
    WAITING = 128
    """In progress only because something else is not ready yet (a dependency, an owner)."""
    EXTERNAL = 256
    """Declared to be managed by somebody else."""
    ABSENT_STATUS = 512
    """No controller has written any status yet."""


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True, kw_only=True):
    """What one document says, in the words all kinds share."""

    group: str
    version: str
    """API version that the document was read at."""
    kind: str
    namespace: str
    name: str
    uid: str
    resource_version: str
    generation: int = 0
    observed_generation: int = -1
    created_at: int = 0
    deleted_at: int = 0
    """deletionTimestamp, 0 when the object is not being deleted."""
    verdict: Verdict = Verdict.UNKNOWN
    condition: str = ""
    """Type of the condition (or field) that decided the verdict."""
    reason: str = ""
    message: str = ""
    """Raw text of that condition; unsafe to show without ``safe_text``."""
    since: int = 0
    """When that condition last changed, as the object says."""
    flags: int = 0
    """Bits of ``Flag``."""
    paused_by: str = ""
    """What pauses it, in words: ``spec.paused``, ``annotation cluster.x-k8s.io/paused``."""
    owners: tuple[Owner, ...] = ()
    references: tuple[Reference, ...] = ()
    conditions: tuple[Condition, ...] = ()
    """Every condition, in the order of the document; deprecated ones last."""
    replicas: Replicas | None = None
    cluster: str = ""
    """Name of the Cluster API cluster it belongs to, in its own namespace; empty if none."""
    kubernetes_version: str = ""
    """The version that runs if status tells it, else the version asked for."""
    labels: tuple[tuple[str, str], ...] = ()
    """All labels, sorted by key."""
    annotations: tuple[tuple[str, str], ...] = ()
    """Only annotations that change what the object does (pauses, hooks, policies, tracking)."""
    finalizers: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    """What this kind adds, name to text, in the order of its entry; raw text."""

    @property
    def key(self) -> ObjectKey:
        """Identity inside the context."""
        return ObjectKey(self.group, self.kind, self.namespace, self.name)

    @property
    def is_paused(self) -> bool:
        """Whether the object itself asks not to be reconciled."""
        return bool(self.flags & Flag.PAUSED)

    @property
    def is_deleting(self) -> bool:
        """Whether deletion has been asked for."""
        return self.deleted_at > 0

    def fact(self, name: str) -> str:
        """The fact's raw text, empty if the object does not have it."""
        for key, value in self.facts:
            if key == name:
                return value
        return ""

    def annotation(self, name: str) -> str | None:
        """The annotation's value, None if it was absent or of no interest."""
        for key, value in self.annotations:
            if key == name:
                return value
        return None
