"""Bursts of keys in one write to a real terminal: none is lost, none lands elsewhere."""

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """A small fleet that stands still."""
    return start_demo("--clusters", "4", "--contexts", "1", "--churn", "0")


@pytest.fixture
def names(demo: Any) -> list[str]:
    """Names of the clusters."""
    listed = demo.call(demo.contexts[0], "/apis/cluster.x-k8s.io/v1beta2/clusters")
    return [item["metadata"]["name"] for item in listed["items"]]


def test_keys_in_one_write_act_one_after_another(
    demo: Any, names: list[str], open_terminal: Callable[..., Any]
) -> None:
    """Fingers that know the way are faster than screens: filter, describe, back, next filter."""
    terminal = open_terminal("--kubeconfig", str(demo.kubeconfig))
    terminal.wait_for("live")
    first, second = names[:2]
    terminal.press(f"/{first}\rd")
    terminal.wait_for(
        lambda text: "CONDITIONS" in text and first in text and f"d{first}" not in text
    )
    terminal.press("q\x1b")  # in the same write escape would begin the next key's sequence
    terminal.wait_for(lambda text: f"/{first}" not in text and "NAME" in text)
    terminal.press(f"/{second}\ry")
    terminal.wait_for(lambda text: "resourceVersion" in text and f"name: {second}" in text)
    terminal.press("q:kinds\r/machine\rqq?")
    terminal.wait_for("only what is broken")
    terminal.press("qqq")
    assert terminal.wait_end() == 0


def test_keys_before_the_first_frame_wait_for_the_tree(
    demo: Any, names: list[str], open_terminal: Callable[..., Any]
) -> None:
    """What is typed while the program starts is typed to the program."""
    for _ in range(2):  # the second start shows the clusters of last time first
        terminal = open_terminal("--kubeconfig", str(demo.kubeconfig))
        terminal.press(f"/{names[2]}\r")
        terminal.wait_for(lambda text: f"filter {names[2]}" in text or f"/{names[2]}" in text)
        terminal.wait_for(lambda text: "live" in text and names[2] in text and names[0] not in text)
        terminal.press(":quit\r")
        assert terminal.wait_end() == 0
