"""Renders Helm charts with the helm that is installed.

Knows how to run ``helm template`` in a scratch folder without network or the person's
environment. Knows nothing of clusters.

Source: Helm 3 and 4 ``helm template``.
"""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleettui.desired.build import Built
from fleettui.desired.files import FileTree
from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.objects import checked_manifest
from fleettui.manifests import dump_yaml, read_documents
from fleettui.processes import Limits, find_program, run_async

_LIMITS = Limits(timeout_s=60.0, output_bytes=64 * 1024 * 1024)


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


@dataclass(frozen=True, slots=True)
class Release:
    """What ``helm template`` is told."""

    name: str
    namespace: str
    values: Mapping[str, object]
    values_files: tuple[str, ...] = ()
    """Files of the chart's tree, laid below ``values``."""
    include_crds: bool = True


def helm_program() -> Path | None:
    """The helm that is installed, or None."""
    return find_program("helm")


async def render_chart(tree: FileTree, folder: str, release: Release) -> list[Built]:
    """Objects of a chart, hooks left out.

    Raises:
        RenderError: helm is not installed, or the chart does not render.
        HostileTreeError: a path that is not plain.
    """
    helm = helm_program()
    if helm is None:
        raise RenderError(
            "a chart is only rendered by helm, and it is not installed", hint="install helm"
        )
    with tempfile.TemporaryDirectory(prefix="fleettui-chart-") as name:
        scratch = Path(name)
        root = scratch / "tree"
        root.mkdir(mode=0o700)
        tree.write(root, {*tree.files_below(folder), *release.values_files})
        values = scratch / "values.yaml"
        values.write_text(dump_yaml(dict(release.values)), encoding="utf-8")
        flags = ["--namespace", release.namespace, "--no-hooks", "--skip-tests"]
        for file in release.values_files:
            flags += ["--values", str(root / file)]
        if release.include_crds:
            flags.append("--include-crds")
        finished = await run_async(
            [helm, "template", release.name, root / folder, *flags, "--values", values],
            environment=_environment(scratch),
            folder=scratch,
            limits=_LIMITS,
        )
        if finished.code:
            text = " ".join(finished.error_text.replace(f"{root}/", "").split())
            message = text.removeprefix("Error: ")
            raise RenderError(f"helm template failed: {message}", where=folder or tree.label)
    return _parse_output(finished.stdout, folder)


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
