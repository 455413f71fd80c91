"""Incidents that no recording holds, in the shapes that real controllers give them.

Reads ``incidents/*.yaml``: each changes a healthy cluster or stands alone, and names
what is at fault. Sources of the shapes: condition constants and messages of the
controllers named there; domain.md sections 3, 11 to 15.
"""

import copy
import fnmatch
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from truth import Told, explained, scramble_conditions

from fleettui.index.causes import CauseState, Finding
from fleettui.kinds import KindTable, load_table
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.record import ObjectKey, ObjectRef
from fleettui.recorded.recording import Recording

NOW = 1_790_000_000
_DAY = 86400
_FOLDER = Path(__file__).parent / "incidents"
_STATUS = {"T": "True", "F": "False", "U": "Unknown"}

Body = dict[str, Any]


@dataclass(slots=True)
class Incident:
    """One fleet with one trouble, or none."""

    name: str
    states: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    """Accepted answers, ``Kind/namespace/name`` with patterns; none for what is harmless."""
    seen: str = "Cluster/c1"
    """What a person looks at."""
    objects: dict[ObjectKey, Body] = field(default_factory=dict)


@cache
def _table() -> KindTable:
    return load_table()


@cache
def all_incidents() -> tuple[Incident, ...]:
    """Every incident of the folder, harmless ones included."""
    base = yaml.safe_load((_FOLDER / "cluster.yaml").read_text())
    found = []
    for path in sorted((*_FOLDER.glob("clusters*.yaml"), *_FOLDER.glob("gitops*.yaml"))):
        for entry in yaml.safe_load(path.read_text()):
            found.append(_incident(entry, base if path.stem.startswith("clusters") else []))
    return tuple(found)


def _incident(entry: Body, base: list[Body]) -> Incident:
    states = entry.get("state", ())
    incident = Incident(
        entry["name"],
        (states,) if isinstance(states, str) else tuple(states),
        tuple(entry.get("roots", ())),
        entry.get("seen", "Cluster/c1"),
    )
    builder = _Builder(incident, _table(), entry.get("provider", "Dev"), entry["name"])
    for part in [] if entry.get("base") == "none" else copy.deepcopy(base):
        builder.add(part, since=NOW - 10 * _DAY)
    for part in copy.deepcopy(entry["objects"]):
        builder.add(part, since=NOW - entry.get("age_s", 1500))
    incident.roots = tuple(builder.named(root) for root in incident.roots)
    return incident


