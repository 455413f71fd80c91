"""Presents one user of a kubeconfig to one server.

Knows where each kind of credential comes from and when it has to be fetched
again; knows nothing of HTTP beyond two headers. Secrets never appear in
messages, representations or on a disk.

Source: client-go ``transport`` (token_source.go, cert_rotation.go, round
trippers) and ``rest/config.go``.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from fleettui.errors import ConnectError
from fleettui.kube.kubeconfig_entries import ClusterEntry, Impersonation, Material, UserEntry
from fleettui.kube.plugins import PluginCredential, PluginSession, ProgramRunner
from fleettui.kube.tls import Trust

MAX_SECRET_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Presented:
    """What goes with a request: a header, and the certificates of its connection."""

    authorization: str = field(default="", repr=False)
    trust: Trust = field(default_factory=Trust)
    plugin: PluginCredential | None = field(default=None, repr=False)


class RotatedFile:
    """A small file that may be replaced; keeps the last content that could be read."""

    check_every_s = 60.0
    """How long a content is used before the file is looked at again."""

    def __init__(self, path: Path, *, what: str) -> None:
        """Keep the path; nothing is read yet."""
        self._path = path
        self._what = what
        self._content = b""
        self._identity: tuple[int, int, int] | None = None
        self._checked_at = float("-inf")

    def read(self, now: float) -> bytes:
        """The content, at most ``check_every_s`` old; blocks for one small read.

        Raises:
            ConnectError: the file has never been readable.
        """
        if now - self._checked_at < self.check_every_s:
            return self._content
        try:
            stat = self._path.stat()
            identity = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if identity != self._identity:
                with self._path.open("rb") as file:
                    self._content = file.read(MAX_SECRET_BYTES) or self._content
                self._identity = identity
        except OSError as error:
            if self._identity is None:
                raise ConnectError(
                    f"the {self._what} cannot be read: {error.strerror}", where=str(self._path)
                ) from error
        self._checked_at = now
        return self._content

    def expire(self) -> None:
        """Makes the next read look at the file."""
        self._checked_at = float("-inf")


class Credentials:
    """The identity of one context, fetched when needed and renewed when rejected."""

    def __init__(
        self,
        user: UserEntry | None,
        cluster: ClusterEntry,
        *,
        run: ProgramRunner,
        environment: Mapping[str, str],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Keep what is needed to fetch; no file is read and no program is run yet."""
        self._user = user or UserEntry("", cluster.file)
        self._cluster = cluster
        self._clock = clock
        self._files: dict[Path, RotatedFile] = {}
        self._plugin: PluginSession | None = None
        if self._user.plugin is not None:
            self._plugin = PluginSession(
                self._user.plugin, cluster, run=run, environment=environment
            )
        self.impersonation = impersonation_headers(self._user.impersonation)
        """Headers that go with every request, in order; groups repeat their name."""

    @property
    def plugin_runs(self) -> int:
        """How often the credential program was started."""
        return self._plugin.runs if self._plugin else 0

    async def present(self) -> Presented:
        """What to present now; may run a program and read small files.

        Raises:
            ConnectError: the credentials cannot be had.
        """
        user = self._user
        plugin = None
        if self._plugin is not None and not user.token and user.token_file is None:
            plugin = await self._plugin.credential(now=self._clock())
        certificate, key = self._bytes(user.certificate, "client certificate"), b""
        if certificate:
            key = self._bytes(user.key, "client key")
        elif plugin is not None:
            certificate, key = plugin.certificate, plugin.key
        trust = Trust(
            ca=self._bytes(self._cluster.ca, "certificate authority"),
            insecure=self._cluster.insecure,
            certificate=certificate,
            key=key,
        )
        return Presented(self._authorization(plugin), trust, plugin)

    async def renew(self, rejected: Presented) -> bool:
        """Looks for other credentials after a server rejected some.

        Returns:
            Whether what ``present`` gives now may differ.
        """
        for file in self._files.values():
            file.expire()
        if self._plugin is not None and rejected.plugin is not None:
            return await self._plugin.renew(rejected.plugin)
        if not self._files:
            return False
        now = await self.present()
        return now.authorization != rejected.authorization or now.trust != rejected.trust

    def _authorization(self, plugin: PluginCredential | None) -> str:
        user = self._user
        if user.token_file is not None:
            return _bearer(self._read(user.token_file, "token file").decode("utf-8", "replace"))
        if user.token:
            return _bearer(user.token)
        if plugin is not None and plugin.token:
            return _bearer(plugin.token)
        if user.username:
            pair = f"{user.username}:{user.password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return ""

    def _bytes(self, material: Material, what: str) -> bytes:
        if material.file is not None:
            return self._read(material.file, what)
        return material.data

    def _read(self, path: Path, what: str) -> bytes:
        file = self._files.get(path)
        if file is None:
            file = self._files[path] = RotatedFile(path, what=what)
        return file.read(asyncio.get_running_loop().time())


def _bearer(token: str) -> str:
    trimmed = token.strip()
    if not trimmed.isprintable() or not trimmed.isascii():
        raise ConnectError("the bearer token has characters that no header can carry")
    return f"Bearer {trimmed}" if trimmed else ""


def impersonation_headers(impersonation: Impersonation) -> tuple[tuple[str, str], ...]:
    """``Impersonate-*`` headers, groups repeated, keys of extras percent-escaped."""
    if not impersonation:
        return ()
    headers = [("Impersonate-User", impersonation.user)]
    if impersonation.uid:
        headers.append(("Impersonate-Uid", impersonation.uid))
    headers.extend(("Impersonate-Group", group) for group in impersonation.groups)
    for key, values in impersonation.extra.items():
        name = f"Impersonate-Extra-{quote(key.lower(), safe='')}"
        headers.extend((name, value) for value in values)
    return tuple(headers)
