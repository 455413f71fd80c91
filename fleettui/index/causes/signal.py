"""The form of a reason: what kind of trouble, how telling, in whose words."""

from dataclasses import dataclass
from enum import StrEnum

from fleettui.kinds.record import ObjectRef


class CauseState(StrEnum):
    """What kind of trouble a cause is, worst first."""

    FAILING = "failing"
    PAUSED = "paused"
    DELETING = "deleting"
    WAITING = "waiting"
    PROGRESSING = "progressing"


@dataclass(frozen=True, slots=True)
class Signal:
    """One object's own reason for not being well. Texts are raw."""

    state: CauseState
    weight: int
    """How much it explains beside others of the same object and depth."""
    condition: str
    reason: str
    message: str
    since: int
    is_hard: bool = False
    """The object itself says what is wrong; not an echo of its neighbours."""
    missing: ObjectRef | None = None
    """An object that is pointed at and does not exist."""
