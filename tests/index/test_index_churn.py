"""Weeks of churn leave nothing behind."""

from fleettui.index.index import Index
from fleettui.index.rollup import unpack
from fleettui.index.search import Searcher
from fleettui.index.view import TreeView


def test_churn_of_unique_objects_leaves_no_memory_behind(table, make):
    """Preview clusters come and go all day: their names and messages must go with them."""
    index = Index(table)
    make.put(index, *make.cluster("stays"))
    view, searcher = TreeView(index), Searcher(index)
    view.expand_all()
    sizes = []
    for round_ in range(12):
        for number in range(40):
            name = f"c{round_}-{number}"
            records = make.cluster(
                name,
                ns=name,
                machines=1,
                message=f"unique {name}",
                labels=(("pr", name),),
            )
            make.put(index, *records)
            view.settle()
            for record in records:
                make.drop(index, record)
        for _ in range(20):
            index.advance(make.now)
        view.settle()
        searcher.refresh()
        store = index._store
        sizes.append((len(store.waiting), len(store.realms), len(view._layout.segments)))
        assert len(store.shapes) < 9000
    assert sizes == [(0, 1, 1)] * 12
    assert len(index) == 11
    (root,) = index.roots()
    assert unpack(root.counts).total == index.rollup_of("one").total == 11


def test_shapes_nobody_holds_are_swept_and_the_others_stay(table, make):
    """A message with a timestamp in it, written every minute, must not pile up."""
    index = Index(table)
    make.put(index, *make.cluster("stays"))
    for number in range(12_000):
        make.put(index, make.record("Box", "b", rv=number + 1, message=f"try {number}"))
    shapes = index._store.shapes
    assert len(shapes) > 12_000
    for _ in range(20):
        index.advance(make.now)
    assert len(shapes) < 200
    assert index.get(make.ref("Box", "b")).message == "try 11999"
    make.put(index, make.record("Box", "b", rv=20_000, message="try 1"))
    assert index.get(make.ref("Box", "b")).message == "try 1"


def test_contexts_are_apart_and_leave_wholly(table, make):
    """The same names in two management clusters are two fleets."""
    index = Index(table)
    one = make.cluster("c1")
    make.put(index, *one)
    make.put(index, *make.cluster("c1", verdict="failed"), context="two")
    assert index.contexts() == ["one", "two"]
    assert index.rollup_of("one").failed == 0
    assert index.rollup_of("two").failed == 1
    assert len(list(index.roots("two"))) == 1
    for record in one:
        make.drop(index, record)
    assert index.contexts() == ["two"]
