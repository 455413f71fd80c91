"""What is packed into few bytes comes out as it went in."""

from hypothesis import given
from hypothesis import strategies as st

from fleettui.index.index import Index
from fleettui.kinds.record import Condition

MOMENTS = st.lists(st.integers(0, 2**32 - 1), max_size=4)
REVISIONS = st.one_of(
    st.integers(0, 2**70).map(str),
    st.sampled_from(["", "0", "007", "18446744073709551615", "18446744073709551616"]),
    st.text(max_size=12),
)


@given(
    revision=REVISIONS,
    generation=st.integers(0, 2**31 - 1),
    observed=st.integers(-1, 2**31 - 1),
    moments=MOMENTS,
)
def test_row_gives_back_the_numbers_of_its_document(
    table, make, revision, generation, observed, moments
):
    """A watch that resumed at another resourceVersion would miss what happened."""
    record = make.record(
        "Cluster",
        "c",
        rv=revision,
        generation=generation,
        observed_generation=observed,
        created_at=moments[0] if moments else 0,
        conditions=tuple(Condition(f"C{at}", "True", since=at) for at in moments),
    )
    index = Index(table)
    make.put(index, record)
    row = index.get(make.ref("Cluster", "c"))
    assert row.resource_version == revision
    assert (row.generation, row.observed_generation) == (generation, observed)
    assert row.created_at == record.created_at
    assert row.conditions == record.conditions
    assert [row.condition_since(place) for place in range(len(moments))] == moments
