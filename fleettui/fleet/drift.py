"""What is not as git says, across a fleet: free signals first, then object by object.

Knows which conditions and revisions of rows already tell of drift, without a request,
and keeps the state of a run over many appliers: what was asked, what is done, what was
found. Rendering and comparing are ``diffs``'s.

Source: domain.md 13.3 (applied and attempted revisions), 13.6 (``Drifted``), 14 (sync).
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleettui.desired.desired_diff import DesiredDiff
from fleettui.desired.object_diff import DIFFERENT, FAILED, Change
from fleettui.fleet.appliers import APPLICATION, HELM_RELEASE, KUSTOMIZATION, all_appliers
from fleettui.index import Index, Row
from fleettui.kinds.record import ObjectRef, Verdict


class Signal(StrEnum):
    """What a row tells of drift by itself."""

    DRIFTED = "drifted"
    """Its controller compared and found differences."""
    NOT_APPLIED = "not applied"
    """The revision that was tried last is not the one that runs."""
    BEHIND = "behind"
    """Its source has a newer revision."""
    SUSPENDED = "suspended"
    """Nothing is applied until somebody resumes it."""
    SOURCE_FAILING = "source failing"
    """Whether there is a newer revision is not known."""


@dataclass(frozen=True, slots=True)
class Told:
    """A signal and what it is taken from."""

    signal: Signal
    text: str
    """Evidence in words; raw text of the cluster."""


@dataclass(frozen=True, slots=True)
class DriftRow:
    """One applier on the drift board."""

    ref: ObjectRef
    signals: tuple[Told, ...]
    diff: DesiredDiff | None = None
    """The comparison; None: not asked for, or not done yet."""

    @property
    def rank(self) -> tuple[int, ...]:
        """Sort key: deletions, then changes, what could not be compared, signals, the rest."""
        counts = self.diff.counts if self.diff else Counter()
        deletions = counts[Change.PRUNED] + counts[Change.RECREATED]
        changes = sum(counts[change] for change in DIFFERENT)
        failures = sum(counts[change] for change in FAILED) + bool(self.diff and self.diff.error)
        weight = sum(told.signal in _WEIGHTY for told in self.signals)
        return -deletions, -changes, -failures, -weight, -len(self.signals)


_WEIGHTY = frozenset({Signal.DRIFTED, Signal.NOT_APPLIED})


@dataclass(slots=True)
class DriftBoard:
    """All appliers of a fleet, with what is known of their drift so far."""

    signals: Mapping[ObjectRef, tuple[Told, ...]] = field(default_factory=dict)
    diffs: dict[ObjectRef, DesiredDiff] = field(default_factory=dict)
    asked: int = 0
    """Appliers that are compared in this run."""

    def refresh(self, index: Index) -> None:
        """Takes the signals of the rows as they are now; forgets appliers that are gone."""
        self.signals = {row.ref: signals_of(row, index) for row in all_appliers(index)}
        for ref in self.diffs.keys() - self.signals.keys():
            del self.diffs[ref]

    def rows(self, *, quiet: bool = False) -> list[DriftRow]:
        """Appliers, worst first.

        Args:
            quiet: also those without a signal and without a difference.
        """
        found = [DriftRow(ref, told, self.diffs.get(ref)) for ref, told in self.signals.items()]
        shown = [row for row in found if quiet or row.signals or _has_news(row.diff)]
        return sorted(shown, key=lambda row: (row.rank, row.ref))

    @property
    def counts(self) -> Counter[Change]:
        """Objects of each change in all that was compared."""
        return sum((diff.counts for diff in self.diffs.values()), Counter())


def _has_news(diff: DesiredDiff | None) -> bool:
    return diff is not None and (diff.has_differences or diff.has_errors)


def signals_of(row: Row, index: Index) -> tuple[Told, ...]:
    """What an applier's row tells of drift, without asking anybody."""
    key = (row.group, row.kind)
    found: list[Told] = []
    if key == APPLICATION:
        sync = row.fact("sync")
        if sync and sync != "Synced":
            signal = Signal.SOURCE_FAILING if sync == "Unknown" else Signal.DRIFTED
            found.append(Told(signal, f"sync status {sync}"))
    if key == HELM_RELEASE:
        found += [
            Told(Signal.DRIFTED, condition.message or condition.reason)
            for condition in row.conditions
            if condition.type == "Drifted" and condition.status == "True"
        ]
    if key == KUSTOMIZATION:
        found += _revisions(row, index)
    if row.is_paused:
        found.append(Told(Signal.SUSPENDED, row.paused_by or "suspended"))
    return tuple(found)


_LONG_SHA = re.compile(r"\b(?:sha(?:1|256):)?([0-9a-f]{10})[0-9a-f]{30,54}\b")


def short_revision(revision: str) -> str:
    """A revision with as much of its commit or digest as tells it apart."""
    return _LONG_SHA.sub(r"\1", revision)


def _revisions(row: Row, index: Index) -> Iterable[Told]:
    applied, attempted = row.fact("revision"), row.fact("attempted")
    runs = short_revision(applied) or "nothing"
    if attempted and attempted != applied:
        yield Told(Signal.NOT_APPLIED, f"{short_revision(attempted)} was tried, {runs} runs")
    for edge in index.edges(row, "source"):
        source = edge.target
        if source is None:
            yield Told(Signal.SOURCE_FAILING, f"there is no {edge.key.kind} {edge.key.name}")
            continue
        current = source.fact("revision")
        if current and current not in (applied, attempted):
            yield Told(Signal.BEHIND, f"{runs} runs, {short_revision(current)} is fetched")
        if source.health in (Verdict.FAILED, Verdict.STALLED):
            yield Told(Signal.SOURCE_FAILING, f"{source.kind} {source.name}: {source.reason}")
