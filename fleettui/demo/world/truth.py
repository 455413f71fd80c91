"""What is true of each planted incident, for benches and tests to compare with.

Plain values; named after the fields of the truth files that recordings of real incidents carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reference:
    """An object by kind, namespace and name ("" if cluster scoped)."""

    group: str
    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Truth:
    """One planted incident."""

    incident: str
    """Name of the data file."""
    context: int
    state: str
    """failing, waiting, paused, deleting, progressing, stale, drifted or healthy."""
    story: str
    root: Reference
    """The deepest object at fault; it may be one that does not exist."""
    condition: Mapping[str, str] | None
    """type, status, reason and message at the root; None if no condition tells it."""
    also_right: tuple[Reference, ...]
    """Other objects that are an equally good answer."""
    consequences: tuple[Reference, ...]
    """Objects that are red only because of the root."""
    text: str
    """What must be readable in an explanation."""
    readable_in: str
    """condition, spec, annotation, finalizer, event, log, generation or reference."""
    cluster: Reference | None
    """The workload cluster that is hit; None for a team's or the platform's incident."""
