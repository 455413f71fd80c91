"""Recorded incidents and what is true of them, for tests and for the bench of causes."""

import fnmatch
import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fleettui.fleet.recorded_link import RecordedLink
from fleettui.index import Index
from fleettui.index.causes import CauseBoard, Finding
from fleettui.kinds import ObjectRef, load_table
from fleettui.recorded.recording import Recording, open_recordings

NEEDS_BODIES = frozenset({"profile"})
"""Incidents of which no status, annotation or reference tells anything: only a comparison."""


@dataclass(slots=True)
class Told:
    """What the program says of one recording."""

    recording: Recording
    index: Index
    board: CauseBoard


@dataclass(slots=True)
class Score:
    """How often the first explanation was a right one."""

    right: list[str] = field(default_factory=list)
    third: list[str] = field(default_factory=list)
    """Right among the first three, the first included."""
    wrong: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    """Right ones told in another state than the truth's: name, told and true state."""

    @property
    def total(self) -> int:
        """Incidents looked at."""
        return len(self.right) + len(self.wrong)

    @property
    def top_1(self) -> float:
        """Share of incidents whose first explanation is right."""
        return len(self.right) / max(self.total, 1)

    @property
    def top_3(self) -> float:
        """Share of incidents with a right explanation among the first three."""
        return len(self.third) / max(self.total, 1)


def tell(folder: Path, *, scramble: bool = False) -> Told:
    """Loads a recording and explains everything in it.

    Args:
        folder: one state.
        scramble: replace every reason and message by random words, statuses and types kept.
    """
    table = load_table()
    recording = open_recordings(folder, table)[0]
    if scramble:
        chance = random.Random(7)
        for body in recording.objects.values():
            scramble_conditions(body, chance)
    link = RecordedLink(recording, table)
    index = Index(table)
    for batch in link.batches():
        index.apply(batch, recording.taken_at)
    index.advance(recording.taken_at)
    board = CauseBoard(index)
    board.refresh(recording.taken_at)
    return Told(recording, index, board)


def scramble_conditions(body: Any, chance: random.Random) -> None:
    """Replaces every reason and message by random words, types and statuses kept."""
    status = body.get("status")
    for holder in _condition_holders(status):
        for condition in holder:
            for key in ("reason", "message"):
                if condition.get(key):
                    words = chance.choices(string.ascii_letters, k=12)
                    condition[key] = "".join(words)


def _condition_holders(status: Any) -> Iterator[list[Any]]:
    if not isinstance(status, Mapping):
        return
    for path in (
        ("conditions",),
        ("v1beta2", "conditions"),
        ("deprecated", "v1beta1", "conditions"),
    ):
        at: Any = status
        for name in path:
            at = at.get(name) if isinstance(at, Mapping) else None
        if isinstance(at, list):
            yield at


def _find(told: Told, kind: str, namespace: str, name: str) -> ObjectRef | None:
    for row in told.index.rows():
        if (row.kind, row.namespace, row.name) == (kind, namespace, name):
            return row.ref
    return None


def _note(score: Score, title: str, findings: list[Finding], roots: list[str], state: str) -> None:
    hits = [
        any(fnmatch.fnmatch(f"{f.root.kind}/{f.root.namespace}/{f.root.name}", p) for p in roots)
        for f in findings
    ]
    (score.right if hits[:1] == [True] else score.wrong).append(title)
    if hits[:1] == [True] and findings[0].signal.state != state:
        score.states.append(f"{title} {findings[0].signal.state} not {state}")
    if any(hits[:3]):
        score.third.append(title)


def score_clusters(shared: Path, *, scramble: bool = False) -> Score:
    """The Cluster API incidents."""
    folder = shared / "recordings" / "capi"
    truth = yaml.safe_load((folder / "truth.yaml").read_text())
    states: dict[str, Told] = {}
    score = Score()
    for incident in truth["incidents"]:
        state = incident["recorded_in"]
        if state not in states:
            states[state] = tell(folder / "states" / state, scramble=scramble)
        told = states[state]
        named = incident["cluster"]
        for cluster in named if isinstance(named, list) else [named]:
            namespace, name = cluster.split("/")
            ref = _find(told, "Cluster", namespace, name)
            assert ref is not None, cluster
            _note(score, cluster, told.board.explain(ref), incident["roots"], incident["state"])
    return score


def score_gitops(shared: Path, *, scramble: bool = False) -> Score:
    """The Flux incidents."""
    folder = shared / "recordings" / "flux" / "incidents"
    truth = yaml.safe_load((folder / "truth.yaml").read_text())
    told = tell(folder, scramble=scramble)
    score = Score()
    for incident in truth["incidents"]:
        top = incident["top"]
        root = incident["root"]
        roots = [*(root if isinstance(root, list) else [root]), *incident.get("also_right", [])]
        wanted = [f"{r['kind']}/{r['namespace']}/{r['name']}" for r in roots]
        ref = _find(told, top["kind"], top["namespace"], top["name"])
        _note(
            score, incident["id"], told.board.explain(ref) if ref else [], wanted, incident["state"]
        )
    return score
