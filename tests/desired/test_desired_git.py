"""Repositories are read with the person's git, once, and cannot do anything to them."""

import asyncio
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fleettui.desired.files import HostileTreeError, TreeLimits
from fleettui.desired.git import GitCache
from fleettui.desired.git_program import GitLimits
from fleettui.desired.revisions import (
    GitError,
    checked_reference,
    checked_url,
    parse_revision,
    web_url,
)
from fleettui.desired.sources import Sources, Want, Wanted
from fleettui.errors import FleettuiError

Make = Callable[[dict[str, str]], Path]
Commit = Callable[[Path, dict[str, str], str], str]
RunGit = Callable[..., str]


class _GitServer(BaseHTTPRequestHandler):
    """Serves one folder with git's own http-backend; counts what is asked."""

    root: Path
    asked: list[str]
    refuses = False

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body: bytes) -> None:
        type(self).asked.append(f"{self.command} {self.path}")
        if self.refuses:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_TYPE": self.headers.get("Content-Type") or "",
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
            },
            capture_output=True,
            check=True,
        )
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        self.send_response(200)
        for line in head.decode().splitlines():
            name, _, value = line.partition(": ")
            if name == "Status":
                self.send_response_only(int(value.split()[0]))
            else:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(rest)


@pytest.fixture
def git_server(tmp_path: Path) -> Iterator[tuple[str, type[_GitServer]]]:
    """A git server on this machine over a folder ``served``."""

    class Handler(_GitServer):
        root = tmp_path / "served"
        asked: list[str] = []

    Handler.root.mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", Handler
    server.shutdown()
    server.server_close()
    thread.join()


def _serve(source: Path, root: Path, run_git: RunGit) -> None:
    run_git(source, "clone", "--quiet", "--bare", str(source), str(root / "fleet.git"))
    for name in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        run_git(root / "fleet.git", "config", name, "true")


async def test_repository_over_http_is_fetched_once_for_a_thousand_askers(
    make_repository: Make,
    commit_files: Commit,
    run_git: RunGit,
    git_server: tuple[str, type[_GitServer]],
    tmp_path: Path,
) -> None:
    """A monorepo with a thousand Kustomizations would otherwise be cloned a thousand times."""
    source = make_repository({"a/one.yaml": "a: 1\n", "b/two.yaml": "b: 2\n"})
    first = run_git(source, "rev-parse", "HEAD")
    second = commit_files(source, {"a/one.yaml": "a: 3\n"}, "Change one")
    base, handler = git_server
    _serve(source, handler.root, run_git)
    cache = GitCache(tmp_path / "cache")

    async def ask() -> str:
        repository = await cache.repository(f"{base}/fleet.git")
        sha = await repository.resolve("main")
        return (await repository.tree(sha)).files["a/one.yaml"].decode()

    assert set(await asyncio.gather(*(ask() for _ in range(1000)))) == {"a: 3\n"}
    assert cache.fetches == 1
    repository = await cache.repository(f"{base}/fleet.git/")
    assert await repository.resolve(f"main@sha1:{first}") == first
    assert (await repository.tree(first)).files["a/one.yaml"] == b"a: 1\n"
    commits = await repository.last_commits(second, ["a/one.yaml", "b/two.yaml", "c"])
    assert {path: commit.subject for path, commit in commits.items()} == {
        "a/one.yaml": "Change one",
        "b/two.yaml": "First version",
    }
    posts = [line for line in handler.asked if line.startswith("POST")]
    handler.asked.clear()
    again = GitCache(tmp_path / "cache")
    known = await (await again.repository(f"{base}/fleet.git")).resolve(second)
    await (await again.repository(f"{base}/fleet.git")).tree(known)
    assert (again.fetches, handler.asked) == (0, [])
    assert len(posts) <= 8


async def test_repository_partial_copy_lacks_old_contents(
    make_repository: Make,
    commit_files: Commit,
    run_git: RunGit,
    git_server: tuple[str, type[_GitServer]],
    tmp_path: Path,
) -> None:
    """The whole history of every file would otherwise come to the laptop."""
    source = make_repository({"one.yaml": "old content\n"})
    old = run_git(source, "rev-parse", "HEAD:one.yaml")
    commit_files(source, {"one.yaml": "new content\n"}, "Newer")
    base, handler = git_server
    _serve(source, handler.root, run_git)
    cache = GitCache(tmp_path / "cache")
    repository = await cache.repository(f"{base}/fleet.git")
    await repository.tree(await repository.resolve("HEAD"))
    (copy,) = (tmp_path / "cache").glob("*.git")
    missing = run_git(copy, "rev-list", "--all", "--objects", "--missing=print")
    assert f"?{old}" in missing.split()
    assert copy.stat().st_mode & 0o777 == 0o700


async def test_repository_without_credentials_says_so_and_never_asks(
    git_server: tuple[str, type[_GitServer]], tmp_path: Path
) -> None:
    """git would otherwise wait for a password behind the screen."""
    base, handler = git_server
    handler.refuses = True
    repository = await GitCache(tmp_path / "cache").repository(f"{base}/private.git")
    with pytest.raises(GitError, match="no credentials") as caught:
        await repository.resolve("main")
    assert "--local" in caught.value.hint


