"""Which GitOps object belongs to which cluster, and traces through them."""

import pytest
from msgspec.structs import replace

from fleettui.index.addresses import address_form
from fleettui.index.index import Index
from fleettui.index.joins import BY_NAME, CLUSTER_LABEL, Joins
from fleettui.index.trace import trace
from fleettui.kinds.record import Reference


@pytest.fixture
def index(table):
    return Index(table)


def applier(make, name="k", refs=(), destination=None, kind="Kustomization", **more):
    record = make.record(kind, name, refs=refs, **more)
    if destination:
        pointer = Reference("destination", "", "", "", destination, "spec.destination.server")
        record = replace(record, references=(*record.references, pointer))
    return record


def targets(index, ref):
    joins = Joins(index)
    joins.refresh()
    (join,) = joins.targets(index.get(ref))
    return join


def test_join_by_name_of_the_kubeconfig_secret(make, index):
    """The ordinary case: the Secret cannot be read, its name is the convention's."""
    refs = ["targets=Cluster/c1", "kubeconfig_secret=Secret/c1-kubeconfig"]
    make.put(index, *make.cluster("c1"), applier(make, refs=refs))
    join = targets(index, make.ref("Kustomization", "k"))
    assert join.row.name == "c1"
    assert join.evidence == ("spec.targets",)


def test_edges_to_a_name_or_by_relation_are_those_among_all(make, index):
    """Inventories name thousands: looking for one must find it without walking the others."""
    record = make.record(
        "Kustomization",
        "k",
        owner="Repo/c1",
        refs=["applies=Cluster/c1", "applies=Repo/c1", "applies=Cluster/c2", "source=Repo/c1"],
    )
    make.put(index, *make.cluster("c1"), make.record("Repo", "c1"), record)
    row = index.get(make.ref("Kustomization", "k"))
    everything = list(index.edges(row))
    for name in ("c1", "c2", "nobody", "uid-c1"):
        assert list(index.edges(row, to=name)) == [e for e in everything if e.key.name == name]
    for relation in ("owner", "applies", "source", "nothing"):
        found = [e for e in everything if e.relation == relation]
        assert list(index.edges(row, relation)) == found
        assert list(index.edges(row, relation, to="c1")) == [e for e in found if e.key.name == "c1"]


def test_join_secret_labelled_for_another_cluster_is_not_made(make, index):
    """A Secret may be labelled by anyone: contradicting evidence is shown, never followed."""
    refs = ["targets=Cluster/c1", "kubeconfig_secret=Secret/c1-kubeconfig"]
    make.put(index, *make.cluster("c1"), *make.cluster("c2"), applier(make, refs=refs))
    make.put(index, make.record("Secret", "c1-kubeconfig", labels=((CLUSTER_LABEL, "c2"),)))
    join = targets(index, make.ref("Kustomization", "k"))
    assert join.row is None
    assert "c2" in join.evidence[0]
    assert "c1" in join.against[0]


def test_join_label_of_a_secret_with_a_free_name_decides(make, index):
    """Whoever names the Secret otherwise labels it."""
    make.put(
        index,
        *make.cluster("c1"),
        make.record("Secret", "mine", labels=((CLUSTER_LABEL, "c1-user"),)),
        applier(make, refs=["kubeconfig_secret=Secret/mine"]),
    )
    assert targets(index, make.ref("Kustomization", "k")).row.name == "c1"


def test_join_two_clusters_by_name_is_ambiguous_until_the_owner_decides(make, index):
    """``x-user-kubeconfig`` may be the human's for x or the machine's for x-user."""
    refs = [
        "targets=Cluster/x-user",
        "targets=Cluster/x",
        "kubeconfig_secret=Secret/x-user-kubeconfig",
    ]
    make.put(index, *make.cluster("x"), *make.cluster("x-user"), applier(make, refs=refs))
    join = targets(index, make.ref("Kustomization", "k"))
    assert join.row is None
    assert join.against == ("several clusters have such a Secret",)
    owned = make.record("Secret", "x-user-kubeconfig", owner="Plane/x-cp")
    make.put(index, owned)
    assert targets(index, make.ref("Kustomization", "k")).row.name == "x"


@pytest.mark.parametrize(
    "destination",
    ["c1", "ns/c1", "ns-c1", "https://API.example:6443/", "https://api.example:6443"],
)
def test_join_argo_destination_by_name_or_server(make, index, destination):
    """Argo CD knows a cluster by whatever name somebody gave it, or by its address."""
    make.put(
        index,
        *make.cluster("c1", facts=(("endpoint", "api.example:6443"),)),
        applier(make, "a", destination=destination, kind="Application"),
    )
    assert targets(index, make.ref("Application", "a")).row.name == "c1"
    joins = Joins(index)
    joins.refresh()
    found = joins.targeted_by(index.get(make.ref("Cluster", "c1")))
    assert [join.row.name for join in found] == ["a"]


