"""ctrl-c: the documented exit code, and nothing of the program's insides."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from plain_server import write_kubeconfig

pytestmark = pytest.mark.e2e


def test_words_that_are_interrupted_leave_with_130_and_no_traceback(tmp_path: Path) -> None:
    """Whoever gives up on a dead server must not be shown the inside of the program."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(120)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        file = write_kubeconfig(tmp_path / "kubeconfig", url)
        process = subprocess.Popen(
            [sys.executable, "-m", "fleettui", "tree", "--kubeconfig", str(file)],
            env={**os.environ, "FLEETTUI_STATE_HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        connection, _ = silent.accept()
        with connection:
            os.killpg(process.pid, signal.SIGINT)
            out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err


def test_screen_too_small_says_so_and_recovers(
    tmp_path: Path, open_terminal: Callable[..., Any]
) -> None:
    """A pane of a tiled terminal must say what it needs, and work once it has it."""
    file = tmp_path / "clusters.json"
    file.write_text(
        '{"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster",'
        ' "metadata": {"name": "shop", "namespace": "retail", "uid": "u"}}'
    )
    terminal = open_terminal("--from", str(file), columns=40, lines=8)
    terminal.wait_for("too small")
    terminal.resize(80, 24)
    terminal.wait_for("shop")
    terminal.press("qq")
    assert terminal.wait_end() == 0
