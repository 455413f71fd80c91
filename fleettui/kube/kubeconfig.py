"""Finds, reads and merges kubeconfig files by kubectl's rules.

Knows which files count, which entry wins and which context is current; knows
nothing of connecting. A broken entry or file never hides another: what is wrong
is kept beside what can be used.

Source: client-go ``tools/clientcmd/loader.go`` and ``client_config.go``
(precedence, first file wins, location of origin, in-cluster fallback).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from fleettui.errors import UsageError
from fleettui.kube.kubeconfig_document import (
    MAX_FILE_BYTES,
    KubeconfigError,
    Problem,
    Section,
    read_document,
)
from fleettui.kube.kubeconfig_entries import (
    ClusterEntry,
    Material,
    UserEntry,
    read_cluster,
    read_user,
)
from fleettui.kube.kubeconfig_files import kubeconfig_files

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its own credentials."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """A named pair of server and identity."""

    name: str
    file: Path
    cluster: ClusterEntry
    user: UserEntry | None = None
    """None: anonymous."""
    namespace: str = ""
    """Empty: the file does not say."""
    line: int = 0
    problem: Problem | None = None
    """Why this context cannot be used; None if nothing is known against it."""
    warnings: tuple[str, ...] = ()

    def require(self) -> "ContextEntry":
        """This context, if it can be used.

        Raises:
            UsageError: tells the context's problem.
        """
        if self.problem is not None:
            raise UsageError(
                f"context {self.name}: {self.problem.message}",
                where=self.problem.where,
                hint=self.problem.hint or "Repair the kubeconfig, or choose another context.",
            )
        return self

    def opens_as(self, other: "ContextEntry") -> bool:
        """Whether both lead to the same server with the same trust and credentials.

        Where in the files they stand, and what namespace they prefer, makes no difference.
        """
        return (_placeless(self.cluster), _placeless(self.user)) == (
            _placeless(other.cluster),
            _placeless(other.user),
        )


_Entry = TypeVar("_Entry", ClusterEntry, UserEntry)


def _placeless(entry: _Entry | None) -> _Entry | None:
    return None if entry is None else replace(entry, line=0)


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """All contexts, in the order of the files."""

    contexts: Mapping[str, ContextEntry] = field(default_factory=dict)
    current_context: str = ""
    """Empty: none is set."""
    problems: tuple[Problem, ...] = ()
    """What is wrong with whole files; contexts keep their own."""
    files: tuple[Path, ...] = ()
    """Files that were looked for, in order of precedence, also those that do not exist."""

    def context(self, name: str = "") -> ContextEntry:
        """The named context, or the current one.

        Raises:
            UsageError: there is no such context, or it cannot be used.
        """
        wanted = name or self.current_context
        if not wanted:
            raise UsageError(
                "no current context is set",
                where=self._where,
                hint=f"Choose one with --context: {_listing(self.contexts)}",
            )
        entry = self.contexts.get(wanted)
        if entry is None:
            raise UsageError(
                f"context {wanted} does not exist",
                where=self._where,
                hint=f"There are: {_listing(self.contexts)}",
            )
        return entry.require()

    @property
    def _where(self) -> str:
        return ", ".join(map(str, self.files))


def _listing(names: Iterable[str]) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - 12} more" if len(shown) > 12 else ""
    return ", ".join(shown[:12]) + more if shown else "none"


@dataclass(slots=True)
class _File:
    """The entries of one file; what is given twice is broken."""

    path: Path
    current_context: str = ""
    clusters: dict[str, ClusterEntry] = field(default_factory=dict)
    users: dict[str, UserEntry] = field(default_factory=dict)
    contexts: dict[str, tuple[Section, Problem | None]] = field(default_factory=dict)


def load_kubeconfig(
    environment: Mapping[str, str],
    *,
    home: Path,
    explicit: Path | None = None,
    service_account: Path = SERVICE_ACCOUNT,
) -> Kubeconfig:
    """Everything the person's kubeconfig files say, merged.

    Reads the environment and the files now, not at import.

    Args:
        environment: ``KUBECONFIG`` and, inside a pod, ``KUBERNETES_SERVICE_*``.
        home: the person's home directory.
        explicit: the file given on the command line, which is then the only one.
        service_account: the folder of a pod's own credentials.

    Raises:
        UsageError: the explicit file does not exist or cannot be read.
    """
    paths = kubeconfig_files(environment, home=home, explicit=explicit)
    files: list[_File] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            content = _content(path)
            if content is not None:
                files.append(_read_file(path, content))
            elif explicit is not None:
                raise KubeconfigError(Problem("no such file", path, 0, _ELSEWHERE))
        except KubeconfigError as error:
            if explicit is not None:
                raise UsageError(
                    error.problem.message,
                    where=error.problem.where,
                    hint=error.problem.hint or _ANOTHER,
                ) from error
            problems.append(error.problem)
    loaded = _merge(files, problems, paths)
    if loaded.contexts or explicit is not None or problems:
        return loaded
    return _in_cluster(environment, service_account) or replace(
        loaded, problems=(_nothing_found(paths, files),)
    )


_ELSEWHERE = "Give another --kubeconfig; `fleettui demo` works without any."
_ANOTHER = "Repair it or give another --kubeconfig; `fleettui demo` works without any."


def _nothing_found(paths: Sequence[Path], files: Sequence[_File]) -> Problem:
    names = ", ".join(str(path) for path in paths)
    hint = "Set KUBECONFIG or use --kubeconfig; `fleettui demo` works without any."
    if files:
        return Problem("has no contexts", paths[0], 0, hint)
    return Problem(f"no kubeconfig exists (looked for {names})", paths[0], 0, hint)


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise KubeconfigError(Problem(f"cannot be read: {error.strerror}", path)) from error


def parse_kubeconfig(content: bytes, path: Path) -> Kubeconfig:
    """What one file says, without looking at any other.

    Args:
        content: the file's bytes.
        path: where relative paths start from, and what messages name.

    Raises:
        UsageError: the bytes are no kubeconfig at all.
    """
    try:
        return _merge([_read_file(path, content)], [], (path,))
    except KubeconfigError as error:
        raise UsageError(error.problem.message, where=error.problem.where) from error


def _read_file(path: Path, content: bytes) -> _File:
    result = _File(path)
    document = read_document(content, path)
    if document is None:
        return result
    result.current_context = document.text("current-context")
    result.clusters = _entries(document, "clusters", read_cluster, _spoil)
    result.users = _entries(document, "users", read_user, _spoil)
    result.contexts = _entries(
        document, "contexts", lambda _, entry: (entry, None), lambda old, why: (old[0], why)
    )
    return result


def _spoil(entry: Entry, why: Problem) -> Entry:
    return replace(entry, problem=why)  # type: ignore[type-var]  # only called with entries


def _entries(
    document: Section,
    key: str,
    read: Callable[[str, Section], Entry],
    spoil: Callable[[Entry, Problem], Entry],
) -> dict[str, Entry]:
    result: dict[str, Entry] = {}
    for entry in document.sections(key):
        name = entry.text("name")
        if not name:
            raise entry.fail(f"an entry of {key} has no name")
        if name in result:
            why = Problem(f"{name} is given twice in {key}", entry.file, entry.line)
            result[name] = spoil(result[name], why)
        else:
            result[name] = read(name, entry)
    return result


def _merge(
    files: Sequence[_File], problems: Sequence[Problem], paths: tuple[Path, ...]
) -> Kubeconfig:
    clusters: dict[str, ClusterEntry] = {}
    users: dict[str, UserEntry] = {}
    entries: dict[str, tuple[Section, Problem | None]] = {}
    current = ""
    for file in files:
        clusters = {**file.clusters, **clusters}
        users = {**file.users, **users}
        current = current or file.current_context
    for file in files:
        for name, entry in file.contexts.items():
            entries.setdefault(name, entry)
    contexts = {
        name: _context(name, entry, problem, clusters, users)
        for name, (entry, problem) in entries.items()
    }
    found = list(problems)
    if current and current not in contexts and contexts:
        where = next(file.path for file in files if file.current_context == current)
        found.append(Problem(f"current-context {current} does not exist", where))
    return Kubeconfig(contexts, current, tuple(found), paths)


def _context(
    name: str,
    entry: Section,
    problem: Problem | None,
    clusters: Mapping[str, ClusterEntry],
    users: Mapping[str, UserEntry],
) -> ContextEntry:
    cluster_name = user_name = namespace = ""
    try:
        section = entry.section("context") or entry
        cluster_name, user_name = section.text("cluster"), section.text("user")
        namespace = section.text("namespace")
    except KubeconfigError as error:
        problem = problem or error.problem
    cluster = clusters.get(cluster_name)
    user = users.get(user_name)
    place = (entry.file, entry.line)
    if problem is None and cluster is None:
        words = f"cluster {cluster_name} not found" if cluster_name else "names no cluster"
        problem = Problem(words, *place)
    elif problem is None and user_name and user is None:
        problem = Problem(f"user {user_name} not found", *place)
    return ContextEntry(
        name=name,
        file=entry.file,
        cluster=cluster or ClusterEntry(cluster_name, entry.file),
        user=user,
        namespace=namespace,
        line=entry.line,
        problem=problem or _first_problem(cluster, user),
        warnings=_namespace_warnings(namespace),
    )


def _first_problem(cluster: ClusterEntry | None, user: UserEntry | None) -> Problem | None:
    for entry in (cluster, user):
        if entry is not None and entry.problem is not None:
            return entry.problem
    return None


def _namespace_warnings(namespace: str) -> tuple[str, ...]:
    if not namespace or _LABEL.fullmatch(namespace):
        return ()
    return (f"namespace {namespace!r} is no valid name",)


def _in_cluster(environment: Mapping[str, str], folder: Path) -> Kubeconfig | None:
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    port = environment.get("KUBERNETES_SERVICE_PORT", "") or "443"
    token = folder / "token"
    if not host or not token.is_file():
        return None
    server = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    ca = folder / "ca.crt"
    namespace_file = folder / "namespace"
    namespace = environment.get("POD_NAMESPACE", "")
    if not namespace and namespace_file.is_file():
        namespace = namespace_file.read_text("utf-8", "replace").strip()
    name = "in-cluster"
    cluster = ClusterEntry(
        name, folder, server=server, ca=Material(file=ca) if ca.is_file() else Material()
    )
    user = UserEntry(name, folder, token_file=token)
    entry = ContextEntry(name, folder, cluster, user, namespace)
    return Kubeconfig({name: entry}, name, (), (folder,))
