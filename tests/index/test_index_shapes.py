"""What equal objects share, and what is remembered of it."""

from hypothesis import given
from hypothesis import strategies as st

from fleettui.index import shapes as subject
from fleettui.index.shapes import LinkShape, Shapes

RELATIONS = ("cluster", "source", "applies")
LINKS = st.lists(
    st.builds(LinkShape, st.sampled_from(RELATIONS), st.just("g"), st.just("K"), *[st.just("")] * 2)
).map(tuple)


@given(asked=st.lists(st.tuples(LINKS, st.sampled_from(RELATIONS)), max_size=20))
def test_places_asked_in_any_order_are_those_of_a_scan(asked):
    """A remembered place of other shapes would hang an object under the wrong home."""
    shapes = Shapes()
    for links, relation in asked:
        expected = tuple(at for at, link in enumerate(links) if link.relation == relation)
        assert shapes.places_of(links, relation) == expected
        assert shapes.places_of(links, relation) == expected


def test_places_of_many_shapes_are_forgotten_and_told_again(monkeypatch):
    """Weeks of churn would keep the shapes of every object that ever was."""
    monkeypatch.setattr(subject, "PLACES_KEPT", 4)
    shapes = Shapes()
    for number in range(20):
        link = LinkShape("source", "g", f"K{number}", "", "")
        assert shapes.places_of((link, link), "source") == (0, 1)
    assert len(shapes._places) <= 4
