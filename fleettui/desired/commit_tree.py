"""Reads the files of one commit into memory.

Knows git's tree listings and blob batches; asks a partial copy's server for all
missing blobs in one request. Leaves out links, submodules and files over the limit,
and says so. Ignores git attributes: a repository's filters never run.

Source: git-ls-tree(1), git-cat-file(1) ``--batch``, git-rev-list(1) ``--missing``.
"""

from collections.abc import Iterator, Mapping

from fleettui.desired.files import FileTree, HostileTreeError, check_limits, checked_path
from fleettui.desired.git_program import Git
from fleettui.desired.revisions import shown_url


async def read_commit_tree(git: Git, sha: str, *, partial: bool) -> FileTree:
    """The regular files of a commit.

    Args:
        git: the repository.
        sha: a commit that it holds.
        partial: blobs may be missing and may be fetched.

    Raises:
        GitError: git cannot read them.
        HostileTreeError: paths or sizes that are refused.
    """
    label = f"{shown_url(git.url)} at {sha[:12]}"
    listing = await git.command("ls-tree", "-r", "-z", "--full-tree", sha)
    notes: list[str] = []
    blobs = _listed(listing.stdout, label, notes)
    if len(blobs) > git.limits.tree.files:
        raise HostileTreeError(f"refused: more than {git.limits.tree.files} files", where=label)
    if partial:
        await _fetch_missing(git, sha)
    contents = await _contents(git, blobs, label, notes)
    files = {path: contents[oid] for path, oid in blobs.items() if oid in contents}
    return FileTree(label, files, {path: blobs[path] for path in files}, tuple(notes))


def _listed(listing: bytes, label: str, notes: list[str]) -> dict[str, str]:
    """Blob of each regular file; what is none goes to the notes."""
    blobs: dict[str, str] = {}
    for entry in listing.split(b"\0"):
        if not entry:
            continue
        words, _, raw = entry.partition(b"\t")
        mode, kind, oid = words.decode().split()
        path = checked_path(raw.decode(errors="replace"), where=label)
        if kind != "blob" or mode == "120000":
            what = "a submodule" if kind == "commit" else "a symbolic link"
            notes.append(f"{path}: left out, it is {what}")
        else:
            blobs[path] = oid
    return blobs


async def _fetch_missing(git: Git, sha: str) -> None:
    listing = await git.command(
        "rev-list", "--objects", "--no-object-names", "--missing=print", "--no-walk", sha
    )
    missing = [line[1:] for line in listing.stdout.decode().split() if line.startswith("?")]
    if not missing:
        return
    await git.command(
        "-c",
        "fetch.negotiationAlgorithm=noop",
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        "--no-write-fetch-head",
        "--filter=blob:none",
        "--stdin",
        "origin",
        stdin="\n".join(missing).encode() + b"\n",
        timeout_s=git.limits.fetch_s,
    )


async def _contents(
    git: Git, blobs: Mapping[str, str], label: str, notes: list[str]
) -> dict[str, bytes]:
    limits = git.limits.tree
    wanted = sorted(set(blobs.values()))
    if not wanted:
        return {}
    listing = "\n".join(wanted).encode() + b"\n"
    sizes = await git.command("cat-file", "--batch-check", stdin=listing)
    keep: list[str] = []
    too_large: set[str] = set()
    total = 0
    for line in sizes.stdout.decode().splitlines():
        oid, _, size = line.split()
        if int(size) > limits.file_bytes:
            too_large.add(oid)
            continue
        total += int(size)
        check_limits(oid, int(size), len(keep) + 1, total, label=label, limits=limits)
        keep.append(oid)
    notes.extend(
        f"{path}: left out, it has more than {limits.file_bytes} bytes"
        for path, oid in blobs.items()
        if oid in too_large
    )
    if not keep:
        return {}
    answer = await git.command("cat-file", "--batch", stdin="\n".join(keep).encode() + b"\n")
    return dict(_batch_items(answer.stdout))


def _batch_items(stream: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(stream):
        end = stream.index(b"\n", at)
        oid, _, size = stream[at:end].decode().split()
        begin = end + 1
        yield oid, stream[begin : begin + int(size)]
        at = begin + int(size) + 1
