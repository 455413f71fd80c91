"""The words over real HTTP: what they print is what the servers hold."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e
Words = Callable[..., subprocess.CompletedProcess[str]]
COMPARED = ("clusters", "machinedeployments", "machines", "kustomizations", "helmreleases")


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """A small fleet of two management clusters that stands still."""
    return start_demo("--clusters", "8", "--contexts", "2", "--churn", "0")


def kubectl(kubeconfig: Path, *arguments: str) -> Any:
    """What kubectl prints as JSON."""
    program = shutil.which("kubectl", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if program is None:
        pytest.skip("no kubectl")
    done = subprocess.run(
        [program, "--kubeconfig", str(kubeconfig), *arguments, "-o", "json"],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_get_of_both_contexts_agrees_with_kubectl_object_by_object(demo: Any, words: Words) -> None:
    """A fleet tool that misses or invents an object is of no use."""
    done = words("get", "all", "--kubeconfig", str(demo.kubeconfig), "--all-contexts", "-o", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == "fleettui.get/v1"
    assert [c["state"] for c in document["contexts"]] == ["live", "live"]
    ours = {
        (i["context"], i["kind"], i["namespace"], i["name"]): i["uid"] for i in document["items"]
    }
    for context in demo.contexts:
        for plural in COMPARED:
            for item in kubectl(demo.kubeconfig, "--context", context, "get", plural, "-A")[
                "items"
            ]:
                meta = item["metadata"]
                key = (context, item["kind"], meta["namespace"], meta["name"])
                assert ours[key] == meta["uid"], key


def test_tree_of_both_contexts_has_every_cluster_as_a_root(demo: Any, words: Words) -> None:
    """The tree must start with the clusters of every management cluster."""
    done = words("tree", "--kubeconfig", str(demo.kubeconfig), "--all-contexts", "-o", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    roots = {
        (i["context"], i["name"])
        for i in document["items"]
        if (i["group"], i["kind"]) == ("cluster.x-k8s.io", "Cluster")
    }
    real = {
        (context, item["metadata"]["name"])
        for context in demo.contexts
        for item in kubectl(
            demo.kubeconfig, "--context", context, "get", "clusters.cluster.x-k8s.io", "-A"
        )["items"]
    }
    assert roots == real
    assert len(real) == 8


def test_output_that_is_piped_does_not_depend_on_any_width(demo: Any, words: Words) -> None:
    """Scripts that parse a table must not break on another terminal."""
    wide = words("get", "clusters", "--kubeconfig", str(demo.kubeconfig), COLUMNS="300").stdout
    narrow = words("get", "clusters", "--kubeconfig", str(demo.kubeconfig), COLUMNS="40").stdout
    columns = [line.split("  ")[0] for line in wide.splitlines()]
    assert columns == [line.split("  ")[0] for line in narrow.splitlines()]
    assert "\x1b" not in wide


def test_fail_on_matches_with_exit_code_four(demo: Any, words: Words) -> None:
    """A cron job that watches the fleet needs the documented exit code."""
    done = words(
        *("get", "all", "--kubeconfig", str(demo.kubeconfig), "--all-contexts"),
        *("--fail-on", "failed", "--fail-on", "paused"),
    )
    assert done.returncode == 4
    assert "matched by --fail-on" in done.stderr


def test_forbidden_kinds_make_the_answer_incomplete(demo: Any, words: Words) -> None:
    """What may not be read must never look like nothing being there."""
    file = demo.kubeconfig.with_name("kubeconfig-tenant")
    if not file.exists():
        pytest.skip("the demo has no tenant's kubeconfig")
    arguments = ("get", "clusters", "--kubeconfig", str(file))
    assert words(*arguments).returncode == 3
    assert words(*arguments, "--allow-partial").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (("get", "clusters", "--context", "nowhere"), 2, "nowhere"),
        (("get", "clsters"), 2, "did you mean"),
        (("get", "clusters", "--no-such-flag"), 2, "no-such-flag"),
        (("tree", "--from", "/nonexistent"), 2, "does not exist"),
        (("demo", "--serve", "--clusters", "0"), 2, "clusters"),
        (("describe", "cluster", "nobody"), 2, "nobody"),
    ],
)
def test_bad_input_is_one_clear_line_with_its_exit_code(
    demo: Any, words: Words, arguments: tuple[str, ...], code: int, expected: str
) -> None:
    """A typo must cost a glance, not a traceback."""
    done = words(*arguments, KUBECONFIG=str(demo.kubeconfig))
    assert done.returncode == code, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_no_kubeconfig_at_all_says_what_to_do(tmp_path: Path, words: Words) -> None:
    """The first start on a fresh machine must lead somewhere."""
    done = words("tree", KUBECONFIG=str(tmp_path / "none"), HOME=str(tmp_path))
    assert done.returncode == 2
    assert "hint" in done.stderr
    assert "Traceback" not in done.stderr


def test_unreachable_server_is_exit_code_three(tmp_path: Path, words: Words) -> None:
    """A script must be able to tell no fleet from an empty fleet."""
    file = tmp_path / "kubeconfig"
    file.write_text(
        "{apiVersion: v1, kind: Config, current-context: a,"
        " contexts: [{name: a, context: {cluster: a, user: a}}],"
        " clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}],"
        " users: [{name: a, user: {token: x}}]}"
    )
    done = words("get", "clusters", "--kubeconfig", str(file), "--timeout", "60")
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert "127.0.0.1" in done.stderr


def test_wrong_token_is_exit_code_three_and_says_so(
    demo: Any, tmp_path: Path, words: Words
) -> None:
    """An expired token at 03:00 must be read off the first line."""
    text = demo.kubeconfig.read_text()
    for token in demo.tokens.values():
        text = text.replace(token, "expired")
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    done = words("get", "clusters", "--kubeconfig", str(file), "--timeout", "60")
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert "credential" in done.stderr.lower() or "token" in done.stderr.lower()


def test_half_a_document_is_told_with_its_file(tmp_path: Path, words: Words) -> None:
    """A recording cut off in transfer must be told as such."""
    file = tmp_path / "half.json"
    file.write_text('{"apiVersion": "v1", "kind": "List", "items": [{"kind": "Pod", "meta')
    done = words("tree", "--from", str(file))
    assert done.returncode == 2
    assert "half.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_causes_of_the_demo_name_something_failing(demo: Any, words: Words) -> None:
    """The seeded fleet has incidents; the first lines must be about them."""
    done = words("causes", "--kubeconfig", str(demo.kubeconfig), "--all-contexts", "-o", "json")
    assert done.returncode == 0, done.stderr
    items = json.loads(done.stdout)["items"]
    assert [item["rank"] for item in items] == list(range(1, len(items) + 1))
    assert any(item["state"] == "failing" for item in items)
    assert all(item["root"]["name"] for item in items)


def test_help_imports_neither_screen_nor_http(words: Words) -> None:
    """`--help` must answer at once."""
    code = (
        "import sys; from fleettui.cli.app import run; run(['--help']);"
        "bad = {'textual', 'aiohttp', 'kubernetes_asyncio'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
