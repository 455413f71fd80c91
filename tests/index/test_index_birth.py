"""A new cluster's way from the merged commit to ready nodes."""

import pytest
from msgspec.structs import replace

from fleettui.index.birth import Progress, birth_of, is_being_made
from fleettui.index.index import Index
from fleettui.index.joins import Joins
from fleettui.kinds.record import Condition, Replicas

NOW = 1_700_000_000


@pytest.fixture
def index(table):
    return Index(table)


def true(kind, since):
    """A condition that holds."""
    return Condition(kind, "True", kind, "", since)


def records(make, stage):
    """A cluster some 10 minutes old at a stage of its making: 0 applied to 4 done."""
    cluster, net, plane, workers, _ = make.cluster(
        "c1", machines=0, verdict="current" if stage > 3 else "in_progress"
    )
    held = [true("InfrastructureReady", NOW - 400)] if stage > 0 else []
    held += [true("ControlPlaneInitialized", NOW - 300)] if stage > 1 else []
    cluster = replace(
        cluster,
        created_at=NOW - 600,
        conditions=tuple(held),
        references=(*cluster.references,),
    )
    states = ["current" if stage > step else "in_progress" for step in range(3)]
    found = [cluster]
    counts = (Replicas(3, 3, 3 if stage > 1 else 1), Replicas(2, 2, 2 if stage > 2 else 0))
    for record, state, replicas in zip((net, plane, workers), states, (None, *counts), strict=True):
        verdict = make.record("Net", "x", state).verdict
        reason = "" if state == "current" else "NotYet"
        found.append(
            replace(
                record,
                verdict=verdict,
                replicas=replicas,
                reason=reason,
                since=NOW - 200,
                created_at=NOW - 590,
            )
        )
    return found


def progress(index, make, *, joins=None):
    birth = birth_of(index, index.get(make.ref("Cluster", "c1")), joins=joins)
    return birth, {step.name: step.progress.value for step in birth.steps}


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (0, ("busy", "waiting", "waiting")),
        (1, ("done", "busy", "waiting")),
        (2, ("done", "done", "busy")),
        (3, ("done", "done", "done")),
    ],
)
def test_birth_steps_follow_the_objects(make, index, stage, expected):
    """Whoever waits for a cluster must see where it is, not just that it is not ready."""
    make.put(index, *records(make, stage))
    birth, steps = progress(index, make)
    assert tuple(steps[n] for n in ("infrastructure", "control plane", "workers")) == expected
    assert steps["applied"] == "done"
    assert steps["add-ons"] == "absent"
    assert birth.is_done is (stage == 3)
    assert birth.current is None or birth.current.progress is Progress.BUSY


def test_birth_tells_moments_and_the_commit(make, index):
    """Times say which step takes long; a fetch after the apply is another commit's."""
    cluster, *rest = records(make, 2)
    pointer = make.record("Cluster", "x", refs=["created_by=Kustomization/k"]).references
    cluster = replace(cluster, references=(*cluster.references, *pointer))
    stored = (true("ArtifactInStorage", NOW - 660),)
    repo = make.record("Repo", "fleet", facts=(("revision", "main@sha1:1"),), conditions=stored)
    make.put(
        index, cluster, *rest, repo, make.record("Kustomization", "k", refs=["source=Repo/fleet"])
    )
    birth, _ = progress(index, make)
    found = {step.name: (step.at, step.words) for step in birth.steps}
    assert found["source"] == (NOW - 660, "main@sha1:1")
    assert found["applied"] == (NOW - 600, "Kustomization k")
    assert found["infrastructure"][0] == NOW - 400
    assert found["control plane"] == (NOW - 300, "3/3")
    assert found["workers"][1] == "0/2 NotYet"
    later = (true("ArtifactInStorage", NOW - 5),)
    make.put(index, replace(repo, conditions=later, resource_version="2"))
    birth, _ = progress(index, make)
    assert (birth.steps[0].at, birth.steps[0].words) == (0, "now at main@sha1:1")


def test_birth_counts_appliers_into_the_cluster_as_addons(make, index):
    """A cluster without its add-ons is not ready for anybody."""
    addon = make.record("Kustomization", "apps", "failed", refs=["targets=Cluster/c1"])
    make.put(index, *records(make, 3), addon)
    birth, steps = progress(index, make, joins=Joins(index))
    assert steps["add-ons"] == "failed"
    assert birth.current.ref.name == "apps"
    assert "by name only" in birth.steps[-1].words


def test_is_being_made_ends_with_age_and_a_control_plane(make, index):
    """An old cluster's outage is no birth, a control plane that never came still is."""
    make.put(index, *records(make, 1))
    row = index.get(make.ref("Cluster", "c1"))
    assert is_being_made(row, NOW)
    assert is_being_made(row, NOW + 90 * 86400)
    make.put(index, replace(records(make, 2)[0], resource_version="2"))
    assert is_being_made(row, NOW)
    assert not is_being_made(row, NOW + 2 * 86400)