async def test_repository_unknown_branch_commit_and_server_are_clear(
    make_repository: Make,
    run_git: RunGit,
    git_server: tuple[str, type[_GitServer]],
    tmp_path: Path,
) -> None:
    """A typing error in --ref must not look like a broken program."""
    source = make_repository({"a.yaml": "a: 1\n"})
    base, handler = git_server
    _serve(source, handler.root, run_git)
    repository = await GitCache(tmp_path / "cache").repository(f"{base}/fleet.git")
    with pytest.raises(GitError, match="no-such-branch does not exist"):
        await repository.resolve("no-such-branch")
    with pytest.raises(GitError):
        await repository.resolve("1" * 40)
    other = await GitCache(tmp_path / "cache").repository("http://127.0.0.1:9/x.git")
    with pytest.raises(GitError, match="cannot be reached"):
        await other.resolve("main")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "--upload-pack=touch /tmp/x",
        "ext::sh -c touch% /tmp/x",
        "file:///etc",
        "/etc",
        "git://example.org/x.git",
        "http://example.org/x.git",
        "https://-oProxyCommand=x/y",
        "ssh://-oProxyCommand=x/y",
        "-oProxyCommand=x:y",
        "https://example.org/a\nb",
        "fd::17",
    ],
)
def test_url_that_could_run_or_read_something_is_refused(url: str) -> None:
    """A GitRepository's URL comes from the cluster: it must not start programs here."""
    with pytest.raises(GitError, match="refused"):
        checked_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/team/fleet.git",
        "ssh://git@example.org:2222/team/fleet",
        "git@example.org:team/fleet.git",
        "http://127.0.0.1:8080/fleet.git",
    ],
)
def test_url_of_a_usual_repository_is_accepted(url: str) -> None:
    """Everybody's repositories would otherwise need --local."""
    assert checked_url(url) == url


@pytest.mark.parametrize(
    "reference", ["", "-x", "--exec=x", "a..b", "a b", "a:b", "a^{/x}", "@{1}"]
)
def test_reference_that_is_an_option_or_expression_is_refused(reference: str) -> None:
    """A branch name from a cluster must not become an option of git."""
    with pytest.raises(GitError, match="refused"):
        checked_reference(reference)


@pytest.mark.parametrize(
    ("text", "name", "sha"),
    [
        (f"main@sha1:{'a' * 40}", "main", "a" * 40),
        (f"sha1:{'b' * 40}", "", "b" * 40),
        (f"refs/heads/x@sha1:{'c' * 40}", "refs/heads/x", "c" * 40),
        (f"feature/x/{'d' * 40}", "feature/x", "d" * 40),
    ],
)
def test_revision_of_flux_is_taken_apart(text: str, name: str, sha: str) -> None:
    """Clusters with an older Flux write revisions in the older form."""
    revision = parse_revision(text)
    assert revision is not None
    assert (revision.name, revision.sha) == (name, sha)
    assert parse_revision("main") is None


def test_web_url_names_the_file_at_the_commit_without_password() -> None:
    """A copied address must open, and must not carry a token."""
    assert web_url("git@github.com:o/r.git", "abc", "a/b.yaml") == (
        "https://github.com/o/r/blob/abc/a/b.yaml"
    )
    assert "/-/blob/abc/" in web_url("https://gitlab.example.org/o/r", "abc", "a")
    assert "hunter2" not in web_url("https://u:hunter2@example.org/o/r", "abc", "a")


async def test_tree_of_hostile_repository_is_harmless_and_says_what_it_left_out(
    make_repository: Make, run_git: RunGit, tmp_path: Path
) -> None:
    """Links out of the repository, submodules, filters and hooks must do nothing."""
    folder = make_repository({"ok.yaml": "a: 1\n", "big.yaml": "x" * 5000})
    (folder / "passwd").symlink_to("/etc/passwd")
    (folder / ".gitattributes").write_text("*.yaml filter=evil export-subst\n")
    marker = tmp_path / "ran"
    run_git(folder, "config", "filter.evil.smudge", f"touch {marker}; cat")
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        script = folder / ".git" / "hooks" / hook
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\ntouch {marker}\n")
        script.chmod(0o755)
    run_git(folder, "-c", "core.hooksPath=/dev/null", "add", "passwd", ".gitattributes")
    sha = run_git(folder, "rev-parse", "HEAD")
    run_git(folder, "update-index", "--add", "--cacheinfo", f"160000,{sha},module")
    run_git(folder, "-c", "core.hooksPath=/dev/null", "commit", "--quiet", "-m", "Hostile")
    marker.unlink(missing_ok=True)
    limits = GitLimits(tree=TreeLimits(file_bytes=1000))
    cache = GitCache(tmp_path / "cache", local={"https://x.example/r": folder}, limits=limits)
    repository = await cache.repository("https://x.example/r")
    tree = await repository.tree(await repository.resolve("main"))
    assert set(tree.files) == {"ok.yaml", ".gitattributes"}
    assert sorted(note.partition(": ")[0] for note in tree.notes) == [
        "big.yaml",
        "module",
        "passwd",
    ]
    assert not marker.exists()


