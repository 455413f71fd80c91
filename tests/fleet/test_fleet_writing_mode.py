"""Which fleets can act at all: fixed when they are opened, the strictest source wins."""

from pathlib import Path

import pytest

from fleettui.config import READ_ONLY_VARIABLE, ContextSettings, Settings
from fleettui.fleet.live_link import LiveLink
from fleettui.fleet.opening import Opening, open_fleet

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: prod
clusters: [{name: c, cluster: {server: "https://192.0.2.1"}}]
users: [{name: u, user: {token: t}}]
contexts:
- {name: prod, context: {cluster: c, user: u}}
- {name: test, context: {cluster: c, user: u}}
"""
OBJECT = """
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: a, namespace: b, uid: u, resourceVersion: "1"}
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    """Two contexts that nobody connects to."""
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    path.chmod(0o600)
    return path


@pytest.fixture(autouse=True)
def _writable_environment(monkeypatch, tmp_path):
    monkeypatch.delenv(READ_ONLY_VARIABLE, raising=False)
    monkeypatch.setenv("FLEETTUI_STATE_HOME", str(tmp_path / "state"))


def test_live_fleet_without_flags_can_act(kubeconfig):
    """An SRE who asked for nothing special may change things, each one confirmed."""
    fleet = open_fleet(Opening(kubeconfig=kubeconfig))
    assert fleet.acts is not None
    assert not fleet.read_only


def test_read_only_flag_leaves_nothing_that_acts(kubeconfig):
    """On call with --read-only there is no object that could write."""
    fleet = open_fleet(Opening(kubeconfig=kubeconfig, read_only=True))
    assert fleet.acts is None
    assert fleet.read_only


def test_read_only_environment_wins_over_flags_and_settings(kubeconfig, monkeypatch):
    """A jump host that sets the variable is read-only whatever a person configures."""
    monkeypatch.setenv(READ_ONLY_VARIABLE, "1")
    assert open_fleet(Opening(kubeconfig=kubeconfig)).acts is None


def test_read_only_settings_win_over_flags(kubeconfig):
    """A configuration that says read-only cannot be lifted on the command line."""
    opening = Opening(kubeconfig=kubeconfig, settings=Settings(read_only=True))
    assert open_fleet(opening).acts is None


def test_read_only_context_says_so_beside_one_that_may_write(kubeconfig):
    """Production read-only, test not: each context shows its own mode."""
    settings = Settings(contexts=(ContextSettings(pattern="prod", read_only=True),))
    fleet = open_fleet(Opening(kubeconfig=kubeconfig, contexts=("prod", "test"), settings=settings))
    assert fleet.acts is not None
    modes = {info.name: info.read_only for info in fleet.contexts()}
    assert modes == {"prod": True, "test": False}
    assert isinstance(fleet.link_called("prod"), LiveLink)


def test_recording_has_nothing_that_acts(tmp_path):
    """A file of last week is not a place to press pause."""
    path = tmp_path / "objects.yaml"
    path.write_text(OBJECT)
    fleet = open_fleet(Opening(sources=(path,)))
    assert fleet.acts is None
    assert fleet.read_only
