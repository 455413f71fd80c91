"""Recorded incidents told another way: the same trouble in a fleet that looks different.

Each mutation keeps the true cause and changes what must not matter: names, providers,
API versions, extra fields, times, neighbours. What was tuned to the recordings fails here.
"""

import copy
import json
import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truth import (
    Case,
    Score,
    Told,
    Triple,
    cluster_cases,
    explained,
    gitops_cases,
    judge,
    scramble_conditions,
)

from fleettui.kinds import KindTable, load_table
from fleettui.kinds.moments import rfc3339, unix_seconds
from fleettui.kinds.record import ObjectKey
from fleettui.recorded.documents import read_documents
from fleettui.recorded.recording import Recording, open_recordings

Body = dict[str, Any]
_KEPT = frozenset({"Namespace", "CustomResourceDefinition", "Pod", "Deployment", "StatefulSet"})
_WORDS = frozenset({"default", "kube-system", "flux-system"})
_GROUP = "infrastructure.cluster.x-k8s.io"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
COPIES = 5


@dataclass(slots=True)
class Fleet:
    """Recordings of several folders as one, with what is true of it."""

    table: KindTable
    recording: Recording
    cases: list[Case]


Mutation = Callable[[Fleet], None]


def read(shared: Path, folder: str, cases: Iterable[Case]) -> Fleet:
    """One folder of the recordings."""
    table = load_table()
    recording = open_recordings(shared / "recordings" / folder, table)[0]
    return Fleet(table, recording, list(cases))


def _replace(fleet: Fleet, change: Callable[[ObjectKey, Body], Body]) -> None:
    objects: dict[ObjectKey, Body] = {}
    for key, body in fleet.recording.objects.items():
        new = change(key, copy.deepcopy(dict(body)))
        metadata = new["metadata"]
        group = new["apiVersion"].rpartition("/")[0]
        space = str(metadata.get("namespace") or "")
        objects[ObjectKey(group, new["kind"], space, metadata["name"])] = new
    fleet.recording.objects = dict(objects)


# -- what must not matter -------------------------------------------------------------------------


def rename(fleet: Fleet, prefix: str = "q7") -> None:
    """Every namespace and object is called otherwise, everywhere."""
    names = {
        name
        for key in fleet.recording.objects
        if key.kind not in _KEPT
        for name in (key.name, key.namespace)
        if name and name not in _WORDS and len(name) > 1
    }
    names |= {f"{key.namespace}/{key.name}" for key in fleet.recording.objects if key.namespace}
    longest = sorted(names, key=len, reverse=True)
    pattern = re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, longest))})(?![\w.])")

    def new_name(text: str) -> str:
        if text in names and "/" not in text:
            return prefix + text
        if "_" in text and text.count("_") >= 3:  # an inventory entry: namespace_name_group_kind
            parts = text.split("_")
            return "_".join(prefix + part if part in names else part for part in parts)
        return pattern.sub(lambda m: "/".join(_with(prefix, p) for p in m[0].split("/")), text)

    def walk(value: Any, field: str = "") -> Any:
        if isinstance(value, dict):
            return {key: walk(item, key) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, field) for item in value]
        if isinstance(value, str) and field not in _NO_NAMES:
            return new_name(value)
        return value

    def change(key: ObjectKey, body: Body) -> Body:
        return body if key.kind == "CustomResourceDefinition" else walk(body)

    _replace(fleet, change)
    fleet.cases = [
        (title, _prefixed(seen, prefix), [_prefixed(r, prefix) for r in roots], state)
        for title, seen, roots, state in fleet.cases
    ]


_NO_NAMES = frozenset(
    {"kind", "apiVersion", "apiGroup", "type", "status", "reason", "uid", "path", "url"}
    | {"lastTransitionTime", "creationTimestamp", "resourceVersion", "manager", "revision", "time"}
)


def _with(prefix: str, name: str) -> str:
    return name if name in _WORDS else prefix + name


def _prefixed(triple: Triple, prefix: str) -> Triple:
    kind, namespace, name = triple
    space = _with(prefix, namespace) if namespace else ""
    return kind, space, prefix + name if name != "*" else name


def unknown_provider(fleet: Fleet) -> None:
    """The infrastructure is of a provider that nobody has heard of, known by its contract alone."""
    text = re.compile(r"\bDev(?=Cluster|Machine)")

    def change(key: ObjectKey, body: Body) -> Body:
        del key
        known: Body = json.loads(text.sub("Acme", json.dumps(body)))
        return known

    _replace(fleet, change)
    kinds = {k.kind for k in fleet.recording.objects if k.kind.startswith("Acme")}
    for kind in sorted(kinds | {"AcmeMachineTemplate", "AcmeClusterTemplate"}):
        fleet.table.add_contract(
            group=_GROUP,
            kind=kind,
            plural=kind.lower() + "s",
            served=("v1beta2", "v1beta1"),
            labels={"cluster.x-k8s.io/v1beta2": "v1beta2", "cluster.x-k8s.io/provider": "acme"},
        )
    fleet.cases = [
        (title, seen, [(text.sub("Acme", kind), space, name) for kind, space, name in roots], state)
        for title, seen, roots, state in fleet.cases
    ]


