"""Choosing what the tree is about."""

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

from fleettui.kinds import load_table
from fleettui.tui.tree_pickers import TreePickers


class Host:
    """A tree that notes what it is to show, over a fleet that notes what it is asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.shown: list[tuple[str, str]] = []
        self.fleet: Any = SimpleNamespace(table=load_table([]), ask=self._ask)
        self.state: Any = SimpleNamespace(show_kind=self.shown.append)
        self.index: Any = None
        self.app: Any = None

    def _ask(self, kinds: Iterable[tuple[str, str]]) -> None:
        self.asked.extend(kinds)

    def reshape(self, change: Callable[[], object]) -> None:
        change()

    def set_namespace(self, namespace: str) -> None:
        raise NotImplementedError


def test_pickers_kind_that_was_not_read_is_read_when_it_is_shown() -> None:
    """Releases left out of a very large fleet, and templates, would stay an empty list."""
    for word in ("helmreleases", "kubeadmconfigtemplates"):
        host = Host()
        TreePickers(host).show_kind(word)
        assert host.asked == host.shown != []


def test_pickers_machines_are_not_all_read_for_being_shown() -> None:
    """Half a million machines come by :load, which tells what they cost."""
    host = Host()
    TreePickers(host).show_kind("kubeadmconfigs")
    assert host.shown
    assert not host.asked
