"""The incidents of the pretend fleet, loaded without HTTP, and how well they are explained."""

import fnmatch
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from truth import scramble_conditions

from fleettui.demo.world import World, build_world
from fleettui.demo.world.incidents import Occurrence, all_incidents
from fleettui.demo.world.truth import Reference, Truth
from fleettui.fleet.recorded_link import RecordedLink
from fleettui.index import Index
from fleettui.index.causes import Cause, CauseBoard, Finding
from fleettui.kinds import ObjectRef, load_table
from fleettui.kinds.record import ObjectKey
from fleettui.recorded.recording import Recording

CLUSTERS = 360
SEED = 11
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
HARMLESS = frozenset({"upgrade-in-progress"})
"""Incidents that are none: nothing may be told as failing."""


@dataclass(slots=True)
class Planted:
    """A pretend management cluster and what the program says of it."""

    world: World
    recording: Recording
    index: Index
    board: CauseBoard
    now: int
    _causes: list[Cause] | None = None

    @property
    def causes(self) -> list[Cause]:
        """The first screen: every cause, ranked."""
        if self._causes is None:
            self._causes = self.board.causes()
        return self._causes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one incident was explained."""

    truth: Truth
    place: int
    """Place of the first right explanation among those of the affected object; 0: none."""
    line: int
    """Line of the right cause on the first screen; 0: it is not there."""
    is_readable: bool
    """Whether the text of the truth stands in the explanation itself."""
    told: str
    """The first explanation, for a person to compare."""

    @property
    def keys(self) -> int:
        """Keys from the first screen to the reason: the line is read, or jumped to."""
        if self.line == 0:
            return 99
        return 0 if self.line <= 20 else 1


def plant(
    incidents: Collection[str], *, clusters: int = CLUSTERS, scramble: bool = False
) -> Planted:
    """A pretend management cluster with these incidents, explained."""
    world = build_world(0, 1, clusters=clusters, seed=SEED, now=NOW, incidents=incidents)
    table = load_table()
    recording = Recording("demo", Path("demo"), taken_at=int(NOW.timestamp()))
    chance = Random(7)
    for resource in world.resources():
        keys = world.keys(resource)
        if not len(keys) or table.spec_for(resource.group, resource.kind) is None:
            continue
        for number, (namespace, name) in enumerate(keys):
            body = json.loads(world.body(resource, number))
            if scramble:
                scramble_conditions(body, chance)
            key = ObjectKey(resource.group, resource.kind, namespace, name)
            recording.objects[key] = body
    link = RecordedLink(recording, table)
    index = Index(table)
    now = recording.taken_at
    for batch in link.batches():
        index.apply(batch, now)
    index.advance(now)
    board = CauseBoard(index)
    board.refresh(now)
    return Planted(world, recording, index, board, now)


def outcomes(planted: Planted) -> Iterator[Outcome]:
    """How each planted incident is explained, harmless ones left out."""
    for truth in planted.world.truths():
        if truth.incident not in HARMLESS:
            yield _outcome(planted, truth)


def _outcome(planted: Planted, truth: Truth) -> Outcome:
    findings = _findings(planted, truth)
    place = next((n for n, f in enumerate(findings, 1) if is_right(truth, f.root)), 0)
    line = next(
        (n for n, c in enumerate(planted.causes, 1) if any(is_right(truth, r) for r in c.roots)), 0
    )
    right = findings[place - 1] if place else None
    texts = [right.signal.message, right.signal.condition, right.signal.reason] if right else []
    row = planted.index.get(right.root) if right else None
    texts += [c.message for c in row.conditions if c.is_bad] if row is not None else []
    is_readable = any(truth.text.lower() in text.lower() for text in texts)
    told = "nothing"
    if findings:
        first = findings[0]
        told = f"{first.root} {first.signal.state}: {first.signal.condition} {first.signal.reason}"
    return Outcome(truth, place, line, is_readable, told)


def _findings(planted: Planted, truth: Truth) -> list[Finding]:
    """Explanations of what a person looks at: the cluster, else what the incident made red."""
    seen = [truth.root, *truth.also_right, *truth.consequences]
    if truth.cluster is not None:
        is_hit = truth.cluster in seen
        seen = [truth.cluster, *seen] if is_hit else [*seen, truth.cluster]
    for reference in seen:
        ref = _ref(reference)
        found = planted.board.explain(ref) or planted.board.explain(planted.board.top_of(ref))
        if found:
            return found
    return []


def _ref(reference: Reference) -> ObjectRef:
    return ObjectRef("demo", reference.group, reference.kind, reference.namespace, reference.name)


def is_right(truth: Truth, root: ObjectRef) -> bool:
    """Whether an object is an accepted answer."""
    text = f"{root.kind}/{root.namespace}/{root.name}"
    return any(fnmatch.fnmatchcase(text, str(r)) for r in (truth.root, *truth.also_right))


def dump(planted: Planted, folder: Path) -> None:
    """Writes the objects as a recording, for ``--from``."""
    folder.mkdir(parents=True, exist_ok=True)
    by_kind: dict[str, list[Mapping[str, Any]]] = {}
    for key, body in planted.recording.objects.items():
        by_kind.setdefault(f"{key.group or 'core'}_{key.kind}", []).append(body)
    for name, bodies in by_kind.items():
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": bodies})
        (folder / f"{name}.json").write_text(text)


def every_incident() -> list[str]:
    """Names of the catalogue, but for those that hide what others do."""
    return [n for n, incident in all_incidents().items() if incident.occurrence is Occurrence.USUAL]


def hiding_incidents() -> list[str]:
    """Names of those that are planted alone: a controller that serves many objects is out."""
    return [
        n for n, incident in all_incidents().items() if incident.occurrence is not Occurrence.USUAL
    ]
