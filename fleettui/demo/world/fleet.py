"""Which clusters exist: teams, namespaces, names, places, providers and versions, by seed.

Plans are small values; what a planned cluster consists of is told elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from random import Random


@dataclass(frozen=True, slots=True)
class Flavour:
    """A way in which a platform team builds clusters."""

    name: str
    provider: str
    """Infrastructure: a file of data/providers, or the managed service's name."""
    control_plane: str = "kubeadm"
    is_topology: bool = False
    has_pools: bool = False
    weight: int = 1
    """Share among the clusters beyond the first ones; 0 for those that few people have."""
    workers: str = ""
    """Infrastructure of the workers where it is another than the control plane's."""

    @property
    def is_managed(self) -> bool:
        """Whether a cloud runs the control plane (no control-plane Machines)."""
        return self.control_plane == "managed"


_COMMON = (
    Flavour("aws", "aws", weight=10),
    Flavour("azure-class", "azure", is_topology=True, weight=8),
    Flavour("eks", "eks", control_plane="managed", weight=10),
    Flavour("aks-aso", "aks-aso", control_plane="managed", weight=8),
    Flavour("vsphere", "vsphere", weight=8),
    Flavour("gke", "gke", control_plane="managed", weight=6),
    Flavour("azure", "azure", weight=8),
    Flavour("aws-class", "aws", is_topology=True, weight=8),
    Flavour("openstack", "openstack", weight=4),
    Flavour("metal3", "metal3", weight=4),
    Flavour("aks", "aks", control_plane="managed", weight=4),
    Flavour("rke2", "vsphere", control_plane="rke2", weight=4),
    Flavour("azure-pools", "azure", has_pools=True, weight=6),
    Flavour("gcp", "gcp", weight=5),
    Flavour("rosa", "rosa", control_plane="managed", weight=2),
    Flavour("hetzner", "hetzner", weight=4),
    Flavour("nutanix", "nutanix", weight=3),
    Flavour("kamaji", "openstack", control_plane="kamaji", weight=2),
    Flavour("k0s", "hetzner", control_plane="k0s", weight=2),
    Flavour("talos", "metal3", control_plane="talos", weight=2),
    Flavour("aws-pools", "aws", has_pools=True, weight=4),
    Flavour("k0smotron", "aws", control_plane="k0smotron", weight=1),
    Flavour("dev", "dev", has_pools=True, weight=1),
    Flavour("gcp-pools", "gcp", has_pools=True, weight=1),
)
_RARE = (
    Flavour("docker", "docker", has_pools=True, weight=0),
    Flavour("supervisor", "supervisor", weight=0),
    Flavour("hetzner-metal", "hetzner", workers="hetzner-metal", weight=0),
    Flavour("k0s-remote", "remote", control_plane="k0smotron", weight=0),
)
FLAVOURS = _COMMON + _RARE
"""Every way; the first clusters of a fleet show each once, in this order."""
_COURSES = (
    ("aws", "upgrade"),
    ("azure-class", "chained-upgrade"),
    ("vsphere", "birth"),
    ("metal3", "remediation"),
)
"""What goes on in the clusters behind those, and the flavour that it is shown on."""
SHOWN = len(FLAVOURS) + len(_COURSES)
"""Clusters of the smallest fleet that shows everything."""
BIRTH = "birth"
ENDING_COURSES = (BIRTH, "upgrade", "remediation")
"""Those that the demo's controllers bring to their end; the others stand still."""

TEAMS = (
    "payments", "storefront", "search", "logistics", "identity", "data", "media", "orders",
    "pricing", "inventory", "insights", "mobile", "partners", "risk", "support", "telemetry",
)  # fmt: skip
GEOGRAPHIES = ("eu", "us", "ap")
ENVIRONMENTS = (("prod", "1"), ("staging", "2"), ("dev", "3"))
VERSIONS = ("v1.36.4", "v1.36.2", "v1.35.7", "v1.35.7", "v1.37.1", "v1.35.4", "")
"""What clusters run; "" for one that nobody has upgraded since it was made."""
_FORGOTTEN = ((300, "v1.32.13"), (200, "v1.33.11"), (0, "v1.34.8"))
"""Days of age and the version that was usual then; upstream has ended support of all."""

_PLACES = {
    "aws": {"eu": ("eu-west-1", "euw1"), "us": ("us-east-1", "use1"), "ap": ("ap-south-1", "aps1")},
    "azure": {"eu": ("westeurope", "weu"), "us": ("eastus2", "eus2"), "ap": ("japaneast", "jpe")},
    "gcp": {
        "eu": ("europe-west4", "euw4"),
        "us": ("us-central1", "usc1"),
        "ap": ("asia-east1", "ase1"),
    },
    "hetzner": {"eu": ("fsn1", "fsn1"), "us": ("ash", "ash1"), "ap": ("sin", "sin1")},
    "": {"eu": ("fra1", "fra1"), "us": ("dal2", "dal2"), "ap": ("tyo1", "tyo1")},
}
_CLOUDS = {
    "eks": "aws", "rosa": "aws", "aks": "azure", "aks-aso": "azure", "gke": "gcp",
}  # fmt: skip
_ZONES = {"aws": ("a", "b", "c"), "gcp": ("-a", "-b", "-c"), "azure": ("-1", "-2", "-3")}


