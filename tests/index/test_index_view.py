"""Lines of the tree: grouping, expansion, narrowing, order, and keeping up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fleettui.index import layout, view
from fleettui.index.index import Index
from fleettui.index.joins import CLUSTER_LABEL
from fleettui.index.perspectives import (
    by_cluster,
    by_fault,
    by_kind,
    by_label,
    by_namespace,
    by_source,
    by_version,
)
from fleettui.index.query import parse
from fleettui.index.search import Searcher
from fleettui.index.view import TreeView
from fleettui.kinds.batch import Phase
from fleettui.kinds.record import Reference, Verdict


@pytest.fixture
def index(table):
    return Index(table)


def text(view):
    """The tree as indented words."""
    found = []
    for line in view.lines(0, len(view)):
        sign = ("-" if line.is_expanded else "+") if line.is_expandable else " "
        kind = f"{line.row.kind}/" if line.row else ""
        arrow = f"{line.relation}>" if line.is_link else ""
        found.append(f"{'  ' * line.depth}{sign}{arrow}{kind}{line.label}")
    return found


def test_view_default_hierarchy_reads_like_the_cluster(make, index):
    """The order everyone knows: infrastructure, control plane, workers, machines."""
    make.put(
        index,
        *make.cluster(machines=1),
        *make.machine("cp-0", "Plane/c1-cp", cluster="c1"),
        make.record("Repo", "r"),
        make.record("Kustomization", "k", refs=["source=Repo/r", "targets=Cluster/c1"]),
        make.record("Managed", "aks"),
        make.record("ClusterClass", "cc"),
        make.record("Machine", "stray"),
    )
    view = TreeView(index)
    assert text(view)[:3] == ["-one", "  -ns", "    +Cluster/c1"]
    view.expand_all()
    assert text(view) == [
        "-one",
        "  -ns",
        "    -Cluster/c1",
        "       Net/c1",
        "      -Plane/c1-cp",
        "        -Machine/cp-0",
        "           Box/cp-0",
        "           Config/cp-0",
        "      -MachineDeployment/c1-md",
        "        -Machine/c1-m0",
        "           Box/c1-m0",
        "           Config/c1-m0",
        "       targets_by_name>Kustomization/k",
        "     Managed/aks",
        "  -GitOps",
        "    -Repo/r",
        "       Kustomization/k",
        "  -Platform",
        "    -ClusterClass",
        "       ClusterClass/cc",
        "  -Without a parent",
        "    -Machine",
        "       Machine/stray",
    ]
    view.show_machine_sets(show=True)
    assert "        -MachineSet/c1-ms" in text(view)


def test_view_faulty_machine_set_is_never_folded_away(make, index):
    """The reason of a stuck rollout often stands on the MachineSet alone."""
    make.put(index, *make.cluster(machines=1))
    make.put(
        index,
        make.record("MachineSet", "c1-ms", "failed", rv=2, owner="MachineDeployment/c1-md"),
    )
    view = TreeView(index)
    view.set_faults_only(faults_only=True)
    assert text(view) == [
        "-one",
        "  -ns",
        "    -Cluster/c1",
        "      -MachineDeployment/c1-md",
        "        +MachineSet/c1-ms",
    ]


def test_view_group_counts_are_the_sum_of_its_roots(make, index):
    """A namespace's line must tell how much is broken below it."""
    make.put(index, *make.cluster("a"), *make.cluster("b", verdict="failed"))
    view = TreeView(index)
    context, namespace = view.lines(0, 2)
    assert context.rollup == namespace.rollup
    assert (namespace.rollup.total, namespace.rollup.failed) == (22, 1)


def test_view_narrowed_row_opened_by_hand_shows_what_is_below(make, index):
    """Whoever finds a cluster by its name wants to look into it without clearing the filter."""
    make.put(index, *make.cluster("a"), *make.cluster("b"))
    view = TreeView(index)
    view.set_filter(lambda row: row.name == "b")
    assert text(view) == ["-one", "  -ns", "    -Cluster/b", "       Net/b"]
    view.set_filter(lambda row: row.name == "b-md")
    view.toggle(make.ref("MachineDeployment", "b-md"))
    assert text(view)[-3:] == [
        "      -MachineDeployment/b-md",
        "        +Machine/b-m0",
        "        +Machine/b-m1",
    ]
    view.set_filter(None)
    assert text(view) == ["-one", "  -ns", "    +Cluster/a", "    +Cluster/b"]


