"""Which slices are followed: spine first, leaves as needed, never more than one list costs."""

from hypothesis import given
from hypothesis import strategies as st

from fleettui.fleet.scopes import MAX_BATCH, SMALL_KIND, Needs, Part, Sizes, plan_scopes
from fleettui.kinds.batch import Scope
from fleettui.kinds.spec import Depth, KindSpec, Role

CLUSTER = KindSpec("g", "Cluster", "clusters", Role.CLUSTER, depth=Depth.SPINE)
MACHINE = KindSpec("g", "Machine", "machines", Role.MACHINE, depth=Depth.LEAF)
TEMPLATE = KindSpec("g", "Template", "templates", Role.TEMPLATE, depth=Depth.ASKED)
CHART = KindSpec("g", "Chart", "charts", Role.SOURCE, depth=Depth.SPINE)
RELEASE = KindSpec("g", "Release", "releases", Role.APPLIER, depth=Depth.SPINE)
WORKERS = KindSpec("g", "Workers", "workers", Role.WORKERS, depth=Depth.SPINE)
SPECS = (TEMPLATE, MACHINE, CLUSTER)
HUGE = (*SPECS, CHART, RELEASE, WORKERS)
LARGE = 100_000
SPREAD = {f"team-{number}": 100 for number in range(100)}


def _plan(needs: Needs, **more: object):  # type: ignore[no-untyped-def]  # the plan
    served = more.pop("is_served", lambda group, kind: True)
    return plan_scopes("c", SPECS, is_served=served, needs=needs, **more)  # type: ignore[arg-type]  # a table


def test_plan_without_needs_is_the_spine() -> None:
    """Everybody on a VPN would pull half a million machines."""
    plan = _plan(Needs())
    assert list(plan.whole) == [Scope("c", "g", "Cluster")]
    assert not plan.parts


def test_plan_with_leaves_reads_the_spine_first() -> None:
    """Clusters would wait behind their machines."""
    plan = _plan(Needs(with_leaves=True))
    assert list(plan.whole) == [Scope("c", "g", "Cluster"), Scope("c", "g", "Machine")]


def test_plan_of_asked_kinds_follows_them_whole() -> None:
    """A filter over templates would find nothing."""
    plan = _plan(Needs(kinds=frozenset({("g", "Template")})))
    assert Scope("c", "g", "Template") in plan.whole


def _huge(needs: Needs, objects: dict[tuple[str, str], int], most: int) -> list[str]:
    plan = plan_scopes(
        "c",
        HUGE,
        is_served=lambda group, kind: True,
        needs=needs,
        sizes=Sizes(objects, {}),
        most_objects=most,
    )
    return [scope.kind for scope in plan.whole]


def test_plan_leaves_out_what_no_health_needs_where_it_is_too_many() -> None:
    """Releases and charts of 100,000 clusters would take all memory before anybody asked."""
    objects = {("g", "Cluster"): 100, ("g", "Workers"): 200, ("g", "Release"): 150}
    assert _huge(Needs(), objects, most=500) == ["Cluster", "Workers", "Release"]
    objects[("g", "Chart")] = 60
    assert _huge(Needs(), objects, most=500) == ["Cluster", "Workers", "Chart"]
    assert _huge(Needs(), objects, most=10) == ["Cluster", "Workers"], "health is never left out"
    objects[("g", "Chart")] = 4
    assert _huge(Needs(), objects, most=100) == ["Cluster", "Workers", "Chart"], "few always fit"


def test_plan_of_kinds_too_many_to_read_unasked_reads_them_when_asked() -> None:
    """What was left out could never be seen."""
    objects = {("g", "Cluster"): 100, ("g", "Workers"): 200, ("g", "Release"): 5000}
    needs = Needs(kinds=frozenset({("g", "Release")}))
    assert "Release" in _huge(needs, objects, most=500)


