"""Finds the files behind a Flux source or an Argo application, at a wanted revision.

Knows GitRepository, OCIRepository, Bucket and ExternalArtifact, and which revision is
applied, current or latest. Git is read with the person's git; other artifacts are
archives that the caller brings, verified here. Knows nothing of what is in the files.

Source: Flux source API v1; reference of ``status.artifact``.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from fleettui.desired.files import (
    DEFAULT_TREE_LIMITS,
    FileTree,
    TreeLimits,
    read_folder,
    unpack_archive,
)
from fleettui.desired.git import GitCache, GitRepository
from fleettui.desired.history import Commit
from fleettui.desired.ignore import without_ignored
from fleettui.desired.includes import includes_of, laid_into
from fleettui.desired.objects import Manifest, mapping_of, nested, text_of
from fleettui.desired.revisions import parse_revision, same_url, shown_url, web_url
from fleettui.desired.shared_work import SharedWork
from fleettui.errors import FleettuiError

ArchiveReader = Callable[[Manifest], Awaitable[bytes]]
"""Brings a source's artifact, ``.tar.gz``; raises FleettuiError."""


RelatedReader = Callable[[str, str], Awaitable[Manifest]]
"""Reads a GitRepository by namespace and name; raises FleettuiError."""


class SourceError(FleettuiError):
    """The files that a source stands for cannot be had."""


class Want(StrEnum):
    """Which revision of the source."""

    APPLIED = "applied"
    """What the cluster runs now."""
    CURRENT = "current"
    """What the controller has fetched and applies next."""
    LATEST = "latest"
    """What the source's reference points at on the server."""
    WORKING = "working"
    """A check-out as it lies there, with what is not committed."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A revision that somebody asks for."""

    want: Want = Want.CURRENT
    reference: str = ""
    """A branch, tag, reference or commit; beats ``want``."""

    def __str__(self) -> str:
        """As people say it."""
        return self.reference or self.want.value


