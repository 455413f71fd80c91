"""Lines become strips of exactly the width asked for, with nothing hostile in them."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from fleettui.tui.layout import Column, fit_columns
from fleettui.tui.lines import Line, Span
from fleettui.tui.painter import fit_text, paint_line
from fleettui.tui.theme import DARK, LIGHT, MONO, Look, Tone

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f]")
_COLUMNS = (
    Column("name", "NAME", 8, 30, 0),
    Column("count", "N", 5, 5, 1, is_right=True),
    Column("bar", "BAR", 6, 12, 2, is_whole=True),
    Column("text", "TEXT", 4, 80, 3),
)
_TEXTS = st.text(max_size=60) | st.sampled_from(
    [
        "日本語のクラスタ",
        "e\u0301" * 9,
        "👩‍👩‍👧‍👦 family",
        "\x1b[31mred",
        "[@click=app.quit]x[/]",
        "🇪🇺🇺🇸",
    ]
)
_CELLS = st.lists(st.builds(Span, _TEXTS, st.sampled_from(list(Tone))), max_size=4).map(tuple)


@given(
    cells=st.lists(_CELLS, max_size=5).map(tuple),
    width=st.integers(1, 120),
    theme=st.sampled_from([DARK, LIGHT, MONO]),
    look=st.sampled_from(list(Look)),
    is_faded=st.booleans(),
)
def test_paint_line_any_text_is_exactly_as_wide_as_asked(cells, width, theme, look, is_faded):
    """A strip of another width would tear the frame of every line below it."""
    slots = fit_columns(_COLUMNS, width)
    strip = paint_line(Line(cells, is_faded), slots, theme, width=width, look=look)
    assert strip.cell_length == width
    assert cell_len(strip.text) == width
    assert not _CONTROL.search(strip.text)


@given(text=_TEXTS.filter(lambda text: text.isprintable()), width=st.integers(0, 40))
def test_fit_text_any_width_never_exceeds_it(text, width):
    """A cell that is too wide would push its neighbours aside."""
    assert cell_len(fit_text(text, width)) <= width


@given(width=st.integers(1, 300))
def test_fit_columns_any_width_fills_it_exactly(width):
    """Columns that do not add up leave ragged edges or cut text without need."""
    slots = fit_columns(_COLUMNS, width)
    assert sum(slot.width for slot in slots) + len(slots) - 1 == width
    assert slots[0].column.id == "name"


def test_fit_columns_narrow_terminal_drops_the_least_important_first():
    """At 80 columns name and reason must survive, not the age."""
    assert [slot.column.id for slot in fit_columns(_COLUMNS, 16)] == ["name", "count"]
    assert [slot.column.id for slot in fit_columns(_COLUMNS, 200)] == [c.id for c in _COLUMNS]


def test_paint_line_whole_spans_are_left_out_rather_than_cut():
    """A cut count would read as another, smaller count."""
    slots = fit_columns((Column("bar", "BAR", 6, 6, 0, is_whole=True),), 6)
    line = Line(((Span("39✗"), Span(" 161✓")),))
    assert paint_line(line, slots, DARK, width=6).text == "39✗   "


def test_mono_theme_has_no_colour_at_all():
    """NO_COLOR promises that no colour is emitted, whatever a line means."""
    for tone in Tone:
        for look in Look:
            for is_faded in (True, False):
                style = MONO.style(tone, look, is_faded=is_faded)
                assert style.color is None
                assert style.bgcolor is None


def test_themes_give_every_tone_a_style_on_every_look():
    """A missing colour would crash the first frame that needs it."""
    for theme in (DARK, LIGHT):
        for tone in Tone:
            for look in Look:
                assert theme.style(tone, look).color is not None
