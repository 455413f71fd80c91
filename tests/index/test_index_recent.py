"""Changes of the last minutes, told by the objects themselves."""

from pathlib import Path

from truth import tell

from fleettui.index.history import Moment
from fleettui.index.recent import What, recent


def test_recent_changes_follow_the_revision_that_brought_them(shared_folder: Path) -> None:
    """Whether the last commit broke it is the first question of every incident."""
    told = tell(shared_folder / "recordings" / "flux" / "incidents")
    found = recent(told.index, told.recording.taken_at, last_s=3600)
    revisions = {h.ref for h in found if h.what is What.REVISION}
    followers = [h for h in found if h.follows is not None]
    assert revisions
    assert followers
    assert {h.follows for h in followers} <= revisions


def test_recent_changes_are_newest_first_and_within_the_time(shared_folder: Path) -> None:
    """A list in another order hides what happened last."""
    told = tell(shared_folder / "recordings" / "capi" / "states" / "3-incidents")
    now = told.recording.taken_at
    found = recent(told.index, now, last_s=600)
    moments = [h.at for h in found]
    assert moments == sorted(moments, reverse=True)
    assert all(now - 600 <= at <= now for at in moments)


def test_recent_changes_seen_while_running_are_among_them(shared_folder: Path) -> None:
    """Flaps leave no trace in the objects; only we saw them."""
    told = tell(shared_folder / "recordings" / "capi" / "states" / "1-healthy")
    now = told.recording.taken_at
    ref = next(told.index.rows()).ref
    moment = Moment(now - 5, "current", "failed", True, "NotReady")
    found = recent(told.index, now, last_s=60, seen=[(ref, moment)])
    assert [h for h in found if h.what is What.HEALTH and h.ref == ref and h.is_bad]
