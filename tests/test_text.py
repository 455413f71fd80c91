"""Text from clusters cannot steer a terminal, and ages read as kubectl's."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.text import age_text, one_line, safe_text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain text", "plain text"),
        ("\x1b]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"),
        ("\x9b31m", "<U+009B>31m"),
        ("a\u202eb", "a<U+202E>b"),
        ("a\u200bb", "a<U+200B>b"),
        ("a\ufe0fb", "a<U+FE0F>b"),
        ("two\nlines\r\n", "two lines "),
        ("tab\there", "tab here"),
        ("[@click=app.quit]x[/]", "[@click=app.quit]x[/]"),
        ("\udc80", "<U+DC80>"),
    ],
)
def test_safe_text_of_hostile_text_shows_it_without_effect(raw: str, shown: str) -> None:
    """A condition message must not write the clipboard, colour the screen or reorder words."""
    assert safe_text(raw) == shown


def test_safe_text_keeps_line_breaks_only_when_asked() -> None:
    """Multi-line conditions keep their lines in the detail pane alone."""
    assert safe_text("a\r\nb\tc", multiline=True) == "a\nb    c"


def test_safe_text_drops_most_of_a_pile_of_marks() -> None:
    """Zalgo text must not paint over the rows above and below."""
    assert len(safe_text("e" + "\u0301" * 200)) <= 4


@given(st.text())
def test_safe_text_leaves_nothing_that_steers(raw: str) -> None:
    """Whatever a cluster sends, no control, format or surrogate character gets through."""
    shown = safe_text(raw)
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs")]
    assert "\u202e" not in shown
    assert safe_text(shown) == shown


def test_safe_text_cuts_long_text_visibly() -> None:
    """A megabyte of message must not stall the screen."""
    assert safe_text("x" * 10_000, limit=10) == "xxxxxxxxx…"


def test_one_line_of_a_bullet_list_is_its_first_words() -> None:
    """A row shows the first thing that is said, not the bullet."""
    assert one_line("\n* WorkersAvailable:\n  * more") == "WorkersAvailable:"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (545, "9m5s"),
        (600, "10m"),
        (3 * 3600 - 1, "179m"),
        (3 * 3600 + 300, "3h5m"),
        (47 * 3600, "47h"),
        (50 * 3600, "2d2h"),
        (30 * 86_400, "30d"),
        (3 * 365 * 86_400, "3y"),
    ],
)
def test_age_text_reads_as_kubectl_does(seconds: float, shown: str) -> None:
    """Operators compare ages with what kubectl prints beside it."""
    assert age_text(seconds) == shown
