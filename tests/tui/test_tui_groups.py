"""The detail pane on a group: never empty, the worst first."""

from typing import Any

import pytest

from fleettui.fleet.context import ContextState
from fleettui.tui.group_text import group_lines


def _texts(fleet: Any, view: Any, depth: int) -> list[Any]:
    line = next(line for line in view.lines(0, len(view)) if line.row is None)
    if depth:
        line = [line for line in view.lines(0, len(view)) if line.row is None][depth]
    return group_lines(line, fleet.index, fleet.contexts(), now=fleet.now(), width=60)


def test_group_of_a_context_tells_how_it_stands_and_what_is_worst(
    small_fleet: Any, view_of: Any
) -> None:
    """The first key of a person who is called is `i` on the first line."""
    small_fleet.set_info(missing=tuple(f"forbidden: kind{n}: no right" for n in range(9)))
    lines = _texts(small_fleet, view_of(small_fleet), 0)
    text = "\n".join(line.text for line in lines)
    for words in ("https://eu.example:6443", "live", "alice", "WORST", "Cluster/prod-01", "1✗"):
        assert words in text
    assert "forbidden: 9 kinds" in text
    targets = [line.target for line in lines if line.target is not None]
    assert targets
    assert all(small_fleet.index.get(ref) is not None for ref in targets)


def test_group_of_a_lost_context_says_why(small_fleet: Any, view_of: Any) -> None:
    """The reason stands in the header only as a word."""
    small_fleet.set_info(state=ContextState.STALE, error="connection refused", hint="check VPN")
    text = "\n".join(line.text for line in _texts(small_fleet, view_of(small_fleet), 0))
    assert "connection refused" in text
    assert "check VPN" in text


@pytest.mark.parametrize("depth", [1, -1])
def test_group_of_a_namespace_counts_what_is_in_it(
    depth: int, small_fleet: Any, view_of: Any
) -> None:
    """Every line of the tree has something to say."""
    texts = [line.text for line in _texts(small_fleet, view_of(small_fleet), depth)]
    assert len(texts) >= 2
    assert "objects" in texts[1]
