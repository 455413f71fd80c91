"""Causes found in the incidents of the pretend fleet, and none where there are none."""

import pytest
from demo_truth import every_incident, outcomes, plant

from fleettui.index.causes import CauseState


@pytest.mark.parametrize("scramble", [True, pytest.param(False, marks=pytest.mark.long)])
def test_causes_of_every_planted_incident_are_the_true_ones(*, scramble: bool) -> None:
    """The first line must name what is at fault, in whatever words a provider tells it."""
    found = list(outcomes(plant(every_incident(), scramble=scramble)))
    wrong = [outcome.truth.incident for outcome in found if outcome.place != 1]
    assert len(wrong) <= len(found) * 0.05, wrong


@pytest.mark.parametrize("incidents", [[], ["upgrade-in-progress"]])
def test_causes_of_a_fleet_without_trouble_are_no_failing_ones(incidents: list[str]) -> None:
    """A false alarm at night is worse than none: people stop looking."""
    planted = plant(incidents, clusters=120)
    assert [str(c.root) for c in planted.causes if c.state is CauseState.FAILING] == []
