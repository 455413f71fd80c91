"""Which files of a repository never reach its artifact.

Knows gitignore patterns, ``.sourceignore`` files and source-controller's defaults.
Knows nothing of git.

Source: gitignore(5); github.com/fluxcd/pkg/sourceignore at e2cfd1a.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from fleettui.desired.files import FileTree

FILE_NAME = ".sourceignore"
_ALWAYS = (".git/", ".gitignore", ".gitmodules", ".gitattributes")
_DEFAULTS = (
    *("*.jpg", "*.jpeg", "*.gif", "*.png", "*.wmv", "*.flv", "*.tar.gz", "*.zip"),
    *(".github/", ".circleci/", ".travis.yml", ".gitlab-ci.yml", "appveyor.yml", ".drone.yml"),
    *("cloudbuild.yaml", "codeship-services.yml", "codeship-steps.yml"),
    *("**/.goreleaser.yml", "**/.sops.yaml", "**/.flux.yaml"),
)


@dataclass(frozen=True, slots=True)
class _Pattern:
    expression: re.Pattern[str]
    keeps: bool
    """It begins with ``!``: what it matches stays."""
    folders_only: bool


def _patterns(lines: Iterable[str], folder: str) -> list[_Pattern]:
    found: list[_Pattern] = []
    for line in lines:
        text = line.rstrip()
        if not text or text.startswith("#"):
            continue
        keeps = text.startswith("!")
        text = text.removeprefix("!")
        folders_only = text.endswith("/")
        body = text.rstrip("/")
        anchored = "/" in body
        body = body.removeprefix("/")
        if not body:
            continue
        prefix = re.escape(f"{folder}/") if folder else ""
        middle = "" if anchored else "(?:.*/)?"
        found.append(
            _Pattern(re.compile(f"{prefix}{middle}{_expression(body)}"), keeps, folders_only)
        )
    return found


def _expression(body: str) -> str:
    parts: list[str] = []
    for piece in re.split(r"(\*\*/|/\*\*|\*|\?|\[[^\]]+\])", body):
        match piece:
            case "**/":
                parts.append("(?:.*/)?")
            case "/**":
                parts.append("/.*")
            case "*":
                parts.append("[^/]*")
            case "?":
                parts.append("[^/]")
            case _ if piece.startswith("[") and piece.endswith("]"):
                parts.append("[" + piece[1:-1].replace("\\", "\\\\").replace("!", "^", 1) + "]")
            case _:
                parts.append(re.escape(piece.replace("\\", "")))
    return "".join(parts)


def _is_ignored(path: str, patterns: list[_Pattern], known: dict[str, bool]) -> bool:
    """The last pattern that matches decides; what lies in an ignored folder is ignored."""
    folder = path.rpartition("/")[0]
    if folder:
        if folder not in known:
            known[folder] = _is_ignored_folder(folder, patterns, known)
        if known[folder]:
            return True
    return _decided(path, patterns, is_folder=False)


def _is_ignored_folder(folder: str, patterns: list[_Pattern], known: dict[str, bool]) -> bool:
    parent = folder.rpartition("/")[0]
    if parent:
        if parent not in known:
            known[parent] = _is_ignored_folder(parent, patterns, known)
        if known[parent]:
            return True
    return _decided(folder, patterns, is_folder=True)


def _decided(path: str, patterns: list[_Pattern], *, is_folder: bool) -> bool:
    for pattern in reversed(patterns):
        if (is_folder or not pattern.folders_only) and pattern.expression.fullmatch(path):
            return not pattern.keeps
    return False


def without_ignored(tree: FileTree, ignore: str | None) -> FileTree:
    """The files that reach the artifact.

    Args:
        tree: everything in the repository.
        ignore: ``spec.ignore`` of the source; it takes the place of the defaults.
    """
    patterns = _patterns(_ALWAYS, "")
    patterns += _patterns(ignore.splitlines() if ignore is not None else _DEFAULTS, "")
    for path in sorted(tree.files):
        if path.rpartition("/")[2] == FILE_NAME:
            lines = tree.files[path].decode(errors="replace").splitlines()
            patterns += _patterns(lines, path.rpartition("/")[0])
    known: dict[str, bool] = {}
    kept = {
        path: content
        for path, content in tree.files.items()
        if not _is_ignored(path, patterns, known)
    }
    if len(kept) == len(tree.files):
        return tree
    return FileTree(tree.label, kept, tree.digests, tree.notes)