@dataclass(frozen=True, slots=True)
class Found:
    """Files at a revision, and where they come from."""

    tree: FileTree
    revision: str
    """As Flux writes it: ``main@sha1:…``; for a check-out its path."""
    sha: str = ""
    """The commit; empty for archives and check-outs as they lie."""
    repository: GitRepository | None = None

    def url_of(self, path: str) -> str:
        """Address of a file for a browser, or a text that names it."""
        if self.repository is None or not self.sha:
            return f"{self.tree.label}: {path}"
        return web_url(self.repository.url, self.sha, path)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an object comes from and who changed that last."""

    path: str
    url: str
    commit: Commit | None


def address_of(source: Manifest) -> str:
    """What ``--local`` calls a source: its URL, or endpoint and name of a bucket."""
    spec = mapping_of(source.get("spec"))
    bucket = text_of(spec.get("bucketName"))
    return text_of(spec.get("url")) or (
        f"{text_of(spec.get('endpoint'))}/{bucket}" if bucket else ""
    )


class Sources:
    """Trees of a run, shared by all that read the same repository."""

    def __init__(
        self,
        git: GitCache,
        *,
        archives: ArchiveReader | None = None,
        related: RelatedReader | None = None,
        local: Mapping[str, Path] | None = None,
        limits: TreeLimits = DEFAULT_TREE_LIMITS,
    ) -> None:
        """Keeps what is needed to read sources; touches nothing.

        Args:
            git: the repositories.
            archives: brings artifacts that are not in git; None: there is no way to them.
            related: reads other GitRepositories, by namespace and name.
            local: address of a source that is not git to the folder that stands for it.
            limits: sizes of archives and check-outs.
        """
        self.git = git
        self._archives = archives
        self._related = related
        self._local = {same_url(url): path for url, path in (local or {}).items()}
        self._folders: SharedWork[Path, FileTree] = SharedWork()
        self._merged: dict[tuple[object, ...], FileTree] = {}
        self._limits = limits
        self._clean: dict[tuple[int, str | None], FileTree] = {}
        self._unpacked: SharedWork[str, FileTree] = SharedWork()

    async def find(self, source: Manifest, wanted: Wanted, *, applied: str = "") -> Found:
        """Files of a Flux source.

        Args:
            source: GitRepository, OCIRepository, Bucket or ExternalArtifact.
            wanted: the revision.
            applied: ``status.lastAppliedRevision`` of who applies it.

        Raises:
            SourceError: that revision cannot be had.
            GitError: git cannot read the repository.
            HostileTreeError: contents that are refused.
        """
        if text_of(source.get("kind")) == "GitRepository":
            return await self._find_git(source, wanted, applied)
        return await self._find_archive(source, wanted, applied)

    async def find_commit(self, url: str, reference: str, *, ignore: str | None = "") -> Found:
        """Files of a repository at a branch, tag, reference, Flux revision or commit.

        Args:
            url: the repository.
            reference: what to resolve.
            ignore: patterns of files to leave out; None: source-controller's defaults.

        Raises:
            GitError: git cannot read it.
            HostileTreeError: contents that are refused.
        """
        repository = await self.git.repository(url)
        sha = await repository.resolve(reference)
        tree = self._without_ignored(await repository.tree(sha), ignore)
        revision = reference if parse_revision(reference) else f"{reference}@sha1:{sha}"
        return Found(tree, f"sha1:{sha}" if reference == sha else revision, sha, repository)

    async def _find_git(
        self, source: Manifest, wanted: Wanted, applied: str, inside: tuple[str, ...] = ()
    ) -> Found:
        url = text_of(nested(source, "spec", "url"))
        ignore = nested(source, "spec", "ignore")
        patterns = ignore if isinstance(ignore, str) else None
        if wanted.want is Want.WORKING and not wanted.reference:
            found = await self._find_working(url, patterns)
        else:
            reference = wanted.reference or self._reference(source, wanted.want, applied)
            found = await self.find_commit(url, reference, ignore=patterns)
        return await self._with_included(found, source, wanted, patterns, inside)

    async def _with_included(
        self,
        found: Found,
        source: Manifest,
        wanted: Wanted,
        patterns: str | None,
        inside: tuple[str, ...],
    ) -> Found:
        """Files of a repository and of those that it includes."""
        tree, name = found.tree, text_of(nested(source, "metadata", "name"))
        namespace = text_of(nested(source, "metadata", "namespace"))
        key: tuple[object, ...] = (id(tree),)
        for include in includes_of(source):
            if self._related is None or name in inside:
                raise SourceError("its spec.include cannot be followed", where=name)
            other = await self._related(namespace, include.name)
            revision = include.revision or text_of(nested(other, "status", "artifact", "revision"))
            # A branch that is asked for is one of this repository, not of those it includes.
            is_asked = bool(wanted.reference) or wanted.want is Want.APPLIED
            inner = Wanted(reference=revision) if is_asked else Wanted(wanted.want)
            more = await self._find_git(other, inner, "", (*inside, name))
            key = (*key, id(more.tree), include)
            if key not in self._merged:
                self._merged[key] = laid_into(tree, more.tree, include)
            tree = self._merged[key]
        return replace(found, tree=self._without_ignored(tree, patterns)) if key[1:] else found

    def _reference(self, source: Manifest, want: Want, applied: str) -> str:
        name = text_of(nested(source, "metadata", "name"))
        if want is Want.APPLIED:
            if not applied:
                raise SourceError("nothing was applied yet", where=f"GitRepository/{name}")
            return applied
        current = text_of(nested(source, "status", "artifact", "revision"))
        wanted = mapping_of(nested(source, "spec", "ref"))
        if want is Want.CURRENT or wanted.get("semver"):
            if not current:
                raise SourceError(
                    "it has no artifact yet",
                    where=f"GitRepository/{name}",
                    hint="see its conditions",
                )
            return current
        for key in ("name", "commit", "tag", "branch"):
            if text_of(wanted.get(key)):
                return text_of(wanted.get(key))
        return "master"

    async def _find_working(self, url: str, patterns: str | None) -> Found:
        repository = await self.git.repository(url)
        folder = repository.checkout
        if folder is None:
            raise SourceError(
                "there is no check-out of it", where=shown_url(url), hint="--local URL=PATH"
            )
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
            raise SourceError("a bare repository has no files to look at", where=str(folder))
        tree = await self._read_once(folder)
        return Found(self._without_ignored(tree, patterns), str(folder), "", repository)

    async def _read_once(self, folder: Path) -> FileTree:
        return await self._folders.get(
            folder, lambda: asyncio.to_thread(read_folder, folder, self._limits)
        )

    def _without_ignored(self, tree: FileTree, ignore: str | None) -> FileTree:
        key = (id(tree), ignore)
        if key not in self._clean:
            self._clean[key] = without_ignored(tree, ignore)
        return self._clean[key]

    async def _find_archive(self, source: Manifest, wanted: Wanted, applied: str) -> Found:
        kind = text_of(source.get("kind"))
        where = f"{kind}/{text_of(nested(source, 'metadata', 'name'))}"
        address = address_of(source)
        local = self._local.get(same_url(address)) if address else None
        if local is not None:
            folder = local.expanduser().absolute()
            return Found(await self._read_once(folder), str(folder))
        artifact = mapping_of(nested(source, "status", "artifact"))
        revision, digest = text_of(artifact.get("revision")), text_of(artifact.get("digest"))
        if not digest:
            raise SourceError("it has no artifact yet", where=where, hint="see its conditions")
        if wanted.reference or (wanted.want is Want.APPLIED and applied not in ("", revision)):
            raise SourceError(
                f"only its current artifact {revision} can be had, not {wanted}", where=where
            )
        if self._archives is None:
            raise SourceError(
                "its artifact can only be had through the cluster",
                where=where,
                hint="strict read-only mode closes port-forward and proxy; "
                f"name a folder with its files: --local {address or 'URL'}=PATH",
            )
        tree = await self._unpacked.get(digest, lambda: self._unpack(source, where, digest))
        return Found(tree, revision)

    async def _unpack(self, source: Manifest, where: str, digest: str) -> FileTree:
        assert self._archives is not None
        archive = await self._archives(source)
        return await asyncio.to_thread(
            unpack_archive, archive, label=where, digest=digest, limits=self._limits
        )
