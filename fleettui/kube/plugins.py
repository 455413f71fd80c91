"""Gets credentials from the program that a kubeconfig names.

Knows the ExecCredential protocol; starts the program through a runner it is
given, and knows nothing of HTTP. Output of the program is a secret: it never
reaches a message; its error output does, cut and made safe.

Source: KEP-541 and ``client.authentication.k8s.io`` v1 and v1beta1.
"""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from fleettui.errors import ConnectError, FleettuiError
from fleettui.kube.kubeconfig_entries import ClusterEntry, ExecPlugin, Interactive
from fleettui.processes import Finished, Limits
from fleettui.text import safe_text

PLUGIN_LIMITS = Limits(timeout_s=60.0, output_bytes=4 << 20)
"""A sign-in page needs time; a credential needs no megabytes."""

SHOWN_ERROR_CHARACTERS = 500


class ProgramRunner(Protocol):
    """What starts a program and waits for it: ``processes.run_async``."""

    async def __call__(
        self,
        arguments: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        limits: Limits = ...,
    ) -> Finished:
        """Runs the program without a terminal, within limits."""
        ...


def few_at_once(run: ProgramRunner, limit: int) -> ProgramRunner:
    """Runs programs as ``run`` does, at most ``limit`` at the same time; others wait.

    A kubeconfig of forty contexts must not open forty sign-in pages.
    """
    gate = asyncio.Semaphore(limit)

    async def run_in_turn(
        arguments: Sequence[str | Path],
        *,
        environment: Mapping[str, str],
        limits: Limits = PLUGIN_LIMITS,
    ) -> Finished:
        async with gate:
            return await run(arguments, environment=environment, limits=limits)

    return run_in_turn


