"""Repositories of one run: bare, partial copies in the cache folder, fetched once each.

Knows how to open the repository behind a URL or a check-out, bundle or bare
repository that stands for it, to fetch it at most once however many ask, and to
resolve revisions. Knows nothing of Kubernetes.

Source: git-fetch(1), partial clones (gitformat and promisor remotes).
"""

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from fleettui.desired.commit_tree import read_commit_tree
from fleettui.desired.files import FileTree
from fleettui.desired.git_program import Git, GitLimits
from fleettui.desired.history import Commit, Touch, last_touches, read_commit, touches_between
from fleettui.desired.revisions import (
    GitError,
    checked_reference,
    checked_url,
    parse_revision,
    same_url,
    shown_url,
)
from fleettui.desired.shared_work import SharedWork

_SHA = re.compile(r"^[0-9a-f]{40}(?:[0-9a-f]{24})?$")

_SERVER_HEAD = "refs/fleettui/head"


class GitCache:
    """Repositories of one run: each is fetched at most once, and shared.

    Build a new one to look at the servers again.
    """

    def __init__(
        self,
        folder: Path,
        *,
        local: Mapping[str, Path] | None = None,
        limits: GitLimits | None = None,
        offline: bool = False,
    ) -> None:
        """Names the cache folder; touches nothing.

        Args:
            folder: where bare copies are kept, made on demand with mode 0700.
            local: URL → check-out, bare repository or bundle that stands for it.
            limits: time and size of one repository.
            offline: never fetch, use what the cache holds.
        """
        self.folder = folder
        self.limits = limits or GitLimits()
        self.offline = offline
        self.fetches = 0
        """How often a server was asked; for figures and tests."""
        self._local = {same_url(url): path for url, path in (local or {}).items()}
        self._opened: SharedWork[str, GitRepository] = SharedWork()

    async def repository(self, url: str) -> "GitRepository":
        """The repository behind a URL, opened once.

        Raises:
            GitError: the URL is refused, or git is missing.
        """
        key = same_url(url)
        return await self._opened.get(key, lambda: self._open(url, key))

    async def _open(self, url: str, key: str) -> "GitRepository":
        local = self._local.get(key)
        if local is None:
            return await self._adopted(url, checked_url(url), is_file=False)
        local = local.expanduser().absolute()
        if not local.exists():
            raise GitError("there is nothing there", where=str(local), hint="--local URL=PATH")
        if local.is_dir():
            return GitRepository(self, Git(local, url, limits=self.limits))
        return await self._adopted(url, str(local), is_file=True)

    async def _adopted(self, url: str, remote: str, *, is_file: bool) -> "GitRepository":
        """The bare copy of a remote, made if it is not there."""
        name = re.sub(r"[^A-Za-z0-9]+", "-", remote.removesuffix(".git").rsplit("/", 1)[-1])[:40]
        digest = hashlib.sha256(remote.encode()).hexdigest()[:16]
        folder = self.folder / f"{name.strip('-') or 'repository'}-{digest}.git"
        git = Git(folder, url, remote, is_file, self.limits)
        if not (folder / "HEAD").exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            await git.command("init", "--quiet", "--bare", str(folder), inside=False)
            if not is_file:
                for option, value in (
                    ("core.repositoryFormatVersion", "1"),
                    ("remote.origin.url", remote),
                    ("remote.origin.promisor", "true"),
                    ("remote.origin.partialCloneFilter", "blob:none"),
                    ("extensions.partialClone", "origin"),
                ):
                    await git.command("config", option, value)
        return GitRepository(self, git)


