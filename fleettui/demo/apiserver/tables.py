"""Objects as the server-side Table that kubectl prints.

Source: meta.k8s.io/v1 Table; apiextensions tableconvertor (cells by column type).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from fleettui.demo.apiserver.jsonpath import values_at
from fleettui.demo.apiserver.resources import PrinterColumn, Resource

_AGE = PrinterColumn("Age", "date", ".metadata.creationTimestamp")

_NAME_LAST = frozenset({("", "events")})


def columns_of(resource: Resource) -> tuple[PrinterColumn, ...]:
    """The columns behind the name; the age alone if the type declares none."""
    return resource.printer_columns or (_AGE,)


def column_definitions(resource: Resource) -> list[dict[str, Any]]:
    """The Table's columnDefinitions."""
    name = {
        "name": "Name",
        "type": "string",
        "format": "name",
        "description": "Name must be unique within a namespace.",
        "priority": 1 if resource.key in _NAME_LAST else 0,
    }
    others = [
        {
            "name": column.name,
            "type": column.type,
            "format": "",
            "description": f"Value of {column.json_path}",
            "priority": column.priority,
        }
        for column in columns_of(resource)
    ]
    return [*others, name] if resource.key in _NAME_LAST else [name, *others]


def row_of(
    resource: Resource, document: Mapping[str, Any], *, include: str, now: datetime
) -> dict[str, Any]:
    """One Table row; `include` is None, Metadata or Object."""
    cells: list[Any] = []
    special = _SPECIAL.get(resource.key)
    for column in columns_of(resource):
        value = special(document, column.name) if special is not None else _NOT_SPECIAL
        cells.append(_cell(column, document, now) if value is _NOT_SPECIAL else value)
    name_at = len(cells) if resource.key in _NAME_LAST else 0
    cells.insert(name_at, document["metadata"]["name"])
    row: dict[str, Any] = {"cells": cells}
    if include == "Object":
        row["object"] = dict(document)
    elif include != "None":
        row["object"] = {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": document["metadata"],
        }
    return row


def _cell(column: PrinterColumn, document: Mapping[str, Any], now: datetime) -> Any:
    values = values_at(document, column.json_path)
    if not values or values[0] is None:
        return "<unknown>" if column.type == "date" and column is _AGE else _empty(column)
    value = values[0]
    if column.type == "date":
        return age_of(str(value), now)
    if column.type in ("integer", "number", "boolean"):
        return value if isinstance(value, int | float) else _count(value)
    if len(values) > 1 or not isinstance(value, str):
        return " ".join(v if isinstance(v, str) else _json(v) for v in values)
    return value


def _empty(column: PrinterColumn) -> Any:
    return None if column.type in ("integer", "number", "boolean", "date") else ""


def _count(value: Any) -> Any:
    return len(value) if isinstance(value, dict | list) else None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def age_of(text: str, now: datetime) -> str:
    """An age as kubectl prints it (`5d3h`, `10m`), `<invalid>` for nonsense."""
    try:
        seconds = int((now - datetime.fromisoformat(text).astimezone(UTC)).total_seconds())
    except ValueError:
        return "<invalid>"
    return duration_of(seconds)


def duration_of(seconds: int) -> str:
    """A duration in seconds as apimachinery's HumanDuration writes it."""
    if seconds < -1:
        return "<invalid>"
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if minutes < 10:
        return f"{minutes}m" + (f"{seconds % 60}s" if seconds % 60 else "")
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h" + (f"{minutes % 60}m" if minutes % 60 else "")
    if hours < 48:
        return f"{hours}h"
    if hours < 192:
        return f"{days}d" + (f"{hours % 24}h" if hours % 24 else "")
    if days < 730:
        return f"{days}d"
    years, rest = divmod(days, 365)
    return f"{years}y" + (f"{rest}d" if rest and years < 8 else "")


_NOT_SPECIAL = object()


def _pod_cell(document: Mapping[str, Any], column: str) -> Any:
    statuses = (document.get("status") or {}).get("containerStatuses") or []
    if column == "Ready":
        containers = (document.get("spec") or {}).get("containers") or []
        return f"{sum(bool(s.get('ready')) for s in statuses)}/{len(containers)}"
    if column == "Restarts":
        return sum(int(s.get("restartCount") or 0) for s in statuses)
    if column == "Status":
        for status in statuses:
            waiting = (status.get("state") or {}).get("waiting") or {}
            if waiting.get("reason"):
                return waiting["reason"]
    return _NOT_SPECIAL


def _event_cell(document: Mapping[str, Any], column: str) -> Any:
    if column == "Object":
        involved = document.get("involvedObject") or {}
        return f"{str(involved.get('kind', '')).lower()}/{involved.get('name', '')}"
    return _NOT_SPECIAL


def _data_cell(document: Mapping[str, Any], column: str) -> Any:
    return len(document.get("data") or {}) if column == "Data" else _NOT_SPECIAL


_SPECIAL: Mapping[tuple[str, str], Callable[[Mapping[str, Any], str], Any]] = {
    ("", "pods"): _pod_cell,
    ("", "events"): _event_cell,
    ("", "secrets"): _data_cell,
    ("", "configmaps"): _data_cell,
}