class _Builder:
    """Makes documents of short ones."""

    def __init__(self, incident: Incident, table: KindTable, provider: str, title: str) -> None:
        self._objects = incident.objects
        self._table = table
        self._provider = provider
        self._values = {"{n}": "c1", "{ns}": f"team-{title[:12]}"}

    def named(self, text: str) -> str:
        kind, rest = text.split("/", 1)
        return f"{self._kind(kind)}/{rest}"

    def _kind(self, kind: str) -> str:
        for made in ("XCluster", "XMachine"):
            if kind.startswith(made):
                return kind.replace("X", self._provider, 1)
        return kind

    def add(self, part: Body, *, since: int) -> None:
        part = self._filled(part, {**self._values, "{t}": rfc3339(since)})
        if "machines" in part:
            for letter in part["machines"]:
                self._add_machine(part, f"{part['prefix']}-{letter}", since)
            return
        kind, name = part["at"].split("/")
        body = self._body(self._kind(kind), name, since)
        metadata = body["metadata"]
        if part.get("young"):
            metadata["creationTimestamp"] = rfc3339(since)
        if part.get("deleting"):
            metadata["deletionTimestamp"] = rfc3339(since)
        for field_name in ("annotations", "labels"):
            metadata.setdefault(field_name, {}).update(part.get(field_name, {}))
        if "managers" in part:
            metadata["managedFields"] = [{"manager": name} for name in part["managers"]]
        if "owner" in part:
            metadata["ownerReferences"] = [self._owner(part["owner"])]
        body.update(part.get("top", {}))
        _merge(body.setdefault("spec", {}), part.get("spec", {}))
        if "status" in part and part["status"] is None:
            body.pop("status", None)
            return
        _merge(body.setdefault("status", {}), part.get("status", {}))
        generation = metadata["generation"]
        self._say(body["status"], part.get("is", {}), since, observed=generation)
        self._say(body["status"], part.get("old", {}), since)
        self._say(body["status"], part.get("aso", {}), since, observed=generation)
        if "deprecated" in part:
            holder = body["status"].setdefault("deprecated", {}).setdefault("v1beta1", {})
            self._say(holder, part["deprecated"], since)

    def _filled(self, value: Any, values: dict[str, str]) -> Any:
        if isinstance(value, dict):
            return {key: self._filled(item, values) for key, item in value.items()}
        if isinstance(value, list):
            return [self._filled(item, values) for item in value]
        if isinstance(value, str):
            for old, new in values.items():
                value = value.replace(old, new)
            return self._kind(value) if value.startswith("X") else value
        return value

    def _body(self, kind: str, name: str, since: int) -> Body:
        kind, _, group = kind.partition(".")
        spec = next(s for s in self._table if s.kind == kind and group in ("", s.group))
        space = self._values["{ns}"] if spec.namespaced else ""
        key = ObjectKey(spec.group, kind, space, name)
        if key not in self._objects:
            version = spec.versions[0] if spec.versions else "v1"
            metadata: Body = {
                "name": name,
                "uid": f"uid-{kind}-{name}",
                "generation": 1,
                "resourceVersion": "1",
                "creationTimestamp": rfc3339(since - _DAY),
                "finalizers": ["example.io/kept"],
            }
            if space:
                metadata["namespace"] = space
            if not spec.group.endswith("fluxcd.io"):
                metadata["labels"] = {"cluster.x-k8s.io/cluster-name": "c1"}
            api = f"{spec.group}/{version}" if spec.group else version
            self._objects[key] = {"apiVersion": api, "kind": kind, "metadata": metadata}
        return self._objects[key]

    def _owner(self, text: str) -> Body:
        kind, name = text.split("/")
        kind = self._kind(kind)
        spec = next(s for s in self._table if s.kind == kind)
        return {
            "apiVersion": f"{spec.group}/{spec.versions[0]}",
            "kind": kind,
            "name": name,
            "uid": f"uid-{kind}-{name}",
            "controller": True,
        }

    def _say(self, holder: Body, told: dict[str, str], since: int, *, observed: int = 0) -> None:
        conditions = holder.setdefault("conditions", []) if told else []
        for kind, text in told.items():
            status, _, rest = text.partition(" ")
            status, _, severity = status.partition("/")
            reason, _, message = rest.partition(" ")
            condition: Body = {
                "type": kind,
                "status": _STATUS[status],
                "lastTransitionTime": rfc3339(since),
            }
            if reason:
                condition |= {"reason": reason, "message": message.replace(" * ", "\n* ")}
            if severity:
                condition["severity"] = severity
            if observed:
                condition["observedGeneration"] = observed
                holder["observedGeneration"] = observed
            conditions[:] = [c for c in conditions if c["type"] != kind]
            conditions.append(condition)

    def _add_machine(self, part: Body, name: str, since: int) -> None:
        within = {"cluster.x-k8s.io/cluster-name": "c1"}
        infra = self._kind("XMachine")
        ready = {"Ready": "T Ready"}
        node = {"NodeHealthy": "T NodeHealthy", "NodeReady": "T NodeReady"}
        self.add(
            {
                "at": f"Machine/{name}",
                "owner": part["owner"],
                "labels": within,
                "spec": {
                    "clusterName": "c1",
                    "bootstrap": {
                        "configRef": {
                            "apiGroup": "bootstrap.cluster.x-k8s.io",
                            "kind": "KubeadmConfig",
                            "name": name,
                        }
                    },
                    "infrastructureRef": {
                        "apiGroup": "infrastructure.cluster.x-k8s.io",
                        "kind": infra,
                        "name": name,
                    },
                },
                "status": {"phase": "Running", "nodeRef": {"name": name}},
                "is": {
                    "Available": "T Available",
                    **ready,
                    "UpToDate": "T UpToDate",
                    "BootstrapConfigReady": "T Ready",
                    "InfrastructureReady": "T Ready",
                    **node,
                    **part.get("more", {}),
                    "Deleting": "F NotDeleting",
                    "Paused": "F NotPaused",
                },
            },
            since=since,
        )
        provisioned: Body = {"ready": True}
        if self._provider != "GCP":
            provisioned["initialization"] = {"provisioned": True}
        made = {"initialization": {"dataSecretCreated": True}}
        owner = f"Machine/{name}"
        says = {} if self._provider == "GCP" else ready
        self.add(
            {"at": f"XMachine/{name}", "owner": owner, "status": provisioned, "is": says},
            since=since,
        )
        self.add(
            {"at": f"KubeadmConfig/{name}", "owner": owner, "status": made, "is": ready},
            since=since,
        )


def _merge(into: Body, more: Body) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value


def told(incident: Incident, *, scramble: bool = False) -> Told:
    """The incident explained; with every reason and message replaced if asked."""
    recording = Recording("one", Path("one"), objects=dict(incident.objects), taken_at=NOW)
    if scramble:
        chance = random.Random(3)
        recording.objects = copy.deepcopy(recording.objects)
        for body in recording.objects.values():
            scramble_conditions(body, chance)
    return explained(recording, _table())


def findings_of(incident: Incident, found: Told) -> list[Finding]:
    """Explanations of what a person looks at, best first."""
    kind, name = incident.seen.split("/")
    for row in found.index.rows():
        if (row.kind, row.name) == (kind, name):
            return found.board.explain(row.ref) or found.board.explain(found.board.top_of(row.ref))
    return []


def place_of(incident: Incident, findings: list[Finding]) -> int:
    """Place of the first accepted answer; 0 for none."""
    for place, finding in enumerate(findings, 1):
        named = _text(finding.root)
        missing = finding.signal.missing
        texts = [named] if missing is None else [named, f"{missing.kind}//{missing.name}"]
        if any(fnmatch.fnmatch(text, root) for text in texts for root in incident.roots):
            return place
    return 0


def _text(ref: ObjectRef) -> str:
    return f"{ref.kind}/{ref.namespace}/{ref.name}"


def false_alarms(found: Told) -> Iterator[str]:
    """What is told as failing."""
    for cause in found.board.causes():
        if cause.state is CauseState.FAILING:
            yield f"{cause.root} {cause.condition} {cause.reason}"
