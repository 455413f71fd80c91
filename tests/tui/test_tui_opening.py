"""The first frame: the clusters of last time, before the program itself is imported."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fleettui.config import Settings
from fleettui.errors import UsageError
from fleettui.fleet.front import FrontPage, saved_rows
from fleettui.fleet.opening import Opening
from fleettui.recorded.shards import Head, HeadLine, ShardFolder
from fleettui.tui.app import FleetApp, take_over
from fleettui.tui.opening import OpeningApp, OpeningScreen
from fleettui.tui.theme import DARK

HEAD = Head(1_790_000_000, 1, (HeadLine("Cluster", "fleet", "prod-77", "failed", "1 of 9", "X"),))
HEAVY = (
    "aiohttp",
    "kubernetes_asyncio",
    "yaml",
    "rich.traceback",
    "pygments",
    "fleettui.actions",
    "fleettui.audit",
    "fleettui.desired",
    "fleettui.fleet.fleet",
    "fleettui.index.index",
    "fleettui.kinds.loader",
    "fleettui.kube.client",
    "fleettui.kube.kubeconfig",
    "fleettui.manifests",
    "fleettui.tui.app",
)
"""Modules that the first frame does without; each costs what a frame costs, or brings what does."""
SHOW = f"""
import sys
from pathlib import Path
from textual.app import App
from fleettui.cli.screen import open_screen
from fleettui.fleet.opening import Opening

def run(app):
    print("frame", app._heads["eu"].lines[0].name)
    print("early", [name for name in {HEAVY!r} if name in sys.modules])
    return 0

App.run = run
sys.stdin.isatty = sys.stdout.isatty = lambda: True
open_screen(Opening(kubeconfig=Path(sys.argv[1])))
"""


@pytest.fixture
def kubeconfig(tmp_path, monkeypatch) -> Path:
    """A kubeconfig whose one context was open before."""
    monkeypatch.setenv("FLEETTUI_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "config"
    path.write_text("{}")
    ShardFolder(saved_rows("ab" * 16)).write_head(HEAD)
    FrontPage(Opening(kubeconfig=path, on_screen=True)).keep({"eu": "ab" * 16})
    return path


def heads(path: Path, **changes) -> list[str]:
    return list(FrontPage(Opening(kubeconfig=path, on_screen=True, **changes)).heads())


def test_first_frame_of_a_known_fleet_imports_nothing_that_it_does_not_show(kubeconfig):
    """Index, kinds, actions and the API client would make the first frame take three times as
    long as Textual needs."""
    done = subprocess.run(
        [sys.executable, "-c", SHOW, str(kubeconfig)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert done.stdout == "frame prod-77\nearly []\n", done.stderr


def test_front_page_of_other_words_or_an_edited_kubeconfig_is_empty(kubeconfig):
    """Clusters of another context must not appear for a moment under the one asked for."""
    assert heads(kubeconfig) == ["eu"]
    assert heads(kubeconfig, contexts=("us",)) == []
    assert heads(kubeconfig, namespace="apps") == []
    assert heads(kubeconfig, cache=False) == []
    kubeconfig.write_text("{} ")
    assert heads(kubeconfig) == []


def test_front_page_that_is_damaged_or_points_elsewhere_is_empty(kubeconfig, tmp_path):
    """A broken cache costs the first lines, never the start."""
    page = next((tmp_path / "cache" / "front").iterdir())
    assert page.stat().st_mode & 0o777 == 0o600
    for text in ("", "[1]", '{"eu":"../../elsewhere"}', '{"eu":"' + "cd" * 16 + '"}'):
        page.write_text(text)
        assert heads(kubeconfig) == []


async def test_opening_shows_last_time_then_becomes_the_program_with_the_keys_pressed(small_fleet):
    """The clusters of last time are there at once, and what was typed meanwhile is not lost."""
    is_loaded = threading.Event()

    def load():
        is_loaded.wait(10)
        return lambda app: take_over(app, small_fleet, Settings())

    app = OpeningApp(DARK, heads={"eu": HEAD}, load=load)
    async with app.run_test(size=(120, 30)) as pilot:
        await pilot.pause()
        text = "\n".join(strip.text for strip in app.screen._compositor.render_strips())
        assert "prod-77" in text and "1 clusters as of" in text
        await pilot.press("j", "j")
        assert isinstance(app.screen, OpeningScreen)
        is_loaded.set()
        await app.workers.wait_for_complete()
        while not isinstance(app, FleetApp) or app.main.tree_pane.cursor != 2:
            await pilot.pause()
        assert app.screen is app.main
        assert len(app.screen_stack) == 2
    assert small_fleet.closed


async def test_opening_that_fails_leaves_with_the_error(small_fleet):
    """A context that is gone is told in one clear line, not by a program that hangs."""

    def load():
        raise UsageError("no context 'x'")

    app = OpeningApp(DARK, heads={"eu": HEAD}, load=load)
    async with app.run_test() as pilot:
        while app.failure is None:
            await pilot.pause()
    assert str(app.failure) == "no context 'x'"
    assert app.return_value == int(app.failure.exit_code)
