"""What of a context is read for whom: very large ones are weighed, outages sampled."""

from collections.abc import Iterable
from typing import Any

from fleettui.fleet.depth import MAX_SAMPLED, Wishes, sampling
from fleettui.fleet.needs import kinds_for_causes
from fleettui.fleet.reading import Crowd, Reading
from fleettui.fleet.scopes import LARGE_CONTEXT, MAX_OBJECTS, Needs, Sizes, plan_scopes
from fleettui.index import Index
from fleettui.kinds import load_table
from fleettui.kinds.batch import Batch, Phase, Scope, ScopeStatus
from fleettui.kinds.record import Record, Verdict
from fleettui.kinds.spec import Depth, KindSpec
from fleettui.kube.catalog import Catalog
from fleettui.kube.resource import Resource

CAPI = "cluster.x-k8s.io"
CLUSTERS = Scope("one", CAPI, "Cluster")
RELEASES = Scope("one", "helm.toolkit.fluxcd.io", "HelmRelease")
CHARTS = Scope("one", "source.toolkit.fluxcd.io", "HelmChart")
TEMPLATES = Scope("one", "bootstrap.cluster.x-k8s.io", "KubeadmConfigTemplate")
NOW = 1_790_000_000
SERVED = {"Cluster", "MachineSet", "Machine", "KubeadmConfig", "AWSMachine", "AzureMachine"}
"""What a management cluster of two clouds serves, as far as outages are concerned."""


class Weights:
    """What a server says of how many objects there are."""

    def __init__(self, objects: dict[str, int]) -> None:
        self._objects = objects
        self.sizes: dict[tuple[str, str], tuple[int, int]] = {}
        self.asked: list[str] = []

    async def measure(self, specs: Iterable[KindSpec], *, namespace: str) -> None:
        for spec in specs:
            self.asked.append(spec.kind)
            if spec.kind in self._objects:
                self.sizes[spec.group, spec.kind] = (self._objects[spec.kind], 5000)


def _reading(
    statuses: dict[Scope, ScopeStatus], *, depth: str = "spine", crowd: Crowd | None = None
) -> Reading:
    reading = Reading(
        load_table([]),
        depth=depth,
        asked=frozenset(),
        namespace="",
        statuses=statuses,
        crowd=crowd,
    )
    reading.catalog = Catalog(
        {
            (scope.group, scope.kind): (Resource(scope.group, "v1", "x", scope.kind),)
            for scope in (CLUSTERS, RELEASES, CHARTS, TEMPLATES)
        }
    )
    return reading


def _open(reading: Reading) -> set[Scope]:
    return set(reading.scopes("one", open_parts=()).whole)


async def _weigh(reading: Reading, weights: Any) -> None:
    specs = reading.unweighed()
    assert specs is not None
    await reading.weigh(weights, specs)


def test_reading_waits_with_releases_for_the_first_page_of_clusters() -> None:
    """Releases would be on their way before it is known how many they are."""
    statuses: dict[Scope, ScopeStatus] = {}
    reading = _reading(statuses)
    assert _open(reading) == {CLUSTERS}
    statuses[CLUSTERS] = ScopeStatus(Phase.PENDING)
    assert _open(reading) == {CLUSTERS}
    assert not reading.is_weighed
    statuses[CLUSTERS] = ScopeStatus(Phase.SYNCING, loaded=500, expected=1000)
    assert _open(reading) == {CLUSTERS, RELEASES, CHARTS}
    assert reading.is_weighed


def test_reading_goes_on_without_clusters_that_do_not_answer() -> None:
    """One kind's failure would keep all GitOps objects off the screen."""
    for status in (
        ScopeStatus(Phase.FORBIDDEN),
        ScopeStatus(Phase.PENDING, error="timed out", retry_at=NOW),
        ScopeStatus(Phase.ABSENT),
    ):
        assert _open(_reading({CLUSTERS: status})) == {CLUSTERS, RELEASES, CHARTS}


