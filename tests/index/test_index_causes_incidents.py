"""Causes found in incidents of controllers that no recording holds."""

from functools import cache

import pytest
from incidents import all_incidents, false_alarms, findings_of, place_of, told

from fleettui.index.causes import Finding


@cache
def _found(*, scramble: bool) -> dict[str, list[Finding]]:
    """What is told of each incident that is none of the harmless."""
    harmful = [incident for incident in all_incidents() if incident.roots]
    return {i.name: findings_of(i, told(i, scramble=scramble)) for i in harmful}


@pytest.mark.parametrize("scramble", [False, True])
def test_causes_of_unrecorded_incidents_are_the_true_ones(*, scramble: bool) -> None:
    """What was learnt from two recordings would not carry over to other controllers."""
    found = _found(scramble=scramble)
    wrong = [
        incident.name
        for incident in all_incidents()
        if incident.roots and place_of(incident, found[incident.name]) != 1
    ]
    assert wrong == []


def test_causes_of_unrecorded_incidents_are_told_in_the_right_state() -> None:
    """A failure told as waiting is looked at too late, waiting told as failing wakes people."""
    wrong = []
    states = {incident.name: incident.states for incident in all_incidents()}
    for name, found in _found(scramble=False).items():
        if found[0].signal.state.value not in states[name]:
            wrong.append((name, found[0].signal.state.value))
    assert wrong == []


def test_causes_tell_a_missing_object_once() -> None:
    """One deleted template would look like a trouble of every level above it."""
    told_of = 0
    for name, found in _found(scramble=False).items():
        missing = [f.signal.missing for f in found if f.signal.missing is not None]
        told_of += len(missing)
        assert len(missing) == len(set(missing)), name
    assert told_of > 0


@pytest.mark.parametrize("scramble", [False, True])
def test_causes_of_ordinary_changes_are_no_failing_ones(*, scramble: bool) -> None:
    """An upgrade, an autoscaler or a rollout of a base would wake somebody every night."""
    calm = [incident for incident in all_incidents() if not incident.roots]
    assert calm
    alarms = {i.name: list(false_alarms(told(i, scramble=scramble))) for i in calm}
    assert {name: found for name, found in alarms.items() if found} == {}


def test_causes_that_are_two_at_once_are_both_told() -> None:
    """An unanswered request would hide that the release below drifted long before."""
    found = _found(scramble=False)["drift-below-an-unanswered-source"]
    assert [finding.root.kind for finding in found] == ["HelmRepository", "HelmRelease"]
