"""What fills the holes of a cluster's templates: names, places, times, ids.

Computed when a template first asks for it, from the plan and the seed alone.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleettui.demo.world.filled import FILLED, filled_digest
from fleettui.demo.world.fleet import BIRTH, ClusterPlan, Team, digest, suffix
from fleettui.demo.world.providers import provider


@dataclass(slots=True)
class WorldFacts:
    """What all objects of one management cluster share."""

    seed: int
    context: int
    now: datetime
    revision: str = "main@sha1:0000000000000000000000000000000000000000"
    """Revision of the fleet's git repository."""
    previous: str = "main@sha1:0000000000000000000000000000000000000000"
    """The revision before it, where a failing object is still at."""
    workload_url: str = ""
    """Base of pretend workload API servers; "" for the cluster's own endpoint."""

    def values(self) -> dict[str, str]:
        """Holes that any template may use."""
        return {
            "rev": self.revision,
            "oldrev": self.previous,
            "sha": self.revision.partition(":")[2],
            "oldsha": self.previous.partition(":")[2],
            "context": f"mgmt-{self.context + 1}",
            "today": stamp(self.now),
            "later": stamp(self.now + timedelta(days=61)),
            "expired": stamp(self.now - timedelta(hours=5, minutes=12)),
        }


def stamp(moment: datetime) -> str:
    """RFC 3339 in UTC with seconds, as Kubernetes writes times."""
    return moment.isoformat()[:19] + "Z"


class LazyValues(dict[str, bytes]):
    """Values by hole name, each computed at its first use."""

    def __init__(self, compute: Callable[[str], str]) -> None:
        super().__init__()
        self._compute = compute

    def __missing__(self, key: str) -> bytes:
        is_filled = key.startswith(FILLED)
        value = (filled_digest(key, self) if is_filled else self._compute(key)).encode()
        self[key] = value
        return value


def cluster_values(plan: ClusterPlan, facts: WorldFacts) -> LazyValues:
    """Values of one workload cluster's templates."""

    def compute(name: str) -> str:
        found = _CLUSTER.get(name)
        if found is not None:
            return found(plan, facts)
        if name in _TIMES:
            return stamp(_moment(name, plan, facts))
        if len(name) == 2 and name[0] == "h":
            return suffix(facts.seed, plan.number, name, length=4)
        return facts.values()[name]

    return LazyValues(compute)


def _begun(plan: ClusterPlan, facts: WorldFacts) -> datetime:
    seconds = int(digest(facts.seed, plan.number, "t0", size=2), 16)
    return facts.now - timedelta(days=plan.age_days, seconds=seconds)


def team_values(team: Team, facts: WorldFacts, *, inventory: Callable[[], str]) -> LazyValues:
    """Values of one team namespace's templates.

    Args:
        team: whose namespace.
        facts: of the management cluster.
        inventory: gives the JSON list for the Kustomization that applies the team's clusters.
    """
    fixed = {"ns": team.namespace, "team": team.team, "geo": team.geography, "name": team.team}
    return _shared_values((facts.seed, facts.context, team.namespace), fixed, facts, inventory)


def platform_values(
    facts: WorldFacts, *, inventories: Mapping[str, Callable[[], str]]
) -> LazyValues:
    """Values of the platform's templates.

    Args:
        facts: of the management cluster.
        inventories: by hole, what gives the rest of an inventory's JSON list.
    """
    key = (facts.seed, facts.context, "platform")
    shared = _shared_values(key, {"name": "platform", "team": "platform"}, facts, lambda: "[]")

    def compute(name: str) -> str:
        inventory = inventories.get(name)
        return inventory() if inventory is not None else shared[name].decode()

    return LazyValues(compute)


