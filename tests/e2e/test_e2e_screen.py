"""The screen over real HTTP: live, honest about what is lost, and harmless when read-only."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
import yaml

pytestmark = pytest.mark.e2e
TRIES = 5
"""Changes of which one must show at once: in between the machine may have been busy."""
READS = {"GET", "HEAD"}
REVIEWS = ("selfsubjectaccessreviews", "selfsubjectrulesreviews", "selfsubjectreviews")


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """A small fleet of two management clusters that stands still."""
    return start_demo("--clusters", "6", "--contexts", "2", "--churn", "0")


def opened(open_terminal: Callable[..., Any], demo: Any, *arguments: str, **options: Any) -> Any:
    """The program on the demo, with its lists complete."""
    terminal = open_terminal(
        "--kubeconfig", str(demo.kubeconfig), "--all-contexts", *arguments, **options
    )
    terminal.wait_for(lambda text: text.count("live") >= 2)
    return terminal


def requests_of(demo: Any, context: str) -> list[dict[str, Any]]:
    """What a server's recorder has seen."""
    answer = demo.call(context, "/demo/requests")
    entries = answer["items"] if isinstance(answer, dict) else answer
    return [entry for entry in entries if not entry["path"].startswith("/demo/")]


def a_cluster(demo: Any, context: str) -> dict[str, Any]:
    """One workload cluster of a management cluster."""
    listed = demo.call(context, "/apis/cluster.x-k8s.io/v1beta2/clusters")
    return listed["items"][0]


def test_screen_of_a_patched_status_shows_it_within_a_second(
    demo: Any, open_terminal: Callable[..., Any]
) -> None:
    """A tree that lags behind the cluster misleads whoever repairs it."""
    began = time.monotonic()
    terminal = opened(open_terminal, demo)
    # How fast this machine is now: a start takes about two seconds where nothing else runs.
    limit_s = max(1.0, (time.monotonic() - began) / 2)
    cluster = a_cluster(demo, demo.contexts[0])
    meta = cluster["metadata"]
    terminal.press(f"/{meta['name']}\r")
    terminal.wait_for(meta["name"])
    path = f"/apis/cluster.x-k8s.io/v1beta2/namespaces/{meta['namespace']}/clusters/{meta['name']}"
    took_s = []
    for number in range(TRIES):
        reason = f"Seen{number}Soon"
        conditions = [
            {**c, "status": "False", "reason": reason, "message": "patched by hand"}
            if c["type"] == "Available"
            else c
            for c in cluster["status"]["conditions"]
        ]
        body = {"status": {"conditions": conditions}}
        started = time.monotonic()
        demo.call(demo.contexts[0], f"{path}/status", method="PATCH", body=body)
        terminal.wait_for(reason)
        took_s.append(time.monotonic() - started)
        if took_s[-1] < limit_s:
            return
    pytest.fail(f"the change took more than a moment to appear, each time: {took_s}")


def test_screen_asks_for_one_list_and_one_watch_of_each_kind(
    start_demo: Callable[..., Any], open_terminal: Callable[..., Any]
) -> None:
    """A fleet tool must not be the incident: each kind is listed and watched once."""
    demo = start_demo("--clusters", "3", "--contexts", "1", "--churn", "0")
    terminal = open_terminal("--kubeconfig", str(demo.kubeconfig))
    terminal.wait_for("live")
    lists: dict[str, int] = {}
    watches: dict[str, int] = {}
    for entry in requests_of(demo, demo.contexts[0]):
        path, query = entry["path"], str(entry.get("query", ""))
        if not path.startswith("/apis/cluster.x-k8s.io/v1beta2/") or entry["method"] != "GET":
            continue
        if "watch=" in query or "'watch'" in query:
            watches[path] = watches.get(path, 0) + 1
        elif "continue=" not in query and "'continue'" not in query:
            lists[path] = lists.get(path, 0) + 1
    assert lists["/apis/cluster.x-k8s.io/v1beta2/clusters"] == 1
    assert set(lists.values()) == {1}, lists
    assert set(watches.values()) <= {1}, watches


