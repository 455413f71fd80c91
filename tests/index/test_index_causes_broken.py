"""Kinds that a server cannot serve, as causes."""

from typing import Any

from fleettui.index import Index
from fleettui.index.causes import CauseBoard, CauseState

NOW = 1_700_000_000
_ERROR = "conversion webhook for infra/v1beta1, Kind=Box failed: Post https://x: refused"


def _board(make: Any, *, phase: str) -> CauseBoard:
    index = Index(make.table)
    board = CauseBoard(index)
    make.list(index, "Cluster", *make.cluster(machines=0)[:1])
    make.status(index, "Box", phase, error=_ERROR if phase == "broken" else "")
    board.refresh(NOW)
    return board


def test_causes_of_a_failing_conversion_name_the_kind(make: Any) -> None:
    """Machines would just be missing, and every count of them right for what was read."""
    cause = next(c for c in _board(make, phase="broken").causes() if c.reason == "CannotBeRead")
    assert cause.state is CauseState.FAILING
    assert cause.layer == 0
    assert cause.root.kind == "CustomResourceDefinition"
    assert cause.root.name.startswith("Box.")
    assert "conversion webhook" in cause.message


def test_causes_of_a_failing_conversion_end_with_it(make: Any) -> None:
    """A repaired webhook would be called broken for ever."""
    index = Index(make.table)
    board = CauseBoard(index)
    make.status(index, "Box", "broken", error=_ERROR)
    board.refresh(NOW)
    assert board.causes()
    make.list(index, "Box")
    make.status(index, "Box", "live")
    board.refresh(NOW + 11)
    assert board.causes() == []


def test_causes_of_a_kind_that_may_not_be_read_are_none(make: Any) -> None:
    """A missing right is no outage."""
    assert [c.reason for c in _board(make, phase="forbidden").causes()] == []