def _shared_values(
    key: tuple[object, ...],
    fixed: dict[str, str],
    facts: WorldFacts,
    inventory: Callable[[], str],
) -> LazyValues:
    jitter = timedelta(seconds=int(digest(*key, size=2), 16))
    begun = facts.now - timedelta(days=430) - jitter

    def compute(name: str) -> str:
        if name in fixed:
            return fixed[name]
        if name in _RECENT:
            return stamp(facts.now - _TIMES[name] - jitter * _RECENT[name])
        if name in _TIMES:
            return stamp(begun + _TIMES[name] * (60 if name == "t4" else 1))
        match name:
            case "u":
                return uid_tail(*key)
            case "x8":
                return digest(*key, "x8", size=4)
            case "inventory":
                return inventory()
        return facts.values()[name]

    return LazyValues(compute)


_RECENT = {"t5": 0.008, "since": 0.2, "soon": 0.0005, "before": 8.0, "late": 0.0}
"""Times counted back from now, with the share of the jitter (up to 18 hours) they get."""


def uid_tail(*key: object) -> str:
    """The part of a uid that all objects of a group share."""
    text = digest(*key, "uid", size=12)
    return f"-{text[:4]}-4{text[5:8]}-a{text[9:12]}-{text[12:]}"


_TIMES = {
    "t0": timedelta(),
    "t1": timedelta(minutes=3, seconds=41),
    "t2": timedelta(minutes=7, seconds=12),
    "t3": timedelta(minutes=11, seconds=55),
    "t4": timedelta(days=3),
    "t5": timedelta(minutes=9),
    "since": timedelta(minutes=47),
    "soon": timedelta(minutes=2),
    "before": timedelta(days=19),
    "late": timedelta(minutes=6, seconds=40),
}
"""Created, infrastructure, control plane, workers; last rollout; last write; an incident's
beginning and its latest event; something forgotten long ago; just after every last write."""


_BIRTH_S = {
    "t0": 590,
    "t1": 430,
    "t2": 255,
    "t3": 240,
    "t4": 425,
    "t5": 40,
    "since": 190,
    "soon": 25,
    "before": 590,
    "late": 60,
}
"""Seconds before now of the same moments in a cluster that is being made."""


_COURSE_S = {key: _BIRTH_S[key] for key in ("since", "soon")}
"""The same for what goes on in a cluster that has been there for long."""


