"""One object of a context, as small as 600,000 of them must be.

Knows what a row can tell about its own object and its neighbours in the tree;
refuses to know how rows are found, linked or re-rolled (``store``, ``tree``,
``health``). What equal objects share stands in a ``State``; moments are packed.
Rows are not seen by the cycle collector: whoever drops one cuts its links.
"""

import sys
from collections.abc import Iterable

import msgspec

from fleettui.index.bags import Bag, rows_of
from fleettui.index.packing import (
    FIRST_MOMENT,
    UidOf,
    fact_values_of,
    links_of,
    numbers_of,
    pack_uid,
    revision_in,
    unpack_uid,
)
from fleettui.index.places import Place
from fleettui.index.rollup import FAULTS_MASK, VERDICTS, Rollup, unpack
from fleettui.index.shapes import OWN_NAMESPACE, LinkShape, Shapes, State
from fleettui.index.spine import sibling_order
from fleettui.index.standing import DELETING, GONE, LOWER_BOUND, PAUSED, RANK
from fleettui.index.told import culprit_of, message_of, reason_of
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


class Row(msgspec.Struct, gc=False, eq=False):
    """What the index keeps of one object. Only the index writes to it."""

    place: Place
    name: str
    identity: int | str
    """uid, packed into an integer when it is a canonical UUID."""
    state: State
    links: tuple[str | int, ...]
    """Names for the shapes of the state: owners' names, owners' uids, references' names."""
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[tuple[str, str], ...]
    fact_values: tuple[str, ...]
    numbers: bytes
    """resourceVersion and generations, created_at, deleted_at, since, then each condition's
    moment; see ``packing``."""
    cluster: str
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
    def revision(self) -> int | str:
        """The resourceVersion as an integer when it is one."""
        return revision_in(self.numbers, 3 + len(self.state.conditions))

    @property
    def generation(self) -> int:
        """metadata.generation."""
        return int.from_bytes(self.numbers[8:12], "little", signed=True)

    @property
    def observed_generation(self) -> int:
        """status.observedGeneration, -1 without one."""
        return int.from_bytes(self.numbers[12:16], "little", signed=True)

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
        return culprit_of(self)

    @property
    def condition(self) -> str:
        """Type of the condition that decided the verdict."""
        return (self.blamed or self.state).condition

    @property
    def reason(self) -> str:
        """Why it is as it is: the object's own word, or one that says that time ran out."""
        return reason_of(self)

    @property
    def message(self) -> str:
        """Raw text that goes with the reason; unsafe to show without ``safe_text``."""
        return message_of(self)

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

    @property
    def rollup(self) -> Rollup:
        """Counts of its home subtree, itself included; what has not been read is not told."""
        return unpack(self.counts)

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
        at = FIRST_MOMENT + 4 * place
        return int.from_bytes(self.numbers[at : at + 4], "little")

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Every condition, in the order of the document."""
        return tuple(
            msgspec.structs.replace(shape, since=self._moment(place))
            for place, shape in enumerate(self.state.conditions, start=3)
        )

    def condition_since(self, place: int) -> int:
        """When the condition at this place of ``state.conditions`` last changed; cheap."""
        return self._moment(place + 3)

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

    def pointers_at(self, name: str) -> list[tuple[LinkShape, str]]:
        """Return those of its pointers that name this; an inventory names thousands of others."""
        state, links = self.state, self.links
        count = len(state.owner_shapes)
        found: list[tuple[LinkShape, str]] = []
        at = -1
        for _ in range(links.count(name)):
            at = links.index(name, at + 1)
            if at < count:
                found.append((state.owner_shapes[at], name))
            elif at >= 2 * count:
                found.append((state.link_shapes[at - 2 * count], name))
        return found

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


def make_row(place: Place, record: Record, shapes: Shapes, uid_of: UidOf) -> Row:
    """Return a row for the record, not linked to anything yet."""
    return Row(
        place,
        sys.intern(record.name),
        pack_uid(record.uid),
        shapes.state_of(record),
        links_of(record, uid_of),
        shapes.pairs_of(record.labels),
        shapes.pairs_of(record.annotations),
        fact_values_of(record),
        numbers_of(record),
        sys.intern(record.cluster),
        standing=3 | DELETING if record.deleted_at else 3,
    )


def _value_of(pairs: Iterable[tuple[str, str]], name: str) -> str | None:
    for known, value in pairs:
        if known == name:
            return value
    return None
