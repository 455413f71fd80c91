"""Controllers that run and act on nothing."""

from typing import Any

from fleettui.index import Index
from fleettui.index.causes import CauseBoard
from fleettui.kinds.record import Condition, Flag, Record

NOW = 1_700_000_000


def _cluster(make: Any, name: str, **more: object) -> Record:
    told = Condition("Ready", "True", "Fine", "", NOW - 5000)
    return make.record("Cluster", name, created_at=NOW - 9000, conditions=(told,), **more)


def _board(make: Any, *, changed: int, later_heard: bool) -> CauseBoard:
    """Twenty clusters, some of which get a new specification that nobody looks at."""
    index = Index(make.table)
    board = CauseBoard(index)
    clusters = [_cluster(make, f"c{n}") for n in range(20)]
    make.list(index, "Cluster", *clusters)
    board.refresh(NOW)
    stale = {"flags": Flag.STALE_GENERATION, "generation": 2, "observed_generation": 1, "rv": 2}
    make.put(index, *(_cluster(make, f"c{n}", **stale) for n in range(changed)), now=NOW + 20)
    board.refresh(NOW + 20)
    if later_heard:
        make.put(index, _cluster(make, "c19", **stale), now=NOW + 30)
        board.refresh(NOW + 30)
        make.put(index, _cluster(make, "c19", rv=3), now=NOW + 60)
    board.refresh(NOW + 700)
    return board


def test_causes_of_a_controller_that_acts_on_nothing_come_first(make: Any) -> None:
    """Its Pods are ready and its Lease is renewed: nothing else would tell."""
    first = _board(make, changed=4, later_heard=False).causes()[0]
    assert first.reason == "ActsOnNothing"
    assert first.layer == 0
    assert "4 with a specification not looked at" in first.message
    assert [ref.name for ref in first.affected] == ["c0", "c1", "c2", "c3"]


def test_causes_of_a_controller_that_acts_on_others_blame_the_objects(make: Any) -> None:
    """Objects with troubles of their own must not be charged to a controller that works."""
    board = _board(make, changed=4, later_heard=True)
    assert "ActsOnNothing" not in {cause.reason for cause in board.causes()}
    assert "NotObserved" in {cause.reason for cause in board.causes()}


def test_causes_of_two_waiting_objects_blame_no_controller(make: Any) -> None:
    """Two are a coincidence."""
    board = _board(make, changed=2, later_heard=False)
    assert "ActsOnNothing" not in {cause.reason for cause in board.causes()}
