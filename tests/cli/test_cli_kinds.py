"""Files of one's own kinds: shown how to write, checked, and told what is wrong and where."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fleettui.cli.app import run

HEAD = "group: acme.example\nkinds:\n  - kind: A\n"


@pytest.fixture
def words(
    capsys: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., tuple[int, str, str]]:
    """Runs a command in this process: exit code, what it printed, what it said."""
    monkeypatch.setenv("FLEETTUI_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(arguments)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def test_example_of_kinds_passes_its_own_check(
    words: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    """Whoever copies the example must not be told that it is wrong."""
    code, text, _ = words("kinds", "example")
    assert code == 0
    assert all(f"# {what}:" in text for what in ("roles", "dialects", "relations", "renders"))
    file = tmp_path / "acme.yaml"
    file.write_text(text)
    code, out, _ = words("kinds", "check", str(file))
    assert code == 0
    assert "ok: AcmeMachine.infrastructure.cluster.x-k8s.io (infra_machine, leaf)" in out


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        (HEAD + "    role: infra_machin\n", 4, "did you mean 'infra_machine'?"),
        (HEAD + "    role: cloud\n    colums: {A: x}\n", 5, "did you mean 'columns'?"),
        (HEAD + "    role: cloud\n    columns: {A: x..y}\n", 5, "a path is like"),
        (HEAD + "    role: cloud\n    home: [ownr]\n", 5, "did you mean 'owner'?"),
        (HEAD + "    role: cloud\n    limits: {in_progress_s: soon}\n", 5, "whole number"),
        (HEAD + "    role: cloud\n    history: {path: a.b}\n", 5, "without columns"),
        (HEAD + "    role: [cloud\n", 5, "check brackets"),
        (HEAD + "    depth: leaf\n", 3, "an entry without role"),
        (HEAD + "    role: cloud\n  - {kind: A, role: cloud}\n", 5, "already, in line 3"),
        ("kinds: 5\n", 1, "expected a list"),
        ("", 0, "holds no kinds"),
    ],
)
def test_check_of_kinds_tells_file_line_what_and_a_hint(
    words: Callable[..., tuple[int, str, str]],
    tmp_path: Path,
    text: str,
    line: int,
    expected: str,
) -> None:
    """A mistake in a long file is found by its line, and mended by the hint."""
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    code, out, err = words("kinds", "check", str(file))
    assert (code, out) == (2, "")
    where = f"{file}:{line}" if line else str(file)
    assert f"{where}: " in err
    assert expected in err
    assert "hint: " in err


def test_kinds_of_ones_own_replace_built_in_ones(
    words: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    """What is in kinds.d counts at once, and the check tells what it replaces."""
    folder = tmp_path / "config" / "kinds.d"
    for place in (folder, tmp_path / "config" / "fleettui" / "kinds.d"):
        place.mkdir(parents=True)
        (place / "aws.yaml").write_text(
            "group: infrastructure.cluster.x-k8s.io\n"
            "kinds:\n  - kind: AWSMachine\n    role: infra_machine\n"
            "    columns: {MY COLUMN: spec.ami.id}\n"
        )
    code, out, _ = words("kinds", "check")
    assert code == 0
    assert "AWSMachine.infrastructure.cluster.x-k8s.io (infra_machine, leaf, replaces" in out
    code, out, _ = words("kinds", "-o", "json")
    assert code == 0
    assert "MY COLUMN" in out
