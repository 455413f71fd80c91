"""What a dialect is given and what it answers.

Knows the form of both; decides nothing.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from fleettui.kinds.conditions import named
from fleettui.kinds.record import Condition, Flag, Replicas, Verdict


class Evidence(msgspec.Struct, gc=False, frozen=True):
    """Everything in one document that speaks about its health."""

    conditions: tuple[Condition, ...]
    """The newer scheme first."""
    summary: tuple[str, ...]
    """Types that sum the object up, best first."""
    generation: int
    observed_generation: int
    """-1 when the document does not say."""
    has_status: bool
    """Whether any controller has written anything that is read here."""
    ready: object
    """The ready or provisioned flag; None when absent."""
    failure: str
    """Text of a failure field; empty when there is none."""
    replicas: Replicas | None
    is_deleting: bool
    is_paused: bool
    extras: tuple[object, ...]
    """Values of the dialect's own paths, in their order."""

    def named(self, kind: str) -> Condition | None:
        """The entry of a type, of the newer scheme if both have it."""
        return named(self.conditions, kind)

    @property
    def is_behind(self) -> bool:
        """Whether the controller has not yet looked at the present specification."""
        return -1 < self.observed_generation < self.generation


class Judgement(NamedTuple):
    """What the document says about itself."""

    verdict: Verdict
    condition: str = ""
    reason: str = ""
    message: str = ""
    since: int = 0
    flags: int = 0


Judge = Callable[[Evidence], Judgement]


class Dialect(NamedTuple):
    """One way of reading health out of a document."""

    judge: Judge
    paths: tuple[str, ...] = ()
    """What it needs besides conditions, flags and counters; becomes ``Evidence.extras``."""
    gates: tuple[str, ...] = ()
    """Lists in which an object declares condition types of its own, with their polarity."""


NO_STATUS = Judgement(
    Verdict.UNKNOWN,
    reason="NoStatus",
    message="no controller has written a status yet",
    flags=Flag.ABSENT_STATUS,
)


def told(verdict: Verdict, condition: Condition, *, flags: int = 0) -> Judgement:
    """A verdict in the words of the condition that decided it."""
    reason = condition.reason
    if not reason and verdict is not Verdict.CURRENT:
        reason = condition.type  # the old scheme needs none: EKSControlPlaneUpdating=True
    return Judgement(
        verdict,
        condition.type,
        reason,
        condition.message,
        condition.since,
        flags,
    )


def behind(evidence: Evidence, *, flags: int = 0, seen: int | None = None) -> Judgement:
    """In progress, because the present specification has not been looked at.

    Args:
        evidence: of the object.
        flags: beside those that this means.
        seen: generation that was looked at, where the status as a whole does not tell it.
    """
    seen = evidence.observed_generation if seen is None else seen
    return Judgement(
        Verdict.IN_PROGRESS,
        "observedGeneration",
        "GenerationNotObserved",
        f"the controller has seen generation {seen} of {evidence.generation}",
        0,
        flags | Flag.STALE_GENERATION,
    )


def failed_field(evidence: Evidence) -> Judgement:
    """Failed, in the words of a failure field."""
    return Judgement(Verdict.FAILED, "failureMessage", "Failure", evidence.failure)


def unready(flags: object) -> str:
    """What is wrong with a list of flags, or lists of them, in words; empty if nothing is."""
    found = list(_flags_in(flags)) if isinstance(flags, list) else []
    bad = sum(flag is not True for flag in found)
    return f"{bad} of {len(found)} are not ready" if bad else ""


def _flags_in(value: object) -> Iterator[object]:
    if isinstance(value, list):
        for item in value:
            yield from _flags_in(item)
    else:
        yield value


_WAITING = (
    "Waiting",
    "NotYetReported",
    "Dependency",
    "ReferenceNotFound",
    "SecretNotFound",
    "NotProvisioned",
)
_HARD = (
    "Failed",
    "Error",
    "Failure",
    "Timeout",
    "Unhealthy",
    "Invalid",
    "NotHealthy",
    "NotReconciled",
    "Denied",
)


def is_waiting(reason: str) -> bool:
    """Whether a reason names something else that has to come first."""
    return reason.startswith(_WAITING) or reason.endswith("Pending")


def is_hard(reason: str) -> bool:
    """Whether a reason names a failure rather than an unfinished step."""
    return any(word in reason for word in _HARD) and not reason.startswith("WaitingFor")
