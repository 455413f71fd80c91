"""Whatever breaks in the middle of a write, the journal tells the truth: by the program itself."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fleettui.audit import Entry, Journal, What

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]
KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations"
BULK = int(os.environ.get("FLEETTUI_BULK", "60"))
"""Objects of the large bulk; 500 by hand."""
Words = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """A fleet of enough machines that stands still."""
    return start_demo("--clusters", str(max(BULK // 6, 6)), "--contexts", "1", "--churn", "0")


@pytest.fixture(autouse=True)
def _calm(demo: Any, tmp_path: Path) -> None:
    control(demo, "/demo/faults", method="DELETE")
    control(demo, "/demo/requests", method="DELETE")
    folder = tmp_path / "config"
    folder.mkdir()
    folder.joinpath("config.yaml").write_text(
        "bulk: {limit: 100000, per_minute: 1000000, in_flight: 10}\n"
    )


def control(demo: Any, path: str, *, method: str = "GET", body: Any = None) -> Any:
    """What the demo's server is told or asked outside the API."""
    return demo.call(demo.contexts[0], path, method=method, body=body)


def fault(demo: Any, **what: Any) -> None:
    """Lets the server fail at writes."""
    control(demo, "/demo/faults", method="POST", body={"method": "PATCH", **what})


def written(demo: Any) -> list[str]:
    """Paths of writes that arrived from the program."""
    return [
        entry["path"]
        for entry in control(demo, "/demo/requests")
        if entry["method"] == "PATCH" and entry["headers"]["User-Agent"].startswith("fleettui")
    ]


def labels(demo: Any, name: str) -> Mapping[str, str]:
    """Labels of a Kustomization by the server's own word."""
    found = control(demo, f"{KUSTOMIZATIONS}/{name}")["metadata"].get("labels", {})
    assert isinstance(found, dict)
    return found


def told(words: Words, *more: str) -> list[dict[str, Any]]:
    """Lines of ``fleettui journal``."""
    done = words("journal", "-o", "json", *more)
    assert done.returncode == 0, done.stderr
    items = json.loads(done.stdout)["items"]
    assert isinstance(items, list)
    return items


def label_command(demo: Any, name: str, entry: str) -> list[str]:
    """Words that label one Kustomization."""
    return [
        "label", f"ks/flux-system/{name}", entry, "--yes", "--reason", "test",
        "--kubeconfig", str(demo.kubeconfig),
    ]  # fmt: skip


