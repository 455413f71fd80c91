"""Who last touched a file: commits as people read them.

Knows git's log. Knows nothing of Kubernetes objects.

Source: git-log(1) ``--name-only -z``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleettui.desired.git_program import Git


@dataclass(frozen=True, slots=True)
class Commit:
    """Who changed something, when and why."""

    sha: str
    author: str
    authored_at: datetime
    subject: str


async def read_commit(git: Git, sha: str) -> Commit:
    """Author, date and subject of a commit.

    Raises:
        GitError: there is none.
    """
    answer = await git.command(
        "log", "-1", "--format=%H%x00%an%x00%aI%x00%s", "--end-of-options", sha
    )
    return _commit_of(answer.stdout.decode(errors="replace").rstrip("\n").split("\0"))


async def last_touches(git: Git, sha: str, paths: Iterable[str]) -> dict[str, Commit]:
    """Commit that last touched each path as of a commit; one walk for all of them.

    Raises:
        GitError: git cannot read the history.
    """
    wanted = set(paths)
    answer = await git.command(
        "log",
        "--no-renames",
        "--name-only",
        "-z",
        "--format=%x01%H%x00%an%x00%aI%x00%s",
        sha,
        "--",
        *(f":(literal){path}" for path in sorted(wanted)),
    )
    return _first_touches(answer.stdout, wanted)


@dataclass(frozen=True, slots=True)
class Touch:
    """A commit and the files that it touches."""

    commit: Commit
    paths: frozenset[str]


async def touches_between(git: Git, before: str, after: str) -> list[Touch]:
    """Commits that one revision has and another one lacks, newest first; merges left out.

    Raises:
        GitError: git cannot read the history.
    """
    answer = await git.command(
        "log",
        "--no-renames",
        "--no-merges",
        "--name-only",
        "-z",
        "--format=%x01%H%x00%an%x00%aI%x00%s",
        "--end-of-options",
        f"{before}..{after}",
    )
    found: list[Touch] = []
    for part in answer.stdout.decode(errors="replace").split("\x01")[1:]:
        words = part.split("\0")
        paths = frozenset(word.lstrip("\n") for word in words[4:])
        found.append(Touch(_commit_of(words), paths - {""}))
    return found


def _commit_of(words: Sequence[str]) -> Commit:
    sha, author, date, subject = words[:4]
    return Commit(sha, author, datetime.fromisoformat(date), subject)


def _first_touches(stream: bytes, wanted: set[str]) -> dict[str, Commit]:
    """Newest commit of each path in ``git log --name-only -z`` output."""
    result: dict[str, Commit] = {}
    for part in stream.decode(errors="replace").split("\x01")[1:]:
        words = part.split("\0")
        commit = _commit_of(words)
        for word in words[4:]:
            path = word.lstrip("\n")
            if path in wanted:
                result.setdefault(path, commit)
    return result
