"""Values are written as Flux writes them before it hashes them; checked against Go's writer."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.desired.values_digest import values_digest, values_text
from fleettui.manifests import read_document

QUOTED = (
    *("yes", "No", "ON", "off", "y", "N", "True", "null", "~", "", ".nan", "-.inf"),
    *("12", "-9223372036854775809", "0644", "0x1f", "0o7", "0b11", "1_000", "08", "1."),
    *("1.5", "1e3", ".5", "1:30", "190:20:30", "2024-01-01", "2001-1-1"),
    *("2024-01-01T10:00:00Z", "2023-1-2 3:4:5", "2024-01-01t1:2:3.5+01:00"),
)
"""Texts that YAML 1.1 reads as something else."""
PLAIN = (
    *("yEs", "6h", "100m", "1Gi", "1.2.3", "0.0.0.0/0", "=", "<<", "1:99", "._5", "0o8"),
    *("12e45678", "0x" + "a" * 40, "2024-02-30", "2024-01-01 25:00:00", "http://a.b/c", "é ü"),
)
"""Texts that look like it and are none."""
SINGLE = (" lead", "trail ", "a: b", "a #b", "# x", "- x", "*a", "{{ .Values.x }}", "@x", "-")
"""Texts that no YAML has without quotes."""
NUMBERS = {
    2.0: "2",
    1e6: "1000000",
    1e21: "1e+21",
    0.1: "0.1",
    1e-5: "1e-05",
    1234567.5: "1.2345675e+06",
    123456.5: "123456.5",
    -1.5e-7: "-1.5e-07",
    2**53 + 1: str(2**53),
    2**63: str(2**63),
}


@pytest.mark.parametrize("text", QUOTED)
def test_values_text_of_a_word_with_a_meaning_is_in_double_quotes(text: str) -> None:
    """A release with `enabled: "yes"` would be told as changed for ever."""
    assert values_text({"a": text}) == f'a: "{text}"\n'


@pytest.mark.parametrize("text", PLAIN)
def test_values_text_of_a_word_without_a_meaning_has_no_quotes(text: str) -> None:
    """Durations, versions and checksums are in nearly every release."""
    assert values_text({"a": text}) == f"a: {text}\n"


@pytest.mark.parametrize("text", SINGLE)
def test_values_text_that_cannot_be_plain_is_in_single_quotes(text: str) -> None:
    """Templates and globs in values would give another digest."""
    assert values_text({"a": text}) == f"a: '{text}'\n"


@pytest.mark.parametrize("number", NUMBERS)
def test_values_text_of_a_number_is_the_one_of_go(number: float) -> None:
    """All numbers pass through JSON: 2.0 is written as 2, small and large ones with powers."""
    assert values_text({"a": number}) == f"a: {NUMBERS[number]}\n"


def test_values_text_of_nested_values_is_sorted_and_folded_as_go_does() -> None:
    """One long description would make a whole release look changed."""
    values = {
        "on": [{"b": None, "a": True}, [], {}, ["x"]],
        "about": "a line that is longer than what fits between the edges of the page " * 2,
        "script": "set -e\nrun\n",
    }
    assert values_text(values) == (
        "about: 'a line that is longer than what fits between the edges of the page a line\n"
        "  that is longer than what fits between the edges of the page '\n"
        '"on":\n- a: true\n  b: null\n- []\n- {}\n- - x\n'
        "script: |\n  set -e\n  run\n"
    )


def test_values_digest_of_no_values_is_that_of_nothing() -> None:
    """Flux hashes nothing at all where there are no values, not an empty mapping."""
    assert values_digest({}) == f"sha256:{sha256(b'').hexdigest()}"
    written = 'a: "yes"\n'
    assert values_digest({"a": "yes"}) == f"sha256:{sha256(written.encode()).hexdigest()}"


_LEAVES = st.text(st.characters(codec="ascii", exclude_categories=("Cc",))) | st.integers(
    -(2**53), 2**53
)


@given(st.dictionaries(st.text("abyn01-.", min_size=1), _LEAVES | st.lists(_LEAVES), min_size=1))
def test_values_text_reads_back_as_the_same_values(values: dict[str, object]) -> None:
    """A text whose quotes were lost would have the digest of other values."""
    assert read_document(values_text(values), name="values") == values
