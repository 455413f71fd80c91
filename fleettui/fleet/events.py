"""Events of the API server as lines: both Event APIs, merged and newest first.

Source: core/v1 Event and events.k8s.io/v1 Event (series, deprecated fields).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from fleettui.fleet.context import EventLine
from fleettui.kinds.moments import unix_seconds


def event_line(event: Mapping[str, Any]) -> EventLine:
    """One Event as a line; whatever is missing is empty."""
    about = event.get("involvedObject") or event.get("regarding") or {}
    series = event.get("series") or {}
    source = event.get("source") or {}
    moments = (
        event.get("lastTimestamp"),
        series.get("lastObservedTime"),
        event.get("deprecatedLastTimestamp"),
        event.get("eventTime"),
        event.get("firstTimestamp"),
        (event.get("metadata") or {}).get("creationTimestamp"),
    )
    count = series.get("count") or event.get("count") or event.get("deprecatedCount") or 1
    return EventLine(
        at=next((at for text in moments if (at := unix_seconds(text))), 0),
        type=str(event.get("type") or "Normal"),
        reason=str(event.get("reason") or ""),
        message=str(event.get("message") or event.get("note") or ""),
        count=count if isinstance(count, int) else 1,
        source=str(event.get("reportingComponent") or source.get("component") or ""),
        kind=str(about.get("kind") or ""),
        name=str(about.get("name") or ""),
    )


def event_lines(events: Iterable[Mapping[str, Any]]) -> list[EventLine]:
    """Lines of many Events, equal ones merged (counts added), newest first."""
    merged: dict[tuple[str, ...], EventLine] = {}
    for event in events:
        line = event_line(event)
        key = (line.kind, line.name, line.type, line.reason, line.message)
        known = merged.get(key)
        if known:
            count, at = known.count + line.count, max(known.at, line.at)
            line = EventLine(at, line.type, line.reason, line.message, count, line.source, *key[:2])
        merged[key] = line
    return sorted(merged.values(), key=lambda line: -line.at)
