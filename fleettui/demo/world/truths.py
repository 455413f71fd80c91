"""Truths of planted incidents, resolved to real names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from fleettui.demo.world.conditions import find
from fleettui.demo.world.fleet import ClusterPlan
from fleettui.demo.world.incidents import Incident
from fleettui.demo.world.shapes import Entry, Part, Shape, fill_name
from fleettui.demo.world.templates import Values, fill_text
from fleettui.demo.world.truth import Reference, Truth


def truth_of(
    incident: Incident,
    shape: Shape,
    values: Values,
    *,
    context: int,
    cluster: ClusterPlan | None,
) -> Truth:
    """The truth of an incident at its place.

    Raises:
        KeyError: the incident's root names a role that the shape does not have.
    """
    told = incident.truth
    where = None
    if cluster is not None:
        where = Reference("cluster.x-k8s.io", "Cluster", cluster.namespace, cluster.name)
    return Truth(
        incident=incident.name,
        context=context,
        state=incident.state,
        story=fill_text(incident.story, values),
        root=_reference(told["root"], shape, values),
        condition=_condition(told, shape, values),
        also_right=_references(told.get("also_right", ()), shape, values),
        consequences=_references(told.get("consequences", ()), shape, values),
        text=fill_text(told.get("text", ""), values),
        readable_in=told.get("readable_in", "condition"),
        cluster=where,
    )


def _references(entries: Iterable[Any], shape: Shape, values: Values) -> tuple[Reference, ...]:
    found: list[Reference] = []
    for entry in entries:
        if isinstance(entry, Mapping):
            found.append(_named(entry, values))
            continue
        found += [_at(part, key, item, values) for part, key, item in _matching(shape, entry)]
    return tuple(found)


def _reference(entry: Any, shape: Shape, values: Values) -> Reference:
    if isinstance(entry, Mapping):
        return _named(entry, values)
    for part, key, item in _matching(shape, entry):
        return _at(part, key, item, values)
    raise KeyError(f"no object has the role {entry}")


def _named(entry: Mapping[str, str], values: Values) -> Reference:
    return Reference(
        entry.get("group", ""),
        entry["kind"],
        fill_text(entry.get("namespace", "${ns}"), values),
        fill_text(entry["name"], values),
    )


def _matching(shape: Shape, pattern: str) -> Iterable[tuple[Part, tuple[str, str], Entry]]:
    for part in shape.parts:
        for key, entries in part.entries.items():
            for entry in entries:
                if fnmatchcase(entry.role, pattern):
                    yield part, key, entry


def _at(part: Part, key: tuple[str, str], entry: Entry, values: Values) -> Reference:
    namespace = part.namespace.fill(values).decode()
    return Reference(key[0], entry.kind, namespace, fill_name(entry, values))


def _condition(told: Mapping[str, Any], shape: Shape, values: Values) -> Mapping[str, str] | None:
    kind = told.get("condition")
    if not kind or not isinstance(told["root"], str):
        return None
    for _, _, entry in _matching(shape, told["root"]):
        document = msgspec.json.decode(entry.body.fill(values))
        status = document.get("status", {})
        condition = find(status.get("conditions"), kind) or find(
            status.get("deprecated", {}).get("v1beta1", {}).get("conditions"), kind
        )
        if condition is None:
            raise KeyError(f"{entry.role} has no condition {kind}")
        return {
            key: str(condition[key])
            for key in ("type", "status", "reason", "message")
            if key in condition
        }
    return None
