"""Recorded incidents and what is true of them, for tests and for the bench of causes."""

import fnmatch
import random
import string
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fleettui.fleet.recorded_link import RecordedLink
from fleettui.index import Index
from fleettui.index.causes import CauseBoard, Finding
from fleettui.kinds import KindTable, ObjectRef, load_table
from fleettui.recorded.recording import Recording, open_recordings

Triple = tuple[str, str, str]
"""Kind, namespace, name."""
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
    return explained(recording, table)


def explained(recording: Recording, table: KindTable) -> Told:
    """A recording with everything in it explained at the moment it was taken."""
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


Case = tuple[str, Triple, list[Triple], str]
"""Title, what is looked at, accepted roots (names may be patterns), true state."""


def cluster_cases(shared: Path) -> dict[str, list[Case]]:
    """The Cluster API incidents by the folder that they are recorded in."""
    truth = yaml.safe_load((shared / "recordings" / "capi" / "truth.yaml").read_text())
    cases: dict[str, list[Case]] = {}
    for incident in truth["incidents"]:
        named = incident["cluster"]
        for cluster in named if isinstance(named, list) else [named]:
            namespace, name = cluster.split("/")
            roots = [_triple(root) for root in incident["roots"]]
            case = (cluster, ("Cluster", namespace, name), roots, incident["state"])
            cases.setdefault(f"capi/states/{incident['recorded_in']}", []).append(case)
    return cases


def gitops_cases(shared: Path) -> dict[str, list[Case]]:
    """The Flux incidents, all of one folder."""
    folder = "flux/incidents"
    truth = yaml.safe_load((shared / "recordings" / folder / "truth.yaml").read_text())
    cases: list[Case] = []
    for incident in truth["incidents"]:
        root = incident["root"]
        found = [*(root if isinstance(root, list) else [root]), *incident.get("also_right", [])]
        roots = [(r["kind"], r["namespace"], r["name"]) for r in found]
        top = incident["top"]
        seen = (top["kind"], top["namespace"], top["name"])
        cases.append((incident["id"], seen, roots, incident["state"]))
    return {folder: cases}


def _triple(text: str) -> Triple:
    kind, namespace, name = text.split("/")
    return kind, namespace, name


def judge(told: Told, cases: Iterable[Case], score: Score | None = None) -> Score:
    """Notes how each case is explained."""
    score = score or Score()
    for title, seen, roots, state in cases:
        ref = _find(told, *seen)
        findings = told.board.explain(ref) if ref is not None else []
        _note(score, title, findings, ["/".join(root) for root in roots], state)
    return score


def score_clusters(shared: Path, *, scramble: bool = False) -> Score:
    """The Cluster API incidents."""
    return _scored(shared, cluster_cases(shared), scramble=scramble)


def score_gitops(shared: Path, *, scramble: bool = False) -> Score:
    """The Flux incidents."""
    return _scored(shared, gitops_cases(shared), scramble=scramble)


def _scored(shared: Path, cases: Mapping[str, list[Case]], *, scramble: bool) -> Score:
    score = Score()
    for folder, found in cases.items():
        judge(tell(shared / "recordings" / folder, scramble=scramble), found, score)
    return score