@dataclass(frozen=True, slots=True)
class PluginCredential:
    """What a plug-in printed."""

    token: str = field(default="", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    expires_at: datetime | None = None


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None


class _ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


_decoder = msgspec.json.Decoder(_ExecCredential)


class PluginSession:
    """Runs one plug-in, once at a time, and keeps what it said until it expires."""

    renew_before_s = 30.0
    """How long before its expiry a credential is renewed."""
    least_pause_s = 30.0
    """Shortest time between two runs that follow a rejection."""

    def __init__(
        self,
        plugin: ExecPlugin,
        cluster: ClusterEntry,
        *,
        run: ProgramRunner,
        environment: Mapping[str, str],
    ) -> None:
        """Keep what is needed to run; nothing is started yet."""
        self._plugin = plugin
        self._cluster = cluster
        self._run = run
        self._environment = environment
        self._lock = asyncio.Lock()
        self._credential: PluginCredential | None = None
        self._failure: tuple[FleettuiError, float] | None = None
        self._ran_at = float("-inf")
        self.runs = 0
        """How often the program was started."""

    async def credential(self, *, now: datetime) -> PluginCredential:
        """A credential that has not expired; runs the program if there is none.

        Waits for a run that is under way instead of starting another. A failure
        is repeated for ``least_pause_s`` without starting the program again.

        Raises:
            ConnectError: the program is missing, fails, or prints no credential.
        """
        async with self._lock:
            if self._credential is None or self._is_expired(self._credential, now):
                self._credential = await self._obtain()
            return self._credential

    async def renew(self, rejected: PluginCredential) -> bool:
        """Drops a credential that a server rejected.

        Returns:
            Whether asking again can help: another one is there already, or the
            program may be run again (at most every ``least_pause_s``).
        """
        async with self._lock:
            if self._credential is not rejected:
                return True
            if self._monotonic() - self._ran_at < self.least_pause_s:
                return False
            self._credential = None
            return True

    def _is_expired(self, credential: PluginCredential, now: datetime) -> bool:
        if credential.expires_at is None:
            return False
        return (credential.expires_at - now).total_seconds() < self.renew_before_s

    def _monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def _obtain(self) -> PluginCredential:
        if self._failure is not None:
            failure, failed_at = self._failure
            if self._monotonic() - failed_at < self.least_pause_s:
                raise failure
        self._ran_at = self._monotonic()
        self.runs += 1
        try:
            credential = await self._execute()
        except FleettuiError as error:
            self._failure = (error, self._ran_at)
            raise
        self._failure = None
        return credential

    async def _execute(self) -> PluginCredential:
        plugin = self._plugin
        if plugin.interactive is Interactive.ALWAYS:
            raise ConnectError(
                f"the credential plug-in {plugin.command} wants a terminal",
                hint="Sign in once with kubectl in another terminal, then try again.",
            )
        program = find_command(plugin.command, self._environment)
        if program is None:
            raise ConnectError(
                f"the credential plug-in {plugin.command} is not installed",
                hint=" ".join(plugin.install_hint.split()),
            )
        try:
            finished = await self._run(
                [program, *plugin.args],
                environment=self._plugin_environment(),
                limits=PLUGIN_LIMITS,
            )
        except FleettuiError as error:
            raise ConnectError(f"credential plug-in {plugin.command}: {error}") from error
        if finished.code != 0:
            said = safe_text(finished.error_text[-SHOWN_ERROR_CHARACTERS:])
            raise ConnectError(
                f"the credential plug-in {plugin.command} failed with code {finished.code}"
                + (f": {said}" if said else ""),
                hint="Run it by hand to see what it needs, for example to sign in again.",
            )
        return read_credential(finished.stdout, plugin)

    def _plugin_environment(self) -> Mapping[str, str]:
        info = {
            "apiVersion": self._plugin.api_version,
            "kind": "ExecCredential",
            "spec": {"interactive": False, **self._cluster_info()},
        }
        return {
            **self._environment,
            **dict(self._plugin.env),
            "KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode(),
        }

    def _cluster_info(self) -> Mapping[str, object]:
        if not self._plugin.provide_cluster_info:
            return {}
        entry = self._cluster
        ca = entry.ca.file.read_bytes() if entry.ca.file else entry.ca.data
        info: dict[str, object] = {"server": entry.server}
        optional: dict[str, object] = {
            "tls-server-name": entry.tls_server_name,
            "insecure-skip-tls-verify": entry.insecure,
            "certificate-authority-data": msgspec.to_builtins(ca) if ca else "",
            "proxy-url": entry.proxy_url,
            "disable-compression": entry.disable_compression,
            "config": entry.exec_config,
        }
        info.update((key, value) for key, value in optional.items() if value)
        return {"cluster": info}


def find_command(command: str, environment: Mapping[str, str]) -> Path | None:
    """Absolute path of a plug-in, None if it is not there.

    A name is looked for in the absolute folders of PATH, never in the working
    directory; a path is taken as it is.
    """
    if "/" in command:
        candidates = [Path(command)]
    else:
        folders = environment.get("PATH", "").split(os.pathsep)
        candidates = [Path(folder, command) for folder in folders if folder.startswith("/")]
    for candidate in candidates:
        if candidate.is_absolute() and candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    return None


def read_credential(output: bytes, plugin: ExecPlugin) -> PluginCredential:
    """The credential that a plug-in printed.

    Raises:
        ConnectError: the output is no ExecCredential of the version asked for, or
            has neither token nor certificate.
    """
    try:
        document = _decoder.decode(output)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # The output may hold half a secret, so the decoder's words are dropped too.
        raise _useless(plugin, "printed no ExecCredential") from None
    if document.kind != "ExecCredential" or document.api_version != plugin.api_version:
        raise _useless(plugin, f"printed no ExecCredential of {plugin.api_version}")
    status = document.status or _Status()
    if bool(status.client_certificate_data) != bool(status.client_key_data):
        raise _useless(plugin, "printed a certificate without its key, or the reverse")
    if not status.token and not status.client_certificate_data:
        raise _useless(plugin, "printed neither a token nor a certificate")
    token = status.token.strip()
    if not token.isprintable():
        raise _useless(plugin, "printed a token with control characters")
    expires_at = status.expiration_timestamp
    if expires_at is not None and expires_at.tzinfo is None:
        expires_at = expires_at.replace(tzinfo=UTC)
    return PluginCredential(
        token=token,
        certificate=status.client_certificate_data.encode(),
        key=status.client_key_data.encode(),
        expires_at=expires_at,
    )


def _useless(plugin: ExecPlugin, what: str) -> ConnectError:
    return ConnectError(
        f"the credential plug-in {plugin.command} {what}",
        hint="Run it by hand to see what it prints.",
    )
