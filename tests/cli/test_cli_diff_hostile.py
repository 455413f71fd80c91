"""Hostile repositories through the word ``diff``: nothing happens, and the reason is told."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleettui.cli.app import run

URL = "https://git.example.org/evil.git"
GITREPOSITORY = {
    "apiVersion": "source.toolkit.fluxcd.io/v1",
    "kind": "GitRepository",
    "metadata": {"namespace": "apps", "name": "evil", "uid": "u1"},
    "spec": {"url": URL, "ref": {"branch": "main"}},
}
KUSTOMIZATION = {
    "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
    "kind": "Kustomization",
    "metadata": {"namespace": "apps", "name": "evil", "uid": "u2"},
    "spec": {
        "path": "./app",
        "prune": True,
        "sourceRef": {"kind": "GitRepository", "name": "evil"},
    },
}
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: apps}\ndata: {k: v}\n"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recording of one Kustomization, and an empty repository beside it."""
    for name in ("CONFIG", "CACHE", "STATE"):
        monkeypatch.setenv(f"FLEETTUI_{name}_HOME", str(tmp_path / name.lower()))
    documents = yaml.safe_dump_all([GITREPOSITORY, KUSTOMIZATION])
    (tmp_path / "recording.yaml").write_text(documents)
    (tmp_path / "evil" / "app").mkdir(parents=True)
    _git(tmp_path / "evil", "init", "-q", "-b", "main")
    return tmp_path


def _git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", *identity, "-C", str(folder), *arguments]
    subprocess.run(command, check=True, env=environment, capture_output=True)


def _diff(place: Path, capsys: Any, *arguments: str) -> tuple[int, dict[str, Any]]:
    repository = place / "evil"
    _git(repository, "add", "-A")
    _git(repository, "commit", "-q", "-m", "evil")
    where = ["--from", str(place / "recording.yaml"), f"--local={URL}={repository}"]
    code = run(
        ["diff", *where, "--ref", "main", "kustomization/apps/evil", *arguments, "-o", "json"]
    )
    return code, json.loads(capsys.readouterr().out)["items"][0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("resources: [../../../etc]", "leads out"),
        ("resources: [/etc/passwd]", "leads out"),
        ("resources: ['https://evil.example/base?ref=main']", "remote"),
        ("resources: ['github.com/evil/base']", "remote"),
        ("resources: [a.yaml]\nconfigMapGenerator: [{name: x, files: [../../../x]}]", "leads out"),
        (f"resources: [a.yaml]\nvars: {{}}\n{BOMB}", "expands to more than"),
    ],
)
def test_hostile_kustomization_is_refused_with_the_reason(
    place: Path, capsys: Any, text: str, words: str
) -> None:
    """A repository that many may write to must not read files or call hosts from here."""
    (place / "evil" / "app" / "a.yaml").write_text(CONFIG_MAP)
    (place / "evil" / "app" / "kustomization.yaml").write_text(text)
    code, item = _diff(place, capsys)
    assert code == 3
    assert words in item["error"], item["error"]
    assert not item["objects"]


def test_hostile_links_are_left_out_and_told(place: Path, capsys: Any) -> None:
    """A link to a key of the person must never be shown as what git says."""
    (place / "secret.yaml").write_text(CONFIG_MAP.replace("name: a", "name: stolen"))
    (place / "evil" / "app" / "a.yaml").write_text(CONFIG_MAP)
    (place / "evil" / "app" / "b.yaml").symlink_to(place / "secret.yaml")
    _, item = _diff(place, capsys)
    assert [change["name"] for change in item["objects"]] == ["a"]
    assert any("b.yaml" in note for note in item["notes"])


def test_hostile_hooks_and_settings_of_a_repository_do_not_run(place: Path, capsys: Any) -> None:
    """Reading a repository must run nothing that came with it."""
    (place / "evil" / "app" / "a.yaml").write_text(CONFIG_MAP)
    _git(place / "evil", "add", "-A")
    _git(place / "evil", "commit", "-q", "-m", "one")
    marker = place / "ran"
    hooks = place / "evil" / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("post-checkout", "reference-transaction", "post-index-change", "pre-auto-gc"):
        hook = hooks / name
        hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
        hook.chmod(0o755)
    repository = place / "evil"
    settings = f"[core]\n\tfsmonitor = touch {marker}\n\tpager = touch {marker}\n"
    with (repository / ".git" / "config").open("a") as file:
        file.write(settings)
    where = ["--from", str(place / "recording.yaml"), f"--local={URL}={repository}"]
    run(["diff", *where, "--ref", "main", "kustomization/apps/evil", "-o", "json"])
    item = json.loads(capsys.readouterr().out)["items"][0]
    assert [change["change"] for change in item["objects"]] == ["created"]
    assert not marker.exists()