def test_plan_of_useful_kinds_takes_those_that_fit_after_the_spine() -> None:
    """Causes would pull a million templates, or push out what the tree shows."""
    objects = {("g", "Cluster"): 100, ("g", "Release"): 150, ("g", "Template"): 90}
    needs = Needs(useful=frozenset({("g", "Template")}))
    assert _huge(needs, objects, most=500) == ["Cluster", "Workers", "Release", "Template"]
    assert _huge(needs, objects, most=300) == ["Cluster", "Workers", "Release"]
    assert _plan(needs).whole.keys() >= {Scope("c", "g", "Template")}, "no limit: at once"


def test_plan_skips_what_is_not_served() -> None:
    """Kinds that a server lacks would look broken."""
    plan = _plan(Needs(with_leaves=True), is_served=lambda group, kind: kind == "Machine")
    assert list(plan.whole) == [Scope("c", "g", "Machine")]


def test_plan_of_opened_clusters_batches_by_namespace() -> None:
    """Every opened cluster would cost the server a scan of its own."""
    clusters = frozenset({("team-1", "a"), ("team-1", "b"), ("team-2", "c")})
    plan = _plan(Needs(clusters=clusters), sizes=Sizes({("g", "Machine"): LARGE}, SPREAD))
    assert set(plan.parts) == {
        Part("g", "Machine", "team-1", ("a", "b")),
        Part("g", "Machine", "team-2", ("c",)),
    }
    assert next(iter(plan.parts)).selector == "cluster.x-k8s.io/cluster-name in (a,b)"


def test_plan_keeps_open_parts_as_they_are() -> None:
    """Opening a second cluster would read the first one again."""
    first = Part("g", "Machine", "team-1", ("a",))
    clusters = frozenset({("team-1", "a"), ("team-1", "b")})
    sizes = Sizes({("g", "Machine"): LARGE}, SPREAD)
    plan = _plan(Needs(clusters=clusters), sizes=sizes, open_parts=[first])
    assert set(plan.parts) == {first, Part("g", "Machine", "team-1", ("b",))}


def test_plan_lets_go_of_parts_that_nobody_needs() -> None:
    """Leaves of every cluster ever looked at would stay in memory."""
    first = Part("g", "Machine", "team-1", ("a",))
    plan = _plan(Needs(clusters=frozenset({("team-2", "z")})), open_parts=[first])
    assert first not in plan.parts


def test_plan_above_the_cost_of_one_list_is_one_list() -> None:
    """An outage of all clusters of one namespace would become a list for each few of them."""
    everything = {"fleet": 10_000}
    clusters = frozenset(("fleet", f"c{number}") for number in range(2 * MAX_BATCH))
    plan = _plan(Needs(clusters=clusters), sizes=Sizes({("g", "Machine"): LARGE}, everything))
    assert Scope("c", "g", "Machine") in plan.whole
    assert not plan.parts


def test_plan_of_a_small_kind_is_one_list() -> None:
    """Dozens of nearly empty kinds would each cost a selector read for each cluster."""
    sizes = Sizes({("g", "Machine"): SMALL_KIND}, SPREAD)
    plan = _plan(Needs(clusters=frozenset({("team-1", "a")})), sizes=sizes)
    assert Scope("c", "g", "Machine") in plan.whole


@given(
    st.frozensets(
        st.tuples(st.sampled_from(["team-1", "team-2", "team-3"]), st.text("abc", min_size=1)),
        max_size=200,
    ),
    st.integers(0, LARGE),
)
def test_plan_never_scans_more_than_one_list(
    clusters: frozenset[tuple[str, str]], objects: int
) -> None:
    """A fleet tool would be the incident."""
    spread = {"team-1": 50, "team-2": 30, "team-3": 20}
    sizes = Sizes({("g", "Machine"): objects}, spread)
    plan = _plan(Needs(clusters=clusters), sizes=sizes)
    scanned = sum(sizes.scanned(("g", "Machine"), part.namespace) for part in plan.parts)
    assert scanned <= objects
    held = {(part.namespace, name) for part in plan.parts for name in part.clusters}
    assert Scope("c", "g", "Machine") in plan.whole or held == clusters