def test_view_cursor_key_keeps_its_object_under_churn(make, index):
    """Lines that come above must not make the cursor point at something else."""
    make.put(index, *make.cluster("m"))
    view = TreeView(index)
    key = make.ref("Plane", "m-cp")
    view.toggle(make.ref("Cluster", "m"))
    before = view.position(key)
    make.put(index, *make.cluster("a"), *make.cluster("z"))
    settled = view.settle()
    assert settled.lines
    assert view.position(key) == before + 1
    assert view.lines(before + 1, before + 2)[0].key == key


def test_view_line_hangs_under_the_nearest_one_of_less_depth_above_it(make, index):
    """Else folding deep in a tree sends the cursor to a stranger."""
    make.put(
        index,
        *make.cluster("a", machines=2),
        *make.cluster("b", machines=1),
        make.record("Repo", "r"),
        make.record("Kustomization", "k", refs=["source=Repo/r", "targets=Cluster/b"]),
    )
    view = TreeView(index)
    view.expand_all()
    depths = [line.depth for line in view.lines(0, len(view))]
    for place, line in enumerate(view.lines(0, len(view))):
        nearest = (p for p in range(place - 1, -1, -1) if depths[p] < line.depth)
        shown = (p for key in view.above(line.key) if (p := view.position(key)) is not None)
        assert next(shown, None) == next(nearest, None), line


def test_view_objects_reborn_under_the_same_names_stand_once(make, index):
    """A namespace deleted and created again must not leave lines of the old objects."""
    view = TreeView(index)
    for life in range(5):
        records = [make.record("Cluster", f"c{n}", uid=f"{life}-{n}") for n in range(30)]
        make.put(index, *records)
        view.settle()
        assert len(view) == 32
        rows = [line.row for line in view.lines(2, 32)]
        assert {row.uid for row in rows} == {f"{life}-{n}" for n in range(30)}


def test_view_health_order_is_worst_first_then_longest_broken(make, index):
    """The first line must be the one to look at first."""
    for number, (name, verdict, since) in enumerate(
        [("a", "current", 1), ("b", "failed", 50), ("c", "failed", 20), ("d", "in_progress", 5)]
    ):
        record = make.record("Cluster", name, verdict, since=make.now - 60 + since, rv=number + 1)
        make.put(index, record)
    view = TreeView(index, by_cluster(namespaces=False))
    view.sort("health")
    names = [line.label for line in view.lines(1, len(view))]
    assert names == ["c", "b", "d", "a"]
    view.sort("name", reverse=True)
    assert [line.label for line in view.lines(1, len(view))] == ["d", "c", "b", "a"]
    view.sort(lambda row: {"a": 3, "b": None, "c": 1}.get(row.name, "x"))
    assert [line.label for line in view.lines(1, len(view))] == ["c", "a", "d", "b"]


def test_view_sorted_anew_keeps_up_before_anybody_looks(make, index):
    """Groups out of sight are sorted late: what happens meanwhile must not lose their lines."""
    view = TreeView(index)
    view.sort("health")
    make.put(index, make.record("Cluster", "c9", "failed", ns="other", since=make.now - 5))
    make.put(index, make.record("Cluster", "c1", "failed", rv=7, since=make.now - 50))
    make.drop(index, next(iter(make.cluster("c2"))))
    view.settle()
    rebuilt = TreeView(index)
    rebuilt.sort("health")
    rebuilt.rebuild()
    assert [line.key for line in view.lines(0, 99)] == [line.key for line in rebuilt.lines(0, 99)]
    assert [view.position(line.key) for line in view.lines(0, 99)] == list(range(len(view)))


def test_view_names_with_numbers_sort_as_people_count(make, index):
    """node-10 after node-9."""
    make.put(index, *[make.record("Cluster", f"n-{number}") for number in (10, 9, 1)])
    view = TreeView(index)
    assert [line.label for line in view.lines(2, 5)] == ["n-1", "n-9", "n-10"]


def test_view_reveal_opens_the_way_to_an_object(make, index):
    """Jumping to a cause from elsewhere must show its line."""
    make.put(index, *make.cluster(machines=1))
    view = TreeView(index)
    view.toggle(("\0group", "one"))
    assert len(view) == 1
    line = view.reveal(make.ref("Box", "c1-m0"))
    assert view.lines(line, line + 1)[0].label == "c1-m0"


