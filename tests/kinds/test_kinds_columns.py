"""Cells: what a person sees of raw facts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.kinds.columns import RENDERERS, Cell, Tone, cells, columns_of, replicas_cell
from fleettui.kinds.paths import Picker, is_given, leaves_of, number_of, parse_path, text_of
from fleettui.kinds.record import Replicas

SHA = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("render", "raw", "text"),
    [
        ("revision", f"main@sha1:{SHA}", "main@sha1:01234567"),
        ("revision", f"sha1:{SHA}", "sha1:01234567"),
        ("revision", f"latest@sha256:{SHA}{SHA[:24]}", "latest@sha256:0123456789ab"),
        ("revision", f"main/{SHA}", "main/01234567"),
        ("revision", SHA, "01234567"),
        ("revision", "6.1.4", "6.1.4"),
        ("yes_no", "true", "yes"),
        ("yes_no", "false", "no"),
        ("bytes", "1536", "1.5 KiB"),
        ("bytes", "12", "12 B"),
        ("bytes", "many", "many"),
        ("image", "registry.example.org/team/web:1.2", "web:1.2"),
        (
            "url",
            "https://user:token@git.example.org/fleet.git",
            "https://git.example.org/fleet.git",
        ),
        ("url", "git.example.org:443", "git.example.org:443"),
        ("count", "12", "12"),
        ("text", "as it is", "as it is"),
    ],
)
def test_render_shortens_without_losing_the_meaning(render, raw, text):
    """Long digests would push everything off the screen, and a URL would show its password."""
    assert RENDERERS[render](raw).text == text


@pytest.mark.parametrize(
    ("raw", "tone"),
    [("running", Tone.GOOD), ("Failed", Tone.BAD), ("Creating", Tone.BUSY), ("odd", Tone.PLAIN)],
)
def test_state_words_carry_a_tone(raw, tone):
    """A terminated instance would look like any other word."""
    assert RENDERERS["state"](raw).tone is tone


@given(st.sampled_from(sorted(RENDERERS)), st.text())
def test_render_takes_any_text(render, raw):
    """One odd field of one object would take the screen down."""
    assert isinstance(RENDERERS[render](raw), Cell)


def test_counts_sort_as_numbers():
    """Ten would stand before nine."""
    assert RENDERERS["count"]("9").sort_key < RENDERERS["count"]("10").sort_key


@pytest.mark.parametrize(
    ("replicas", "text"),
    [
        (None, ""),
        (Replicas(3, 3, 2), "2/3"),
        (Replicas(3), "0/3"),
        (Replicas(-1, 4), "4"),
        (Replicas(0, 0, 0), "0/0"),
    ],
)
def test_replicas_show_ready_of_desired(replicas, text):
    """How many are missing could not be read."""
    assert replicas_cell(replicas).text == text


def test_cells_stand_one_for_each_column(table, judged):
    """Columns would shift against their titles when a fact is absent."""
    spec = table.named("ks")
    record = judged("Kustomization", lastAppliedRevision=f"main@sha1:{SHA}")
    shown = dict(zip((c.name for c in columns_of(spec)), cells(record, spec), strict=True))
    assert shown["revision"].text == "main@sha1:01234567"
    assert shown["path"].text == ""


@pytest.mark.parametrize("text", ["", ".", "a..b", "a.", "a[x]", "[0]", "a b.c.", "a]", "label:"])
def test_path_that_is_none_is_refused(text):
    """A misspelt path would silently read nothing."""
    with pytest.raises(ValueError, match="is not a path"):
        parse_path(text)


def test_paths_of_one_document_share_leaves():
    """A path below another one would make a struct type that cannot be."""
    leaves = leaves_of(["a.b", "a.b.c", "a.l[0].x", "a.l[].y", "{a.b.c}:{d}"], [])
    assert set(leaves) == {("a", "b"), ("a", "l"), ("d",)}
    picker = Picker(leaves)
    values = {("a", "b"): {"c": "C"}, ("a", "l"): [{"x": 1, "y": 2}, {"y": 3}], ("d",): 0}
    taken = tuple(values[leaf] for leaf in leaves)
    assert picker.pick("a.b.c")(taken) == "C"
    assert picker.pick("a.l[0].x")(taken) == 1
    assert picker.pick("a.l[5].x")(taken) is None
    assert picker.pick("a.l[].y")(taken) == [2, 3]
    assert picker.pick("{a.b.c}:{d}")(taken) == "C:0"
    assert picker.first(["a.b.z", "d"])(taken) == 0


def test_values_become_texts_and_numbers():
    """false and 0 say something; nothing says nothing."""
    assert text_of([1, None, "a", True]) == "1, a, true"
    assert text_of({"a": 1, "b": [2]}) == "a=1 b=2"
    assert [number_of(v) for v in (3, "4", 5.0, True, None, "x", -1)] == [3, 4, 5, -1, -1, -1, -1]
    assert [is_given(v) for v in (0, False, "", None, [], {}, "x")] == [
        True, True, False, False, False, False, True,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "zone"),
    [
        ("aws:///eu-west-1c/i-07d13afd53c6ef363", "eu-west-1c"),
        ("gce://project/europe-west1-b/md-0-x", "europe-west1-b"),
        ("hcloud://123", ""),
        ("", ""),
    ],
)
def test_zone_is_read_out_of_a_provider_id(raw, zone):
    """Machines of one zone fail together, and their own objects do not name it."""
    assert RENDERERS["zone"](raw).text == zone