@dataclass(frozen=True, slots=True)
class Team:
    """A team's namespace in one management cluster."""

    namespace: str
    team: str
    geography: str
    context: int


@dataclass(frozen=True, slots=True)
class ClusterPlan:
    """One workload cluster."""

    number: int
    """Index in the whole fleet, 0 based."""
    context: int
    team: Team
    name: str
    flavour: Flavour
    size: str
    """S, M or L: one or three control-plane machines, one to three worker groups."""
    environment: str
    tier: str
    region: str
    zones: tuple[str, str, str]
    version: str
    age_days: int
    course: str = ""
    """What goes on in it without anything being wrong, a file of courses/; "" for nothing."""

    @property
    def namespace(self) -> str:
        """The namespace of the Cluster object."""
        return self.team.namespace


def plan_fleet(
    clusters: int, *, contexts: int, seed: int, is_busy: bool = False
) -> list[ClusterPlan]:
    """All workload clusters of all contexts; the first ones show every flavour once.

    Args:
        clusters: how many in all.
        contexts: management clusters that they are spread over.
        seed: the same seed gives the same fleet.
        is_busy: whether some are being upgraded, made or repaired.
    """
    random = Random(f"fleet/{seed}")
    teams = _teams(clusters, contexts)
    counters: dict[str, int] = {}
    plans = []
    for number in range(clusters):
        flavour, course = _flavour(number, random), ""
        if is_busy and len(FLAVOURS) <= number < SHOWN:
            flavour, course = _course(number - len(FLAVOURS))
        context = number % contexts
        own = teams[context]
        team = own[(number // contexts) % len(own)]
        plans.append(_plan(number, team, flavour, random, counters, course))
    return plans


def digest(*parts: object, size: int = 8) -> str:
    """Hex digits that follow from the parts, for names and ids."""
    text = "/".join(map(str, parts)).encode()
    return blake2b(text, digest_size=size).hexdigest()


_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


def suffix(*parts: object, length: int = 5) -> str:
    """A generated-name suffix such as Kubernetes appends. Source: apimachinery util/rand."""
    value = int(digest(*parts), 16)
    letters = []
    for _ in range(length):
        value, index = divmod(value, len(_ALPHABET))
        letters.append(_ALPHABET[index])
    return "".join(letters)


def _teams(clusters: int, contexts: int) -> list[list[Team]]:
    per_context = max(1, clusters // contexts)
    wanted = min(len(TEAMS) * len(GEOGRAPHIES) * 4, max(4, per_context // 12))
    result = []
    for context in range(contexts):
        own = []
        for index in range(wanted):
            team = TEAMS[(index + context * 4) % len(TEAMS)]
            geography = GEOGRAPHIES[(index // len(TEAMS) + index + context) % len(GEOGRAPHIES)]
            round_ = index // (len(TEAMS) * len(GEOGRAPHIES))
            namespace = f"{team}-{geography}" + (f"-{round_ + 1}" if round_ else "")
            own.append(Team(namespace, team, geography, context))
        result.append(own)
    return result


def _flavour(number: int, random: Random) -> Flavour:
    if number < len(_COMMON):
        return _COMMON[number]
    drawn = random.choices(_COMMON, [flavour.weight for flavour in _COMMON])[0]
    return FLAVOURS[number] if number < len(FLAVOURS) else drawn


def _course(index: int) -> tuple[Flavour, str]:
    name, course = _COURSES[index]
    return next(flavour for flavour in _COMMON if flavour.name == name), course


def _plan(
    number: int,
    team: Team,
    flavour: Flavour,
    random: Random,
    counters: dict[str, int],
    course: str,
) -> ClusterPlan:
    cloud = _CLOUDS.get(flavour.provider, flavour.provider)
    region, code = _PLACES.get(cloud, _PLACES[""])[team.geography]
    environment, tier = random.choices(ENVIRONMENTS, (5, 3, 2))[0]
    base = f"{team.team}-{environment}-{code}"
    if flavour.name in ("metal3", "talos"):
        environment, tier = "edge", "1"
        base = f"store-edge-{code}"
    key = f"{team.namespace}/{base}"
    counters[key] = counters.get(key, 0) + 1
    if number < len(_COMMON):
        size = "M" if number % 3 else "L"
    else:
        size = random.choices("SML", (3, 5, 2))[0]
    if flavour in _RARE or course:
        size = "M"
    version, age_days = random.choice(VERSIONS), random.randint(9, 400)
    if not version:
        version = next(usual for days, usual in _FORGOTTEN if age_days >= days)
    if course:
        version = VERSIONS[0]
    return ClusterPlan(
        number=number,
        context=team.context,
        team=team,
        name=f"{base}-{counters[key]}",
        flavour=flavour,
        size=size,
        environment=environment,
        tier=tier,
        region=region,
        zones=_zones(cloud, region),
        version=version,
        age_days=0 if course == BIRTH else age_days,
        course=course,
    )


def _zones(cloud: str, region: str) -> tuple[str, str, str]:
    first, second, third = _ZONES.get(cloud, ("-r01", "-r02", "-r03"))
    return (region + first, region + second, region + third)
