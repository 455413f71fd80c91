"""Renders Helm charts with the helm that is installed.

Knows how to run ``helm template`` in a scratch folder without network or the person's
environment, and what a chart may ask of the cluster it goes to. Knows nothing of
clusters.

Source: Helm 3 and 4 ``helm template``; ``.Capabilities`` of chart templates.
"""

import copy
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleettui.desired.build_cache import Build, BuildCache, Built, build_key, program_version
from fleettui.desired.charts import helm_program
from fleettui.desired.files import FileTree
from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.objects import checked_manifest
from fleettui.manifests import dump_yaml, read_documents
from fleettui.processes import Limits, run_async

_LIMITS = Limits(60.0, output_bytes=64 << 20, memory_bytes=4 << 30)
_NAME = re.compile(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
_MOST_VERSIONS = 4000
"""Most API versions that helm is told: more would be no usual cluster."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a chart sees of the cluster that it goes to."""

    kube_version: str = ""
    """As ``/version`` says; empty: helm's own guess."""
    api_versions: tuple[str, ...] = ()
    """``apps/v1`` and ``apps/v1/Deployment``, all that are served."""


@dataclass(frozen=True, slots=True)
class Release:
    """What ``helm template`` is told."""

    name: str
    namespace: str
    values: Mapping[str, object]
    values_files: tuple[str, ...] = ()
    """Files of the chart's tree, laid below ``values``."""
    include_crds: bool = True
    capabilities: Capabilities = Capabilities()
    is_upgrade: bool = False
    checks_values: bool = True
    """Whether values that do not fit the chart's schema are an error."""


async def render_chart(
    tree: FileTree, folder: str, release: Release, cache: BuildCache, *, on_disk: bool = True
) -> list[Built]:
    """Objects of a chart, hooks left out; equal charts with equal values are rendered once.

    Args:
        tree: files of the chart's source.
        folder: the chart in it.
        release: what helm is told.
        cache: what was rendered before.
        on_disk: whether the next run may have it: no value is a secret.

    Raises:
        RenderError: helm is not installed, or the chart does not render.
        HostileTreeError: a path that is not plain.
    """
    helm = helm_program()
    if helm is None:
        raise RenderError(
            "a chart is only rendered by helm, and it is not installed", hint="install helm"
        )
    name = _checked_name(release.name)
    files = {*tree.files_below(folder), *release.values_files}
    flags, own_values = _flags(release), dump_yaml(dict(release.values))
    key = build_key(
        program_version(helm),
        tree.digest_of(files),
        folder,
        name,
        *flags,
        own_values,
        *release.values_files,
    )
    known = cache.recall(key)
    if known is None:
        built = await _rendered(helm, tree, folder, release, own_values)
        known = cache.remember(key, Build(tuple(built)), on_disk=on_disk)
    # What comes after works on the objects; those that are remembered stay as they are.
    return [Built(copy.deepcopy(item.document), item.source) for item in known.objects]


async def _rendered(
    helm: Path, tree: FileTree, folder: str, release: Release, own_values: str
) -> list[Built]:
    with tempfile.TemporaryDirectory(prefix="fleettui-chart-") as scratch_name:
        scratch = Path(scratch_name)
        root = scratch / "tree"
        root.mkdir(mode=0o700)
        tree.write(root, {*tree.files_below(folder), *release.values_files})
        values = scratch / "values.yaml"
        values.write_text(own_values, encoding="utf-8")
        flags = _flags(release)
        for file in release.values_files:
            flags += ["--values", str(root / file)]
        finished = await run_async(
            [helm, "template", *flags, "--values", values, "--", release.name, root / folder],
            environment=_environment(scratch),
            folder=scratch,
            limits=_LIMITS,
        )
        if finished.code:
            text = " ".join(finished.error_text.replace(f"{root}/", "").split())
            message = text.removeprefix("Error: ")
            raise RenderError(f"helm template failed: {message}", where=folder or tree.label)
    return _parse_output(finished.stdout, folder)


def _checked_name(name: str) -> str:
    """A release's name, which comes from a cluster and stands among helm's arguments."""
    if not _NAME.match(name):
        raise RenderError("refused: not a name of a release", where=repr(name))
    return name


def _flags(release: Release) -> list[str]:
    flags = ["--namespace", release.namespace, "--no-hooks", "--skip-tests"]
    flags += ["--include-crds"] if release.include_crds else []
    flags += ["--is-upgrade"] if release.is_upgrade else []
    flags += [] if release.checks_values else ["--skip-schema-validation"]
    told = release.capabilities
    flags += ["--kube-version", told.kube_version] if told.kube_version else []
    versions = [version for version in told.api_versions if "," not in version]
    if versions:
        flags.append(f"--api-versions={','.join(versions[:_MOST_VERSIONS])}")
    return flags


def _environment(scratch: Path) -> dict[str, str]:
    nowhere = "http://127.0.0.1:9"
    return {
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PATH": str(scratch / "no-programs"),
        "KUBECONFIG": os.devnull,
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
        "HELM_PLUGINS": str(scratch / "no-plugins"),
    }


def _parse_output(output: bytes, folder: str) -> list[Built]:
    """Objects with the template that each came from, as helm's comments say."""
    built: list[Built] = []
    text = output.decode(errors="replace")
    lines = text.splitlines()
    for document in read_documents(text, name="helm's output"):
        value = checked_manifest(document.value, where="helm's output")
        source = ""
        for line in reversed(lines[max(document.line - 4, 0) : document.line]):
            if line.startswith("# Source: "):
                inner = line.removeprefix("# Source: ").partition("/")[2]
                source = f"{folder}/{inner}".lstrip("/")
                break
        built.append(Built(value, source))
    return built
