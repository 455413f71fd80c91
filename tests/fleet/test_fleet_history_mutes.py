"""What is kept locally: the history of health and muted causes."""

from pathlib import Path

import pytest

from fleettui.errors import UsageError
from fleettui.fleet.history_store import FILE_NAME, HistoryStore
from fleettui.fleet.mutes import Mutes
from fleettui.index.changes import Transition
from fleettui.kinds.record import ObjectRef, Verdict

_REF = ObjectRef("prod", "cluster.x-k8s.io", "Machine", "team", "m-1")
_NOW = 1_800_000_000


def _flap(at: int) -> list[Transition]:
    return [
        Transition(_REF, Verdict.CURRENT, Verdict.FAILED, True, at, "NotReady"),
        Transition(_REF, Verdict.FAILED, Verdict.CURRENT, True, at + 5),
    ]


def test_history_survives_a_restart(tmp_path: Path) -> None:
    """Seven flaps before lunch would be forgotten by whoever starts the program after it."""
    store = HistoryStore(tmp_path)
    for round_ in range(7):
        store.note(_flap(_NOW + round_ * 60))
    store.save(_NOW + 500)
    again = HistoryStore(tmp_path)
    assert again.history.flaps(_REF, _NOW + 500) == 7


def test_history_that_cannot_be_read_starts_anew(tmp_path: Path) -> None:
    """A file cut off by a full disk must not keep the program from starting."""
    (tmp_path / FILE_NAME).write_bytes(b"\x93\x01garbage")
    assert list(HistoryStore(tmp_path).moments()) == []


def test_history_file_is_the_persons_own(tmp_path: Path) -> None:
    """Others on the machine must not read names of clusters."""
    store = HistoryStore(tmp_path / "state")
    store.note(_flap(_NOW))
    store.save(_NOW)
    assert (tmp_path / "state" / FILE_NAME).stat().st_mode & 0o077 == 0


def test_mutes_hold_until_their_end_across_restarts(tmp_path: Path) -> None:
    """A mute that outlives its end hides the next outage."""
    Mutes(tmp_path).mute("abc", reason="vendor case 12", until=_NOW + 60, now=_NOW)
    again = Mutes(tmp_path)
    assert again.active(_NOW + 59)["abc"].reason == "vendor case 12"
    assert again.active(_NOW + 60) == {}


def test_mutes_without_reason_or_end_are_refused(tmp_path: Path) -> None:
    """A silent hole in the fence that nobody can explain later."""
    with pytest.raises(UsageError):
        Mutes(tmp_path).mute("abc", reason=" ", until=_NOW + 60, now=_NOW)
    with pytest.raises(UsageError):
        Mutes(tmp_path).mute("abc", reason="x", until=_NOW + 365 * 86400, now=_NOW)


def test_mutes_causes_after_the_last_look_are_new(tmp_path: Path) -> None:
    """What came over night must stand out from what everybody knows."""
    mutes = Mutes(tmp_path)
    assert not mutes.is_new("old")
    mutes.note_seen({"old": 3}, _NOW)
    again = Mutes(tmp_path)
    assert not again.is_new("old")
    assert again.is_new("fresh")


def test_mutes_of_two_programs_at_once_are_both_kept(tmp_path: Path) -> None:
    """The screen would forget what was muted on the command line beside it."""
    screen, words = Mutes(tmp_path), Mutes(tmp_path)
    words.mute("abc", reason="case 1", until=_NOW + 60, now=_NOW)
    screen.note_seen({"def": 2}, _NOW)
    assert set(screen.active(_NOW)) == {"abc"}
    assert set(Mutes(tmp_path).active(_NOW)) == {"abc"}


def test_causes_seen_by_a_script_are_no_look(tmp_path: Path) -> None:
    """A cron job every minute would make everything old before anybody reads it."""
    Mutes(tmp_path).note_seen({"old": 3}, _NOW)
    Mutes(tmp_path).note_seen({"old": 9, "fresh": 1}, _NOW + 60, is_look=False)
    reader = Mutes(tmp_path)
    assert reader.is_new("fresh")
    assert reader.first_seen("fresh") == _NOW + 60
    assert reader.size_before("old") == 3