def test_hostile_text_of_a_commit_does_not_reach_the_terminal(place: Path, capsys: Any) -> None:
    """An author's name can hold what writes the clipboard."""
    (place / "evil" / "app" / "a.yaml").write_text(CONFIG_MAP.replace("k: v", 'k: "\\e]52;c;x"'))
    _git(place / "evil", "add", "-A")
    _git(place / "evil", "commit", "-q", "-m", "subject \x1b]52;c;QUJD\x07 \u202e")
    where = ["--from", str(place / "recording.yaml"), f"--local={URL}={place / 'evil'}"]
    run(["diff", *where, "--ref", "main", "kustomization/apps/evil"])
    shown = capsys.readouterr().out
    assert "subject" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)


@pytest.mark.parametrize("url", ["ext::sh -c touch", "file:///etc", "--upload-pack=x", "fd::1"])
def test_hostile_addresses_are_never_handed_to_git(place: Path, capsys: Any, url: str) -> None:
    """The URL is written by whoever may write a GitRepository."""
    source = {**GITREPOSITORY, "spec": {"url": url, "ref": {"branch": "main"}}}
    (place / "recording.yaml").write_text(yaml.safe_dump_all([source, KUSTOMIZATION]))
    where = ["--from", str(place / "recording.yaml")]
    code = run(["diff", *where, "--latest", "kustomization/apps/evil", "-o", "json"])
    item = json.loads(capsys.readouterr().out)["items"][0]
    assert code == 3
    assert "refused" in item["error"]


def _include(place: Path, **include: Any) -> None:
    """Lets the repository include another one, whose files are those of a good person."""
    include["repository"] = {"name": "other"}
    spec: Any = GITREPOSITORY["spec"]
    status = {"artifact": {"revision": "main"}}
    source = {**GITREPOSITORY, "spec": {**spec, "include": [include]}, "status": status}
    other = {
        **GITREPOSITORY,
        "metadata": {"namespace": "apps", "name": "other", "uid": "u3"},
        "spec": {"url": "https://git.example.org/other.git", "ref": {"branch": "main"}},
        "status": status,
    }
    (place / "recording.yaml").write_text(yaml.safe_dump_all([source, other, KUSTOMIZATION]))
    (place / "other" / "base").mkdir(parents=True)
    (place / "other" / "base" / "b.yaml").write_text(CONFIG_MAP.replace("name: a", "name: b"))
    _git(place / "other", "init", "-q", "-b", "main")
    _git(place / "other", "add", "-A")
    _git(place / "other", "commit", "-q", "-m", "other")


def test_included_repositories_are_laid_into_the_tree(place: Path, capsys: Any) -> None:
    """Without the included files everything from them would look pruned."""
    _include(place, fromPath="base", toPath="app/inner")
    (place / "evil" / "app" / "a.yaml").write_text(CONFIG_MAP)
    local = f"--local=https://git.example.org/other.git={place / 'other'}"
    code, item = _diff(place, capsys, local)
    assert item["error"] == ""
    found = [(change["name"], change["source"]) for change in item["objects"]]
    assert found == [("a", "app/a.yaml"), ("b", "app/inner/b.yaml")]
    assert code == 0


def test_included_repository_that_leads_out_or_is_missing_is_told(place: Path, capsys: Any) -> None:
    """An include must neither write elsewhere nor be left out in silence."""
    _include(place, toPath="../../etc")
    (place / "evil" / "app" / "a.yaml").write_text(CONFIG_MAP)
    code, item = _diff(place, capsys)
    assert (code, "an include leads out" in item["error"]) == (3, True)
    text = (place / "recording.yaml").read_text().replace("../../etc", "x")
    cases = (("gone", "GitRepository/apps/gone is not"), ("evil", "cannot be followed"))
    for other, words in cases:
        changed = text.replace("name: other", f"name: {other}", 1)
        (place / "recording.yaml").write_text(changed)
        where = ["--from", str(place / "recording.yaml"), f"--local={URL}={place / 'evil'}"]
        code = run(["diff", *where, "--ref", "main", "kustomization/apps/evil", "-o", "json"])
        item = json.loads(capsys.readouterr().out)["items"][0]
        assert code == 3
        assert words in item["error"]
