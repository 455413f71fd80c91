"""Settings: the strictest source wins, and every mistake is named with its line."""

from pathlib import Path

import pytest

from fleettui.config import Settings, load_settings
from fleettui.config_file import parse_settings
from fleettui.errors import UsageError

FILE = Path("config.yaml")


def test_settings_of_an_empty_file_are_the_defaults() -> None:
    """An empty file must not break the program."""
    assert parse_settings("", FILE) == Settings(source=FILE)


def test_settings_with_every_group_are_read() -> None:
    """What a person sets is what holds."""
    settings = parse_settings(
        "first_screen: causes\nbulk: {limit: 5}\ncontexts:\n  prod-*:\n    read_only: true\n"
        "    banner: PRODUCTION\n    allow: [upgrade]\nlocal_sources:\n  ssh://git/fleet: /src\n",
        FILE,
    )
    assert settings.first_screen == "causes"
    assert settings.bulk.limit == 5
    assert settings.local_sources == {"ssh://git/fleet": Path("/src")}
    assert settings.for_context("prod-eu").read_only
    assert settings.for_context("prod-eu").banner == "PRODUCTION"
    assert not settings.for_context("dev").read_only


def test_settings_of_two_matching_contexts_take_the_strictest() -> None:
    """A lax entry must not loosen a strict one that matches the same context."""
    settings = parse_settings(
        "contexts:\n  '*': {read_only: true, allow: [upgrade]}\n  dev-*: {read_only: false}\n", FILE
    )
    merged = settings.for_context("dev-1")
    assert merged.read_only
    assert merged.allow == ()


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("theme: dark\nred_only: true\n", 2, "unknown setting 'red_only'"),
        ("read_only: maybe\n", 1, "true or false"),
        ("bulk:\n  limit: 0\n", 2, "whole number from 1"),
        ("theme: pink\n", 1, "one of auto, dark, light"),
        ("contexts:\n  a: {allow: [explode]}\n", 2, "unknown verb 'explode'"),
        ("theme: dark\ntheme: light\n", 2, "twice"),
        ("- a\n", 1, "keys and values"),
        ("theme: [\n", 2, "not YAML"),
    ],
)
def test_settings_with_a_mistake_name_file_and_line(text: str, line: int, words: str) -> None:
    """A typo in the file must be findable from the one line that is printed."""
    with pytest.raises(UsageError) as caught:
        parse_settings(text, FILE)
    assert f"config.yaml:{line}" in str(caught.value)
    assert words in str(caught.value)


def test_settings_file_that_was_named_and_is_missing_is_an_error(tmp_path: Path) -> None:
    """A mistyped --config must not silently mean the defaults."""
    with pytest.raises(UsageError, match="does not exist"):
        load_settings(tmp_path / "none.yaml")