PERSPECTIVES = [
    by_cluster(),
    by_cluster(namespaces=False),
    by_source(),
    by_version(),
    by_label("team"),
    by_namespace(),
    by_kind(),
    by_kind(("cluster.x-k8s.io", "Machine")),
    by_fault(),
]
VERDICTS = [verdict.value for verdict in Verdict]
NAMES = ["a", "b", "c"]
CHANGES = st.one_of(
    st.tuples(
        st.just("put"),
        st.sampled_from(["Cluster", "Plane", "MachineDeployment", "MachineSet", "Machine", "Box"]),
        st.sampled_from(NAMES),
        st.sampled_from(VERDICTS),
        st.sampled_from(["", *NAMES]),
    ),
    st.tuples(
        st.just("watched"),
        st.sampled_from(["Cluster", "Plane", "MachineDeployment", "MachineSet", "Machine", "Box"]),
        st.sampled_from(NAMES),
        st.sampled_from(VERDICTS),
        st.sampled_from(["", *NAMES]),
    ),
    st.tuples(
        st.just("gitops"),
        st.sampled_from(["Repo", "Kustomization"]),
        st.sampled_from(NAMES),
        st.sampled_from(VERDICTS),
        st.sampled_from(["", *NAMES]),
    ),
    st.tuples(
        st.just("drop"),
        st.sampled_from(
            [
                "Cluster",
                "Plane",
                "MachineDeployment",
                "MachineSet",
                "Machine",
                "Kustomization",
                "Application",
            ]
        ),
        st.sampled_from(NAMES),
    ),
    st.tuples(
        st.just("linked"),
        st.sampled_from(["Kustomization", "Cluster", "Secret", "Application"]),
        st.sampled_from(NAMES),
        st.sampled_from(["", *NAMES]),
        st.sampled_from(["", *NAMES]),
    ),
    st.tuples(st.just("toggle"), st.integers(0, 30)),
    st.tuples(st.sampled_from(["expand_all", "collapse_all", "settle", "faults", "sets"])),
    st.tuples(st.just("filter"), st.sampled_from(["", "a", "b"])),
    st.tuples(st.just("sort"), st.sampled_from(["name", "health", "kind", "age"])),
    st.tuples(st.just("perspective"), st.integers(0, len(PERSPECTIVES) - 1)),
)
OWNERS = {
    "Plane": "Cluster",
    "MachineDeployment": "Cluster",
    "MachineSet": "MachineDeployment",
    "Machine": "MachineSet",
    "Box": "Machine",
}


