"""The filter language and the search over the fleet."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleettui.errors import UsageError
from fleettui.index.index import Index
from fleettui.index.query import QueryError, parse
from fleettui.index.search import Searcher, unsearchable
from fleettui.index.terms import fits_version
from fleettui.index.view import TreeView
from fleettui.kinds.record import Flag


@pytest.fixture
def index(table, make):
    index = Index(table)
    make.put(
        index,
        *make.cluster("alpha", machines=2, labels=(("team", "red"),), kubernetes_version="v1.29.3"),
        *make.cluster("beta", ns="other", machines=1, kubernetes_version="v1.31.0"),
        make.record(
            "Machine",
            "bad",
            "failed",
            cluster="alpha",
            owner="MachineSet/alpha-ms",
            reason="QuotaExceeded",
            message="No more Cores in WestEurope",
            since=make.now - 7200,
            created_at=make.now - 8000,
            facts=(("node", "ip-10-0-0-1.internal"), ("secret", "hidden")),
        ),
        make.record("Plane", "alpha-cp", rv=2, owner="Cluster/alpha", flags=Flag.PAUSED),
        make.record("Kustomization", "with space|bar", reason="a b"),
    )
    return index


def names(index, text, now=0):
    searcher = Searcher(index)
    hits = searcher.find(searcher.bind(parse(text), now=now))
    assert hits.is_exact
    assert hits.count == len(hits.rows)
    for row in index.rows():
        found = searcher.bind(parse(text), now=now).matches(row)
        assert (row in hits.rows) == found, "a tree was ruled out wrongly"
    return sorted(row.name for row in hits.rows)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cores", ["bad"]),
        ("CORES", ["bad"]),
        ("ip-10-0-0-1", ["bad"]),
        ("hidden", []),
        ("quota cores", ["bad"]),
        ("quota nowhere", []),
        ('"more cores"', ["bad"]),
        ("nowhere | quota", ["bad"]),
        ("/quota.*/", ["bad"]),
        ("/^bad$/", ["bad"]),
        ("/^ad$/", []),
        (r"/10[^x]0/", ["bad"]),
        ("kind:cluster", ["alpha", "beta"]),
        ("kind:clusters !alpha", ["beta"]),
        ("kind:Cluster,Plane", ["alpha", "alpha-cp", "beta", "beta-cp"]),
        ("kind:Cluster ns:other", ["beta"]),
        ("kind:machine cluster:alpha health:failed", ["bad"]),
        ("health:bad", ["bad"]),
        ("label:team=red", ["alpha"]),
        ("-l team=red", ["alpha"]),
        ("label:team", ["alpha"]),
        ("kind:Cluster label:team!=red", ["beta"]),
        ("~alh", ["alpha"]),
        ("~bt", ["beta"]),
        ("reason:~quota", ["bad"]),
        ("reason:quotaexceeded", ["bad"]),
        ("reason:quota", []),
        ("reason:quota*", ["bad"]),
        ("reason:/q.ota/", ["bad"]),
        ('reason:"a b"', ["with space|bar"]),
        ('"space|bar"', ["with space|bar"]),
        ("paused", ["alpha-cp"]),
        ("deleting", []),
        ("version:<1.30", ["alpha"]),
        ("version:1.31", ["beta"]),
        ("kind:Cluster provider:net version:>=1.29", ["alpha", "beta"]),
        ("since>1h", ["bad"]),
        ("since>3h", []),
        ("age<1d", ["bad"]),
        ("age<2h", []),
        ("ctx:two", []),
        ("owner:alpha-ms kind:Machine", ["alpha-m0", "alpha-m1", "bad"]),
        ("!health:current", ["bad"]),
    ],
)
def test_query_term_finds_what_it_says(make, index, text, expected):
    """Every documented word must find these objects and no others."""
    assert names(index, text, now=make.now) == expected


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        ("health:red", 7, "one of"),
        ("a | ", 4, "a term after |"),
        ("| a", 0, "a term before |"),
        ("a !", 3, "a term after !"),
        ("/a(b/", 2, "regular expression"),
        ("/abc", 4, "closing /"),
        ('"abc', 4, 'closing "'),
        ("age<2y", 4, "duration"),
        ("kind:", 5, "value for kind"),
        ("version:new", 8, "version"),
        ("label:=x", 6, "label"),
        ("~", 1, "letters"),
        ("ok reason:", 10, "value for reason"),
        ('""', 1, "word between"),
    ],
)
def test_query_wrong_text_tells_the_place_and_what_was_expected(text, position, expected):
    """A mistyped filter must point at the mistake instead of finding nothing."""
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert isinstance(caught.value, UsageError)
    assert caught.value.position == position
    assert expected in caught.value.expected
    assert caught.value.hint.splitlines()[1].index("^") == position


@given(text=st.text(alphabet='ab |!/"~:,<>=.()1-hkeindlsr', max_size=20))
@settings(max_examples=300, deadline=None)
def test_query_any_text_is_a_filter_or_a_told_mistake(text):
    """No half-typed filter may crash the program."""
    try:
        parse(text)
    except QueryError as error:
        assert 0 <= error.position <= len(text)


@pytest.mark.parametrize(
    ("version", "operator", "parts", "expected"),
    [
        ("v1.30.2", "=", (1, 30), True),
        ("v1.30.2", ">", (1, 30), False),
        ("v1.30.2", "<=", (1, 30), True),
        ("v1.9.0", "<", (1, 10), True),
        ("", "<", (1, 10), False),
        ("v1.30.4-eks-1", ">=", (1, 30, 4), True),
    ],
)
def test_version_comparison_is_by_number_and_patches_count_as_one(
    version, operator, parts, expected
):
    """1.9 is older than 1.10, and =1.30 means every patch of it."""
    assert fits_version(version, operator, parts) is expected


def test_search_cap_stops_and_says_so(index):
    """A count that is not all must not look like all."""
    searcher = Searcher(index)
    hits = searcher.find(searcher.bind(parse("a")), cap=3)
    assert (len(hits.rows), hits.is_exact) == (3, False)
    *_, last = searcher.finding(searcher.bind(parse("a")), cap=3)
    assert last.is_exact
    assert last.count > 3


WORDS = ["x", "y", "zz"]
TERMS = [
    "a",
    "Machine",
    "!x",
    "/z+/",
    "kind:Machine",
    "kind:cluster,machineset zz",
    "kind:Box",
    "kind:Machine health:bad",
]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("put"),
            st.sampled_from(["Cluster", "MachineDeployment", "MachineSet", "Machine"]),
            st.sampled_from(["a", "b"]),
            st.sampled_from(["", *WORDS]),
            st.sampled_from(["", "a", "b"]),
        ),
        st.tuples(st.just("drop"), st.sampled_from(["Cluster", "Machine"]), st.sampled_from("ab")),
        st.tuples(st.just("find"), st.sampled_from([*WORDS, *TERMS])),
    ),
    max_size=40,
)
OWNERS = {
    "MachineDeployment": "Cluster",
    "MachineSet": "MachineDeployment",
    "Machine": "MachineSet",
}


@given(steps=STEPS)
@settings(max_examples=150, deadline=None)
def test_search_under_churn_finds_what_looking_at_every_row_finds(table, make, steps):
    """A text kept from before must never hide an object from a search."""
    index = Index(table)
    searcher = Searcher(index)
    view = TreeView(index)
    for version, (name, *arguments) in enumerate(steps, start=1):
        if name == "put":
            kind, own, reason, owner = arguments
            more = {"owner": f"{OWNERS[kind]}/{owner}"} if kind in OWNERS and owner else {}
            record = make.record(kind, own, "failed", rv=version, reason=reason, **more)
            make.put(index, record)
        elif name == "drop":
            make.drop(index, make.record(*arguments))
        else:
            wanted = searcher.bind(parse(arguments[0]))
            expected = {row for row in index.rows() if wanted.matches(row)}
            assert set(searcher.find(wanted).rows) == expected
            view.settle()
            view.set_filter(wanted)
            for _ in view.work():
                pass
            shown = {line.row for line in view.lines(0, len(view)) if line.row}
            assert {row for row in shown if wanted.matches(row)} == expected
            assert view.match_count == len(expected)


def test_view_next_match_goes_round_the_matches(make, index):
    """n and N must stop at every match and come round at the ends."""
    searcher = Searcher(index)
    view = TreeView(index)
    view.set_filter(searcher.bind(parse("kind:Machine")))
    assert view.match_count == 4
    found, line = [], 0
    for _ in range(5):
        line = view.next_match(line)
        found.append(view.lines(line, line + 1)[0].label)
    assert found == ["alpha-m0", "alpha-m1", "bad", "beta-m0", "alpha-m0"]
    assert view.lines(view.next_match(line, step=-1), 99)[0].label == "beta-m0"
    view.set_filter(lambda row: False)
    assert view.next_match(0) is None


def test_unsearchable_names_the_kinds_that_were_not_loaded(make, table):
    """Finding nothing in what was never read is no answer."""
    index = Index(table)
    make.status(index, "Cluster", "live")
    make.status(index, "Machine", "forbidden")
    key = (table.by_kind["MachineSet"].group, "MachineSet")
    index.declare("one", [key])
    found = {kind for _, (_, kind) in unsearchable(parse("x"), index.coverage, table)}
    assert found == {"Machine", "MachineSet"}
    assert unsearchable(parse("kind:Cluster x"), index.coverage, table) == []
    assert "forbidden: machines.cluster.x-k8s.io" in index.coverage.missing()
    assert "not loaded: machinesets.cluster.x-k8s.io" in index.coverage.missing()
    assert not index.coverage.is_complete()


@pytest.mark.parametrize("text", ["c", "health:ok", "kind:cluster", "health:ok c"])
def test_view_filter_of_more_trees_than_a_key_can_take_finds_all(make, table, monkeypatch, text):
    """Of a hundred thousand clusters those beyond the first frame must come, too."""
    monkeypatch.setattr("fleettui.index.hopes.AT_ONCE", 10)
    index = Index(table)
    make.put(index, *(make.record("Cluster", f"c{number}", ns="a") for number in range(300)))
    searcher = Searcher(index)
    view = TreeView(index)
    for _ in searcher.warming():
        pass
    wanted = searcher.bind(parse(text))
    view.set_filter(wanted)
    assert not view.is_exact
    work = view.work()
    next(work)
    make.put(index, make.record("Cluster", "c1", ns="a", rv=2, reason="changed"))
    make.drop(index, make.record("Cluster", "c2", ns="a"))
    make.put(index, make.record("Cluster", "new", ns="a"))
    view.settle()
    searcher.refresh()
    for _ in work:
        pass
    assert view.is_exact
    expected = {row for row in index.rows() if wanted.matches(row)}
    assert {line.row for line in view.lines(0, len(view)) if line.row} == expected
    assert view.match_count == len(expected) == 300
    view.set_filter(searcher.bind(parse("nothing")))
    assert (view.is_exact, view.match_count, len(view)) == (True, 0, 0)
