"""Clusters and users of a kubeconfig as values, checked as kubectl checks them.

Knows what the fields mean and which of them exclude each other; reads no file
but the section it is given. What is wrong with an entry is kept in the entry, so
it spoils only the contexts that use it.

Source: client-go ``tools/clientcmd`` (api/v1 types, validation.go) and the
ExecCredential plug-in protocol ``client.authentication.k8s.io``.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from fleettui.kube.kubeconfig_document import KubeconfigError, Problem, Section
from fleettui.text import safe_text

EXEC_EXTENSION = "client.authentication.k8s.io/exec"
EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")


class Interactive(StrEnum):
    """Whether a plug-in wants to talk to the person."""

    NEVER = "Never"
    IF_AVAILABLE = "IfAvailable"
    ALWAYS = "Always"


@dataclass(frozen=True, slots=True)
class Material:
    """A certificate or key: inline, or in a file that may be rotated."""

    data: bytes = field(default=b"", repr=False)
    file: Path | None = None

    def __bool__(self) -> bool:
        """Whether anything is given."""
        return bool(self.data) or self.file is not None


@dataclass(frozen=True, slots=True)
class ClusterEntry:
    """A server and how to reach and trust it."""

    name: str
    file: Path
    line: int = 0
    server: str = ""
    ca: Material = Material()
    insecure: bool = False
    tls_server_name: str = ""
    proxy_url: str = field(default="", repr=False)
    disable_compression: bool = False
    exec_config: object = None
    """What ``extensions`` holds for exec plug-ins, passed on to them unread."""
    problem: Problem | None = None

    @property
    def prefix(self) -> str:
        """Path of the server address without its trailing slash; mostly empty."""
        return urlsplit(self.server).path.rstrip("/")


@dataclass(frozen=True, slots=True)
class ExecPlugin:
    """A program that prints credentials."""

    api_version: str
    command: str
    """Absolute when the kubeconfig gives a path, else a bare name for PATH."""
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    install_hint: str = ""
    provide_cluster_info: bool = False
    interactive: Interactive = Interactive.IF_AVAILABLE


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Whom the requests act as."""

    user: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anybody is impersonated."""
        return bool(self.user)


@dataclass(frozen=True, slots=True)
class UserEntry:
    """Credentials, or where they come from."""

    name: str
    file: Path
    line: int = 0
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    certificate: Material = Material()
    key: Material = Material()
    plugin: ExecPlugin | None = None
    impersonation: Impersonation = Impersonation()
    problem: Problem | None = None

    @property
    def is_anonymous(self) -> bool:
        """Whether there is nothing to present."""
        return not (self.token or self.token_file or self.username or self.certificate) and (
            self.plugin is None
        )


def read_cluster(name: str, entry: Section) -> ClusterEntry:
    """The cluster in an entry of ``clusters``, with its problem if it has one."""
    section = entry.section("cluster") or entry
    try:
        return _cluster(name, section)
    except KubeconfigError as error:
        return ClusterEntry(
            name, entry.file, entry.line, server=_quiet(section), problem=error.problem
        )


def _quiet(section: Section) -> str:
    try:
        return section.text("server")
    except KubeconfigError:
        return ""


def _cluster(name: str, section: Section) -> ClusterEntry:
    server = section.text("server")
    if not server:
        raise section.fail(f"cluster {name} has no server")
    check_url(section, "server", ("https", "http"))
    if section.get("proxy-url") is not None:
        check_url(section, "proxy-url", ("https", "http", "socks5"))
    ca = _material(section, "certificate-authority")
    insecure = section.flag("insecure-skip-tls-verify")
    if ca and insecure:
        raise section.fail(
            f"cluster {name} has a certificate authority and insecure-skip-tls-verify",
            key="insecure-skip-tls-verify",
            hint="Remove one of the two; with both it is not clear whether to verify.",
        )
    exec_config: object = None
    for extension in section.sections("extensions"):
        if extension.text("name") == EXEC_EXTENSION:
            exec_config = extension.plain("extension")
    return ClusterEntry(
        name=name,
        file=section.file,
        line=section.line,
        server=server,
        ca=ca,
        insecure=insecure,
        tls_server_name=section.text("tls-server-name"),
        proxy_url=section.text("proxy-url"),
        disable_compression=section.flag("disable-compression"),
        exec_config=exec_config,
    )


def check_url(section: Section, key: str, schemes: tuple[str, ...]) -> None:
    """Passes an absolute URL with a host.

    Raises:
        KubeconfigError: anything else.
    """
    try:
        parts = urlsplit(section.text(key))
        is_usable = parts.scheme in schemes and bool(parts.hostname)
        _ = parts.port
    except ValueError:
        is_usable = False
    if not is_usable:
        raise section.fail(f"{key} is no URL of {' or '.join(schemes)}", key=key)
    if key == "server" and (parts.query or parts.fragment or parts.username is not None):
        raise section.fail("server must not have a query, fragment or user", key=key)


def read_user(name: str, entry: Section) -> UserEntry:
    """The user in an entry of ``users``, with its problem if it has one."""
    section = entry.section("user")
    if section is None:
        return UserEntry(name, entry.file, entry.line)
    try:
        return _user(name, section)
    except KubeconfigError as error:
        return UserEntry(name, entry.file, entry.line, problem=error.problem)


def _user(name: str, section: Section) -> UserEntry:
    token, token_file = section.text("token"), section.text("tokenFile")
    username, password = section.text("username"), section.text("password")
    if (token or token_file) and (username or password):
        raise section.fail(
            f"user {name} has a token and a password",
            key="username",
            hint="Keep the one that the server accepts.",
        )
    certificate = _material(section, "client-certificate")
    key = _material(section, "client-key")
    if certificate and not key:
        raise section.fail(f"user {name} has a client certificate without a client key")
    if key and not certificate:
        raise section.fail(f"user {name} has a client key without a client certificate")
    _refuse_auth_provider(name, section)
    return UserEntry(
        name=name,
        file=section.file,
        line=section.line,
        token="" if token_file else token,
        token_file=_beside(section.file, token_file) if token_file else None,
        username=username,
        password=password,
        certificate=certificate,
        key=key,
        plugin=_plugin(name, section),
        impersonation=_impersonation(name, section),
    )


_AUTH_PROVIDERS = {
    "gcp": "Run `gke-gcloud-auth-plugin` as an exec plug-in: gcloud container clusters "
    "get-credentials writes it.",
    "azure": "Run `kubelogin convert-kubeconfig` to get an exec plug-in.",
    "oidc": "Use an exec plug-in such as kubelogin (`kubectl oidc-login`).",
}


def _refuse_auth_provider(name: str, section: Section) -> None:
    provider = section.section("auth-provider")
    if provider is None:
        return
    kind = provider.text("name")
    raise section.fail(
        f"user {name} uses the auth-provider {safe_text(kind) or 'without a name'}, "
        "which is not supported",
        key="auth-provider",
        hint=_AUTH_PROVIDERS.get(kind, "Use an exec plug-in instead."),
    )


def _plugin(name: str, section: Section) -> ExecPlugin | None:
    spec = section.section("exec")
    if spec is None:
        return None
    api_version, command = spec.text("apiVersion"), spec.text("command")
    if not command:
        raise spec.fail(f"the exec plug-in of user {name} has no command")
    if api_version not in EXEC_VERSIONS:
        raise spec.fail(
            f"exec plug-ins of {safe_text(api_version) or 'no apiVersion'} are not supported",
            key="apiVersion",
            hint=f"Supported: {', '.join(EXEC_VERSIONS)}; update the plug-in.",
        )
    mode = spec.text("interactiveMode")
    if not mode and api_version == EXEC_VERSIONS[0]:
        raise spec.fail(f"the exec plug-in of user {name} has no interactiveMode")
    if mode and mode not in tuple(Interactive):
        raise spec.fail(
            f"interactiveMode is one of {', '.join(Interactive)}", key="interactiveMode"
        )
    env = tuple((item.text("name"), item.text("value")) for item in spec.sections("env"))
    return ExecPlugin(
        api_version=api_version,
        command=str(_beside(spec.file, command)) if "/" in command else command,
        args=spec.texts("args"),
        env=env,
        install_hint=safe_text(spec.text("installHint").strip(), limit=1000, multiline=True),
        provide_cluster_info=spec.flag("provideClusterInfo"),
        interactive=Interactive(mode) if mode else Interactive.IF_AVAILABLE,
    )


def _impersonation(name: str, section: Section) -> Impersonation:
    extra: dict[str, tuple[str, ...]] = {}
    given = section.section("as-user-extra")
    for key in given.keys() if given else ():
        extra[key] = given.texts(key) if given else ()
    result = Impersonation(
        section.text("as"), section.text("as-uid"), section.texts("as-groups"), extra
    )
    if not result.user and (result.uid or result.groups or result.extra):
        raise section.fail(f"user {name} impersonates groups, a uid or extras without a user")
    for text in (result.user, result.uid, *result.groups, *sum(extra.values(), ())):
        if not text.isprintable():
            raise section.fail(f"user {name} impersonates a name with control characters")
    return result


def _material(section: Section, key: str) -> Material:
    data, path = section.text(f"{key}-data"), section.text(key)
    if data and path:
        raise section.fail(f"{key} and {key}-data are both given", key=key)
    if path:
        return Material(file=_beside(section.file, path))
    if not data:
        return Material()
    try:
        return Material(data=base64.b64decode("".join(data.split()), validate=True))
    except (binascii.Error, ValueError) as error:
        raise section.fail(f"{key}-data is no base64", key=f"{key}-data") from error


def _beside(file: Path, path: str) -> Path:
    return file.parent / path
