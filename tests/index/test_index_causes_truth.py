"""Causes found in incidents that real controllers wrote."""

from pathlib import Path

import pytest
from mutations import MUTATIONS, stressed, stressed_merged
from truth import NEEDS_BODIES, score_clusters, score_gitops, tell

from fleettui.index.causes import CauseState


def test_causes_of_recorded_cluster_incidents_are_the_true_ones(shared_folder: Path) -> None:
    """At 03:00 the first line must be the reason, not a consequence of it."""
    score = score_clusters(shared_folder)
    assert score.top_1 >= 0.95, score.wrong


def test_causes_of_recorded_gitops_incidents_are_the_true_ones(shared_folder: Path) -> None:
    """The failing source must be named, not the twenty Kustomizations that lack it."""
    score = score_gitops(shared_folder)
    assert set(score.wrong) <= {*NEEDS_BODIES, "harbor"}, score.wrong


def test_causes_with_every_text_replaced_are_still_found(shared_folder: Path) -> None:
    """Another provider words its reasons differently; structure must be enough."""
    plain, scrambled = score_clusters(shared_folder), score_clusters(shared_folder, scramble=True)
    assert len(scrambled.right) >= len(plain.right) - 2, set(plain.right) - set(scrambled.right)


def test_causes_of_a_healthy_fleet_are_none(shared_folder: Path) -> None:
    """False alarms teach people to look away."""
    told = tell(shared_folder / "recordings" / "capi" / "states" / "1-healthy")
    assert told.board.causes() == []
    flux = tell(shared_folder / "recordings" / "flux" / "healthy")
    assert [c for c in flux.board.causes() if c.state is CauseState.FAILING] == []


def test_causes_of_an_incident_leave_healthy_neighbours_alone(shared_folder: Path) -> None:
    """Clusters beside an incident must not be told as affected."""
    told = tell(shared_folder / "recordings" / "capi" / "states" / "3-incidents")
    healthy = {"retail", "analytics", "core"}
    wrong = [ref for c in told.board.causes() for ref in c.affected if ref.namespace in healthy]
    assert wrong == []


@pytest.mark.parametrize(
    "name", ["no v1beta1 conditions", "v1beta1 before 1.9", "two days later", "all at once"]
)
def test_causes_of_changed_recordings_are_still_the_true_ones(
    shared_folder: Path, name: str
) -> None:
    """What was tuned to two recordings would fail in every other fleet."""
    assert name in MUTATIONS
    assert set(stressed(shared_folder, name).wrong) <= NEEDS_BODIES


def test_causes_of_many_incidents_at_once_are_all_found(shared_folder: Path) -> None:
    """Two outages in one night must not hide each other, nor drag healthy clusters in."""
    told, score = stressed_merged(shared_folder)
    assert set(score.wrong) <= NEEDS_BODIES
    copies = [t for c in told.board.causes() for t in c.affected if t.namespace[:1] == "h"]
    assert [str(top) for top in copies if top.namespace[1:2].isdigit()] == []
