"""Brings Helm charts from the repositories that hold them, with the person's helm.

Knows ``helm pull`` from an index over HTTP and from an OCI registry, folders of the
person that stand for a repository, and charts that need other charts. Archives are
unpacked defensively, never by helm. Knows nothing of clusters and of values.

Source: Helm 3 and 4 ``helm pull``, Chart.yaml ``dependencies``; source-controller
(a chart's artifact is the repository's archive as it is, unless values files are merged).
"""

import asyncio
import hashlib
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from fleettui.desired.files import (
    DEFAULT_TREE_LIMITS,
    FileTree,
    TreeLimits,
    joined,
    read_folder,
    unpack_archive,
)
from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.objects import items_of, mapping_of, text_of
from fleettui.desired.revisions import LOOPBACK, same_url, shown_url
from fleettui.desired.shared_work import SharedWork
from fleettui.errors import FleettuiError
from fleettui.manifests import read_document
from fleettui.processes import Limits, find_program, person_environment, run_async

_LIMITS = Limits(60.0, output_bytes=1 << 20, memory_bytes=4 << 30)
_MOST_BYTES = 64 * 1024 * 1024
_DEEPEST = 4
"""How far charts that need charts are followed."""
_CHART_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")
_OWN_VARIABLES = ("HELM_CONFIG_HOME", "HELM_REGISTRY_CONFIG", "HELM_REPOSITORY_CONFIG")


class ChartError(FleettuiError):
    """A chart cannot be had."""


def helm_program() -> Path | None:
    """The helm that is installed, or None."""
    return find_program("helm")


def chart_folder(tree: FileTree, path: str) -> str:
    """Folder of the chart at a path, or the only chart of an archive.

    Raises:
        RenderError: there is no chart.
    """
    folder = "/".join(part for part in path.split("/") if part not in ("", "."))
    if f"{folder}/Chart.yaml".lstrip("/") in tree.files:
        return folder
    charts = sorted(
        (file.rpartition("/")[0] for file in tree.files if file.endswith("Chart.yaml")), key=len
    )
    if not path and charts:
        return charts[0]
    raise RenderError(f"there is no chart at {path or '.'}", where=tree.label)


class ChartStore:
    """Charts of a run; each is brought once."""

    def __init__(
        self,
        folder: Path | None = None,
        *,
        local: Mapping[str, Path] | None = None,
        limits: TreeLimits = DEFAULT_TREE_LIMITS,
    ) -> None:
        """Names the cache folder; touches nothing.

        Args:
            folder: where verified archives are kept; None: nowhere.
            local: URL of a chart repository to a folder with its charts.
            limits: sizes of a chart.
        """
        self.pulls = 0
        """How often a server was asked; for figures and tests."""
        self._folder = folder
        self._local = {same_url(url): path for url, path in (local or {}).items()}
        self._limits = limits
        self._known: SharedWork[tuple[str, str, str], FileTree] = SharedWork()

    def is_local(self, url: str) -> bool:
        """Whether a folder of the person stands for a repository."""
        return same_url(url) in self._local

    async def pull(self, url: str, chart: str, version: str, *, digest: str = "") -> FileTree:
        """A chart's files.

        Args:
            url: the repository: ``https://…`` with an index, or ``oci://…``.
            chart: its name; empty if the URL names it already (OCI).
            version: a version or a range; empty: the newest.
            digest: ``sha256:…`` that the archive must have; empty: not known.

        Raises:
            ChartError: not a plain name or version, helm is missing, or it cannot bring the chart.
            HostileTreeError: wrong digest, or contents that are refused.
        """
        parts = [*chart.split("/"), *version.split("/")]
        if (chart and not _CHART_NAME.match(chart)) or ".." in parts or version.startswith("-"):
            raise ChartError("refused: not a plain chart and version", where=repr(chart))
        key = (same_url(url), chart, version)
        return await self._known.get(key, lambda: self._bring(url, chart, version, digest))

    async def _bring(self, url: str, chart: str, version: str, digest: str) -> FileTree:
        label = f"chart {chart or url.rpartition('/')[2]} {version}".rstrip()
        local = self._local.get(same_url(url))
        if local is not None:
            return await asyncio.to_thread(self._read_local, local, chart, version, label)
        name = hashlib.sha256(digest.encode()).hexdigest()
        kept = self._folder / f"{name}.tgz" if self._folder else None
        if kept is not None and digest and kept.is_file():
            return unpack_archive(
                kept.read_bytes(), label=label, digest=digest, limits=self._limits
            )
        archive = await self._pulled(url, chart, version)
        known = digest or f"sha256:{hashlib.sha256(archive).hexdigest()}"
        tree = unpack_archive(archive, label=label, digest=known, limits=self._limits)
        if kept is not None and digest:
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept.write_bytes(archive)
        return tree

    def _read_local(self, place: Path, chart: str, version: str, label: str) -> FileTree:
        place = place.expanduser()
        for folder in (place / chart, place):
            if (folder / "Chart.yaml").is_file():
                return replace(read_folder(folder, self._limits), label=f"{label} in {folder}")
        archive = place / f"{chart}-{version}.tgz"
        if not archive.is_file():
            raise ChartError(f"there is no {label}", where=str(place), hint="--local URL=PATH")
        raw = archive.read_bytes()
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        return unpack_archive(raw, label=label, digest=digest, limits=self._limits)

    async def _pulled(self, url: str, chart: str, version: str) -> bytes:
        arguments = _pull_arguments(url, chart, version)
        helm = helm_program()
        if helm is None:
            raise ChartError("helm is not installed", hint="install helm, or --local URL=PATH")
        self.pulls += 1
        with tempfile.TemporaryDirectory(prefix="fleettui-pull-") as name:
            scratch = Path(name)
            finished = await run_async(
                [helm, "pull", *arguments, "--destination", scratch / "out"],
                environment=_environment(scratch),
                folder=scratch,
                limits=_LIMITS,
            )
            if finished.code:
                text = shown_url(" ".join(finished.error_text.split())).removeprefix("Error: ")
                raise ChartError(
                    f"helm pull failed: {text}",
                    where=shown_url(url),
                    hint="helm registry login, or name a folder with the chart: --local URL=PATH",
                )
            archives = list((scratch / "out").glob("*.tgz"))
            if len(archives) != 1 or archives[0].is_symlink():
                raise ChartError("helm pull brought no archive", where=shown_url(url))
            if archives[0].stat().st_size > _MOST_BYTES:
                raise ChartError(f"refused: more than {_MOST_BYTES} bytes", where=shown_url(url))
            return archives[0].read_bytes()

    async def with_dependencies(self, tree: FileTree, folder: str, depth: int = 0) -> FileTree:
        """A tree whose chart has the charts it needs below ``charts/``, as its controller does.

        Raises:
            ChartError: one cannot be had.
            RenderError: one lies outside of the tree.
        """
        needed = _dependencies(tree, folder)
        missing = [item for item in needed if not _is_there(tree, folder, item[0])]
        if not missing:
            return tree
        if depth >= _DEEPEST:
            raise RenderError("charts need charts without end", where=folder or tree.label)
        files = dict(tree.files)
        for name, version, url in missing:
            inner = await self._dependency(tree, folder, name, version, url)
            inner = await self.with_dependencies(inner, "", depth + 1)
            place = f"{folder}/charts/{name}".lstrip("/")
            files.update({f"{place}/{path}": text for path, text in inner.files.items()})
        return replace(tree, files=files)

    async def _dependency(
        self, tree: FileTree, folder: str, name: str, version: str, url: str
    ) -> FileTree:
        where = f"{folder}/Chart.yaml".lstrip("/")
        if url.startswith("file://"):
            place = joined(folder, url.removeprefix("file://"))
            if place is None or f"{place}/Chart.yaml".lstrip("/") not in tree.files:
                raise RenderError(f"the chart {name} that it needs is not at {url}", where=where)
            return below(tree, place)
        if not url.startswith(("https://", "http://", "oci://")):
            raise RenderError(f"the chart {name} that it needs is not in charts/", where=where)
        pulled = await self.pull(url, name, version)
        return below(pulled, chart_folder(pulled, ""))


