"""Variables expand exactly as in the controller, oddities included."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleettui.desired.envsubst import SubstitutionError, expand
from fleettui.desired.substitution import Variables, _plainly_substituted
from fleettui.manifests import dump_yaml, read_document

VALUES = {
    "name": "prod-eu-1",
    "empty": "",
    "mixed": "abcABC123ABCabc",
    "path": "/path/to/file.tar.gz",
    "wide": "é",
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain $name $ 5$", "plain $name $ 5$"),
        ("${name}", "prod-eu-1"),
        ("${unset}", ""),
        ("${unset:=x y}", "x y"),
        ("${unset:-x}", "x"),
        ("${unset=x}", "x"),
        ("${empty:-x}", "x"),
        ("${empty=x}", "x"),
        ("${name:-x}", "prod-eu-1"),
        ("${unset:?x}", "x"),
        ("${unset:+x}", "x"),
        ("${name:+x}", "prod-eu-1"),
        ("${unset:-}", ""),
        ("${unset:=${name}-a${empty}b}", "prod-eu-1-ab"),
        ("${unset:-${other:-deep}}", "deep"),
        ("${#name}", "9"),
        ("${#wide}", "2"),
        ("${#unset}", "0"),
        ("${name^}", "Prod-eu-1"),
        ("${name^^}", "PROD-EU-1"),
        ("${mixed,}", "abcABC123ABCabc"),
        ("${mixed,,}", "abcabc123abcabc"),
        ("${mixed,^}", "abcABC123ABCabc"),
        ("${name:5}", "eu-1"),
        ("${name:5:2}", "eu"),
        ("${name:99}", ""),
        ("${name:5:99}", "eu-1"),
        ("${name:x}", "prod-eu-1"),
        ("${name: -4}", "prod-eu-1"),
        ("${name:0:${#wide}}", "pr"),
        ("${path##*/}", "file.tar.gz"),
        ("${path#*/}", "path/to/file.tar.gz"),
        ("${path%.*}", "/path/to/file.tar"),
        ("${path%%.*}", "/path/to/file"),
        ("${path#nothing}", "/path/to/file.tar.gz"),
        ("${mixed#[a-c]}", "bcABC123ABCabc"),
        ("${mixed#?}", "bcABC123ABCabc"),
        ("${mixed/abc/X}", "XABC123ABCabc"),
        ("${mixed//abc/X}", "XABC123ABCX"),
        ("${mixed/#abc/X}", "XABC123ABCabc"),
        ("${mixed/%abc/X}", "abcABC123ABCX"),
        ("${mixed//abc/}", "ABC123ABC"),
        ("${mixed/#abc/}", "abcABC123ABCabc"),
        (r"${path//\//-}", "-path-to-file.tar.gz"),
        ("$${name}", "${name}"),
        ("$$${name}", "$prod-eu-1"),
        ("$$$${name}", "$${name}"),
        ("a$$b", "a$b"),
        ("${name}${name}", "prod-eu-1prod-eu-1"),
        (r"\\${name}", r"\\prod-eu-1"),
    ],
)
def test_expand_expression_gives_what_the_controller_gives(text: str, result: str) -> None:
    """A wrong rule would show a difference on every object that uses it, or hide one."""
    assert expand(text, VALUES.get) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${name", "missing closing brace"),
        ("${}", "unable to parse variable name"),
        ("${name-x}", "missing closing brace"),
        ("${name+x}", "missing closing brace"),
        ("${name!}", "missing closing brace"),
        ("${name:}", "unable to parse substitution within function"),
        ("${unset:=abc", "unable to parse substitution within function"),
        ("${name/abc}", "bad substitution"),
        ("${name:5:-1}", "length -1 is negative"),
        ("${#}", "bad substitution"),
        ("${" + "a:-${" * 80, "nested too deeply"),
    ],
)
def test_expand_malformed_expression_is_an_error_as_in_the_controller(
    text: str, message: str
) -> None:
    """The controller refuses these; a guess here would promise a sync that cannot happen."""
    with pytest.raises(SubstitutionError, match=message):
        expand(text, VALUES.get)


@pytest.mark.parametrize(
    "text", ["${unset}", "${#unset}", "${unset^^}", "${unset/a/b}", "${unset%x}"]
)
def test_expand_strict_unset_variable_is_an_error(text: str) -> None:
    """Flux 2.9 refuses an unset variable; an empty value would hide that."""
    with pytest.raises(SubstitutionError, match=r'not set \(strict mode\): "unset"'):
        expand(text, VALUES.get, strict=True)


@pytest.mark.parametrize("operator", ["=", ":=", ":-", ":?", ":+"])
def test_expand_strict_default_is_no_error(operator: str) -> None:
    """A variable with a default must stay optional in strict mode."""
    assert expand(f"${{unset{operator}x}}", VALUES.get, strict=True) == "x"


@given(st.text(st.characters(exclude_characters="$", exclude_categories=["Cs"])))
def test_expand_text_without_dollar_is_untouched(text: str) -> None:
    """Expansion would otherwise corrupt manifests that use no variables."""
    assert expand(text, VALUES.get) == text


@given(st.text("ab$}{ /#%:=-^,\\\"'\n", max_size=30))
def test_expand_any_text_ends_in_a_value_or_a_clear_error(text: str) -> None:
    """A strange manifest would otherwise end the program with a stack trace."""
    try:
        expand(text, VALUES.get)
    except SubstitutionError as error:
        assert "\n" not in str(error)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_expand_escaped_text_is_the_text(text: str) -> None:
    """Doubling every dollar is how people keep scripts out of the substitution."""
    assert expand(text.replace("$", "$$"), VALUES.get) == text


@given(st.dictionaries(st.sampled_from("abc"), st.text("xyz$${}", max_size=5)))
def test_expand_values_are_not_expanded_again(values: dict[str, str]) -> None:
    """A value from a Secret that looks like an expression would otherwise be changed."""
    expected = "-".join(values.get(name, "") for name in "abc")
    assert expand("${a}-${b}-${c}", values.get) == expected


_WORDS = st.sampled_from(
    ["a", "true", "no", "7", "1e3", "null", "x.y/z", "", "é", "a b", "$", "$$", "${", "~", "a: b"]
)
_PARTS = st.lists(st.sampled_from(["${one}", "${two}", "$${one}", "-", "a", "'", " ", "#"]))
_LEAVES = _PARTS.map("".join) | _WORDS | st.integers() | st.booleans() | st.none()
_DOCUMENTS = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["k", "l", "${one}"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(_DOCUMENTS, _WORDS, _WORDS)
def test_substituted_in_place_is_what_the_way_through_yaml_gives(
    data: object, one: str, two: str
) -> None:
    """The short way must never give another type or text than the controller's."""
    variables = Variables({"one": one, "two": two})
    document: dict[str, object] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a"},
        "data": data,
    }
    quick = _plainly_substituted(document, variables)
    if quick is None:
        return
    text = expand(dump_yaml(document, sort_keys=True), variables.lookup, strict=True)
    assert read_document(text, name="x") == quick


def test_substituted_in_place_is_the_usual_way() -> None:
    """A thousand objects with a variable each would otherwise be written and read again."""
    document: dict[str, object] = {"data": {"a": "${one}-x", "b": [1, None, "c"], "d": None}}
    quick = _plainly_substituted(document, Variables({"one": "north"}))
    assert quick == {"data": {"a": "north-x", "b": [1, None, "c"], "d": None}}
    assert _plainly_substituted(document, Variables({"one": "7"})) is None
