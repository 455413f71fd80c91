"""How health went over time."""

import pytest

from fleettui.index.changes import Transition
from fleettui.index.history import History
from fleettui.kinds.record import ObjectRef, Verdict

REF = ObjectRef("one", "g", "Kind", "ns", "a")


def went(before, after, at, ref=REF, observed=True):
    return Transition(
        ref,
        Verdict(before) if before else None,
        Verdict(after) if after else None,
        observed,
        at,
        "Why",
    )


def test_history_keeps_the_last_transitions_of_the_last_objects():
    """A flapping fleet must not eat the memory."""
    history = History(per_object=2, objects=2)
    for at in range(4):
        history.add([went("current", "failed", at)])
    assert [moment.at for moment in history.of(REF)] == [2, 3]
    others = [REF._replace(name=name) for name in ("b", "c")]
    history.add([went("current", "failed", 9, other) for other in others])
    assert len(history) == 2
    assert history.of(REF) == ()
    history.prune(9 + 8 * 86400)
    assert len(history) == 0


def test_flaps_count_breakages_within_the_window():
    """Three times in an hour is another problem than once a day."""
    history = History()
    for at in (100, 300, 500):
        history.add([went("current", "failed", at), went("failed", "current", at + 50)])
    history.add([went("failed", "stalled", 560)])
    assert history.flaps(REF, 600) == 3
    assert history.flaps(REF, 600, window_s=250) == 1
    assert history.flapping(600) == [REF]
    assert history.flapping(600, least=4) == []


def test_flaps_of_a_failure_that_is_retried_are_one():
    """A release tried again every minute would look as if it had broken sixty times an hour."""
    history = History()
    history.add([went("current", "failed", 100)])
    for at in (200, 300, 400):
        history.add([went("failed", "in_progress", at), went("in_progress", "failed", at + 20)])
    assert [moment.at for moment in history.of(REF)] == [100]
    assert history.flaps(REF, 600) == 1
    history.add([went("failed", "in_progress", 500), went("in_progress", "current", 520)])
    history.add([went("current", "in_progress", 530), went("in_progress", "failed", 540)])
    assert history.flaps(REF, 600) == 2


def test_sparkline_tells_the_worst_of_each_stretch():
    """A short failure must not vanish between two healthy ends."""
    history = History()
    history.add([went("current", "failed", 1000), went("failed", "current", 1010)])
    assert history.sparkline(REF, 1400, buckets=4, span_s=400) == [0, 4, 4, 4]
    assert history.sparkline(REF, 1200, buckets=4, span_s=400) == [4, 4, 0, 4]
    history.add([went("current", None, 1250)])
    assert history.sparkline(REF, 1400, buckets=4, span_s=400) == [0, 4, 4, -1]
    assert history.sparkline(REF._replace(name="x"), 9, buckets=2, span_s=2) == [-1, -1]
    assert history.breakages(1400, buckets=4, span_s=500) == [1, 0, 0, 0]


def test_history_saved_and_loaded_is_the_same():
    """A restart must not forget the night."""
    history = History()
    history.add([went(None, "failed", 1), went("failed", "current", 2, observed=False)])
    again = History()
    assert again.load(history.to_bytes())
    assert again.of(REF) == history.of(REF)


@pytest.mark.parametrize("saved", [b"", b"\x00", b"\x92\x07\x90", b"\xff" * 20])
def test_history_broken_or_foreign_file_is_of_no_use_and_no_crash(saved):
    """A half-written file costs the history, not the program."""
    history = History()
    assert not history.load(saved)
    assert len(history) == 0


def test_history_of_a_restart_counts_no_failure_twice():
    """Each start of the program would look like an outage, and a flapping object like a wall."""
    history = History()
    history.add([went("current", "failed", 10)])
    restarted = History()
    assert restarted.load(history.to_bytes())
    restarted.add([went(None, "failed", 20), went("failed", "stalled", 30)])
    restarted.add([went("stalled", "current", 40), went("current", "failed", 50)])
    assert restarted.broke_at(REF, 60, window_s=86_400) == [10, 50]
    assert restarted.flaps(REF, 60) == 2
