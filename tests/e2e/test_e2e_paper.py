"""Words on a terminal and in a pipe: pager, colours, width."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e
COLOUR = re.compile(rb"\x1b\[[0-9;]*3[0-7][0-9;]*m")
LONG = 60


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A recording of more clusters than a terminal has lines, one of them failed."""
    items = [
        {
            "apiVersion": "cluster.x-k8s.io/v1beta2",
            "kind": "Cluster",
            "metadata": {
                "name": f"c{number:02}",
                "namespace": "shop",
                "uid": f"u{number}",
                "creationTimestamp": "2026-11-01T08:00:00Z",
            },
            "status": {
                "conditions": [
                    {
                        "type": "Available",
                        "status": "False" if number == 0 else "True",
                        "reason": "NotAvailable" if number == 0 else "Available",
                        "message": "a reason that is long enough to be cut " * 8,
                        "lastTransitionTime": "2026-11-01T08:00:00Z",
                    }
                ]
            },
        }
        for number in range(LONG)
    ]
    file = tmp_path / "recorded.json"
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    return file


@pytest.fixture
def pager(tmp_path: Path) -> Path:
    """A pager that says that it was used."""
    script = tmp_path / "pager"
    script.write_text("#!/bin/sh\ncat\necho THROUGH-THE-PAGER\n")
    script.chmod(0o755)
    return script


def shown(
    open_terminal: Callable[..., Any], *arguments: str, code: int = 0, **environment: str
) -> bytes:
    """All that a command wrote to a terminal of 100 columns."""
    terminal = open_terminal(*arguments, columns=100, lines=24, environment=environment)
    assert terminal.wait_end() == code
    while terminal.pump(0.1):
        pass
    return bytes(terminal.raw)


def test_long_tables_on_a_terminal_go_through_the_pager_in_colour(
    recording: Path, pager: Path, open_terminal: Callable[..., Any]
) -> None:
    """A screenful that rushes by cannot be read; short ones need no pager."""
    long = shown(open_terminal, "get", "clusters", "--from", str(recording), PAGER=str(pager))
    assert b"THROUGH-THE-PAGER" in long
    assert COLOUR.search(long)
    assert b"c59" in long
    short = shown(
        open_terminal, "get", "clusters", "--from", str(recording), "--filter", "name:c07",
        PAGER=str(pager),
    )  # fmt: skip
    assert b"THROUGH-THE-PAGER" not in short
    assert b"c07" in short


@pytest.mark.parametrize(
    ("option", "variables", "is_coloured"),
    [
        ((), {}, True),
        ((), {"NO_COLOR": "1"}, False),
        (("--color", "never"), {}, False),
        (("--color", "always"), {"NO_COLOR": "1"}, True),
    ],
)
def test_colours_on_a_terminal_follow_option_then_environment(
    option: tuple[str, ...],
    variables: dict[str, str],
    is_coloured: bool,
    recording: Path,
    open_terminal: Callable[..., Any],
) -> None:
    """NO_COLOR is a promise; who says --color always means it."""
    raw = shown(open_terminal, "tree", "--from", str(recording), *option, PAGER="cat", **variables)
    assert (COLOUR.search(raw) is not None) is is_coloured


@pytest.mark.parametrize(
    "command", [("tree",), ("get", "clusters"), ("get", "clusters", "-o", "json")]
)
def test_piped_output_is_the_same_whatever_the_terminal(
    command: tuple[str, ...], recording: Path, pager: Path, words: Callable[..., Any]
) -> None:
    """A script that cuts columns must not break in another window; nor page, nor colour."""
    outputs = set()
    for columns in ("40", "80", "300"):
        done: subprocess.CompletedProcess[str] = words(
            *command, "--from", str(recording), COLUMNS=columns, LINES="10", PAGER=str(pager),
            TERM="xterm-256color",
        )  # fmt: skip
        outputs.add(re.sub(r'"age_s": \d+', "", done.stdout))
    (output,) = outputs
    assert "\x1b" not in output
    assert "THROUGH-THE-PAGER" not in output
    assert len([line for line in output.splitlines() if "c59" in line]) >= 1


def test_piped_output_is_coloured_when_asked_for(
    recording: Path, words: Callable[..., Any]
) -> None:
    """`| less -R` is a pipe as well."""
    done = words("get", "clusters", "--from", str(recording), "--color", "always")
    assert COLOUR.search(done.stdout.encode())


def test_table_on_a_terminal_fits_its_width(
    recording: Path, open_terminal: Callable[..., Any]
) -> None:
    """A line that wraps makes a table of two."""
    raw = shown(
        open_terminal, "get", "clusters", "--from", str(recording), "--color", "never", PAGER="cat"
    )
    lines = [line for line in raw.decode().splitlines() if " c0" in line]
    assert len(lines) == 10
    assert all(len(line.rstrip()) <= 100 for line in lines)
