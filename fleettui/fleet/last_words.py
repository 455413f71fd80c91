"""What a controller's log says about one object: the last lines that tell an error.

Some reasons stand in no object. Reads the end of the logs of the Pods that run the
object's controller; one request a Pod, and only when a person asks.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final, Protocol

from fleettui.errors import FleettuiError
from fleettui.index.causes import CauseState, Finding
from fleettui.index.controllers import controller_for, pods_of
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef

TAIL_LINES: Final = 2000
SHOWN_LINES: Final = 5
WAIT_S: Final = 10.0
_ERROR: Final = re.compile(
    r"^E\d{4} |\"level\":\s*\"(?:error|fatal|panic)\"|level=(?:error|fatal)|\bERROR\b|\bpanic\b"
)
_SILENT: Final = frozenset(
    {"NoStatus", "NotObserved", "NotHandled", "Silent", "InternalError", "ControllerDown"}
)
"""Reasons behind which nothing in any object says more: ours, and Cluster API's constant
``InternalError`` (api/core/v1beta2/v1beta2_condition_consts.go: "look in controller logs")."""


class Logs(Protocol):
    """Whatever reads logs: the fleet."""

    @property
    def index(self) -> Index:
        """All rows."""
        ...

    def logs(self, ref: ObjectRef, *, container: str = "", tail: int = 200) -> AsyncIterator[str]:
        """Lines of a Pod's log, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class LastWords:
    """What a controller's log says. Lines are raw."""

    pods: tuple[ObjectRef, ...]
    lines: tuple[str, ...]
    """Error lines, oldest first: those that name the object, else the last of all."""
    names_object: bool
    problem: str = ""
    """Why there are no lines, in words."""


def is_in_log_alone(finding: Finding) -> bool:
    """Whether no object says why, so that only the controller's log can."""
    signal = finding.signal
    is_silent = signal.reason in _SILENT or not signal.message.strip()
    return is_silent and signal.missing is None and signal.state is not CauseState.PAUSED


async def last_words(fleet: Logs, ref: ObjectRef) -> LastWords:
    """The last error lines about an object in its controller's log."""
    row = fleet.index.get(ref)
    if row is None:
        return LastWords((), (), names_object=False, problem=f"{ref} is not known")
    owner = row if (row.group, row.kind) == ("apps", "Deployment") else None
    if owner is None and row.kind != "Pod":
        owner = controller_for(fleet.index, ref.context, row.spec)
    pods = [row] if row.kind == "Pod" else pods_of(fleet.index, owner) if owner else []
    if not pods:
        name = f"Pods of {owner.name}" if owner else f"the controller of {row.kind}"
        return LastWords((), (), names_object=False, problem=f"{name} cannot be seen here")
    lines: list[str] = []
    problem = ""
    for pod in pods:
        try:
            lines += await _errors_of(fleet, pod)
        except FleettuiError as error:
            problem = str(error)
    mine = [] if row in pods or row is owner else [line for line in lines if row.name in line]
    chosen = tuple((mine or lines)[-SHOWN_LINES:])
    if not chosen and not problem:
        problem = "no error in the end of the log"
    return LastWords(tuple(p.ref for p in pods), chosen, bool(mine), "" if chosen else problem)


async def _errors_of(fleet: Logs, pod: Row) -> list[str]:
    found: list[str] = []
    try:
        async with asyncio.timeout(WAIT_S):
            async for line in fleet.logs(pod.ref, tail=TAIL_LINES):
                found += [line] if _ERROR.search(line) else []
    except TimeoutError:
        return found  # what came until then
    return found