def _moment(name: str, plan: ClusterPlan, facts: WorldFacts) -> datetime:
    told = _BIRTH_S if plan.course == BIRTH else _COURSE_S if plan.course else {}
    if name in told:
        return facts.now - timedelta(seconds=told[name])
    offset = _TIMES[name]
    if name == "t4":
        return _begun(plan, facts) + timedelta(days=plan.age_days * 0.7)
    if name in _RECENT:
        jitter = int(digest(facts.seed, plan.number, name, size=2), 16)
        span = {"t5": 900, "since": 5 * 3600, "soon": 60, "before": 9 * 86400}.get(name, 0)
        return facts.now - offset - timedelta(seconds=jitter * span // 65536)
    return _begun(plan, facts) + offset


def _host(plan: ClusterPlan, facts: WorldFacts) -> str:
    short = digest(facts.seed, plan.number, "host", size=5)
    match plan.flavour.provider:
        case "eks":
            return f"https://{short.upper()}.gr7.{plan.region}.eks.amazonaws.com"
        case "aws":
            return f"{plan.name}-apiserver-{short}.elb.{plan.region}.amazonaws.com"
        case "azure":
            return f"{plan.name}-{short[:6]}.{plan.region}.cloudapp.azure.com"
        case "aks" | "aks-aso":
            return f"{plan.name}-{short[:8]}.hcp.{plan.region}.azmk8s.io"
        case "rosa":
            return f"api.{plan.name}.{short[:4]}.p3.openshiftapps.com"
    number = int(short, 16)
    first = 34 if plan.flavour.provider in ("gcp", "gke") else 10
    return f"{first}.{number % 200 + 20}.{number // 256 % 250}.{number // 65536 % 250 + 2}"


def _account(plan: ClusterPlan) -> str:
    short = digest(plan.team.team, plan.environment, "account", size=6)
    match plan.flavour.provider:
        case "azure" | "aks" | "aks-aso":
            return f"{short[:8]}-4f1e-4b6a-9c0d-{short}"
        case "gcp" | "gke":
            return f"{plan.team.team}-{plan.environment}-{int(short[:4], 16) % 9000 + 1000}"
    return str(int(short, 16))[:12]


def _minor_beside(version: str, step: int, *, patch: int) -> str:
    major, minor, _ = version.split(".")
    return f"{major}.{int(minor) + step}.{patch}"


def _server(plan: ClusterPlan, facts: WorldFacts) -> str:
    """URL of the workload cluster's API server."""
    if facts.workload_url:
        return f"{facts.workload_url}/{plan.namespace}/{plan.name}"
    host = _host(plan, facts)
    return host if host.startswith("https://") else f"https://{host}:6443"


def _kubeconfig(plan: ClusterPlan, facts: WorldFacts) -> str:
    server = _server(plan, facts)
    text = (
        f"apiVersion: v1\nkind: Config\nclusters:\n- name: {plan.name}\n"
        f"  cluster:\n    server: {server}\ncontexts:\n- name: {plan.name}-admin@{plan.name}\n"
        f"  context:\n    cluster: {plan.name}\n    user: {plan.name}-admin\n"
        f"current-context: {plan.name}-admin@{plan.name}\nusers:\n- name: {plan.name}-admin\n"
        f"  user:\n    token: demo-{digest(facts.seed, plan.number, 'token')}\n"
    )
    return _base64(text)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_CLUSTER: Mapping[str, Callable[[ClusterPlan, WorldFacts], str]] = {
    "name": lambda plan, facts: plan.name,
    "ns": lambda plan, facts: plan.namespace,
    "team": lambda plan, facts: plan.team.team,
    "env": lambda plan, facts: plan.environment,
    "tier": lambda plan, facts: plan.tier,
    "region": lambda plan, facts: plan.region,
    "zonea": lambda plan, facts: plan.zones[0],
    "zoneb": lambda plan, facts: plan.zones[1],
    "zonec": lambda plan, facts: plan.zones[2],
    "version": lambda plan, facts: plan.version,
    "oldversion": lambda plan, facts: _minor_beside(plan.version, -1, patch=9),
    "olderversion": lambda plan, facts: _minor_beside(plan.version, -2, patch=9),
    "newversion": lambda plan, facts: _minor_beside(plan.version, 1, patch=0),
    "host": _host,
    "infrakind": lambda plan, facts: str(provider(plan.flavour.provider)["cluster"]["kind"]),
    "account": lambda plan, facts: _account(plan),
    "cost": lambda plan, facts: f"cc-{1000 + int(digest(plan.team.team, size=2), 16) % 9000}",
    "r0": lambda plan, facts: suffix(facts.seed, plan.number, "machine", length=3),
    "u": lambda plan, facts: uid_tail(facts.seed, plan.number),
    "tu": lambda plan, facts: uid_tail(facts.seed, facts.context, plan.namespace),
    "pu": lambda plan, facts: uid_tail(facts.seed, facts.context, "platform"),
    "x8": lambda plan, facts: digest(facts.seed, plan.number, "x8", size=4),
    "expiry": lambda plan, facts: stamp(
        _begun(plan, facts) + timedelta(days=365 * (1 + plan.age_days // 365))
    ),
    "kubeconfig": _kubeconfig,
    "nameb64": lambda plan, facts: _base64(plan.name),
    "serverb64": lambda plan, facts: _base64(_server(plan, facts)),
    "certificate": lambda plan, facts: _base64(digest(facts.seed, plan.number, "ca", size=32)),
}
"""Holes of a cluster's templates that follow from its plan."""
