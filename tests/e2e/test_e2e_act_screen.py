"""Acting in a terminal on running controllers: plan, reason, progress, effect, journal."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from deeds import Deed, do_by_keys, find

pytestmark = pytest.mark.e2e
FLUX = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations"
CAPI = "/apis/cluster.x-k8s.io/v1beta2"


@pytest.fixture(scope="module")
def demo(start_demo: Callable[..., Any]) -> Any:
    """One management cluster whose controllers react."""
    return start_demo("--clusters", "3", "--contexts", "1", "--churn", "0")


@pytest.fixture
def screen(open_terminal: Callable[..., Any], demo: Any, tmp_path: Path) -> Any:
    """The program on its tree, with everything read."""
    folder = tmp_path / "config"
    folder.mkdir()
    folder.joinpath("config.yaml").write_text(
        "first_screen: tree\ncontexts:\n  demo-1: {banner: handle with care, colour: red}\n"
    )
    terminal = open_terminal("--kubeconfig", str(demo.kubeconfig), columns=150, lines=45)
    terminal.wait_for("live")
    return terminal


def carry_out(terminal: Any, key: str, *, shows: str, reason: str = "") -> None:
    """Presses a key that writes, reads the plan, confirms, waits for its end."""
    terminal.press(key)
    words = ("why (for the journal)", shows, "PATCH /apis/", "handle with care")
    terminal.wait_for(lambda text: all(word in text for word in words))
    terminal.press(reason)
    terminal.press("\r")
    terminal.wait_for(lambda text: "1 done" in text and "close" in text)
    terminal.press("\x1b")


def suspended(demo: Any, name: str) -> bool:
    """Whether the server says so."""
    return bool(demo.call(demo.contexts[0], f"{FLUX}/{name}")["spec"].get("suspend"))


def test_screen_pauses_and_resumes_a_kustomization(demo: Any, screen: Any) -> None:
    """The commonest thing an SRE does to GitOps, by two keys and a reason."""
    find(screen, "kind:Kustomization name:policies", "policies")
    carry_out(screen, "s", shows='"suspend": true', reason="disk is full")
    screen.wait_for("⏸")
    assert suspended(demo, "policies")
    screen.press("s")
    screen.wait_for('"suspend": null')
    screen.press("\r")
    screen.wait_for(lambda text: "1 done" in text and "close" in text)
    screen.press("\x1b")
    screen.wait_for(lambda text: "policies" in text and "resume Kust" not in text)
    assert not suspended(demo, "policies")
    while screen.pump(0.5):
        pass  # the progress screen closes and gives the keys back to the tree
    screen.press(":journal\r")
    words = ("disk is full", "pause", "resume")
    screen.wait_for(lambda text: all(word in text for word in words))


def test_screen_pauses_and_resumes_a_cluster(demo: Any, screen: Any) -> None:
    """The controllers acknowledge, and the tree shows it."""
    items = demo.call(demo.contexts[0], f"{CAPI}/clusters")["items"]
    meta = next(c["metadata"] for c in items if not c["spec"].get("paused"))
    find(screen, f"kind:Cluster name:{meta['name']}", meta["name"])
    carry_out(screen, "s", shows='"paused": true', reason="maintenance")
    screen.wait_for("⏸")
    path = f"{CAPI}/namespaces/{meta['namespace']}/clusters/{meta['name']}"
    after = demo.call(demo.contexts[0], path)
    assert after["spec"]["paused"] is True
    paused = [c for c in after["status"]["conditions"] if c["type"] == "Paused"]
    assert [c["status"] for c in paused] == ["True"]
    carry_out(screen, "r", shows='"paused": null')
    assert not demo.call(demo.contexts[0], path)["spec"].get("paused")


def test_screen_given_up_sends_nothing(demo: Any, screen: Any) -> None:
    """esc on the plan is a way out."""
    before = demo.call(demo.contexts[0], f"{FLUX}/policies")["metadata"]["resourceVersion"]
    find(screen, "kind:Kustomization name:policies", "policies")
    screen.press("R")
    screen.wait_for("requestedAt")
    screen.press("\x1b")
    screen.wait_for(lambda text: "why (for the journal)" not in text)
    after = demo.call(demo.contexts[0], f"{FLUX}/policies")["metadata"]["resourceVersion"]
    assert after == before


def test_screen_of_one_who_may_only_look_is_read_only_by_rights(
    demo: Any, open_terminal: Callable[..., Any]
) -> None:
    """On call sees before any key that nothing can be changed, and which rule is missing."""
    oncall = demo.kubeconfig.with_name("kubeconfig-oncall")
    terminal = open_terminal("--kubeconfig", str(oncall), columns=150, lines=45)
    terminal.wait_for("READ-ONLY BY RIGHTS")
    find(terminal, "kind:Kustomization name:policies", "policies")
    terminal.press("a")
    rule = "missing right: patch kustomizations.kustomize.toolkit.fluxcd.io in namespace"
    terminal.wait_for(rule)
    terminal.press("\x1b")
    terminal.wait_for(lambda text: rule not in text)
    terminal.press("s")
    terminal.wait_for(lambda text: "refused" in text and "patch kustomizations" in text)


def test_screen_of_one_who_may_write_is_not_read_only(demo: Any, screen: Any) -> None:
    """A banner that is wrong is a banner that nobody reads."""
    find(screen, "kind:Kustomization name:policies", "policies")
    screen.press("a")
    text = screen.wait_for(
        lambda text: "act on Kustomization/policies" in text and "type to narrow" in text
    )
    assert "READ-ONLY" not in text
    assert "missing right" not in text


def deeds(demo: Any) -> list[Deed]:
    """One action of each sort."""
    items = demo.call(demo.contexts[0], f"{CAPI}/machinedeployments")["items"]
    md = next(item["metadata"]["name"] for item in items if item["spec"]["replicas"] > 1)
    machines = demo.call(demo.contexts[0], f"{CAPI}/machines")["items"]
    plane = "cluster.x-k8s.io/control-plane"
    cp = next(m["metadata"]["name"] for m in machines if plane in m["metadata"]["labels"])
    app = "management-monitoring"
    return [
        Deed("kind:HelmRelease name:payments-cache", "payments-cache", "resync, forced"),
        Deed("kind:ks name:policies", "policies", "source first", steps=2),
        Deed(f"kind:application name:{app}", app, "without the", is_rare=True),
        Deed(f"kind:application name:{app}", app, "resync, sync"),
        Deed("kind:managedcluster name:legacy-billing", "legacy-billing", "pause"),
        Deed("kind:fluxinstance", "flux", "pause", is_rare=True),
        Deed(
            "kind:terraform name:landing-network",
            "landing-network",
            "plan again",
            steps=2,
            is_rare=True,
        ),
        Deed(f"kind:machinedeployment name:{md}", md, "rollouts only"),
        Deed(f"kind:machinedeployment name:{md}", md, "resume", is_rare=True),
        Deed(f"kind:machinedeployment name:{md}", md, "scale", answer="5", is_long=True),
        Deed(f"kind:machinedeployment name:{md}", md, "roll out", is_long=True, is_rare=True),
        Deed(f"kind:machinedeployment name:{md}", md, "label", answer="tier=gold"),
        Deed(f"kind:machine name:{cp}", cp, "delete", is_typed=True, is_long=True),
    ]


@pytest.mark.timeout(300)
def test_screen_reaches_every_action_by_keys(demo: Any, screen: Any) -> None:
    """What is only possible by words is not possible in the middle of an incident."""
    is_all = os.environ.get("FLEETTUI_DEEDS") == "all"
    for deed in (one for one in deeds(demo) if is_all or not one.is_rare):
        do_by_keys(screen, deed)
