"""How far a plan has come: states of steps, their reports, and what came of it all.

Plain values for front ends and the driver; knows no request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleettui.actions.bulk import ResumeToken
from fleettui.audit import Result, Who
from fleettui.errors import ExitCode


class StepState(StrEnum):
    """How far a step has come."""

    PENDING = "pending"
    CHECKING = "checking"
    SENDING = "sending"
    WAITING = "waiting"
    """Accepted; its acknowledgement is awaited."""
    DONE = "done"
    """Accepted, and acknowledged where its API can do that."""
    FAILED = "failed"
    """Accepted, and the controller's run failed."""
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    """Accepted, and waiting was given up."""
    REFUSED = "refused"
    """Not sent: the object is not what was confirmed."""
    REJECTED = "rejected"
    """Sent; the server refused it and nothing changed."""
    UNKNOWN = "unknown"
    """Sent; the answer was lost."""
    NOT_SENT = "not_sent"


WRITTEN = frozenset(
    {StepState.DONE, StepState.FAILED, StepState.TIMED_OUT, StepState.CANCELLED, StepState.WAITING}
)
RESULTS = {
    StepState.DONE: Result.ACKNOWLEDGED,
    StepState.FAILED: Result.FAILED,
    StepState.TIMED_OUT: Result.TIMED_OUT,
    StepState.CANCELLED: Result.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Report:
    """News of one step."""

    step: int
    state: StepState
    message: str = ""
    """Raw one line; unsafe to show without ``safe_text``."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a plan."""

    plan_id: str
    reports: tuple[Report, ...]
    """The last of every step, in the order of the plan."""
    stopped_by: str
    """Why it did not run to its end, empty if it did."""
    token: ResumeToken

    @property
    def exit_code(self) -> ExitCode:
        """0 only when every step was done."""
        if all(report.state is StepState.DONE for report in self.reports):
            return ExitCode.OK
        states = {report.state for report in self.reports}
        sent = states - {StepState.REFUSED, StepState.NOT_SENT}
        return ExitCode.FAILED if sent else ExitCode.REFUSED

    def state(self, step: int) -> StepState:
        """How far a step has come.

        Raises:
            KeyError: the plan has no such step.
        """
        return {report.step: report.state for report in self.reports}[step]


@dataclass(frozen=True, slots=True)
class Errand:
    """Who carries a plan out, and why."""

    who: Who = field(default_factory=Who)
    why: str = ""
    servers: Mapping[str, str] = field(default_factory=dict)
    """Context to the address of its API server."""
    dry_run: bool = False
    """The server only tells what would happen."""
    mirrors_events: bool = False
    """Every write is also told by an Event beside the object."""
