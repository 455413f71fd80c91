"""Controllers and what they leave undone."""

import pytest
from demo_truth import Planted, plant

from fleettui.index.causes import CauseState
from fleettui.index.controllers import controllers_of
from fleettui.kinds.record import Verdict

_LATER_S = 600


@pytest.fixture(scope="module")
def planted() -> Planted:
    """A small fleet whose AWS controller is down."""
    return plant(["controller-dead", "webhook-certificate-expired"], clusters=40)


def test_controllers_dead_one_comes_first_with_its_kinds(planted: Planted) -> None:
    """The one that froze everything would be the last thing found."""
    first = controllers_of(planted.index, planted.now)[0]
    assert first.ref.name == "capa-controller-manager"
    assert first.verdict is Verdict.FAILED
    assert "AWSCluster" in first.kinds
    assert first.objects > 0
    assert first.version == "v2.11.0"


def test_controllers_running_ones_have_a_leader_and_no_trouble(planted: Planted) -> None:
    """Every row of the board would cry wolf."""
    found = {c.ref.name: c for c in controllers_of(planted.index, planted.now)}
    capz = found["capz-controller-manager"]
    assert capz.trouble == ""
    assert capz.leader.startswith("capz-controller-manager-")


def test_controllers_without_renewed_lease_are_in_trouble(planted: Planted) -> None:
    """A controller that hangs looks available while nobody reconciles."""
    found = {c.ref.name: c for c in controllers_of(planted.index, planted.now + _LATER_S)}
    assert "no leader" in found["capz-controller-manager"].trouble


def test_causes_of_controllers_rank_above_those_of_objects(planted: Planted) -> None:
    """Conditions freeze green under a dead controller: it has to be read first."""
    kinds = [c.root.kind for c in planted.causes if c.state is CauseState.FAILING]
    assert set(kinds[:2]) == {"Certificate", "Pod"}
