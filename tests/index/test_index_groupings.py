"""Groupings by version with their marks, by name, and the graph of dependencies."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from fleettui.errors import UsageError
from fleettui.index.dependencies import dependencies_of, walk
from fleettui.index.index import Index
from fleettui.index.perspectives import by_cluster, by_version, named_perspective
from fleettui.index.upgrades import shown_version, upgrade_of, upgrade_words, version_rank
from fleettui.index.view import TreeView
from fleettui.kinds.record import Replicas


@pytest.fixture
def index(table):
    return Index(table)


NOW = int(datetime(2026, 7, 1, tzinfo=UTC).timestamp())


def titles(view):
    """Titles of groups and names of roots, indented."""
    return [f"{'  ' * line.depth}{line.label}" for line in view.lines(0, len(view))]


def versioned(make, name, plane, *, wanted="", workers=""):
    """A cluster whose control plane and workers run versions."""
    found = make.cluster(name, machines=0)
    facts = (("wanted_version", wanted),) if wanted else ()
    changed = []
    for record in found:
        if record.kind == "Plane":
            record = replace(record, kubernetes_version=plane, facts=facts)
        elif record.kind == "MachineDeployment":
            record = replace(record, kubernetes_version=workers or plane)
        changed.append(record)
    return changed


def test_by_version_marks_support_and_upgrades(make, index):
    """How far the fleet's upgrade is must be seen without opening a cluster."""
    make.put(
        index,
        *versioned(make, "done", "v1.34.1"),
        *versioned(make, "old", "v1.33.5"),
        *versioned(make, "going", "v1.33.5", wanted="v1.34.1"),
        *versioned(make, "behind", "v1.34.1", workers="v1.33.5"),
        *versioned(make, "other", "4.19.18", workers="v1.33.5"),
    )
    view = TreeView(index, by_version(NOW))
    assert titles(view) == [
        "Net",
        "  v1.33.5  out of support since 2026-06-28",
        "    upgrading to v1.34.1",
        "      going",
        "    old",
        "  v1.34.1",
        "    workers still at v1.33.5",
        "      behind",
        "    done",
        "  4.19.18",
        "    other",
    ]


def test_version_shown_of_a_managed_cluster_is_its_control_planes(make, index):
    """EKS, AKS and GKE clusters would have an empty version, as their Clusters have no field."""
    make.put(index, *versioned(make, "eks", "v1.34.1", workers="v1.33.5"))
    cluster = index.get(make.ref("Cluster", "eks"))
    shown = {kid.kind: shown_version(kid) for kid in (cluster, *index.children(cluster))}
    assert shown["Cluster"] == "v1.34.1"
    assert shown["MachineDeployment"] == "v1.33.5"
    assert shown["Net"] == ""


def test_upgrade_of_a_cluster_that_is_where_it_should_be_is_nothing(make, index):
    """A patch that is told without its build is no upgrade."""
    make.put(index, *versioned(make, "c", "v1.34.1+rke2r1", wanted="v1.34.1"))
    assert upgrade_of(index.get(make.ref("Cluster", "c"))) == ""


def test_upgrade_tells_how_many_machines_have_followed(make, index):
    """An upgrade of a night is watched by its numbers."""
    found = versioned(make, "c", "v1.33.5", wanted="v1.34.1")
    counted = [
        replace(r, replicas=Replicas(3, 3, 3, 3, 1)) if r.kind == "Plane" else r for r in found
    ]
    make.put(index, *counted)
    words = upgrade_words(index.get(make.ref("Cluster", "c")))
    assert words.startswith("upgrading to v1.34.1: control plane 1/3")


def test_versions_are_ordered_by_their_numbers():
    """v1.10 stands behind v1.9, whatever the letters say."""
    versions = ["v1.9.3", "1.10", "v1.10.1+rke2r1", "v1.33.4", "1.34.7", "4.19.18", ""]
    by_text = sorted(versions)
    assert sorted(by_text, key=version_rank) == versions


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("cluster", "cluster"),
        ("source", "source"),
        ("version", "version"),
        ("namespace", "namespace"),
        ("fault", "faults"),
        ("kind", "kind"),
        ("label:team", "label"),
        ("label team", "label"),
    ],
)
def test_named_perspective_is_found_by_its_word(words, name):
    """What the help names must exist."""
    assert named_perspective(words, now=NOW).name == name


@pytest.mark.parametrize("words", ["clusters", "label", "label:", "version:x", ""])
def test_named_perspective_of_no_such_word_tells_those_there_are(words):
    """A typo is answered with the words there are."""
    with pytest.raises(UsageError) as error:
        named_perspective(words, now=NOW)
    assert "label:KEY" in error.value.hint


def test_dependencies_tell_first_missing_and_circles(make, index):
    """A circle never gets ready and no controller says so."""
    make.put(
        index,
        make.record("Kustomization", "base"),
        make.record("Kustomization", "mid", refs=["depends_on=Kustomization/base"]),
        make.record("Kustomization", "lost", refs=["depends_on=Kustomization/gone"]),
        make.record("Kustomization", "a", refs=["depends_on=Kustomization/b"]),
        make.record(
            "Kustomization",
            "b",
            refs=["depends_on=Kustomization/a", "depends_on=Kustomization/base"],
        ),
        make.record("Kustomization", "self", refs=["depends_on=Kustomization/self"]),
        make.record("Kustomization", "alone"),
    )
    found = dependencies_of(index)
    assert [row.name for row in found.rows] == ["a", "b", "base", "lost", "mid", "self"]
    assert [row.name for row in found.first] == ["base", "lost"]
    assert sorted([row.name for row in circle] for circle in found.circles) == [
        ["a", "b"],
        ["self"],
    ]
    base = index.get(make.ref("Kustomization", "base"))
    assert [row.name for row in found.waited_by[base]] == ["b", "mid"]
    words = [(step.depth, step.row.name if step.row else "") for step in walk(found)]
    assert words == [
        (0, ""),
        (1, "base"),
        (2, "b"),
        (2, "mid"),
        (1, "lost"),
        (2, ""),
        (1, ""),
        (1, ""),
    ]
    assert [s.missing.key.name for s in walk(found) if s.missing] == ["gone"]
    assert [len(s.circle) for s in walk(found) if s.circle] == [2, 1]


def test_dependencies_of_a_long_chain_are_walked(make, index):
    """Generated fleets chain thousands: no depth of nesting may end the program."""
    make.put(index, make.record("Kustomization", "k0"))
    for number in range(1, 3000):
        refs = [f"depends_on=Kustomization/k{number - 1}"]
        make.put(index, make.record("Kustomization", f"k{number}", refs=refs))
    assert max(step.depth for step in walk(dependencies_of(index))) == 3000


def test_by_version_tells_contexts_apart_where_there_are_several(make, index):
    """Two clusters of one name in two contexts could not be told from each other."""
    make.put(index, *versioned(make, "shop", "v1.34.1"))
    index.coverage.declare("one", ())
    assert "    shop" in titles(TreeView(index, by_version(NOW)))
    other = type(make)(make.table, context="two")
    other.put(index, *versioned(other, "shop", "v1.34.1"), context="two")
    index.coverage.declare("two", ())
    shown = titles(TreeView(index, by_version(NOW)))
    assert [line for line in shown if "shop" in line] == ["    shop  (one)", "    shop  (two)"]
    assert all("(one)" not in line for line in titles(TreeView(index, by_cluster())))
