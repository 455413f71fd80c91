"""Causes as documents: the contract of ``causes`` and ``why``."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleettui.fleet.context import EventLine
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.forms import context_form
from fleettui.fleet.mutes import Mute, Mutes
from fleettui.fleet.sparks import spark
from fleettui.index.causes import Cause, Finding
from fleettui.index.causes.trends import WINDOW_S, Trend, trend_of
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.record import ObjectRef
from fleettui.text import safe_text

CAUSES_SCHEMA = "fleettui.causes/v1"
MUTES_SCHEMA = "fleettui.mutes/v1"
WHY_SCHEMA = "fleettui.why/v1"

Warnings = Mapping[str, Sequence[EventLine]]


def mute_form(mute: Mute) -> dict[str, Any]:
    """One mute."""
    return {
        "fingerprint": mute.fingerprint,
        "title": safe_text(mute.title),
        "reason": safe_text(mute.reason),
        "since": rfc3339(mute.since),
        "until": rfc3339(mute.until),
    }


def ref_form(ref: ObjectRef) -> dict[str, str]:
    """An object's identity."""
    return {
        "context": ref.context,
        "group": ref.group,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
    }


def path_form(fleet: Fleet, finding: Finding) -> list[dict[str, Any]]:
    """From the affected object to the root, each step with its own words."""
    steps = []
    for ref in finding.path:
        row = fleet.index.get(ref)
        step: dict[str, Any] = ref_form(ref)
        if row is not None:
            step["health"] = row.health.value
            step["reason"] = safe_text(row.reason)
            step["message"] = safe_text(row.message, multiline=True)
        steps.append(step)
    if finding.root not in finding.path:
        steps.append({**ref_form(finding.root), "health": "missing", "reason": "NotFound"})
    return steps


def other_words(fleet: Fleet, finding: Finding) -> list[dict[str, str]]:
    """What else is wrong with the root by its own conditions, the deciding one left out."""
    row = fleet.index.get(finding.root)
    if row is None:
        return []
    said = {finding.signal.message.strip(), ""}
    words = []
    for condition in row.conditions:
        if condition.is_bad and condition.message.strip() not in said:
            said.add(condition.message.strip())
            words.append(
                {
                    "condition": safe_text(condition.type),
                    "reason": safe_text(condition.reason),
                    "message": safe_text(condition.message, multiline=True),
                }
            )
    return words


def event_form(line: EventLine) -> dict[str, Any]:
    """One event line."""
    return {
        "at": rfc3339(line.at) or None,
        "type": line.type,
        "reason": safe_text(line.reason),
        "message": safe_text(line.message, multiline=True),
        "count": line.count,
        "source": safe_text(line.source),
        "about": f"{line.kind}/{line.name}",
    }


def trend_form(trend: Trend) -> dict[str, Any]:
    """How a cause came about."""
    return {"window_s": WINDOW_S, "starts": list(trend.starts), "change": trend.change}


def trend_text(trend: Trend) -> str:
    """``▁·▃ +12``: new objects over time, and more or fewer than at the last look."""
    change = f" {trend.change:+d}" if trend.change else ""
    return f"{spark(trend.starts)}{change}" if any(trend.starts) else change.strip()


def cause_form(
    fleet: Fleet, cause: Cause, rank: int, warnings: Warnings, *, kept: Mutes | None = None
) -> dict[str, Any]:
    """One cause; ``root`` and ``path`` are those of the example."""
    example = cause.example
    now = fleet.now()
    key = cause.fingerprint
    first_seen = kept.first_seen(key) if kept is not None else 0
    mute = kept.active(now).get(key) if kept is not None else None
    before = kept.size_before(key) if kept is not None else None
    roots = {finding.top: finding.root for finding in reversed(cause.findings)}
    return {
        "rank": rank,
        "fingerprint": cause.fingerprint,
        "state": cause.state.value,
        "root": ref_form(cause.root),
        "condition": cause.condition or None,
        "reason": safe_text(cause.reason),
        "message": safe_text(cause.message, multiline=True),
        "since": rfc3339(cause.since) or None,
        "first_seen": rfc3339(first_seen) or None,
        "last_seen": rfc3339(now),
        "new": kept.is_new(key) if kept is not None else False,
        "muted": mute_form(mute) if mute is not None else None,
        "trend": trend_form(trend_of(cause, now, before=before)),
        "clusters": cause.clusters,
        "objects": cause.objects,
        "affected": [{**ref_form(ref), "root": ref_form(roots[ref])} for ref in cause.affected],
        "roots": [ref_form(ref) for ref in cause.roots],
        "path": path_form(fleet, example),
        "also": other_words(fleet, example),
        "example": safe_text(f"{example.top} ← {example.root}"),
        "events": [event_form(line) for line in warnings.get(cause.fingerprint, ())],
    }


def causes_form(
    fleet: Fleet, causes: Sequence[Cause], warnings: Warnings, *, kept: Mutes | None = None
) -> dict[str, Any]:
    """The document of ``causes``; with what is kept of them when anything is."""
    now = fleet.now()
    return {
        "schema": CAUSES_SCHEMA,
        "contexts": [context_form(info, now) for info in fleet.contexts()],
        "items": [
            cause_form(fleet, cause, rank, warnings, kept=kept)
            for rank, cause in enumerate(causes, 1)
        ],
    }
