"""The actions that the settings must allow first, by keys: remediate, upgrade, delete."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deeds import Deed, do_by_keys

pytestmark = pytest.mark.e2e
CAPI = "/apis/cluster.x-k8s.io/v1beta2"


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """One management cluster whose controllers react."""
    return start_demo("--clusters", "6", "--contexts", "1", "--churn", "0")


@pytest.fixture
def screen(open_terminal: Callable[..., Any], demo: Any, tmp_path: Path) -> Any:
    """The program where everything is allowed."""
    folder = tmp_path / "config"
    folder.mkdir()
    folder.joinpath("config.yaml").write_text(
        "first_screen: tree\ncontexts:\n  demo-1: {allow: [delete-cluster, upgrade]}\n"
    )
    terminal = open_terminal("--kubeconfig", str(demo.kubeconfig), columns=150, lines=45)
    terminal.wait_for("live")
    return terminal


def _machine(demo: Any) -> str:
    """A Machine that a MachineHealthCheck watches, and of a MachineDeployment."""
    machines = demo.call(demo.contexts[0], f"{CAPI}/machines")["items"]
    label = "cluster.x-k8s.io/deployment-name"
    wanted = "payments-prod-euw1-1-md-1"
    return str(
        next(
            m["metadata"]["name"] for m in machines if m["metadata"]["labels"].get(label) == wanted
        )
    )


def _cluster(demo: Any, *, has_topology: bool) -> dict[str, Any]:
    clusters = demo.call(demo.contexts[0], f"{CAPI}/clusters")["items"]
    found: dict[str, Any] = next(
        c
        for c in clusters
        if ("topology" in c["spec"]) is has_topology and not c["spec"].get("paused")
    )
    return found


@pytest.mark.timeout(300)
def test_screen_does_what_the_settings_allow(demo: Any, screen: Any) -> None:
    """The last steps of an incident must not need another tool."""
    machine = _machine(demo)
    do_by_keys(screen, Deed(f"kind:machine name:{machine}", machine, "remediate", is_long=True))
    cluster = _cluster(demo, has_topology=True)
    name, version = cluster["metadata"]["name"], cluster["spec"]["topology"]["version"]
    major, minor, patch = version.split(".")
    target = f"{major}.{minor}.{int(patch) + 1}"
    do_by_keys(
        screen,
        Deed(
            f"kind:cluster name:{name}", name, "upgrade", answer=target, is_typed=True, is_long=True
        ),
    )
    path = f"{CAPI}/namespaces/{cluster['metadata']['namespace']}/clusters/{name}"
    assert demo.call(demo.contexts[0], path)["spec"]["topology"]["version"] == target
    gone = _cluster(demo, has_topology=False)["metadata"]
    do_by_keys(
        screen,
        Deed(
            f"kind:cluster name:{gone['name']}", gone["name"], "delete", is_typed=True, is_long=True
        ),
    )
    left = demo.call(demo.contexts[0], f"{CAPI}/clusters")["items"]
    kept = [c for c in left if c["metadata"]["name"] == gone["name"]]
    assert all("deletionTimestamp" in c["metadata"] for c in kept)