async def test_tree_with_path_out_of_the_repository_is_refused(
    make_repository: Make, run_git: RunGit, tmp_path: Path
) -> None:
    """A tree object may hold any name: one that climbs out must not reach the disk."""
    folder = make_repository({"ok.yaml": "a: 1\n"})
    blob = run_git(folder, "rev-parse", "HEAD:ok.yaml")
    entry = b"100644 ..\0" + bytes.fromhex(blob)
    made = subprocess.run(
        ["git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally"],
        input=entry,
        cwd=folder,
        check=True,
        capture_output=True,
    )
    sha = run_git(folder, "commit-tree", made.stdout.decode().strip(), "-m", "Hostile")
    cache = GitCache(tmp_path / "cache", local={"https://x.example/r": folder})
    repository = await cache.repository("https://x.example/r")
    with pytest.raises(HostileTreeError, match=r"refused: it contains the path '\.\.'"):
        await repository.tree(await repository.resolve(sha))


async def test_tree_with_too_many_files_or_bytes_is_refused(
    make_repository: Make, tmp_path: Path
) -> None:
    """A repository of a million files must not fill the memory."""
    folder = make_repository({f"f{i}.yaml": f"a: {i}\n" for i in range(20)})
    for limits in (TreeLimits(files=10), TreeLimits(total_bytes=50)):
        cache = GitCache(
            tmp_path / "cache", local={"https://x.example/r": folder}, limits=GitLimits(tree=limits)
        )
        repository = await cache.repository("https://x.example/r")
        with pytest.raises(HostileTreeError, match="refused: more than"):
            await repository.tree(await repository.resolve("main"))


def _source(url: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "GitRepository",
        "metadata": {"name": "fleet", "namespace": "flux-system"},
        "spec": {"url": url, "ref": {"branch": "main"}, **more},
        "status": {},
    }


async def test_source_finds_applied_current_latest_and_working_files(
    make_repository: Make, commit_files: Commit, run_git: RunGit, tmp_path: Path
) -> None:
    """Comparing with another revision than asked for would be worse than no comparison."""
    url = "https://git.example.org/fleet.git"
    folder = make_repository({"a.yaml": "v: 1\n", "image.png": "x", "skip/a.yaml": "x: 1\n"})
    first = run_git(folder, "rev-parse", "HEAD")
    second = commit_files(folder, {"a.yaml": "v: 2\n", ".sourceignore": "/skip\n"}, "Two")
    commit_files(folder, {"a.yaml": "v: 3\n"}, "Three")
    (folder / "a.yaml").write_text("v: 4\n")
    source = _source(url)
    source["status"] = {"artifact": {"revision": f"main@sha1:{second}"}}
    sources = Sources(GitCache(tmp_path / "cache", local={url: folder}))
    applied = f"main@sha1:{first}"
    found = {
        want: await sources.find(source, Wanted(want), applied=applied)
        for want in (Want.APPLIED, Want.CURRENT, Want.LATEST, Want.WORKING)
    }
    texts = [item.tree.files["a.yaml"].decode() for item in found.values()]
    assert texts == ["v: 1\n", "v: 2\n", "v: 3\n", "v: 4\n"]
    assert found[Want.APPLIED].revision == applied
    assert "image.png" not in found[Want.APPLIED].tree.files
    assert "skip/a.yaml" in found[Want.APPLIED].tree.files
    assert "skip/a.yaml" not in found[Want.CURRENT].tree.files
    named = await sources.find(source, Wanted(reference=first[:40]))
    assert named.sha == first


async def test_source_in_a_bare_repository_has_no_working_files(
    make_repository: Make, run_git: RunGit, tmp_path: Path
) -> None:
    """git's own files must not be taken for manifests."""
    url = "https://git.example.org/fleet.git"
    source = make_repository({"a.yaml": "v: 1\n"})
    run_git(source, "clone", "--quiet", "--bare", str(source), str(tmp_path / "bare.git"))
    sources = Sources(GitCache(tmp_path / "cache", local={url: tmp_path / "bare.git"}))
    with pytest.raises(FleettuiError, match="a bare repository has no files"):
        await sources.find(_source(url), Wanted(Want.WORKING))
    found = await sources.find(_source(url), Wanted(Want.LATEST))
    assert found.tree.files["a.yaml"] == b"v: 1\n"


async def test_git_runs_with_the_persons_ssh_but_never_asks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person's own ssh settings give access; a question would hang behind the screen."""
    note = tmp_path / "asked"
    script = tmp_path / "ssh"
    script.write_text(
        f'#!/bin/sh\necho "$SSH_ASKPASS_REQUIRE $GIT_TERMINAL_PROMPT" > {note}\n'
        "(: < /dev/tty) 2>/dev/null && echo terminal >> " + str(note) + "\nexit 255\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(script))
    repository = await GitCache(tmp_path / "cache").repository("git@git.example.org:team/x.git")
    with pytest.raises(GitError):
        await repository.resolve("main")
    assert note.read_text() == "never 0\n"
