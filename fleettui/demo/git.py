"""The fleet's desired state as a real git repository, made by the git program.

Holds what the seeded objects say: clusters, tenants, platform configuration, apps. The same world
gives the same commits. Planned differences from the live objects are incidents and told there.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import yaml

from fleettui.demo.world import World
from fleettui.demo.world.desired import (
    cluster_files,
    platform_files,
    previous_files,
    team_files,
)

SOURCE_URL = "ssh://git@git.example.com/platform/fleet.git"
"""spec.url of every GitRepository in the demo; `local_sources` maps it to the folder."""

_AUTHORS = (
    "Mira Keller <mira.keller@example.com>",
    "Tomas Lindqvist <tomas.lindqvist@example.com>",
    "Aiko Tanaka <aiko.tanaka@example.com>",
    "Priya Nair <priya.nair@example.com>",
)
_BOT = "fluxbot <fluxbot@example.com>"
_CLUSTER_COMMITS = 4
_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class FleetRepository:
    """The repository on disk; methods run git and block for milliseconds."""

    path: Path

    def head(self) -> str:
        """Commit at the tip of main, 40 hex digits."""
        return self._run("rev-parse", "refs/heads/main").strip()

    def previous(self) -> str:
        """The commit before the tip of main."""
        return self._run("rev-parse", "refs/heads/main~1").strip()

    def changed_files(self, old: str, new: str) -> list[str]:
        """Paths that differ between two commits."""
        return self._run("diff", "--name-only", "--no-renames", old, new).splitlines()

    def read(self, commit: str, path: str) -> str | None:
        """A file's text at a commit; None if it does not exist there."""
        try:
            return self._run("show", f"{commit}:{path}")
        except subprocess.CalledProcessError:
            return None

    def _run(self, *arguments: str) -> str:
        return run_git(self.path, *arguments).decode()


def run_git(path: Path, *arguments: str, stdin: bytes | None = None) -> bytes:
    """Run git in a folder with nothing of the person's configuration; its standard output.

    Raises:
        subprocess.CalledProcessError: git failed.
        FileNotFoundError: git is not installed.
    """
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "LC_ALL": "C",
        "TZ": "UTC",
    }
    done = subprocess.run(  # noqa: S603  fixed program, arguments of our own making
        ["git", "-C", str(path), *arguments],  # noqa: S607  the person's git, found on PATH
        input=stdin,
        capture_output=True,
        check=True,
        env=environment,
        timeout=_TIMEOUT_S,
    )
    return done.stdout


def create_repository(path: Path, worlds: Sequence[World], *, now: datetime) -> FleetRepository:
    """Write the repository of a fleet and tell the worlds which revision they are at.

    Args:
        path: folder to make; must not exist yet or be empty.
        worlds: all management clusters; they share one repository.
        now: the last commit is a quarter of an hour older.

    Raises:
        subprocess.CalledProcessError: git failed.
        FileNotFoundError: git is not installed.
    """
    path.mkdir(parents=True, exist_ok=True)
    run_git(path, "init", "--quiet", "--initial-branch=main", ".")
    run_git(
        path,
        "fast-import",
        "--quiet",
        "--date-format=raw",
        stdin=b"".join(_stream(worlds, now)),
    )
    run_git(path, "reset", "--quiet", "--hard", "main")
    repository = FleetRepository(path)
    head, previous = repository.head(), repository.previous()
    for world in worlds:
        world.set_revision(f"main@sha1:{head}", previous=f"main@sha1:{previous}")
    return repository


def local_sources(
    repository: FleetRepository | None, charts: Sequence[Mapping[str, str]] = ()
) -> str:
    """YAML that maps URLs of sources to folders, for `local-sources.yaml`.

    Args:
        repository: stands for the URL in GitRepositories; None: there is none.
        charts: entries of chart repositories.
    """
    own = [{"url": SOURCE_URL, "path": str(repository.path)}] if repository else []
    return yaml.safe_dump({"sources": [*own, *map(dict, charts)]})


def _stream(worlds: Sequence[World], now: datetime) -> Iterator[bytes]:
    """Commands of git fast-import, a commit each time."""
    first: dict[str, bytes] = dict(platform_files(worlds))
    for world in worlds:
        first |= team_files(world)
    first |= previous_files()
    yield from _commit(first, "platform: bootstrap fleet repository", _AUTHORS[0], now, days=430)
    clusters = [(world, number) for world in worlds for number in range(len(world.plans))]
    size = max(1, -(-len(clusters) // _CLUSTER_COMMITS))
    for index in range(0, len(clusters), size):
        files: dict[str, bytes] = {}
        for world, number in clusters[index : index + size]:
            files |= cluster_files(world, number)
        step = index // size
        subject = f"clusters: add {len(clusters[index : index + size])} clusters"
        author = _AUTHORS[(step + 1) % len(_AUTHORS)]
        yield from _commit(files, subject, author, now, days=400 - 90 * step)
    yield from _commit(
        {"docs/upgrades.md": b"# Upgrades\n\nControl planes first, one environment a week.\n"},
        "docs: how upgrades are rolled out",
        _AUTHORS[2],
        now,
        days=6,
    )
    last = platform_files(worlds)
    changed = {name: last[name] for name in previous_files()}
    yield from _commit(changed, "apps: update metrics-agent to 2.8.1", _BOT, now, days=0)


def _commit(
    files: Mapping[str, bytes], subject: str, author: str, now: datetime, *, days: int
) -> Iterator[bytes]:
    moment = int((now - timedelta(days=days, minutes=15)).timestamp())
    text = subject.encode()
    yield b"commit refs/heads/main\n"
    yield f"author {author} {moment} +0000\ncommitter {author} {moment} +0000\n".encode()
    yield b"data %d\n%b\n" % (len(text), text)
    for name in sorted(files):
        content = files[name]
        yield b"M 100644 inline %b\ndata %d\n%b\n" % (name.encode(), len(content), content)
    yield b"\n"
