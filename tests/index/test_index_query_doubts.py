"""A word that was meant as a field is no text: as a text it would find nothing, silently."""

import pytest

from fleettui.index.query import QueryError, parse
from fleettui.index.syntax import Text


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("helth:failed", "health: instead of helth:"),
        ("web health=failed", "health: instead of health="),
        ("!Health:failed", "health: instead of Health:"),
        ("reson:~quota", "reason: instead of reson:"),
        ("kind=Machine", "kind: instead of kind="),
    ],
)
def test_query_field_that_is_misspelt_is_told(text: str, meant: str) -> None:
    """Nothing found for a typing error reads like nothing broken."""
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert caught.value.expected.startswith(meant)


@pytest.mark.parametrize(
    "text", ["sha256:abc", "image:tag", "team=a", "10.0.0.1:6443", "https://x", "x:health="]
)
def test_query_text_with_a_colon_stays_a_text(text: str) -> None:
    """Images, addresses and labels are looked for as they stand in messages."""
    assert parse(text).term == Text(text)


def test_query_quotes_make_a_text_of_anything() -> None:
    """Whoever looks for these very letters must be able to."""
    assert parse('"helth:failed"').term == Text("helth:failed")