def below(tree: FileTree, folder: str) -> FileTree:
    """The files below a folder of a tree, as a tree."""
    cut = len(folder) + 1 if folder else 0
    return FileTree(tree.label, {path[cut:]: tree.files[path] for path in tree.files_below(folder)})


def _dependencies(tree: FileTree, folder: str) -> list[tuple[str, str, str]]:
    """Name, version and repository of each chart that a chart names; locked versions win."""
    prefix = f"{folder}/" if folder else ""
    locked: dict[str, str] = {}
    found: list[tuple[str, str, str]] = []
    for name in ("Chart.lock", "Chart.yaml"):
        raw = tree.files.get(f"{prefix}{name}", b"")
        document = mapping_of(read_document(raw.decode(errors="replace"), name=f"{prefix}{name}"))
        for item in items_of(document.get("dependencies")):
            entry = mapping_of(item)
            chart, version = text_of(entry.get("name")), text_of(entry.get("version"))
            if name == "Chart.lock":
                locked[chart] = version
            elif _CHART_NAME.match(chart):
                url = text_of(entry.get("repository"))
                found.append((chart, locked.get(chart, version), url))
    return found


def _is_there(tree: FileTree, folder: str, chart: str) -> bool:
    place = f"{folder}/charts".lstrip("/")
    if f"{place}/{chart}/Chart.yaml" in tree.files:
        return True
    packed = f"{place}/{chart}-"
    return any(path.startswith(packed) and path.endswith(".tgz") for path in tree.files_in(place))


def _pull_arguments(url: str, chart: str, version: str) -> list[str]:
    """What helm is told, or a refusal: the URL comes from a cluster or a repository.

    Raises:
        ChartError: not a plain URL.
    """
    parts = urlsplit(url)
    here = parts.hostname in LOOPBACK
    plain = not any(ord(c) < 0x21 for c in url) and parts.hostname
    if not plain or not (parts.scheme in ("https", "oci") or (parts.scheme == "http" and here)):
        raise ChartError(
            "refused: charts come over https or oci only",
            where=shown_url(url),
            hint="name a folder with the chart: --local URL=PATH",
        )
    told = ["--version", version] if version else []
    if parts.scheme == "oci":
        told += ["--plain-http"] if here else []
        return [f"{url.rstrip('/')}/{chart}".rstrip("/"), *told]
    return [chart, "--repo", url, *told]


def _environment(scratch: Path) -> dict[str, str]:
    """The person's logins to registries, and no way to a cluster or to plug-ins."""
    (scratch / "out").mkdir(mode=0o700)
    own = {name: os.environ[name] for name in _OWN_VARIABLES if name in os.environ}
    return person_environment(
        **own,
        KUBECONFIG=os.devnull,
        HELM_PLUGINS=str(scratch / "no-plugins"),
        HELM_CACHE_HOME=str(scratch / "cache"),
        HELM_DATA_HOME=str(scratch / "data"),
    )
