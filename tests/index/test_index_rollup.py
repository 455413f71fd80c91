"""Homes, counts and derived health of rows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fleettui.index.index import Index
from fleettui.kinds.record import Flag, Verdict
from fleettui.kinds.spec import Depth


@pytest.fixture
def index(table):
    return Index(table)


def health(index, ref):
    return index.get(ref).health.value


def test_rollup_whole_cluster_counts_each_object_once(make, index):
    """A machine that is owned, referenced and labelled must not be counted thrice."""
    make.put(index, *make.cluster(machines=3))
    (root,) = index.roots()
    assert root.kind == "Cluster"
    rollup = index.rollup(root)
    assert (rollup.total, rollup.current) == (14, 14)
    assert index.rollup_of("one").total == index.rollup_of("one", "ns").total == 14


@given(order=st.permutations(range(14)), broken=st.integers(0, 13))
@settings(max_examples=30, deadline=None)
def test_rollup_any_arrival_order_gives_the_same_tree(table, make, order, broken):
    """Children that arrive before their parents must find home all the same."""
    records = make.cluster(machines=3)
    index = Index(table)
    make.put(index, *[records[place] for place in order])
    (root,) = index.roots()
    assert index.rollup(root).total == 14
    parents = {row.name + row.kind: row.parent and row.parent.name for row in index.rows()}
    assert parents["c1-m0Box"] == "c1-m0"
    assert parents["c1-m0Machine"] == "c1-ms"
    assert parents["c1-msMachineSet"] == "c1-md"
    for record in records:
        make.drop(index, record)
    assert len(index) == 0
    assert index.rollup_of("one").total == 0


def test_rollup_parent_deleted_children_become_roots_and_return(make, index):
    """A deleted MachineSet must not take its machines off the screen with it."""
    records = make.cluster(machines=1)
    make.put(index, *records)
    machine_set = records[4]
    make.drop(index, machine_set)
    machine = index.get(make.ref("Machine", "c1-m0"))
    assert machine.parent.kind == "Cluster"
    make.put(index, machine_set)
    assert machine.parent.kind == "MachineSet"
    (root,) = index.roots()
    assert index.rollup(root).total == len(records)


def test_health_cluster_available_but_pool_infrastructure_failed_is_failed(make, index):
    """Available=True of a Cluster never covers pools: the person must see red."""
    make.put(
        index,
        *make.cluster(),
        make.record("MachinePool", "p", owner="Cluster/c1", refs=["infrastructure=BoxPool/p"]),
        make.record("BoxPool", "p", "failed", reason="Quota", message="no cores left"),
    )
    cluster = index.get(make.ref("Cluster", "c1"))
    assert cluster.verdict == "current"
    assert cluster.health == "failed"
    assert cluster.reason == "Quota"
    assert cluster.message == "MachinePool p: BoxPool p: no cores left"


def test_health_leaf_failure_shows_in_counts_not_in_cluster_health(make, index):
    """A cluster must look the same whether its machines have been read or not."""
    records = make.cluster()
    make.put(index, *records)
    make.put(index, make.record("Box", "c1-m0", "failed", rv=2, owner="Machine/c1-m0"))
    cluster = index.get(make.ref("Cluster", "c1"))
    assert cluster.health == "current"
    assert index.rollup(cluster).failed == 1
    assert cluster.has_faults


def test_health_pool_without_word_of_its_own_takes_that_of_its_infrastructure(make, index):
    """MachinePools have no conditions worth the name."""
    make.put(
        index,
        make.record("MachinePool", "p", "unknown", refs=["infrastructure=BoxPool/p"]),
        make.record("BoxPool", "p", "current"),
    )
    assert health(index, make.ref("MachinePool", "p")) == "current"


def test_health_flag_only_kind_takes_that_of_what_it_owns(make, index):
    """A provider object with nothing but a ready flag must not hide a failing cloud resource."""
    make.put(
        index,
        make.record("FlagNet", "f"),
        make.record("Managed", "aks", "failed", owner="FlagNet/f"),
    )
    assert health(index, make.ref("FlagNet", "f")) == "failed"


def test_health_paused_failure_stays_failed(make, index):
    """Pausing something broken must not take it out of the red."""
    make.put(index, make.record("Plane", "cp", "failed", flags=Flag.PAUSED))
    row = index.get(make.ref("Plane", "cp"))
    assert row.health == "failed"
    assert row.is_paused
    assert index.rollup(row).paused == 1


def test_health_waiting_thing_is_in_progress(make, index):
    """A rollout that makes dependants wait is no incident."""
    make.put(index, make.record("Kustomization", "k", "failed", flags=Flag.WAITING))
    assert health(index, make.ref("Kustomization", "k")) == "in_progress"


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("live", "current"),
        ("stale", "current"),
        ("absent", "current"),
        ("recorded", "current"),
        ("forbidden", "unknown"),
        ("syncing", "unknown"),
        ("pending", "unknown"),
        ("broken", "unknown"),
    ],
)
def test_health_cluster_with_unread_pools_is_not_shown_as_healthy(make, index, phase, expected):
    """Pools nobody may list could be failing: green would be a lie."""
    make.put(index, *make.cluster())
    make.status(index, "MachinePool", phase)
    cluster = index.get(make.ref("Cluster", "c1"))
    assert cluster.health == expected
    if expected == "unknown":
        assert cluster.reason == "NotAllRead"
        make.status(index, "MachinePool", "live")
        assert cluster.health == "current"


def test_index_circle_of_ownership_ends_and_is_counted_once(make, index):
    """Objects that own each other must neither hang the program nor vanish."""
    ring = [
        make.record("Ring", "a", owner="Ring/c"),
        make.record("Ring", "b", owner="Ring/a"),
        make.record("Ring", "c", owner="Ring/b"),
        make.record("Ring", "self", owner="Ring/self"),
    ]
    make.put(index, *ring)
    assert index.rollup_of("one").total == 4
    assert len(list(index.roots())) == 2
    make.put(index, make.record("Ring", "b", rv=2))
    assert {row.name for row in index.roots()} == {"b", "self"}
    assert index.get(make.ref("Ring", "a")).parent.name == "c"
    for record in ring:
        make.drop(index, record)
    assert len(index) == 0


def test_edges_dangling_reference_is_a_value(make, index):
    """A pointer at nothing is often the cause: it must be visible with its place."""
    make.put(index, make.record("Kustomization", "k", refs=["source=Repo/gone"]))
    (edge,) = index.edges(index.get(make.ref("Kustomization", "k")))
    assert (edge.relation, edge.target, edge.key.name) == ("source", None, "gone")
    assert edge.evidence == "spec.source"
    (back,) = index.pointing_at(make.ref("Repo", "gone"))
    assert back.target.name == "k"
    make.put(index, make.record("Repo", "gone"))
    assert [edge.target.name for edge in index.reverse(index.get(make.ref("Repo", "gone")))] == [
        "k"
    ]


@given(
    verdicts=st.lists(
        st.sampled_from([verdict.value for verdict in Verdict]), min_size=17, max_size=17
    ),
    flags=st.lists(
        st.sampled_from([0, int(Flag.PAUSED), int(Flag.WAITING)]), min_size=17, max_size=17
    ),
)
@settings(max_examples=80, deadline=None)
def test_health_of_a_cluster_is_the_same_with_leaves_and_without(table, make, verdicts, flags):
    """Whoever reads the spine alone over a slow link must see the same red and green."""
    records = make.cluster(machines=3)
    records += [
        make.record("MachinePool", "p", owner="Cluster/c1", refs=["infrastructure=BoxPool/p"]),
        make.record("BoxPool", "p"),
        make.record("MachineHealthCheck", "h", owner="Cluster/c1"),
    ]
    changed = [
        replace(record, verdict=Verdict(verdict), flags=flag)
        for record, verdict, flag in zip(records, verdicts, flags, strict=True)
    ]
    full, spine = Index(table), Index(table)
    for kind in ("Machine", "MachineSet", "Box", "Config"):
        make.status(full, kind, "live")
    make.put(full, *changed)
    make.put(
        spine,
        *[r for r in changed if table.spec_for(r.group, r.kind).depth is Depth.SPINE],
    )
    spine.declare("one", [(spec.group, spec.kind) for spec in table.by_key.values()])
    for ref in (make.ref("Cluster", "c1"), make.ref("MachinePool", "p")):
        with_leaves, without = full.get(ref), spine.get(ref)
        assert with_leaves.health is without.health
        assert with_leaves.reason == without.reason
    assert spine.rollup(spine.get(make.ref("Cluster", "c1"))).at_least
    assert not full.rollup(full.get(make.ref("Cluster", "c1"))).at_least
