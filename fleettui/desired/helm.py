"""Renders Helm charts with the helm that is installed, and judges values without it.

Knows how to run ``helm template`` in a scratch folder without network or the person's
environment, how Flux merges values, and that a release records a digest of its values.
Knows nothing of clusters.

Source: helm-controller v1.6 chartutil (``ChartValuesFromReferences``, ``DigestValues``);
Helm 4 ``helm template``.
"""

import base64
import binascii
import copy
import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleettui.desired.build import Built
from fleettui.desired.files import FileTree
from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.objects import (
    Manifest,
    checked_manifest,
    items_of,
    mapping_of,
    nested,
    text_of,
)
from fleettui.desired.substitution import VariableReader
from fleettui.errors import FleettuiError
from fleettui.manifests import dump_yaml, read_document, read_documents
from fleettui.processes import Limits, find_program, run_async

_LIMITS = Limits(timeout_s=60.0, output_bytes=64 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class Values:
    """Values of a release."""

    values: dict[str, object]
    unread: tuple[str, ...] = ()
    """Sources that may not be read: the values are not complete."""

    @property
    def digest(self) -> str:
        """What helm-controller records as ``configDigest`` for these values."""
        text = dump_yaml(self.values, sort_keys=True) if self.values else ""
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


async def read_values(release: Manifest, reader: VariableReader | None) -> Values:
    """Values of a HelmRelease: ``valuesFrom`` in order, then ``values``.

    Raises:
        RenderError: a required source or key does not exist.
        UnreadableError: a source is not YAML.
    """
    namespace = text_of(nested(release, "metadata", "namespace"))
    merged: dict[str, object] = {}
    unread: list[str] = []
    for item in items_of(nested(release, "spec", "valuesFrom")):
        reference = mapping_of(item)
        kind, name = text_of(reference.get("kind")), text_of(reference.get("name"))
        key = text_of(reference.get("valuesKey")) or "values.yaml"
        try:
            if reader is None:
                raise FleettuiError("nothing to read it with")
            source = await reader.get("v1", kind, namespace, name)
        except FleettuiError:
            unread.append(f"{kind}/{name}")
            continue
        data = (source or {}).get("data")
        if source is not None and kind == "Secret" and not isinstance(data, dict):
            unread.append(f"{kind}/{name}")
            continue
        value = mapping_of(data).get(key)
        if not isinstance(value, str):
            if reference.get("optional") is True:
                continue
            raise RenderError(f"values from {kind}/{name}: no key {key} in {namespace}")
        _add_source(merged, _decoded(value, kind), reference, f"{kind}/{name}")
    _merge(merged, mapping_of(nested(release, "spec", "values")))
    return Values(merged, tuple(unread))


def _decoded(value: str, kind: str) -> str:
    if kind != "Secret":
        return value
    try:
        return base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise RenderError("a Secret's values are not text") from error


def _add_source(merged: dict[str, object], text: str, reference: Manifest, where: str) -> None:
    target = text_of(reference.get("targetPath"))
    if not target:
        _merge(merged, mapping_of(read_document(text, name=where)))
        return
    place = merged
    *parents, last = target.split(".")
    for name in parents:
        inner = place.setdefault(name, {})
        if not isinstance(inner, dict):
            inner = place[name] = {}
        place = inner
    place[last] = text if reference.get("literal") is True else read_document(text, name=where)


def _merge(base: dict[str, object], over: Manifest) -> None:
    """Lays mappings over each other as Helm does; null removes a key."""
    for key, value in over.items():
        known = base.get(key)
        if isinstance(value, Mapping) and isinstance(known, dict):
            _merge(known, value)
        elif value is None:
            base.pop(key, None)
        else:
            base[key] = copy.deepcopy(value)


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
