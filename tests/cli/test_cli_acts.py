"""Words that act: what is asked for, before anything is opened."""

import pytest

from fleettui.actions.options import entries_of, seconds_of
from fleettui.cli.acts import is_entry
from fleettui.cli.app import COMMANDS, run
from fleettui.errors import UsageError


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, tmp_path):
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("FLEETTUI_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("FLEETTUI_READ_ONLY", raising=False)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("pause",), 2, "name objects"),
        (("pause", "ks/a/b", "--all-matching", "kind:x"), 2, "not both"),
        (("pause", "ks/a/b", "--resume", "abcdef"), 2, "--resume"),
        (("pause", "ks/a/b", "--expires", "soon"), 2, "no duration"),
        (("scale", "md/a/b"), 2, "--replicas"),
        (("upgrade", "cl/a/b"), 2, "--version"),
        (("label", "cl/a/b"), 2, "KEY=VALUE"),
        (("resync", "app/a/b", "--hard", "--sync"), 2, "exclude"),
        (("pause", "ks/a/b", "--read-only"), 5, "read-only"),
        (("undo", "abcdef", "--read-only"), 5, "read-only"),
        (("pause", "ks/a/b", "--from", "x.yaml"), 5, "recording"),
    ],
)
def test_word_that_cannot_be_done_says_so_before_anything_is_opened(arguments, code, words, capsys):
    """A typo must cost nothing, and a read-only run must plan nothing."""
    assert run(arguments) == code
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.out == ""


def test_word_in_a_read_only_environment_is_refused(monkeypatch, capsys):
    """The variable of a jump host counts for words as well."""
    monkeypatch.setenv("FLEETTUI_READ_ONLY", "1")
    assert run(["delete", "machine/a/b", "--yes"]) == 5
    assert "read-only" in capsys.readouterr().err


def test_every_verb_is_a_word():
    """What the screen can do, scripts can do."""
    from fleettui.actions.verbs import VERBS

    assert set(VERBS) <= set(COMMANDS)


def test_entries_are_told_from_objects():
    """kubectl's way: KEY=VALUE sets, KEY- removes, the rest names objects."""
    assert is_entry("example.com/a=b")
    assert is_entry("example.com/a-")
    assert not is_entry("cluster/team-a/prod-00")
    assert entries_of(["example.com/a=b=c", "x-"]) == {"example.com/a": "b=c", "x": None}


def test_durations_are_read_or_refused():
    """A pause that never expires by a typo would be forgotten."""
    assert seconds_of("1d12h") == 36 * 3600
    for wrong in ("", "2", "h", "2 h", "1.5h", "-1h"):
        with pytest.raises(UsageError):
            seconds_of(wrong)


def test_journal_of_nothing_is_told_calmly(monkeypatch, tmp_path, capsys):
    """A new machine has no journal, which is no error."""
    monkeypatch.setenv("FLEETTUI_STATE_HOME", str(tmp_path / "state"))
    assert run(["journal"]) == 0
    assert "nothing was changed" in capsys.readouterr().err
