"""Runs the person's own git so that it neither asks nor runs anything of a repository.

Refuses hooks, submodules, prompts, and every protocol but https and ssh (plain http
only to this machine, files only when the person named them). Turns git's complaints
into one line with what to do. Knows nothing of what the commands are for.

Source: git-config(1) ``protocol.allow``, ``core.hooksPath``, ``credential.interactive``.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from fleettui.desired.files import DEFAULT_TREE_LIMITS, TreeLimits
from fleettui.desired.revisions import GitError, shown_url
from fleettui.processes import Finished, Limits, find_program, person_environment, run_async

_SAFE_OPTIONS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.quotePath=false",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "credential.interactive=never",
    "http.followRedirects=initial",
    "gc.auto=0",
    "maintenance.auto=false",
)

_OWN_VARIABLES = (
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_CONFIG_GLOBAL",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_PROXY_SSL_CAINFO",
)

_LISTING_BYTES = 64 * 1024 * 1024
"""Room for names and object ids beside a tree's contents."""

_COMPLAINTS = (
    (
        re.compile(
            r"could not read (Username|Password)|terminal prompts disabled|Authentication failed"
            r"|Permission denied|HTTP Basic: Access denied|returned error: 40[13]",
            re.IGNORECASE,
        ),
        "git has no credentials for it",
        "log in with a git credential helper or ssh-agent, or give a check-out: --local URL=PATH",
    ),
    (
        re.compile(
            r"repository .* not found|does not appear to be a git repository|error: 404",
            re.IGNORECASE,
        ),
        "there is no such repository, or it is not visible to you",
        "check the URL and your access, or name a check-out: --local URL=PATH",
    ),
    (
        re.compile(
            r"Could not resolve host|Connection refused|timed out|Couldn't connect|unreachable",
            re.IGNORECASE,
        ),
        "the git server cannot be reached",
        "check the network, or name a check-out: --local URL=PATH",
    ),
    (
        re.compile(r"transport '.*' not allowed", re.IGNORECASE),
        "its protocol is not allowed",
        "https and ssh are; files only with --local URL=PATH",
    ),
)


@dataclass(frozen=True, slots=True)
class GitLimits:
    """Time and size limits of one repository."""

    fetch_s: float = 300.0
    read_s: float = 60.0
    tree: TreeLimits = DEFAULT_TREE_LIMITS


@dataclass(frozen=True, slots=True)
class Git:
    """git, working in one repository."""

    folder: Path
    url: str
    """What the repository is called in messages."""
    remote: str = ""
    """Where it is fetched from; empty for a check-out of the person's."""
    is_file: bool = False
    """The remote is a file that the person named."""
    limits: GitLimits = field(default_factory=GitLimits)

    async def command(
        self,
        *arguments: str,
        stdin: bytes = b"",
        timeout_s: float | None = None,
        inside: bool = True,
        check: bool = True,
    ) -> Finished:
        """What git answers to one command.

        Raises:
            GitError: git is missing or failed, in one line with what to do.
            ProgramError: git took too long or said too much.
        """
        git = find_program("git")
        if git is None:
            raise GitError("git is not installed", hint="install git, or use an artifact's archive")
        options = list(_SAFE_OPTIONS)
        if self.remote.startswith("http://"):
            options.append("protocol.http.allow=always")
        if self.is_file:
            options.append("protocol.file.allow=always")
        settings = [part for option in options for part in ("-c", option)]
        place = ["-C", str(self.folder)] if inside else []
        output_bytes = self.limits.tree.total_bytes * 2 + _LISTING_BYTES
        finished = await run_async(
            [git, *settings, *place, *arguments],
            environment=_environment(),
            stdin=stdin,
            limits=Limits(timeout_s or self.limits.read_s, output_bytes),
        )
        if finished.code and check:
            raise _complaint(finished, shown_url(self.url))
        return finished


def _environment() -> dict[str, str]:
    """The person's settings of git and ssh, and nobody to ask.

    The program runs without a terminal, so ssh cannot ask either; its options stay the
    person's own, whether they stand in ``core.sshCommand`` or in the environment.
    """
    own = {name: os.environ[name] for name in _OWN_VARIABLES if name in os.environ}
    return person_environment(
        **own,
        GIT_TERMINAL_PROMPT="0",
        GIT_ASKPASS="/bin/false",
        SSH_ASKPASS="/bin/false",
        SSH_ASKPASS_REQUIRE="never",
        GIT_OPTIONAL_LOCKS="0",
        GIT_PAGER="cat",
        LC_ALL="C",
    )


def _complaint(finished: Finished, url: str) -> GitError:
    text = shown_url(finished.error_text)
    for pattern, message, hint in _COMPLAINTS:
        if pattern.search(text):
            return GitError(message, where=url, hint=hint)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith("fatal:")), lines[-1] if lines else "")
    return GitError(f"git failed: {said.removeprefix('fatal: ') or finished.code}", where=url)
