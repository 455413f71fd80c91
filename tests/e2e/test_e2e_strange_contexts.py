"""Contexts that hold no fleet, or cannot be used: told in a line, and out of the way."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from plain_server import plain_server, write_kubeconfig

pytestmark = pytest.mark.e2e
Words = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """One management cluster that stands still."""
    return start_demo("--clusters", "3", "--contexts", "1", "--churn", "0")


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    """The URL of an API server without Cluster API."""
    with plain_server() as url:
        yield url


def mixed_kubeconfig(demo: Any, plain: str, file: Path) -> Path:
    """A person's kubeconfig: a management cluster, another cluster, a left-over entry."""
    document = yaml.safe_load(demo.kubeconfig.read_text())
    document["clusters"].append({"name": "plain", "cluster": {"server": plain}})
    document["users"].append({"name": "plain", "user": {"token": "any"}})
    document["contexts"] += [
        {"name": "plain", "context": {"cluster": "plain", "user": "plain"}},
        {"name": "left-over", "context": {"cluster": "gone", "user": "plain"}},
    ]
    file.write_text(json.dumps(document))
    return file


def test_all_contexts_keeps_only_those_with_a_fleet(
    demo: Any, plain: str, tmp_path: Path, words: Words
) -> None:
    """A developer's own cluster in the kubeconfig must not fail every script."""
    file = mixed_kubeconfig(demo, plain, tmp_path / "kubeconfig")
    done = words("get", "clusters", "--kubeconfig", str(file), "--all-contexts", "-o", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [context["name"] for context in document["contexts"]] == demo.contexts
    clusters = [item for item in document["items"] if item["group"] == "cluster.x-k8s.io"]
    assert len(clusters) == 3
    assert "left out: plain: serves neither Cluster API nor GitOps kinds" in done.stderr
    assert "left out: left-over: cluster gone not found" in done.stderr


def test_context_without_a_fleet_is_an_error_with_advice(
    plain: str, tmp_path: Path, words: Words
) -> None:
    """An empty table with exit code 0 would say that all is well."""
    file = write_kubeconfig(tmp_path / "kubeconfig", plain)
    for options in ((), ("--all-contexts",)):
        done = words("tree", "--kubeconfig", str(file), *options)
        assert done.returncode == 1
        assert done.stdout == ""
        first, second = done.stderr.splitlines()
        assert "serves neither Cluster API nor GitOps kinds" in first
        assert "--context" in second


def test_context_without_a_fleet_is_one_calm_screen(
    plain: str, tmp_path: Path, open_terminal: Callable[..., Any]
) -> None:
    """A black screen would leave a person guessing."""
    file = write_kubeconfig(tmp_path / "kubeconfig", plain)
    terminal = open_terminal("--kubeconfig", str(file), columns=80, lines=24)
    reason = "serves neither Cluster API nor GitOps kinds"
    terminal.wait_for(lambda text: reason in text and ":ctx" in text)
    terminal.press("qq")
    assert terminal.wait_end() == 0


def test_user_without_any_right_is_told_once_not_per_kind(demo: Any, words: Words) -> None:
    """A hundred lines of 403 hide the one thing that is wrong."""
    file = demo.kubeconfig.with_name("kubeconfig-tenant")
    done = words("tree", "--kubeconfig", str(file))
    assert done.returncode == 3
    first, second = done.stderr.splitlines()
    assert first.startswith("incomplete: demo-1: forbidden: ")
    assert "cannot list resource" in first
    assert "ask for the right" in second


@pytest.mark.parametrize("content", [None, "just words", "{clusters: [", "apiVersion: v1\n"])
def test_kubeconfig_that_is_none_is_told_with_what_to_do(
    tmp_path: Path, words: Words, open_terminal: Callable[..., Any], content: str | None
) -> None:
    """The first start on a fresh machine must lead somewhere, in words and on screen."""
    file = tmp_path / "kubeconfig"
    if content is not None:
        file.write_text(content)
    done = words("tree", "--kubeconfig", str(file), HOME=str(tmp_path))
    assert done.returncode == 2, done.stderr
    first, second = done.stderr.splitlines()
    assert str(file) in first
    assert second.startswith("  hint: ")
    terminal = open_terminal("--kubeconfig", str(file))
    assert terminal.wait_end() == 2
    assert "Traceback" not in terminal.text
    assert "hint:" in terminal.text
