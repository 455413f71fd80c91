"""What the clock and the past make of a verdict."""

import pytest

from fleettui.index.index import Index
from fleettui.index.startup import StartingMachines
from fleettui.kinds.batch import Batch, Mark
from fleettui.kinds.record import Flag


@pytest.fixture
def index(table):
    return Index(table)


def test_deadline_in_progress_past_limit_is_failed_and_says_so(make, index):
    """Something that never finishes must turn red by itself, with the reason."""
    make.put(index, make.record("Slow", "s", "in_progress", reason="Creating"))
    row = index.get(make.ref("Slow", "s"))
    assert index.next_deadline() == make.now + 60
    assert not index.advance(make.now + 59)
    (transition,) = index.advance(make.now + 60)
    assert (transition.before, transition.after) == ("in_progress", "failed")
    assert (row.health, row.verdict, row.reason) == ("failed", "in_progress", "TakesTooLong")
    assert "1 min" in row.message
    assert "Creating" in row.message
    assert row.since == make.now
    assert index.rollup_of("one").failed == 1


def test_deadline_state_changed_in_time_never_fires(make, index):
    """A finished rollout must not be called failed by an old timer."""
    make.put(index, make.record("Slow", "s", "in_progress"))
    make.put(index, make.record("Slow", "s", rv=2), now=make.now + 30)
    assert not index.advance(make.now + 1000)
    assert index.get(make.ref("Slow", "s")).health == "current"


def test_deadline_overdue_object_that_succeeds_is_current_again(make, index):
    """Late is better than never."""
    make.put(index, make.record("Slow", "s", "in_progress"))
    index.advance(make.now + 60)
    make.put(index, make.record("Slow", "s", "in_progress", rv=2), now=make.now + 70)
    assert index.get(make.ref("Slow", "s")).health == "failed"
    make.put(index, make.record("Slow", "s", rv=3), now=make.now + 80)
    assert index.get(make.ref("Slow", "s")).health == "current"


def test_deadline_terminating_past_limit_is_failed(make, index):
    """A delete stuck behind a finalizer must turn red."""
    record = make.record("Slow", "s", "in_progress", deleted_at=make.now - 10)
    make.put(index, record)
    row = index.get(make.ref("Slow", "s"))
    assert row.is_deleting
    index.advance(make.now + 20)
    assert (row.health, row.reason) == ("failed", "DeletionTakesTooLong")


def test_deadline_long_past_at_first_sight_is_failed_at_once(make, index):
    """What has been stuck since yesterday is red in the first frame, not in half an hour."""
    make.list(index, "Slow", make.record("Slow", "s", "in_progress", since=make.now - 86400))
    row = index.get(make.ref("Slow", "s"))
    assert (row.health, row.since) == ("failed", make.now - 86400)
    assert index.rollup_of("one").failed == 1


def test_deadline_machine_takes_the_health_checks_startup_timeout(make, index):
    """The person set ten minutes for nodes to come up: half an hour would be too late."""
    make.put(index, *make.cluster(machines=0))
    make.put(
        index,
        *make.machine("m", "MachineSet/c1-ms", "in_progress", cluster="c1", labels=(("a", "b"),)),
    )
    check = make.record(
        "MachineHealthCheck",
        "mhc",
        cluster="c1",
        owner="Cluster/c1",
        facts=(("node_startup_timeout", "10m0s"), ("selector", "a=b")),
    )
    row = index.get(make.ref("Machine", "m"))
    index.advance(make.now + 599)
    make.put(index, check, now=make.now + 599)
    assert row.health == "in_progress"
    index.advance(make.now + 600)
    assert (row.health, row.reason) == ("failed", "NodeStartupTimeout")


