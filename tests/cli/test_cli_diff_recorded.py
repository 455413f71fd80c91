"""The word ``diff`` over recorded clusters: what the recorded ``flux diff`` printed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from fleettui.cli.app import run

WORDS = {"created": "created", "drifted": "changed", "deleted": "pruned", "skipped": "ignored"}
NAMES = ("geo", "ledger", "loyalty", "teams")


@pytest.fixture
def flux(shared_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Recordings of real Flux controllers; the program's own folders are the test's."""
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"FLEETTUI_{name}_HOME", str(tmp_path / name.lower()))
    return shared_folder / "recordings" / "flux"


def _local(flux: Path) -> list[str]:
    return [
        f"--local=http://127.0.0.1:18080/{bundle.stem}.git={bundle}"
        for bundle in sorted((flux / "git").glob("*.bundle"))
    ]


def _diff(flux: Path, capsys: Any, *arguments: str) -> tuple[int, dict[str, Any]]:
    where = ["--from", str(flux / "incidents"), *_local(flux)]
    code = run(["diff", *where, *arguments, "-o", "json", "--exit-code"])
    return code, json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("name", NAMES)
def test_diff_of_a_recording_says_what_flux_diff_said(name: str, flux: Path, capsys: Any) -> None:
    """Who has only a recording of an incident must see what the on-call person saw."""
    lines = (flux / "incidents" / "cli" / "diff" / f"{name}.txt").read_text().splitlines()
    head = re.match(r"# \S+ at (\S+)", lines[0])
    command = re.match(r"\$ flux diff kustomization (\S+) -n (\S+)", lines[1])
    assert head and command
    printed = dict(re.findall(r"^► (\S+) (\w+)$", "\n".join(lines), re.MULTILINE))
    ref = f"kustomization/{command[2]}/{command[1]}"
    strict = [] if "--strict-substitute" in lines[1] else ["--no-strict-substitute"]
    code, found = _diff(flux, capsys, ref, "--ref", head[1], *strict)
    (item,) = found["items"]
    assert item["error"] == ""
    ours = {
        f"{change['kind']}/{change['namespace']}/{change['name']}": change["change"]
        for change in item["objects"]
    }
    assert ours == {thing: WORDS[said] for thing, said in printed.items()}
    assert code == int(any(change != "ignored" for change in ours.values()))


def test_diff_dry_run_of_a_recording_is_told_to_be_impossible(flux: Path, capsys: Any) -> None:
    """A recording has no server to ask; silence would look like no difference."""
    code, found = _diff(flux, capsys, "kustomization/loyalty/loyalty", "--mode", "dry-run")
    assert code == 3
    assert "recording has no server" in found["items"][0]["error"]


def test_diff_of_a_bundle_as_it_lies_is_told_to_be_impossible(flux: Path, capsys: Any) -> None:
    """A bundle has no files lying about; the reason must name what would work."""
    code, found = _diff(flux, capsys, "kustomization/loyalty/loyalty")
    assert code == 3
    assert "check-out" in found["items"][0]["error"]
