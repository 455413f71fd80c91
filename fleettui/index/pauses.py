"""Everything that is paused, suspended or frozen, and what each of them stops.

Knows pauses that objects ask for themselves, what the objects say of who, why and
until when, and which of them only follow a pause above. Source: our own annotations
(``fleettui.dev/paused-…``), flux-operator's ``suspendedBy``, any annotation that ends
the same way; the Paused condition's moment for Cluster API.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleettui.index.causes.hands import LEFT_ALONE, is_left_alone
from fleettui.index.index import Index
from fleettui.index.rollup import unpack
from fleettui.index.rows import Row
from fleettui.kinds.moments import unix_seconds
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

_BY: Final = ("/paused-by", "/suspendedBy", "/suspended-by")
_WHY: Final = ("/paused-reason", "/suspend-reason", "/pause-reason")
_UNTIL: Final = ("/paused-until",)
_SWITCHED: Final = frozenset({Role.APPLIER, Role.SOURCE, Role.CLUSTER})
FORGOTTEN_S: Final = 7 * 86400
"""A pause without an end that is older than this has most likely been forgotten."""


@dataclass(slots=True)
class Pause:
    """One pause. Texts are raw; who, why and until are empty where nobody knows."""

    ref: ObjectRef
    word: str
    """What pauses it: a field or an annotation."""
    since: int = 0
    """When it began, Unix seconds; 0 unknown."""
    who: str = ""
    why: str = ""
    until: int = 0
    """When it was meant to end, Unix seconds; 0: no end was named."""
    stops: int = 0
    """Objects below that it keeps from being reconciled."""
    evidence: str = ""
    """Where who and since stand: ``annotation``, ``condition``, ``managedFields``."""

    def is_expired(self, now: int) -> bool:
        """Whether it is past its own end."""
        return 0 < self.until <= now

    def is_forgotten(self, now: int) -> bool:
        """Whether it is past its end, or older than a week without one."""
        if self.until:
            return self.is_expired(now)
        return self.since > 0 and now - self.since > FORGOTTEN_S


def pauses(index: Index, now: int) -> list[Pause]:
    """Every pause but those that only follow one above; forgotten and oldest first."""
    found = {row: pause_of(row) for row in _paused_rows(index)}
    found |= {row: pause_of(row) for row in _left_alone(index) if row not in found}
    for row, pause in found.items():
        pause.stops = unpack(row.counts).total - 1
    return sorted(found.values(), key=lambda pause: order(pause, now))


def order(pause: Pause, now: int) -> tuple[bool, bool, int, ObjectRef]:
    """Sorts pauses: expired, then forgotten, then longest; those of unknown age last."""
    return (
        not pause.is_expired(now),
        not pause.is_forgotten(now),
        pause.since or 1 << 40,
        pause.ref,
    )


def _paused_rows(index: Index) -> Iterator[Row]:
    """Walks down only where something is paused."""
    stack = [
        row
        for realm in index.realms()
        if unpack(realm.counts).paused
        for row in realm.roots
        if unpack(row.counts).paused
    ]
    while stack:
        row = stack.pop()
        if row.is_paused:
            yield row
            stack += [c for c in index.children(row) if _is_own(c, row)]
        else:
            stack += [c for c in index.children(row) if unpack(c.counts).paused]


def _is_own(row: Row, above: Row) -> bool:
    """Whether a pause below a pause is one of its own: below a cluster all are handed down."""
    return unpack(row.counts).paused > 0 and above.spec.role is not Role.CLUSTER


def _left_alone(index: Index) -> Iterator[Row]:
    for spec in index.kinds():
        if spec.role in _SWITCHED:
            for row in index.rows((spec.group, spec.kind)):
                if is_left_alone(row):
                    yield row


def pause_of(row: Row) -> Pause:
    """What one paused row says of its pause."""
    told = next((c for c in row.conditions if c.type == "Paused" and c.status == "True"), None)
    pause = Pause(row.ref, row.paused_by or f"annotation {LEFT_ALONE}")
    if told is not None:
        pause.since, pause.evidence = told.since, "condition"
    for name, value in row.annotations:
        if name.endswith(_BY):
            pause.who, pause.evidence = value, f"annotation {name}"
        elif name.endswith(_WHY):
            pause.why = value
        elif name.endswith(_UNTIL):
            pause.until = unix_seconds(value)
    return pause
