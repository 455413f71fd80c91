"""Names of repositories and revisions: what may be handed to git, and what Flux writes.

Knows Flux's revision strings, which URLs and references are plain, and where a file
of a commit is shown in a browser. Runs nothing.

Source: Flux source API ``status.artifact.revision``; git-check-ref-format(1).
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from fleettui.errors import FleettuiError

_REVISION = re.compile(r"^(?:(?P<name>.+)@)?sha(?:1|256):(?P<sha>[0-9a-f]{40,64})$")
_OLD_REVISION = re.compile(r"^(?P<name>.+)/(?P<sha>[0-9a-f]{40})$")
_SCP_LIKE = re.compile(r"^(?:[^@/:]+@)?(?P<host>[^/:@]+):(?P<path>[^/].*)$")
_PASSWORD = re.compile(r"://[^/@\s]*@")
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Hosts that plain http may be spoken with: this machine."""


class GitError(FleettuiError):
    """A repository cannot be read."""


@dataclass(frozen=True, slots=True)
class Revision:
    """A revision as Flux writes it, taken apart."""

    name: str
    """Branch, tag or full reference; empty if only a commit is named."""
    sha: str


def parse_revision(text: str) -> Revision | None:
    """The parts of ``main@sha1:<sha>``, ``sha1:<sha>`` or the older ``main/<sha>``."""
    match = _REVISION.match(text) or _OLD_REVISION.match(text)
    return Revision(match["name"] or "", match["sha"]) if match else None


def checked_url(url: str) -> str:
    """A URL that is safe to hand to git.

    Raises:
        GitError: an option in disguise, or a protocol that is not allowed.
    """
    shown = shown_url(url)
    if not url or url.startswith("-") or "::" in url or any(ord(c) < 0x21 for c in url):
        raise GitError("refused: not a plain repository URL", where=repr(shown))
    parts = urlsplit(url)
    if parts.scheme in ("https", "ssh") and parts.hostname and not parts.hostname.startswith("-"):
        return url
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return url
    match = _SCP_LIKE.match(url)
    if match and "://" not in url and not match["host"].startswith("-"):
        return url
    raise GitError(
        "refused: only https and ssh repositories are fetched",
        where=shown,
        hint="name a check-out of it: --local URL=PATH",
    )


def checked_reference(reference: str) -> str:
    """A branch, tag, reference or commit that cannot be mistaken for an option.

    Raises:
        GitError: it begins with ``-`` or holds characters no reference may.
    """
    bad = re.search(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{", reference)
    if not reference or reference.startswith("-") or bad:
        raise GitError("refused: not a branch, tag or commit", where=repr(reference))
    return reference


def shown_url(url: str) -> str:
    """A URL, or a text with URLs, without passwords."""
    return _PASSWORD.sub("://", url)


def same_url(url: str) -> str:
    """One spelling for the spellings of a repository's URL."""
    return url.rstrip("/").removesuffix(".git")


def web_url(url: str, sha: str, path: str) -> str:
    """Address of a file at a commit for a browser; git's URL if the host is unknown."""
    match = _SCP_LIKE.match(url) if "://" not in url else None
    parts = urlsplit(url)
    host = match["host"] if match else (parts.hostname or "")
    inner = (match["path"] if match else parts.path).strip("/").removesuffix(".git")
    if "gitlab" in host:
        return f"https://{host}/{inner}/-/blob/{sha}/{path}"
    if "bitbucket" in host:
        return f"https://{host}/{inner}/src/{sha}/{path}"
    if "github" in host or "gitea" in host or "codeberg" in host:
        return f"https://{host}/{inner}/blob/{sha}/{path}"
    return f"{shown_url(url)}#{sha[:12]}:{path}"