def test_screen_of_a_lost_server_keeps_its_rows_and_converges(
    demo: Any, open_terminal: Callable[..., Any]
) -> None:
    """When one management cluster is down the other stays live and the rows stay, marked."""
    terminal = opened(open_terminal, demo)
    gone, other = demo.contexts[0], demo.contexts[1]

    def is_marked(text: str) -> bool:
        is_lost = any(word in text.splitlines()[0] for word in ("stale", "lost", "down"))
        return is_lost and other in text and gone in text

    for seconds in (3, 12, 60):  # a slow machine needs a longer outage to see it
        demo.call(gone, f"/demo/stop?seconds={seconds}", method="POST", body={})
        with suppress(pytest.fail.Exception):
            terminal.wait_for(is_marked, timeout_s=seconds)
            break
        terminal.wait_for(lambda text: text.splitlines()[0].count("live") >= 2)
    else:
        pytest.fail("an outage of a minute was never shown")
    terminal.wait_for(lambda text: text.splitlines()[0].count("live") >= 2)


def test_screen_fits_eighty_columns_and_follows_a_resize(
    demo: Any, open_terminal: Callable[..., Any]
) -> None:
    """The laptop at 03:00 has a small terminal."""
    terminal = opened(open_terminal, demo, columns=80, lines=24)
    terminal.wait_for(demo.contexts[0])
    terminal.resize(200, 50)
    terminal.wait_for("MESSAGE")
    terminal.resize(80, 24)
    terminal.wait_for(lambda text: demo.contexts[0] in text and "MESSAGE" not in text)


def test_screen_leaves_by_its_keys_with_a_clean_terminal(
    demo: Any, open_terminal: Callable[..., Any]
) -> None:
    """Quitting must give the shell back as it was."""
    terminal = opened(open_terminal, demo)
    terminal.press(":quit\r")
    assert terminal.wait_end() == 0
    assert b"\x1b[?1049l" in terminal.raw


def test_screen_in_read_only_mode_sends_reads_and_reviews_only(
    start_demo: Callable[..., Any], open_terminal: Callable[..., Any]
) -> None:
    """Whatever an on-call person presses, nothing may change."""
    demo = start_demo("--clusters", "3", "--contexts", "1", "--churn", "0")
    before = demo.call(demo.contexts[0], "/apis/cluster.x-k8s.io/v1beta2/clusters")
    terminal = open_terminal("--kubeconfig", str(demo.kubeconfig), "--read-only")
    terminal.wait_for("live")
    chance = random.Random(11)
    keys = [chr(code) for code in range(33, 127) if chr(code) not in "qQ"]
    keys += ["\x1b", "\r", "\t", " ", "\x04", "\x0b", "\x1a", "\x12", "\x1b[A", "\x1b[B", "\x1b[5~"]
    commands = (":causes\r", ":paused\r", ":overview\r", ":kinds\r", ":machines\r", ":ns\r\x1b")
    for number in range(240):
        terminal.press(chance.choice(keys))
        if number % 30 == 0:
            terminal.press("\x1b\x1b")
            terminal.press(chance.choice(commands))
        terminal.pump(0.01)
        if terminal.process.poll() is not None:
            break
    seen = requests_of(demo, demo.contexts[0])
    assert seen
    wrong = [
        entry
        for entry in seen
        if entry["method"] not in READS
        and not (entry["method"] == "POST" and entry["path"].rsplit("/", 1)[-1] in REVIEWS)
    ]
    assert wrong == []
    after = demo.call(demo.contexts[0], "/apis/cluster.x-k8s.io/v1beta2/clusters")
    assert yaml.safe_dump(before["items"]) == yaml.safe_dump(after["items"])


def test_screen_of_an_unreachable_server_is_calm(
    tmp_path: Any, open_terminal: Callable[..., Any]
) -> None:
    """No traceback, no blank screen: what is wrong and what to do next."""
    file = tmp_path / "kubeconfig"
    file.write_text(
        "{apiVersion: v1, kind: Config, current-context: far,"
        " contexts: [{name: far, context: {cluster: a, user: a}}],"
        " clusters: [{name: a, cluster: {server: 'http://127.0.0.1:9'}}],"
        " users: [{name: a, user: {token: x}}]}"
    )
    terminal = open_terminal("--kubeconfig", str(file))
    text = terminal.wait_for(
        lambda text: "far" in text and ("127.0.0.1" in text or "refused" in text)
    )
    assert "Traceback" not in text
    terminal.press("qq")
    assert terminal.wait_end() == 0