async def test_reading_of_a_very_large_fleet_leaves_out_what_is_too_many() -> None:
    """A hundred thousand clusters must fit a laptop, and what is left out must be told."""
    clusters = LARGE_CONTEXT * 5
    statuses = {CLUSTERS: ScopeStatus(Phase.SYNCING, loaded=500, expected=clusters)}
    reading = _reading(statuses)
    reading.ask(frozenset({(TEMPLATES.group, TEMPLATES.kind)}), where_they_fit=True)
    assert _open(reading) == {CLUSTERS}
    weights = Weights({"HelmChart": 1000, "HelmRelease": MAX_OBJECTS - clusters})
    await _weigh(reading, weights)
    assert set(weights.asked) == {"Cluster", "HelmChart", "HelmRelease", "KubeadmConfigTemplate"}
    assert reading.unweighed() is None, "nothing is asked twice"
    assert _open(reading) == {CLUSTERS, CHARTS, TEMPLATES}
    statuses |= dict.fromkeys((CHARTS, TEMPLATES), ScopeStatus(Phase.LIVE))
    assert reading.load_plan("one").left_out == (("helm.toolkit.fluxcd.io", "HelmRelease"),)
    reading.ask(frozenset({(RELEASES.group, RELEASES.kind)}))
    assert RELEASES in _open(reading)


async def test_reading_shares_the_memory_with_other_contexts_by_their_clusters() -> None:
    """Two halves of a fleet would each take what the whole may."""
    crowd = Crowd()
    crowd.count("two", LARGE_CONTEXT)
    statuses = {CLUSTERS: ScopeStatus(Phase.SYNCING, loaded=500, expected=LARGE_CONTEXT)}
    reading = _reading(statuses, crowd=crowd)
    assert _open(reading) == {CLUSTERS}
    half = MAX_OBJECTS // 2 - LARGE_CONTEXT
    await _weigh(reading, Weights({"HelmChart": half, "HelmRelease": half + 1}))
    assert _open(reading) == {CLUSTERS, CHARTS}


async def test_reading_of_everything_is_not_weighed() -> None:
    """Who asks for everything gets everything."""
    statuses = {CLUSTERS: ScopeStatus(Phase.SYNCING, loaded=500, expected=LARGE_CONTEXT * 5)}
    assert _open(_reading(statuses, depth="full")) == {CLUSTERS, RELEASES, CHARTS}
    reading = _reading(statuses)
    assert _open(reading) == {CLUSTERS}
    reading.load_all()
    assert _open(reading) == {CLUSTERS, RELEASES, CHARTS}


def _failing(number: int, namespace: str, reason: str) -> Record:
    return Record(
        group=CAPI,
        version="v1beta2",
        kind="Cluster",
        namespace=namespace,
        name=f"c-{number}",
        uid=f"uid-{number}",
        resource_version="1",
        verdict=Verdict.FAILED,
        reason=reason,
        message=f"c-{number}: {reason}",
    )


def test_needs_of_an_outage_of_a_thousand_clusters_are_a_few_lists() -> None:
    """A thousand red clusters, each of its own namespace, must not become a thousand lists."""
    table = load_table([])
    index = Index(table)
    records = [_failing(n, f"team-{n}", f"Broken{n % 30}") for n in range(1000)]
    index.apply(Batch(CLUSTERS, [*records, ScopeStatus(Phase.LIVE, NOW)]), NOW)
    work = sampling(index, ["one"])
    found = None
    while found is None:
        try:
            next(work)
        except StopIteration as end:
            found = end.value
    wishes = Wishes()
    wishes.want("failing", found)
    leaves = [spec for spec in table.of_depth(Depth.LEAF) if spec.kind in SERVED]
    sizes = Sizes(
        {(spec.group, spec.kind): 20_000 for spec in leaves},
        {f"team-{n}": 1 for n in range(1000)},
    )
    plan = plan_scopes(
        "one",
        table,
        is_served=lambda group, kind: kind in SERVED,
        needs=Needs(clusters=wishes.clusters("one", NOW), useful=kinds_for_causes(table)),
        sizes=sizes,
        most_objects=MAX_OBJECTS,
    )
    for spec in leaves:
        key = (spec.group, spec.kind)
        parts = [part for part in plan.parts if (part.group, part.kind) == key]
        assert 0 < len(parts) <= MAX_SAMPLED, "not one list for each cluster"
        scanned = sum(sizes.scanned(key, part.namespace) for part in parts)
        assert scanned <= 0.1 * sizes.objects[key]
    asked = {(scope.group, scope.kind) for scope in plan.whole} & kinds_for_causes(table)
    assert all(table.spec_for(*key).depth is not Depth.ASKED for key in asked)