class Person:
    """Somebody at the keyboard while the fleet changes."""

    def __init__(self, make, index):
        self.make, self.index = make, index
        self.view = TreeView(index)
        self.version = 0

    def put(self, kind, name, verdict, owner):
        self.version += 1
        more = {"owner": f"{OWNERS[kind]}/{owner}"} if kind in OWNERS and owner else {}
        labels = (("team", owner),) if owner else ()
        record = self.make.record(
            kind, name, verdict, rv=self.version, labels=labels, since=self.version, **more
        )
        self.make.put(self.index, record)

    def watched(self, *arguments):
        """Settle, let one thing change, settle: lines that are said to stay must stay."""

        def settled():
            found = self.view.settle()
            for _ in self.view.work():
                pass
            return found, [line.key for line in self.view.lines(0, len(self.view))]

        _, before = settled()
        self.put(*arguments)
        found, after = settled()
        assert found.lines or before == after

    def gitops(self, kind, name, verdict, other):
        self.version += 1
        refs = [f"source=Repo/{other}", f"targets=Cluster/{other}"] if other else []
        refs = refs if kind == "Kustomization" else []
        record = self.make.record(kind, name, verdict, rv=self.version, refs=refs)
        self.make.put(self.index, record)

    def linked(self, kind, name, one, two):
        """Objects that belong together by Secret, label, inventory or destination."""
        self.version += 1
        more = {}
        if kind == "Kustomization":
            more["refs"] = [f"targets=Cluster/{one}"] if one else []
            more["refs"] += [f"kubeconfig_secret=Secret/{one}-kubeconfig"] if one else []
            more["refs"] += [f"applies=Cluster/{two}"] if two else []
        elif kind == "Cluster":
            more["refs"] = [f"created_by=Kustomization/{one}"] if one else []
        elif kind == "Secret":
            name = f"{name}-kubeconfig"
            more["labels"] = ((CLUSTER_LABEL, one),) if one else ()
        record = self.make.record(kind, name, "failed", rv=self.version, **more)
        if kind == "Application" and one:
            pointer = Reference("destination", "", "", "", f"ns/{one}", "spec.destination.name")
            record = replace(record, references=(pointer,))
        self.make.put(self.index, record)

    def drop(self, kind, name):
        self.make.drop(self.index, self.make.record(kind, name))

    def toggle(self, place):
        lines = self.view.lines(0, len(self.view))
        if lines:
            self.view.toggle(lines[place % len(lines)].key)

    def expand_all(self):
        self.view.expand_all()

    def collapse_all(self):
        self.view.collapse_all()

    def faults(self):
        self.view.set_faults_only(faults_only=not self.view.faults_only)

    def sets(self):
        self.view.show_machine_sets(show=True)

    def filter(self, name):
        self.view.set_filter((lambda row: row.name == name) if name else None)

    def sort(self, order):
        self.view.sort(order)

    def perspective(self, place):
        self.view.set_perspective(PERSPECTIVES[place])

    def settle(self):
        view = self.view
        view.settle()
        for _ in view.work():
            pass
        lines = view.lines(0, len(view))
        assert len(lines) == len(view)
        assert len({line.key for line in lines}) == len(lines)
        assert [view.position(line.key) for line in lines] == list(range(len(lines)))
        assert view.lines(3, 7) == lines[3:7]
        view.rebuild()
        for _ in view.work():
            pass
        assert view.lines(0, len(view)) == lines


@given(steps=st.lists(CHANGES, max_size=50))
@settings(max_examples=200, deadline=None)
def test_view_kept_up_equals_rebuilt(table, make, steps):
    """The tree on screen must be that of a program just started, whatever happened before."""
    person = Person(make, Index(table))
    for name, *arguments in steps:
        getattr(person, name)(*arguments)
    person.settle()


@given(steps=st.lists(CHANGES, max_size=50))
@settings(max_examples=100, deadline=None)
def test_view_that_puts_off_what_takes_long_ends_as_one_rebuilt(table, make, steps):
    """In a first list of 600,000 objects lines are placed as time allows, and none is lost."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(view, "PLACED_AT_ONCE", 1)
        patch.setattr(layout, "MEASURED_AT_ONCE", 0)
        person = Person(make, Index(table))
        for place, (name, *arguments) in enumerate(steps):
            getattr(person, name)(*arguments)
            if place % 3 == 0:
                person.view.settle()
                person.view.lines(0, 4)
    person.settle()


def test_view_previous_match_in_a_large_fleet_is_the_last_one(make, index):
    """Going back from the top must find the end at once, though it has not been measured."""
    for number in range(100):
        make.put(index, *make.cluster(f"c{number:03d}", machines=2))
    tree = TreeView(index)
    searcher = Searcher(index)
    for _ in searcher.warming():
        pass
    tree.set_filter(searcher.bind(parse("-m1")))
    assert not tree.is_exact
    found = tree.next_match(0, step=-1)
    assert found is not None
    assert tree.lines(found, found + 1)[0].label == "c099-m1"
    before = tree.next_match(found, step=-1)
    assert tree.lines(before, before + 1)[0].label == "c099-m1"
    assert before < found


def test_view_rows_wait_folded_until_the_first_lists_have_answered(make, index):
    """While lists load, machines without a parent would stand between and jump about."""
    index.declare(make.context, [])
    make.status(index, "Cluster", Phase.SYNCING)
    cluster, *others = make.cluster("c1", machines=2)
    for record in others:
        make.put(index, record)
    view = TreeView(index)
    shown = text(view)
    assert "Still reading" in shown[-1]
    assert not any("Without a parent" in line for line in shown)
    make.put(index, cluster)
    make.put(index, make.record("Machine", "orphan"))
    make.status(index, "Cluster", Phase.LIVE)
    view.settle()
    shown = text(view)
    assert not any("Still reading" in line for line in shown)
    assert any("Without a parent" in line for line in shown)