def test_flux_failure_stays_failed_through_progressing_until_success(make, index):
    """Every retry of a broken Kustomization must not look like recovery."""
    scope = "Kustomization"
    make.put(index, make.record(scope, "k"))
    at = make.now + 100
    make.put(
        index,
        make.record(scope, "k", "failed", rv=2, reason="BuildFailed", message="bad", since=at),
        now=at,
    )
    row = index.get(make.ref(scope, "k"))
    assert not make.put(
        index,
        make.record(scope, "k", "in_progress", rv=3, reason="Progressing", since=at + 60),
        now=at + 60,
    )
    assert (row.health, row.reason, row.message) == ("failed", "BuildFailed", "bad")
    assert (row.since, row.since_is_lower_bound) == (at, False)
    make.put(
        index,
        make.record(scope, "k", "failed", rv=4, reason="HealthCheckFailed", since=at + 120),
        now=at + 120,
    )
    assert (row.since, row.reason) == (at, "HealthCheckFailed")
    make.put(index, make.record(scope, "k", rv=5, since=at + 180), now=at + 180)
    assert row.health == "current"
    assert row.since == at + 180


def test_flux_failure_first_seen_in_a_list_has_a_lower_bound(make, index):
    """lastTransitionTime is the last retry: the failure is older than that by an unknown time."""
    make.list(
        index, "Kustomization", make.record("Kustomization", "k", "failed", since=make.now - 40)
    )
    row = index.get(make.ref("Kustomization", "k"))
    assert (row.since, row.since_is_lower_bound) == (make.now - 40, True)


def test_since_new_generation_in_progress_counts_from_now(make, index):
    """An edit a minute ago must not inherit the age of last month's condition."""
    make.put(index, make.record("Slow", "s", since=make.now - 99999))
    make.put(
        index,
        make.record(
            "Slow", "s", "in_progress", rv=2, since=make.now - 99999, flags=Flag.STALE_GENERATION
        ),
    )
    row = index.get(make.ref("Slow", "s"))
    assert (row.health, row.since) == ("in_progress", make.now)


def test_paused_object_in_progress_does_not_time_out(make, index):
    """Nobody works on a paused object: time says nothing about it."""
    make.put(index, make.record("Slow", "s", "in_progress", flags=Flag.PAUSED))
    assert not index.advance(make.now + 9999)


def test_apply_older_version_of_the_same_object_is_dropped(make, index):
    """News that arrives twice or late must not turn the clock back."""
    make.put(index, make.record("Slow", "s", "failed", rv=10))
    make.put(index, make.record("Slow", "s", "current", rv=9))
    assert index.get(make.ref("Slow", "s")).health == "failed"
    assert index.stale_events == 1
    make.put(index, make.record("Slow", "s", "current", rv=1, uid="another"))
    row = index.get(make.ref("Slow", "s"))
    assert (row.health, row.uid) == ("current", "another")


def test_transitions_list_is_silent_watch_speaks_and_forget_is_not_deletion(make, index):
    """History must hold what happened, not how the program came to know the fleet."""
    assert not make.list(index, "Slow", make.record("Slow", "s", "failed"))
    (born,) = make.put(index, make.record("Slow", "t"))
    assert (born.before, born.after, born.observed) == (None, "current", True)
    (gap,) = make.list(index, "Slow", make.record("Slow", "s", "current", rv=2), now=make.now + 5)[
        -1:
    ]
    assert (gap.before, gap.after) == ("failed", "current")
    make.status(index, "Slow", "live")
    assert not index.apply(Batch(make.scope("Slow"), [Mark.FORGET]), make.now)
    assert len(index) == 0


def test_starting_machines_are_found_by_the_cluster_they_belong_to_now(make, index):
    """Of 100,000 clusters' health checks each would look at every machine in progress."""
    make.put(
        index,
        make.record("Machine", "m", "in_progress", cluster="a"),
        make.record("Machine", "n", "in_progress", cluster="b"),
        make.record("MachineHealthCheck", "a", cluster="a"),
        make.record("MachineHealthCheck", "b", cluster="b"),
    )
    machine, other = (index.get(make.ref("Machine", name)) for name in "mn")
    first, second = (index.get(make.ref("MachineHealthCheck", name)) for name in "ab")
    machines = StartingMachines()
    machines.put(machine)
    machines.put(other)
    assert machines.watched_by(first) == [machine]
    machine.cluster = "b"
    machines.put(machine)
    assert machines.watched_by(first) == []
    assert machines.watched_by(second) == [other, machine]
    machines.drop(machine)
    machines.drop(machine)
    assert machines.watched_by(second) == [other]
