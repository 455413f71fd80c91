"""Which rows are looked at more closely: every changed row of the fleet is asked."""

from typing import Any

import pytest

from fleettui.index import Index, Row
from fleettui.index.causes.suspects import Suspects, top_of
from fleettui.kinds.record import Condition, Flag

NOW = 1_700_000_000


def _row(make: Any, **more: Any) -> tuple[Index, Row]:
    index = Index(make.table)
    make.put(index, make.record("Cluster", "c1", **more))
    row = index.get(make.ref("Cluster", "c1"))
    assert row is not None
    return index, row


def test_suspects_leave_a_row_that_is_well_alone(make: Any) -> None:
    """Explaining every row at every change would cost the fleet, not the change."""
    index, row = _row(make, conditions=(Condition("Ready", "True", "Fine", "", NOW),))
    assert not Suspects(index).is_odd(row)


@pytest.mark.parametrize(
    "more",
    [
        {"verdict": "failed"},
        {"flags": Flag.PAUSED},
        {"flags": Flag.STALE_GENERATION},
        {"flags": Flag.ABSENT_STATUS},
        {"conditions": (Condition("Extra", "False", "No", "", NOW),)},
        {"refs": ["infrastructure=Net/gone"]},
    ],
)
def test_suspects_name_a_row_that_may_have_a_reason(make: Any, more: dict[str, Any]) -> None:
    """A cause under green conditions would never be looked for."""
    index, row = _row(make, **more)
    assert Suspects(index).is_odd(row)


def test_top_of_a_machine_is_its_cluster(make: Any) -> None:
    """A person asks about the cluster, not about its two hundredth machine."""
    index = Index(make.table)
    make.put(index, *make.cluster(machines=1))
    machine = index.get(make.ref("Machine", "c1-m0"))
    assert machine is not None
    assert top_of(machine).kind == "Cluster"
