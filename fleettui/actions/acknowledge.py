"""Whether a controller has taken notice of a write: one pure question to a document.

Knows handshakes (tokens, generations, conditions, counters); waits for nothing.

Source: Flux ``status.lastHandledReconcileAt`` (set even when the run fails, after
Ready); Cluster API ``Paused`` condition; kstatus ``observedGeneration``; Argo CD
removes its refresh annotation and its ``operation``.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from fleettui.actions.documents import (
    condition,
    generation_of,
    is_deleting,
    moment_of,
    text_at,
    uid_of,
    value_at,
)
from fleettui.actions.facts import Document
from fleettui.actions.plan import Acknowledgement, Check, Signal
from fleettui.actions.versions import is_same_version


class Notice(StrEnum):
    """How far a controller has come."""

    WAITING = "waiting"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"
    """It took notice, and its run failed."""
    REPLACED = "replaced"
    """The object is another one by now (or gone, where it should not be)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a document says about a write."""

    notice: Notice
    words: str = ""
    """Raw text from the cluster, or our own; unsafe to show without ``safe_text``."""


def answer_of(
    acknowledgement: Acknowledgement, document: Document | None, *, uid: str, generation: int = 0
) -> Answer:
    """What the document says about a write.

    Args:
        acknowledgement: what to look for.
        document: the object as read last, None when it is gone.
        uid: of the object that was written.
        generation: the object's generation after the write; 0 when it has none.
    """
    if document is None or uid_of(document) != uid:
        ends = any(c.signal in (Signal.GONE, Signal.DELETING) for c in acknowledgement.checks)
        if ends or acknowledgement.may_vanish:
            return Answer(Notice.ACKNOWLEDGED, "it is gone")
        return Answer(Notice.REPLACED, "the object is gone or was recreated")
    for check in acknowledgement.fails_by:
        if _holds(check, document, generation):
            return Answer(Notice.FAILED, _told(condition(document, check.path[0]) or {}))
    for check in acknowledgement.checks:
        if not _holds(check, document, generation):
            return Answer(Notice.WAITING, _state_words(acknowledgement, document))
    judged = condition(document, acknowledgement.judge) if acknowledgement.judge else None
    if judged is not None and judged.get("status") == "False":
        return Answer(Notice.FAILED, _told(judged))
    return Answer(Notice.ACKNOWLEDGED, _told(judged) if judged else "")


def _state_words(acknowledgement: Acknowledgement, document: Document) -> str:
    judged = condition(document, acknowledgement.judge or "Ready")
    return _told(judged) if judged else ""


def _told(entry: Any) -> str:
    reason, message = str(entry.get("reason", "")), str(entry.get("message", ""))
    return f"{reason}: {message}" if reason and message else reason or message


def _holds(check: Check, document: Document, generation: int) -> bool:
    match check.signal:
        case Signal.EQUALS:
            return bool(value_at(document, check.path) == check.value)
        case Signal.ABSENT:
            return value_at(document, check.path) is None
        case Signal.PRESENT:
            return bool(value_at(document, check.path))
        case Signal.AFTER:
            seen, limit = moment_of(text_at(document, check.path)), moment_of(check.value)
            return seen is not None and (limit is None or seen > limit)
        case Signal.CONDITION:
            entry = condition(document, check.path[0])
            return (
                entry is not None
                and entry.get("status") == check.value
                and _is_of_generation(entry, generation)
            )
        case Signal.OBSERVED:
            entry = condition(document, check.path[0])
            return entry is not None and _is_of_generation(entry, generation)
        case Signal.GENERATION:
            observed = value_at(document, ("status", "observedGeneration"))
            return isinstance(observed, int) and observed >= generation
        case Signal.VERSION:
            return is_same_version(text_at(document, check.path), str(check.value))
        case Signal.SETTLED:
            return _is_settled(document, generation)
        case Signal.GONE:
            return False
        case Signal.DELETING:
            return is_deleting(document)
        case Signal.TURNED:
            return _is_turned(check, document)
        case unreachable:
            assert_never(unreachable)


def turned(document: Document, name: str, reason: str = "") -> Check:
    """The check that a condition becomes False (for such a reason) after what it says now."""
    entry = condition(document, name)
    return Check(Signal.TURNED, (name, reason) if reason else (name,), _moment_of(entry))


def _is_turned(check: Check, document: Document) -> bool:
    entry = condition(document, check.path[0])
    if entry is None or entry.get("status") != "False":
        return False
    wanted = check.path[1] if len(check.path) > 1 else ""
    return str(entry.get("reason", "")).startswith(wanted) and _moment_of(entry) != check.value


def _moment_of(entry: Any) -> str:
    """What a condition says and since when, to be told from what it says later."""
    keys = ("status", "reason", "message", "lastTransitionTime", "observedGeneration")
    return "|".join(str(entry.get(key, "")) for key in keys) if entry is not None else ""


def _is_of_generation(entry: Any, generation: int) -> bool:
    """Conditions without an observedGeneration are taken as current."""
    observed = entry.get("observedGeneration")
    return not isinstance(observed, int) or observed >= generation


def _is_settled(document: Document, generation: int) -> bool:
    observed = value_at(document, ("status", "observedGeneration"))
    if not isinstance(observed, int) or observed < max(generation, generation_of(document)):
        return False
    wanted = value_at(document, ("spec", "replicas"))
    status = value_at(document, ("status",)) or {}
    current = status.get("upToDateReplicas", status.get("updatedReplicas", status.get("replicas")))
    counts = (current, status.get("replicas"))
    return all((count or 0) == (wanted or 0) for count in counts)
