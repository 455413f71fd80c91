"""Fixtures of the kinds' tests: the package's table, and short ways to write documents."""

from typing import Any

import pytest

from fleettui.kinds import KindTable, Record, load_table

STAMP = "2026-11-01T00:00:00Z"


@pytest.fixture(scope="session")
def table() -> KindTable:
    """The package's own kinds."""
    return load_table()


def _written(entry: Any) -> dict[str, Any]:
    if isinstance(entry, dict):
        return entry
    words, more = entry
    fields = dict(zip(("type", "status", "reason"), words, strict=False))
    return {"status": "True", "lastTransitionTime": STAMP, **fields, **more}


def _expanded(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: [_written(entry) for entry in item] if key == "conditions" else _expanded(item)
            for key, item in value.items()
        }
    return value


@pytest.fixture(scope="session")
def judged(table):
    """Reads a document of a kind with these conditions, status and specification.

    Conditions are words (type, status, reason) and whatever else the entry has; without a
    reason they are of the old scheme.
    """

    def read(
        kind: str,
        *conditions: Any,
        spec: dict[str, Any] | None = None,
        meta: dict[str, Any] | None = None,
        group: str = "",
        **status: Any,
    ) -> Record:
        document: dict[str, Any] = {"metadata": {"name": "x", "namespace": "n", **(meta or {})}}
        if spec:
            document["spec"] = spec
        if conditions:
            status["conditions"] = conditions
        if status:
            document["status"] = _expanded(status)
        found = [entry for entry in table.find(kind) if not group or entry.group == group]
        named = next(entry for entry in found if entry.kind == kind)
        return table.reader(named.group, "v1", kind).convert(document)

    return read