def without_deprecated(fleet: Fleet) -> None:
    """The deprecated v1beta1 conditions are gone, as from Cluster API 1.16 on."""

    def change(key: ObjectKey, body: Body) -> Body:
        del key
        status = body.get("status")
        if isinstance(status, dict):
            status.pop("deprecated", None)
        return body

    _replace(fleet, change)


def old_api(fleet: Fleet) -> None:
    """Only the v1beta1 API with conditions of both schemes is served, where it was recorded."""
    lists = fleet.recording.path / "lists"
    found: dict[ObjectKey, Body] = {}
    for file in sorted(lists.glob("*_v1beta1_*")):
        if next(read_documents(file), None) is not None:
            old = open_recordings(file, fleet.table)[0]
            found |= {key: dict(body) for key, body in old.objects.items()}
    fleet.recording.objects = {
        key: found.get(key, body) for key, body in fleet.recording.objects.items()
    }


def oldest_api(fleet: Fleet) -> None:
    """As ``old_api``, before Cluster API 1.9: no conditions of the new scheme."""
    old_api(fleet)

    def change(key: ObjectKey, body: Body) -> Body:
        del key
        status = body.get("status")
        if isinstance(status, dict) and body["apiVersion"].endswith("/v1beta1"):
            status.pop("v1beta2", None)
        return body

    _replace(fleet, change)


def without_extras(fleet: Fleet) -> None:
    """No managedFields, no Events, no definitions, no built-in objects beside workloads."""
    dropped = ("CustomResourceDefinition", "Role", "RoleBinding", "ClusterRole", "Namespace")

    def change(key: ObjectKey, body: Body) -> Body:
        del key
        body["metadata"].pop("managedFields", None)
        return body

    _replace(fleet, change)
    fleet.recording.events.clear()
    for key in [key for key in fleet.recording.objects if key.kind in dropped]:
        del fleet.recording.objects[key]


def shifted(fleet: Fleet, by_s: int = -400 * 86400) -> None:
    """It all happened more than a year ago, and was recorded then."""

    def move(match: re.Match[str]) -> str:
        return rfc3339(unix_seconds(match[0]) + by_s)

    def change(key: ObjectKey, body: Body) -> Body:
        del key
        moved: Body = json.loads(_TIME.sub(move, json.dumps(body)))
        return moved

    _replace(fleet, change)
    fleet.recording.taken_at += by_s


def seen_later(fleet: Fleet) -> None:
    """Nobody did anything for two days after."""
    fleet.recording.taken_at += 2 * 86400


def reordered(fleet: Fleet) -> None:
    """The server lists everything the other way round."""
    fleet.recording.objects = dict(reversed(fleet.recording.objects.items()))


def reworded(fleet: Fleet) -> None:
    """Every reason and message reads otherwise."""
    chance = random.Random(11)

    def change(key: ObjectKey, body: Body) -> Body:
        del key
        scramble_conditions(body, chance)
        return body

    _replace(fleet, change)


def among_healthy(fleet: Fleet, healthy: Mapping[ObjectKey, Body]) -> None:
    """The incident in a fleet of fifty clusters more in which nothing is wrong."""
    for number in range(COPIES):
        copied = Fleet(fleet.table, Recording("copy", Path("copy"), objects=dict(healthy)), [])
        rename(copied, prefix=f"h{number}")
        fleet.recording.objects |= copied.recording.objects


def merged(fleets: Iterable[Fleet]) -> Fleet:
    """Incidents of several recordings in one management cluster, at the latest moment."""
    first, *others = fleets
    for other in others:
        shifted(other, first.recording.taken_at - other.recording.taken_at)
        first.recording.objects = other.recording.objects | first.recording.objects
        first.cases += other.cases
    return first


MUTATIONS: Mapping[str, tuple[Mutation, ...]] = {
    "as recorded": (),
    "renamed": (rename,),
    "unknown provider": (unknown_provider,),
    "no v1beta1 conditions": (without_deprecated,),
    "v1beta1 API": (old_api,),
    "v1beta1 before 1.9": (oldest_api,),
    "no extras": (without_extras,),
    "a year ago": (shifted,),
    "two days later": (seen_later,),
    "reordered": (reordered,),
    "all at once": (
        rename,
        unknown_provider,
        without_deprecated,
        without_extras,
        reordered,
        reworded,
    ),
}


def told_after(fleet: Fleet, mutations: Iterable[Mutation]) -> Told:
    """The fleet explained after it was changed."""
    for mutation in mutations:
        mutation(fleet)
    return explained(fleet.recording, fleet.table)


def stressed(shared: Path, name: str) -> Score:
    """How all recorded incidents are explained after one of ``MUTATIONS``."""
    score = Score()
    for folder, cases in (cluster_cases(shared) | gitops_cases(shared)).items():
        fleet = read(shared, folder, cases)
        told = told_after(fleet, MUTATIONS[name])
        judge(told, fleet.cases, score)
    return score


def stressed_merged(shared: Path) -> tuple[Told, Score]:
    """How all recorded incidents are explained when they happen in one fleet of many."""
    every = cluster_cases(shared) | gitops_cases(shared)
    healthy = read(shared, "capi/states/1-healthy", ())
    fleet = merged([read(shared, folder, cases) for folder, cases in every.items()])
    among_healthy(fleet, {k: dict(b) for k, b in healthy.recording.objects.items()})
    told = told_after(fleet, ())
    return told, judge(told, fleet.cases)