def test_join_argo_name_of_two_clusters_is_absent(make, index):
    """The same name in two namespaces decides nothing."""
    make.put(
        index,
        *make.cluster("c1", ns="a"),
        *make.cluster("c1", ns="b"),
        applier(make, "app", destination="c1", kind="Application"),
    )
    join = targets(index, make.ref("Application", "app"))
    assert (join.row, join.against) == (None, ("several clusters answer to it",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://A.example", "//a.example:443"),
        ("https://a.example:6443/", "//a.example:6443"),
        ("a.example:6443", ""),
        ("https://[::1]:6443", "//::1:6443"),
        ("https://a:port", ""),
        ("", ""),
    ],
)
def test_address_form_parses_what_servers_are_written_like(text, expected):
    """Case, slashes and default ports do not make another server."""
    assert address_form(text) == expected


def test_address_form_takes_the_url_that_eks_writes_as_host():
    """EKS endpoints hold a URL where others hold a host, with the port behind it."""
    url = "https://abc.gr7.eu.eks.amazonaws.com"
    assert address_form(f"{url}:443", is_address=True) == address_form(url)


def test_creator_label_denied_by_the_inventory_is_no_creator(make, index):
    """A copied label does not make an object part of somebody's Kustomization."""
    make.put(
        index,
        make.record("Cluster", "c1", refs=["created_by=Kustomization/k"]),
        make.record("Cluster", "c2", refs=["created_by=Kustomization/k"]),
        make.record("Kustomization", "k", refs=["applies=Cluster/c1"]),
    )
    joins = Joins(index)
    (real,) = joins.creators(index.get(make.ref("Cluster", "c1")))
    (copied,) = joins.creators(index.get(make.ref("Cluster", "c2")))
    assert real.row.name == "k"
    assert len(real.evidence) == 2
    assert copied.row is None
    assert "inventory" in copied.against[0]


def test_trace_leads_from_a_machine_up_to_the_source(make, index):
    """From the broken machine to the commit that made it, and back."""
    make.put(
        index,
        *make.cluster("c1", machines=1),
        make.record("Repo", "fleet"),
        make.record("Kustomization", "base", refs=["source=Repo/fleet"]),
        make.record(
            "Kustomization",
            "clusters",
            refs=["source=Repo/fleet", "depends_on=Kustomization/base", "applies=Cluster/c1"],
        ),
        applier(make, "apps", refs=["source=Repo/fleet", "targets=Cluster/c1"]),
    )
    machine = index.get(make.ref("Machine", "c1-m0"))
    found = trace(index, machine)
    chain = []
    steps = found.up
    while steps:
        chain.append((steps[0].relation, steps[0].ref.name))
        steps = steps[0].steps
    assert chain == [
        ("home", "c1-ms"),
        ("home", "c1-md"),
        ("home", "c1"),
        ("created_by", "clusters"),
        ("source", "fleet"),
    ]
    down = trace(index, index.get(make.ref("Repo", "fleet"))).down
    assert {step.ref.name for step in down} == {"base", "clusters", "apps"}
    (clusters,) = [step for step in down if step.ref.name == "clusters"]
    assert [(step.relation, step.ref.name) for step in clusters.steps] == [("applies", "c1")]
    (targeted,) = clusters.steps[0].steps
    assert (targeted.relation, targeted.ref.name, targeted.is_repeated) == ("targets", "apps", True)


def test_trace_circle_of_dependencies_ends(make, index):
    """Kustomizations that wait for each other are told once round."""
    make.put(
        index,
        make.record("Kustomization", "a", refs=["depends_on=Kustomization/b"]),
        make.record("Kustomization", "b", refs=["depends_on=Kustomization/a"]),
    )
    (step,) = trace(index, index.get(make.ref("Kustomization", "a"))).up
    assert step.ref.name == "b"
    (back,) = step.steps
    assert back.is_repeated
    assert not back.steps


def test_trace_dangling_source_is_a_step_without_a_row(make, index):
    """A missing source is the answer, not a gap."""
    make.put(index, make.record("Kustomization", "k", refs=["source=Repo/gone"]))
    (step,) = trace(index, index.get(make.ref("Kustomization", "k"))).up
    assert (step.ref.name, step.row) == ("gone", None)


def test_link_of_a_cluster_goes_when_its_secret_turns_out_to_be_anothers(make, index):
    """What was shown by name only must leave the tree as soon as the Secret denies it."""
    refs = ["targets=Cluster/c1", "kubeconfig_secret=Secret/c1-kubeconfig"]
    make.put(index, *make.cluster("c1"), *make.cluster("c2"), applier(make, refs=refs))
    joins = Joins(index)
    joins.refresh()
    c1, c2 = (index.get(make.ref("Cluster", name)) for name in ("c1", "c2"))
    assert [words for words, _ in joins.links_of(c1, everywhere=False)] == [BY_NAME]
    make.put(index, make.record("Secret", "c1-kubeconfig", labels=((CLUSTER_LABEL, "c1"),)))
    assert c1 in joins.refresh().links
    assert [words for words, _ in joins.links_of(c1, everywhere=False)] == ["targets"]
    make.put(index, make.record("Secret", "c1-kubeconfig", rv=2, labels=((CLUSTER_LABEL, "c2"),)))
    assert c1 in joins.refresh().links
    assert joins.links_of(c1, everywhere=False) == []
    assert joins.links_of(c2, everywhere=False) == []
