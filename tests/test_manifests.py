"""YAML is read as Kubernetes tools read it, and cannot hurt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.errors import UnreadableError
from fleettui.manifests import ReadLimits, dump_yaml, read_document, read_documents


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("true", True),
        ("False", False),
        ("2026-11-25", "2026-11-25"),
        ("2026-11-25T10:00:00Z", "2026-11-25T10:00:00Z"),
        ("12:30:00", "12:30:00"),
        ("0644", 420),
        ("0o17", 15),
        ("0x1F", 31),
        ("-12", -12),
        ("1_000", 1000),
        ("08", 8.0),
        ("1e3", 1000.0),
        ("1.5", 1.5),
        ("~", None),
        ("1.2.3", "1.2.3"),
        ("=", "="),
        ("!!str 12", "12"),
    ],
)
def test_read_scalar_is_typed_as_kubernetes_types_it(text: str, value: object) -> None:
    """A country code NO or a date in a label would otherwise turn into another value."""
    found = read_document(f"key: {text}\n")
    assert found == {"key": value}
    assert type(found["key"]) is type(value)  # type: ignore[index]  # a mapping, see above


def test_read_several_documents_keeps_lines_and_drops_empty_ones() -> None:
    """An error in the third document would otherwise point into the first."""
    documents = read_documents("---\n---\na: 1\n---\n# nothing\n---\nb: 2\n")
    assert [(document.value, document.line) for document in documents] == [
        ({"a": 1}, 3),
        ({"b": 2}, 7),
    ]


def test_read_json_text_is_read_and_flow_yaml_too() -> None:
    """Objects saved with -o json could otherwise not be compared."""
    assert read_document('{"a": [1, null, "x"]}') == {"a": [1, None, "x"]}
    assert read_document("{a: [1, ~, x]}") == {"a": [1, None, "x"]}


def test_read_aliases_are_copies() -> None:
    """Patching one container would otherwise patch its twin written with an alias."""
    value = read_document("a: &x {n: 1}\nb: *x\nc: {<<: *x, m: 2}\n")
    assert value == {"a": {"n": 1}, "b": {"n": 1}, "c": {"n": 1, "m": 2}}
    assert value["a"] is not value["b"]  # type: ignore[index]  # a mapping, see above


_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)
)
_MERGE_BOMB = "a: &a {k: 1}\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} {{<<: [{','.join(['*' + chr(97 + i)] * 9)}]}}\n"
    for i in range(9)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (_BOMB, "x.yaml:7: expands to more than 1000000 nodes"),
        (_MERGE_BOMB, "expands to more than"),
        ("a: &a [*a]", "x.yaml:1: an alias contains itself"),
        ("a: 1\na: 2", "x.yaml:2: key 'a' occurs twice"),
        ("[" * 300 + "]" * 300, "nested deeper than 100 levels"),
        ("[" * 9000 + "]" * 9000, "x.yaml:1: not YAML"),
        ('{"a":' * 9000, "x.yaml:1: not YAML"),
        ("a: b: c", "x.yaml:1: not YAML: mapping values are not allowed"),
        ("ok: 1\nbad: [a, b", "x.yaml:3: not YAML"),
        ("a: !!python/object:os.system x", "not YAML: could not determine a constructor"),
        ("? [a]\n: b", "a key that is not a plain value"),
        ("a: \x07", "x.yaml: not YAML: unacceptable character"),
        (b"\xff\xfe", "x.yaml: not UTF-8 text"),
        ("x" * 20_000, "20000 bytes, more than the 10000"),
    ],
)
def test_read_hostile_text_is_refused_in_one_line(text: str | bytes, message: str) -> None:
    """A repository could otherwise exhaust the machine with one small file."""
    with pytest.raises(UnreadableError) as caught:
        read_documents(
            text,
            name="x.yaml",
            limits=ReadLimits(size_bytes=10_000 if len(text) == 20_000 else 100_000),
        )
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_read_second_document_where_one_is_expected_is_refused() -> None:
    """Half of a settings file would otherwise be ignored in silence."""
    with pytest.raises(UnreadableError, match="x:3: 2 documents"):
        read_document("a: 1\n---\nb: 2\n", name="x")


_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))
    | st.sampled_from(
        [
            "yes",
            "0644",
            "1e3",
            "~",
            "null",
            "on",
            "2026-01-01",
            "08",
            "a: b",
            "#x",
            "|\n",
            "a\nb\n",
            "",
        ]
    ),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abc:#-", min_size=1), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(_plain)
def test_dump_then_read_gives_the_same_value(value: object) -> None:
    """A copied manifest would otherwise apply as something else."""
    if value is not None:
        assert read_document(dump_yaml({"v": value})) == {"v": value}
