"""The one table of keys, and the words of the command line."""

import itertools

import pytest

from fleettui.errors import UsageError
from fleettui.tui.commands import COMMANDS, Argument, Vocabulary
from fleettui.tui.documents import Manner
from fleettui.tui.help import HelpText
from fleettui.tui.keymap import ENTRIES, Keymap, Place

_FRONTS = (
    (Place.TREE, Place.ROW, Place.MAIN, Place.PANE, Place.EVERYWHERE),
    (Place.ROW, Place.PANE, Place.EVERYWHERE),
    (Place.TEXT, Place.PANE, Place.EVERYWHERE),
)


def test_keymap_read_only_knows_no_key_that_writes():
    """In read-only mode a key that could write must not even be bound."""
    keymap = Keymap(read_only=True)
    assert not [entry for entry in keymap.entries if entry.writes]
    for entry in ENTRIES:
        if entry.writes:
            for front in _FRONTS:
                for key in entry.keys:
                    found = keymap.find(key, front)
                    assert found is None or not found.writes


@pytest.mark.parametrize("front", _FRONTS)
def test_keymap_one_screen_has_no_key_twice(front):
    """A key with two meanings on one screen does something else than the help says."""
    keys = [key for e in ENTRIES if e.place in front for key in e.keys]
    assert sorted(keys) == sorted(set(keys))


def test_keymap_ids_are_unique_per_place():
    """Handlers go by id: a second entry of the same id would hide the first."""
    pairs = [(entry.id, entry.place) for entry in ENTRIES]
    assert len(pairs) == len(set(pairs))


def test_help_names_every_key_and_command():
    """A key that the help does not tell of might as well not exist."""
    keymap, vocabulary = Keymap(read_only=False), Vocabulary(read_only=False, kinds=["machines"])
    for width in (80, 160):
        text = "\n".join(
            line.text for line in HelpText(keymap, vocabulary).lines(width=width, manner=Manner())
        )
        for entry in keymap.entries:
            assert entry.label in text
        for command in COMMANDS:
            assert f":{command.name}" in text


def test_help_read_only_names_no_key_that_writes():
    """Help that offers what is impossible sends people looking for it."""
    keymap, vocabulary = Keymap(read_only=True), Vocabulary(read_only=True)
    text = "\n".join(
        line.text for line in HelpText(keymap, vocabulary).lines(width=80, manner=Manner())
    )
    for entry in ENTRIES:
        if entry.writes:
            assert entry.label not in text


def test_command_words_mean_one_thing():
    """Two commands under one word would make one of them unreachable."""
    words = [word for c in COMMANDS for word in (c.name, *c.aliases)]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize(
    ("text", "command", "argument", "expression"),
    [
        ("ctx prod", "ctx", "prod", ""),
        (":q", "quit", "", ""),
        ("  ns   ", "ns", "", ""),
        ("machines", "kind", "machines", ""),
        ("machines /failed quota", "kind", "machines", "failed quota"),
        ("by label env", "perspective", "label env", ""),
    ],
)
def test_vocabulary_reads_what_is_typed(text, command, argument, expression):
    """What is typed by k9s habit has to do what is meant."""
    typed = Vocabulary(read_only=True, kinds=["machines"]).read(text)
    assert (typed.command, typed.argument, typed.filter) == (command, argument, expression)


def test_vocabulary_unknown_word_is_an_error_with_the_nearest_one():
    """A typing mistake should cost one more key, not a search in the manual."""
    with pytest.raises(UsageError) as caught:
        Vocabulary(read_only=True, kinds=["machines"]).read("machnies")
    assert "machines" in caught.value.hint


def test_vocabulary_completes_commands_kinds_and_arguments():
    """Ghost text shows where tab leads."""
    words = Vocabulary(read_only=True, kinds=["machines", "machinesets"])
    assert words.complete("over") == "overview"
    assert words.complete("machines") == "machinesets"
    assert words.complete("ctx pr", ["prod-eu", "stage"]) == "ctx prod-eu"
    assert words.complete("") == ""
    assert words.argument_of("ctx ") is Argument.CONTEXT
    assert words.argument_of("ct") is None


def test_vocabulary_hides_commands_without_content():
    """A command that opens nothing is worse than none."""
    words = Vocabulary(read_only=True, hidden=["drift"])
    with pytest.raises(UsageError):
        words.read("drift")
    assert "drift" not in itertools.chain.from_iterable(c.aliases for c in words.commands)
