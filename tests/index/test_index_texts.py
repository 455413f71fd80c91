"""Texts of many trees in one string are found as if each stood alone."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.texts import Texts

TEXT = st.text("ab\nc", max_size=6)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 11), TEXT),
        st.tuples(st.just("drop"), st.integers(0, 11), st.just("")),
        st.tuples(st.just("find"), st.just(0), st.text("abc", min_size=1, max_size=3)),
    ),
    max_size=60,
)


@given(steps=STEPS, needle=st.text("abc", min_size=1, max_size=3))
@settings(max_examples=300, deadline=None)
def test_texts_packed_find_what_each_text_alone_holds(table, make, steps, needle):
    """A needle that only two neighbours' texts hold together must not show either of them."""
    index = Index(table)
    make.put(index, *(make.record("Repo", f"r{number}") for number in range(12)))
    rows: list[Row] = list(index.rows())
    texts = Texts(packed=3, loose=4)
    known: dict[Row, str] = {}
    for word, number, text in steps:
        if word == "put":
            texts.put(rows[number], text)
            known[rows[number]] = text
        elif word == "find":
            assert set(texts.holding(text)) == {row for row in known if text in known[row]}
        else:
            texts.drop(rows[number])
            known.pop(rows[number], None)
    assert len(texts) == len(known)
    assert dict(texts.parts()) == known
    assert all(texts.get(row) == known.get(row) for row in rows)
    assert all((row in texts) == (row in known) for row in rows)
    expected = {row for row, text in known.items() if needle in text}
    found = list(texts.holding(needle))
    assert (set(found), len(found)) == (expected, len(expected))
    possible = [row for row, text in texts.where(lambda text: needle in text) if needle in text]
    assert (set(possible), len(possible)) == (expected, len(expected))
