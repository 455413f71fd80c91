"""An edited kubeconfig under a running program: what moves, and what must not."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from fleettui.fleet.rereading import KubeconfigWatch
from fleettui.kube.kubeconfig import Kubeconfig, load_kubeconfig


def document(**changes: Any) -> dict[str, Any]:
    """Two contexts of two servers; ``changes`` replace whole sections."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "eu",
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": name}} for name in ("eu", "us")
        ],
        "clusters": [
            {"name": name, "cluster": {"server": f"https://{name}.example:6443"}}
            for name in ("eu", "us")
        ],
        "users": [{"name": name, "user": {"token": f"{name}-1"}} for name in ("eu", "us")],
        **changes,
    }


class Opened:
    """Contexts that are open, and what was asked of them."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.reopened: list[str] = []
        self.looks = 0

    def open_names(self) -> Iterable[str]:
        return self.names

    async def reopen_context(self, name: str) -> None:
        self.reopened.append(name)

    def forget_leftovers(self) -> None:
        self.looks += 1


class Desk:
    """A kubeconfig that is edited, and the watch over it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.write(document())
        self.watch = KubeconfigWatch(self.load(), self.load)
        for name in ("eu", "us"):
            self.watch.entry(name)

    def load(self) -> Kubeconfig:
        return load_kubeconfig({}, home=self.file.parent, explicit=self.file)

    def write(self, content: Any) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        part = self.file.with_suffix(".new")
        part.write_text(text)
        part.replace(self.file)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A kubeconfig of two contexts that are open."""
    return Desk(tmp_path / "kubeconfig")


def users(**tokens: str) -> list[dict[str, Any]]:
    """The section of users with these tokens."""
    return [{"name": name, "user": {"token": token}} for name, token in tokens.items()]


async def test_rotated_token_reopens_its_context_alone(desk: Desk) -> None:
    """A new token must reach the server without a restart; the other context is not touched."""
    opened = Opened("eu", "us")
    await desk.watch.look(opened)
    assert opened.reopened == []
    desk.write(document(users=users(eu="eu-2", us="us-1")))
    await desk.watch.look(opened)
    await desk.watch.look(opened)
    assert opened.reopened == ["eu"]


async def test_moved_server_reopens_its_context(desk: Desk) -> None:
    """A restored management cluster has another address."""
    opened = Opened("us")
    clusters = document()["clusters"]
    clusters[1]["cluster"]["server"] = "https://us-2.example:6443"
    desk.write(document(clusters=clusters))
    await desk.watch.look(opened)
    assert opened.reopened == ["us"]


async def test_other_current_context_order_and_namespace_move_nothing(desk: Desk) -> None:
    """`kubectl config use-context` in another window must not turn the screen to production."""
    opened = Opened("eu", "us")
    again = document(**{"current-context": "us"})
    again["contexts"] = again["contexts"][::-1]
    again["users"] = again["users"][::-1]
    again["contexts"][0]["context"]["namespace"] = "shop"
    desk.write(again)
    await desk.watch.look(opened)
    assert opened.reopened == []


async def test_half_written_file_changes_nothing_until_it_is_whole(desk: Desk) -> None:
    """Editors and sign-in tools write files in steps."""
    opened = Opened("eu", "us")
    whole = json.dumps(document(users=users(eu="eu-2", us="us-1")))
    desk.write(whole[: len(whole) // 2])
    await desk.watch.look(opened)
    assert opened.reopened == []
    desk.write(whole)
    await desk.watch.look(opened)
    assert opened.reopened == ["eu"]


async def test_context_that_is_gone_from_the_file_stays_open(desk: Desk) -> None:
    """Rows under somebody's cursor do not vanish because a file was tidied up."""
    opened = Opened("eu", "us")
    desk.write(document(contexts=document()["contexts"][1:]))
    await desk.watch.look(opened)
    assert opened.reopened == []
