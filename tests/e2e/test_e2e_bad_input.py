"""What a person may get wrong, or meet: one clear line in words, one calm screen each.

Each case is looked at twice: what is wrong and where, then what to do next. There is
never a traceback, never an empty screen, never exit code 0.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from plain_server import plain_server, write_kubeconfig

pytestmark = pytest.mark.e2e
Words = Callable[..., subprocess.CompletedProcess[str]]
HALF = '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "cluster.x-k8s.io/v1beta2",'


class Case(NamedTuple):
    """One thing that is wrong."""

    arguments: list[str]
    code: int
    what: str
    """What is said of it, everywhere."""
    then: str
    """What to do next, everywhere."""
    is_live: bool = True
    """Whether the screen opens and waits for better days."""


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """One management cluster that stands still."""
    return start_demo("--clusters", "2", "--contexts", "1", "--churn", "0")


@pytest.fixture(scope="module")
def plain() -> Iterator[str]:
    """The URL of an API server without Cluster API."""
    with plain_server() as url:
        yield url


def _changed(demo: Any, file: Path, change: Callable[[Any], object]) -> list[str]:
    document = yaml.safe_load(demo.kubeconfig.read_text())
    change(document)
    file.write_text(json.dumps(document))
    return ["--kubeconfig", str(file)]


def _wrong_token(document: Any) -> None:
    for user in document["users"]:
        user["user"]["token"] = "stolen"


def _far_server(document: Any) -> None:
    for cluster in document["clusters"]:
        cluster["cluster"]["server"] = "https://127.0.0.1:9"


def _other_authority(document: Any) -> None:
    for cluster in document["clusters"]:
        del cluster["cluster"]["certificate-authority-data"]


def _shows(text: str, words: str) -> bool:
    """Whether a screen shows words, wherever it wraps them."""
    return "".join(words.split()) in "".join(text.split())


@pytest.fixture
def case(request: pytest.FixtureRequest, demo: Any, plain: str, tmp_path: Path) -> Case:
    """The case of a name."""
    file = tmp_path / "kubeconfig"
    half = tmp_path / "half.json"
    half.write_text(HALF)
    plainly = write_kubeconfig(tmp_path / "plain", plain)
    document = yaml.safe_load(demo.kubeconfig.read_text())
    server = document["clusters"][0]["cluster"]["server"]
    tenant = demo.kubeconfig.with_name("kubeconfig-tenant")
    user = document["users"][0]["name"]
    cases = {
        "no_file": Case(
            ["--kubeconfig", "/nowhere/config"], 2, "/nowhere/config: no such file",
            "fleettui demo",
            is_live=False,
        ),
        "no_context": Case(
            ["--kubeconfig", str(demo.kubeconfig), "--context", "moon"], 2,
            f"{demo.kubeconfig}: context moon does not exist", f"There are: {demo.contexts[0]}",
            is_live=False,
        ),
        "no_current": Case(
            _changed(demo, file, lambda d: d.pop("current-context")), 2,
            "no current context is set", f"--context: {demo.contexts[0]}",
            is_live=False,
        ) if request.param == "no_current" else None,
        "half_file": Case(
            ["--from", str(half)], 2, f"{half}:1: is not whole JSON", "record it again",
            is_live=False,
        ),
        "no_recording": Case(
            ["--from", "/nowhere"], 2, "/nowhere: does not exist", "give a file or a folder",
            is_live=False,
        ),
        "unreachable": Case(
            _changed(demo, file, _far_server), 3,
            "https://127.0.0.1:9: cannot connect: Connection refused", f"user {user} of {file}",
        ) if request.param == "unreachable" else None,
        "wrong_token": Case(
            _changed(demo, file, _wrong_token), 3, "Unauthorized", f"user {user} of {file}",
        ) if request.param == "wrong_token" else None,
        "wrong_authority": Case(
            _changed(demo, file, _other_authority), 3,
            f"{server}: the server's certificate is not trusted", "Check certificate-authority",
        ) if request.param == "wrong_authority" else None,
        "no_rights": Case(
            ["--kubeconfig", str(tenant)], 3, "cannot list resource",
            "the right to list these kinds",
        ),
        "no_fleet": Case(
            ["--kubeconfig", str(plainly)], 1,
            "serves neither Cluster API nor GitOps kinds", ":ctx",
        ),
    }  # fmt: skip
    found = cases[request.param]
    assert found is not None
    return found


ALL = (
    "no_file", "no_context", "no_current", "half_file", "no_recording", "unreachable",
    "wrong_token", "wrong_authority", "no_rights", "no_fleet",
)  # fmt: skip


@pytest.mark.parametrize("case", ALL, indirect=True)
def test_words_with_bad_input_are_two_lines_and_an_exit_code(case: Case, words: Words) -> None:
    """A script, and whoever reads its log, must learn what is wrong and what to do."""
    done = words("tree", *case.arguments)
    assert done.returncode == case.code, done.stderr
    assert case.what in done.stderr
    assert case.then in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("case", ALL, indirect=True)
def test_screen_with_bad_input_is_calm_and_says_what_to_do(
    case: Case, open_terminal: Callable[..., Any]
) -> None:
    """At 80×24 too: the whole reason and the next step are in sight, and q leaves."""
    terminal = open_terminal(*case.arguments, columns=80, lines=24)
    if not case.is_live:
        assert terminal.wait_end() == case.code
    # Keys of rows that are not there are not offered.
    text = terminal.wait_for(
        lambda text: (
            _shows(text, case.what)
            and _shows(text, case.then)
            and not (case.is_live and "describe" in text.splitlines()[-1])
        )
    )
    assert "Traceback" not in text
    if case.is_live:
        terminal.press("qq")
        assert terminal.wait_end() == 0


@pytest.mark.parametrize("count", ["0", "-3", "many"])
def test_demo_of_no_clusters_is_told_in_two_lines(count: str, words: Words) -> None:
    """A pretend fleet without clusters shows nothing."""
    done = words("demo", "--clusters", count)
    assert done.returncode == 2
    first, second = done.stderr.splitlines()
    assert "--clusters" in first
    assert count in first
    assert second == "  hint: fleettui demo --help"


def test_screen_in_a_tiny_terminal_says_how_large_it_must_be(
    demo: Any, open_terminal: Callable[..., Any]
) -> None:
    """Half a tree that looks whole is worse than none; growing brings it."""
    terminal = open_terminal("--kubeconfig", str(demo.kubeconfig), columns=40, lines=8)
    terminal.wait_for(lambda text: "40×8 is too small" in text and "needs 50×10" in text)
    terminal.resize(80, 24)
    terminal.wait_for("NAME")
    terminal.resize(20, 4)
    terminal.wait_for("20×4 is too small")
    terminal.press("qq")
    assert terminal.wait_end() == 0