class GitRepository:
    """One repository: its revisions, files and history."""

    def __init__(self, cache: GitCache, git: Git) -> None:
        self._cache = cache
        self._git = git
        self._fetched: SharedWork[None, None] = SharedWork()
        self._trees: SharedWork[str, FileTree] = SharedWork()
        self._known: SharedWork[str, str] = SharedWork()
        self._commits: dict[tuple[str, str], Commit | None] = {}
        self._ranges: SharedWork[tuple[str, str], list[Touch]] = SharedWork()

    @property
    def url(self) -> str:
        """The URL as it was asked for."""
        return self._git.url

    @property
    def checkout(self) -> Path | None:
        """The person's folder that stands for the repository, never fetched."""
        return None if self._git.remote else self._git.folder

    async def fetch(self) -> None:
        """Brings branches and tags up to date, once a run; does nothing offline.

        Raises:
            GitError: the server cannot be read.
        """
        if self.checkout is not None or self._cache.offline:
            return
        await self._fetched.get(None, self._fetch)

    async def _fetch(self, *extra: str) -> None:
        self._cache.fetches += 1
        is_file = self._git.is_file
        await self._git.command(
            "fetch",
            "--quiet",
            "--force",
            "--no-tags",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--no-write-fetch-head",
            *([] if is_file else ["--filter=blob:none"]),
            *([] if extra else ["--prune"]),
            "--",
            self._git.remote if is_file else "origin",
            *(extra or ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")),
            timeout_s=self._cache.limits.fetch_s,
        )

    async def resolve(self, reference: str, *, fresh: bool = True) -> str:
        """Commit behind a Flux revision, commit, branch, tag or full reference.

        A commit that the cache holds is not fetched again.

        Args:
            reference: ``main@sha1:…``, ``sha1:…``, a sha, ``main``, ``refs/heads/main``.
            fresh: ask the server before resolving a name.

        Raises:
            GitError: it does not exist, or the server cannot be read.
        """
        revision = parse_revision(reference)
        wanted = revision.sha if revision else checked_reference(reference)
        is_commit = _SHA.match(wanted)
        return await self._known.get(
            wanted, lambda: self._commit(wanted) if is_commit else self._named(wanted, fresh)
        )

    async def _named(self, name: str, fresh: bool) -> str:
        """Commit behind a branch, tag, full reference or ``HEAD``, in that order."""
        if fresh:
            await self.fetch()
        head = [_SERVER_HEAD] if name == "HEAD" and self.checkout is None else []
        if head and fresh and not self._cache.offline:
            await self._fetch(f"+HEAD:{_SERVER_HEAD}")
        places = ("refs/heads", "refs/tags", "refs/remotes/origin")
        forms = [*head, *(f"{place}/{name}" for place in places), name]
        for form in [name] if name.startswith("refs/") else forms:
            finished = await self._git.command(
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                f"{form}^{{commit}}",
                check=False,
            )
            if finished.code == 0 and finished.stdout.strip():
                return finished.stdout.decode().split()[-1]
        raise GitError(f"{name} does not exist", where=shown_url(self.url))

    async def _commit(self, sha: str) -> str:
        if await self._holds(sha):
            return sha
        await self.fetch()
        if not await self._holds(sha) and not (self._cache.offline or self.checkout):
            await self._fetch(sha)
        if not await self._holds(sha):
            raise GitError(
                f"commit {sha[:12]} is not there",
                where=shown_url(self.url),
                hint="a forced push may have removed it; or fetch it into the check-out",
            )
        return sha

    async def _holds(self, sha: str) -> bool:
        finished = await self._git.command("cat-file", "-e", f"{sha}^{{commit}}", check=False)
        return finished.code == 0

    async def tree(self, sha: str) -> FileTree:
        """Files of a commit, read once and shared.

        Raises:
            GitError: git cannot read them.
            HostileTreeError: paths or sizes that are refused.
        """
        partial = not (self._git.is_file or self.checkout is not None or self._cache.offline)
        return await self._trees.get(sha, lambda: read_commit_tree(self._git, sha, partial=partial))

    async def commit(self, sha: str) -> Commit:
        """Author, date and subject of a commit.

        Raises:
            GitError: there is none.
        """
        return await read_commit(self._git, sha)

    async def last_commits(self, sha: str, paths: Iterable[str]) -> dict[str, Commit]:
        """Commit that last touched each file as of a commit; remembered.

        Raises:
            GitError: git cannot read the history.
        """
        paths = list(paths)
        unknown = {path for path in paths if (sha, path) not in self._commits}
        if unknown:
            found = await last_touches(self._git, sha, unknown)
            self._commits.update({(sha, path): found.get(path) for path in unknown})
        known = {path: self._commits[sha, path] for path in paths}
        return {path: commit for path, commit in known.items() if commit}

    async def touches_between(self, before: str, after: str) -> list[Touch]:
        """Commits that one commit has and another one lacks, newest first; remembered.

        Raises:
            GitError: git cannot read the history.
        """
        return await self._ranges.get(
            (before, after), lambda: touches_between(self._git, before, after)
        )