def test_killed_between_request_and_answer_is_unknown_and_not_sent_again(
    demo: Any, words: Words, tmp_path: Path
) -> None:
    """After kill -9 the write stands on the server, and the journal says that it may."""
    fault(demo, freeze=True)
    environment = {
        **os.environ,
        "FLEETTUI_CONFIG_HOME": str(tmp_path / "config"),
        "FLEETTUI_CACHE_HOME": str(tmp_path / "cache"),
        "FLEETTUI_STATE_HOME": str(tmp_path / "state"),
    }
    command = label_command(demo, "policies", "example.com/killed=1")
    with subprocess.Popen(
        [sys.executable, "-m", "fleettui", *command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        until = time.monotonic() + 120
        while "example.com/killed" not in labels(demo, "policies"):
            assert time.monotonic() < until, "the write never arrived"
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
    (line,) = told(words)
    assert (line["result"], line["name"], line["message"]) == ("unknown", "policies", None)
    again = words("label", "--resume", line["plan"], "--yes", "--kubeconfig", str(demo.kubeconfig))
    assert again.returncode == 5
    assert "not known whether it was done" in again.stderr
    assert len(written(demo)) == 1


def filled_journal(folder: Path) -> int:
    """A journal that is larger than any plan here; its size in bytes."""
    line = Entry(what=What.NOTE, id="n", at="2026-01-01T00:00:00.000Z", message="as before")
    path = Journal(folder).path
    path.write_bytes((msgspec.json.encode(line) + b"\n") * 3000)
    path.chmod(0o600)
    return path.stat().st_size


def limited(size_bytes: int) -> Callable[[], None]:
    """Makes every file of a child end at a size, as a full disk would."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))

    return limit


@pytest.mark.parametrize("sent", [1, pytest.param(0, marks=pytest.mark.long)])
def test_full_disk_sends_nothing_that_cannot_be_recorded(
    sent: int, demo: Any, words: Words, tmp_path: Path
) -> None:
    """Without room for the intent nothing leaves; without room for the outcome nothing more."""
    done = words(*label_command(demo, "policies", f"example.com/first={sent}"))
    assert done.returncode == 0, done.stderr
    control(demo, "/demo/requests", method="DELETE")
    intent = (tmp_path / "state" / "journal.jsonl").read_bytes().splitlines()[0]
    room_bytes = (len(intent) + 20) * sent
    size = filled_journal(tmp_path / "state")
    environment = {
        **os.environ,
        "FLEETTUI_CONFIG_HOME": str(tmp_path / "config"),
        "FLEETTUI_CACHE_HOME": str(tmp_path / "cache"),
        "FLEETTUI_STATE_HOME": str(tmp_path / "state"),
    }
    names = ("policies", "tenants", "infra-configs")
    done = subprocess.run(
        [
            sys.executable, "-m", "fleettui", "label", f"example.com/full={sent}",
            *(f"ks/flux-system/{name}" for name in names),
            "--yes", "--kubeconfig", str(demo.kubeconfig),
        ],
        env=environment,
        preexec_fn=limited(size + room_bytes),
        capture_output=True,
        text=True,
        timeout=240,
    )  # fmt: skip
    assert done.returncode not in (0, None), done.stdout
    assert "journal cannot be written" in done.stderr + done.stdout
    assert len(written(demo)) == sent
    held = [name for name in names if labels(demo, name).get("example.com/full") == str(sent)]
    assert len(held) == sent
    lines = [line for line in told(words) if line["name"]]
    assert [line["result"] for line in lines] == ["unknown"] * sent
    assert [line["name"] for line in lines] == held


def test_lost_answer_of_the_program_is_unknown(demo: Any, words: Words) -> None:
    """The connection ends between request and answer: exit code, words and journal agree."""
    fault(demo, cut_bytes=10)
    done = words(*label_command(demo, "tenants", "example.com/lost=1"))
    assert done.returncode != 0
    assert "may have been done" in done.stderr
    (line,) = told(words)
    assert line["result"] == "unknown"
    assert line["message"], "what a second look showed"
    assert len(written(demo)) == 1


@pytest.mark.parametrize(("count", "code", "result"), [(1, 0, "written"), (-1, 1, "rejected")])
def test_conflict_storm_is_tried_once_more_and_then_told(
    count: int, code: int, result: str, demo: Any, words: Words
) -> None:
    """A busy object is looked at again; whoever never wins is told so, each try with a line."""
    fault(demo, status=409, count=count)
    done = words(*label_command(demo, "infra-configs", f"example.com/storm={code}"))
    assert done.returncode == code, done.stderr
    assert [line["result"] for line in told(words)] == ["rejected", result]
    is_there = labels(demo, "infra-configs").get("example.com/storm") == str(code)
    assert is_there is (result == "written")
    assert len(written(demo)) == 2


def test_token_that_expires_in_the_middle_of_a_bulk_is_told_one_by_one_and_gone_on_with(
    demo: Any, words: Words
) -> None:
    """Nobody finds out by hand which of hundreds were done; nothing is done twice."""
    kubeconfig = ("--kubeconfig", str(demo.kubeconfig))
    machines = control(demo, "/apis/cluster.x-k8s.io/v1beta2/machines?limit=1000")["items"]
    names = [f"machine/{m['metadata']['namespace']}/{m['metadata']['name']}" for m in machines]
    alive = [
        name for name, m in zip(names, machines, strict=True)
        if "deletionTimestamp" not in m["metadata"]
    ]  # fmt: skip
    chosen = alive[:BULK]
    assert len(chosen) == BULK
    fault(demo, skip=BULK // 2, count=-1, status=401)
    control(demo, "/demo/requests", method="DELETE")
    done = words(
        "label", "example.com/bulk=1", *chosen, "--yes", *kubeconfig, "-o", "json",
        timeout_s=240,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    outcome = json.loads(done.stdout)
    lines = told(words)
    counts = Counter(line["result"] for line in lines)
    assert counts["written"] == BULK // 2
    assert set(counts) == {"written", "rejected"}, "an expired token is no lost answer"
    control(demo, "/demo/faults", method="DELETE")
    again = words(
        "label", "--resume", outcome["plan"], "--yes", *kubeconfig, "-o", "json", timeout_s=240
    )
    assert again.returncode == 0, again.stderr
    labelled = control(
        demo, "/apis/cluster.x-k8s.io/v1beta2/machines?labelSelector=example.com/bulk%3D1"
    )["items"]
    assert len(labelled) == BULK
    done_once = Counter(line["name"] for line in told(words) if line["result"] == "written")
    assert len(done_once) == BULK
    assert max(done_once.values()) == 1
