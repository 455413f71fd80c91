"""A tree of files held in memory: what a commit or an archive contains.

Knows paths, contents and limits, reads folders and unpacks archives defensively, and
writes chosen files into a folder of their own. Refuses absolute paths, ``..``, links, devices
and anything over its limits. Knows nothing of git or Kubernetes.

Source: source-controller keeps only regular files of a repository in its artifact
(pkg/tar), so links never reach the controller either.
"""

import gzip
import hashlib
import io
import os
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath

from fleettui.errors import FleettuiError


class HostileTreeError(FleettuiError):
    """A repository or archive contains what is never written or read."""


@dataclass(frozen=True, slots=True)
class TreeLimits:
    """How much a repository or archive may hold."""

    files: int = 50_000
    file_bytes: int = 8 * 1024 * 1024
    total_bytes: int = 256 * 1024 * 1024
    ratio: int = 100
    """Most bytes unpacked from one packed byte."""


DEFAULT_TREE_LIMITS = TreeLimits()


def checked_path(path: str, *, where: str) -> str:
    """A relative path in normal form.

    Raises:
        HostileTreeError: it is absolute, climbs out, is empty or names a ``.git``.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    hostile = path.startswith("/") or "\\" in path or "\0" in path or not parts
    if hostile or any(part == ".." or part.lower() == ".git" for part in parts):
        raise HostileTreeError(f"refused: it contains the path {path!r}", where=where)
    return "/".join(parts)


def joined(folder: str, path: str) -> str | None:
    """A path relative to a folder of the tree, in normal form; None: it leads out."""
    parts = [part for part in folder.split("/") if part not in ("", ".")]
    if path.startswith("/"):
        return None
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


@dataclass(frozen=True)
class FileTree:
    """Regular files by path, with what was left out.

    Paths are relative, in normal form, without ``..``; folders exist through
    their files. The root folder is the empty path.
    """

    label: str
    """What it is a tree of, for messages: ``URL at revision``."""
    files: Mapping[str, bytes]
    digests: Mapping[str, str] = field(default_factory=dict)
    """Content digests that the source knew already; others are computed on demand."""
    notes: tuple[str, ...] = ()
    """What was left out of the tree and why, a line each."""

    @cached_property
    def folders(self) -> frozenset[str]:
        """Every folder that holds a file, directly or below."""
        found = {""}
        for path in self.files:
            for parent in PurePosixPath(path).parents:
                text = "" if str(parent) == "." else str(parent)
                if text in found:
                    break
                found.add(text)
        return frozenset(found)

    @cached_property
    def _by_folder(self) -> dict[str, list[str]]:
        result: dict[str, list[str]] = {}
        for path in sorted(self.files):
            result.setdefault(path.rpartition("/")[0], []).append(path)
        return result

    @cached_property
    def _subfolders(self) -> dict[str, list[str]]:
        result: dict[str, list[str]] = {}
        for folder in sorted(self.folders - {""}):
            result.setdefault(folder.rpartition("/")[0], []).append(folder)
        return result

    def files_in(self, folder: str) -> list[str]:
        """Files directly in a folder, sorted."""
        return self._by_folder.get(folder, [])

    def folders_in(self, folder: str) -> list[str]:
        """Folders directly in a folder, sorted."""
        return self._subfolders.get(folder, [])

    def files_below(self, folder: str) -> Iterator[str]:
        """Files in a folder and everything below it."""
        yield from self.files_in(folder)
        for inner in self.folders_in(folder):
            yield from self.files_below(inner)

    def digest_of(self, paths: Iterable[str]) -> str:
        """One hexadecimal digest over the names and contents of some files."""
        total = hashlib.sha256()
        for path in sorted(paths):
            known = self.digests.get(path) or hashlib.sha256(self.files[path]).hexdigest()
            total.update(f"{path}\0{known}\n".encode())
        return total.hexdigest()

    def write(self, folder: Path, paths: Iterable[str]) -> None:
        """Writes some files below a folder that only the person can read; blocks.

        Raises:
            HostileTreeError: a path that is not plain.
            OSError: the disk says so.
        """
        for path in sorted(set(paths)):
            target = folder / checked_path(path, where=self.label)
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with open(os.open(target, flags, 0o600), "wb") as stream:  # noqa: PTH123 — a descriptor
                stream.write(self.files[path])


def unpack_archive(
    archive: bytes,
    *,
    label: str,
    digest: str,
    limits: TreeLimits = DEFAULT_TREE_LIMITS,
) -> FileTree:
    """The tree in a ``.tar.gz`` artifact whose digest is as promised.

    Args:
        archive: the whole file.
        label: what it is, for messages.
        digest: ``sha256:<hex>`` from the source's status.

    Raises:
        HostileTreeError: wrong digest, not an archive, or contents that are refused.
    """
    algorithm, _, wanted = digest.partition(":")
    if algorithm not in ("sha256", "sha384", "sha512"):
        raise HostileTreeError(f"digest {digest!r} cannot be verified", where=label)
    found = hashlib.new(algorithm, archive).hexdigest()
    if found != wanted.lower():
        raise HostileTreeError(
            f"the archive's {algorithm} is {found[:12]}…, its source promises {wanted[:12]}…",
            where=label,
            hint="read the source again: it may have a newer artifact",
        )
    plain = _gunzipped(archive, label, limits)
    files: dict[str, bytes] = {}
    notes: list[str] = []
    total = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
            for member in tar:
                if member.isdir() or member.type in (tarfile.XGLTYPE, tarfile.XHDTYPE):
                    continue
                path = checked_path(member.name, where=label)
                if not member.isreg():
                    notes.append(f"{path}: left out, it is not a regular file")
                    continue
                total += member.size
                check_limits(path, member.size, len(files) + 1, total, label=label, limits=limits)
                stream = tar.extractfile(member)
                files[path] = stream.read() if stream else b""
    except tarfile.TarError as error:
        raise HostileTreeError(f"not a tar archive: {error}", where=label) from error
    return FileTree(label, files, notes=tuple(notes))


def read_folder(folder: Path, limits: TreeLimits = DEFAULT_TREE_LIMITS) -> FileTree:
    """Regular files of a folder as they lie there; blocks.

    Raises:
        HostileTreeError: too many or too large files.
    """
    files: dict[str, bytes] = {}
    notes: list[str] = []
    total = 0
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            path = Path(parent) / name
            relative = path.relative_to(folder).as_posix()
            if path.is_symlink() or not path.is_file():
                notes.append(f"{relative}: left out, it is not a regular file")
                continue
            size = path.stat().st_size
            total += size
            check_limits(relative, size, len(files) + 1, total, label=str(folder), limits=limits)
            files[relative] = path.read_bytes()
    return FileTree(str(folder), files, notes=tuple(notes))


def check_limits(
    path: str, size: int, count: int, total: int, *, label: str, limits: TreeLimits
) -> None:
    """Returns if one more file fits.

    Raises:
        HostileTreeError: the file or the tree with it is too large.
    """
    if size > limits.file_bytes:
        message = f"refused: {path} has {size} bytes, more than {limits.file_bytes}"
    elif count > limits.files:
        message = f"refused: more than {limits.files} files"
    elif total > limits.total_bytes:
        message = f"refused: more than {limits.total_bytes} bytes"
    else:
        return
    raise HostileTreeError(message, where=label)


def _gunzipped(archive: bytes, label: str, limits: TreeLimits) -> bytes:
    most = min(limits.total_bytes * 2, max(len(archive), 4096) * limits.ratio)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(archive)) as stream:
            plain = stream.read(most + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise HostileTreeError(f"not a gzip archive: {error}", where=label) from error
    if len(plain) > most:
        raise HostileTreeError(f"refused: unpacks to more than {most} bytes", where=label)
    return plain
