"""Values set at a path are where ``helm --set`` puts them."""

from typing import Any

import pytest

from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.single_values import set_value, typed_value


@pytest.mark.parametrize(
    ("values", "target", "expected"),
    [
        ({}, "a", {"a": "x"}),
        ({"a": {"c": 1}}, "a.b", {"a": {"c": 1, "b": "x"}}),
        ({"a": 1}, "a.b", {"a": {"b": "x"}}),
        ({}, r"a\.b.c", {"a.b": {"c": "x"}}),
        ({}, "list[0]", {"list": ["x"]}),
        ({}, "list[2]", {"list": [None, None, "x"]}),
        ({"list": ["a", "b"]}, "list[1]", {"list": ["a", "x"]}),
        ({}, "servers[0].port", {"servers": [{"port": "x"}]}),
        (
            {"servers": [{"host": "h"}]},
            "servers[0].port",
            {"servers": [{"host": "h", "port": "x"}]},
        ),
        ({}, "grid[0][1]", {"grid": [[None, "x"]]}),
        ({"list": {"a": 1}}, "list[0]", {"list": ["x"]}),
    ],
)
def test_single_value_goes_where_helm_puts_it(
    values: dict[str, Any], target: str, expected: dict[str, Any]
) -> None:
    """A release that sets an item of a list was not compared at all."""
    set_value(values, target, "x", "Secret/a")
    assert values == expected


@pytest.mark.parametrize("target", ["", "[0]", "a[x]", "a[-1]", "a[99999999]", "a[0", "a..b"])
def test_single_value_at_no_path_is_one_clear_line(target: str) -> None:
    """The controller fails there too; a guess would be a made-up difference."""
    with pytest.raises(RenderError, match="values from Secret/a"):
        set_value({}, target, "x", "Secret/a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", 7),
        ("007", "007"),
        ("true", True),
        ("null", None),
        ("'7'", "7"),
        ("{a, 2}", ["a", 2]),
        ("{}", []),
        (r"a\,b", "a,b"),
        ("plain text", "plain text"),
    ],
)
def test_single_value_has_the_type_that_helm_reads(text: str, expected: object) -> None:
    """A port that is a text there and a number here would be a difference for ever."""
    assert typed_value(text, "Secret/a") == expected


def test_single_value_with_a_comma_is_refused_as_the_controller_does() -> None:
    """What stands behind a comma is another value to helm, most often an error."""
    with pytest.raises(RenderError, match="a comma begins another value"):
        typed_value("a,b", "Secret/a")
