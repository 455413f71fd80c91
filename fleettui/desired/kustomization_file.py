"""The kustomization file that a Flux Kustomization is built from, and all it reaches.

Knows how Flux generates or overlays the file, and which files of the repository a
build reads. Refuses what leads out of the repository, and remote bases unless they
are allowed. Knows nothing of how kustomize builds.

Source: github.com/fluxcd/pkg/kustomize generator at e2cfd1a; kustomize v5 API types.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fleettui.desired.files import FileTree, joined
from fleettui.desired.objects import Manifest, items_of, mapping_of, nested, text_of
from fleettui.errors import FleettuiError, RefusedError
from fleettui.manifests import read_document, read_documents

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
ORIGINS = "originAnnotations"

_REMOTE_PREFIXES = ("git::", "gh:", "ssh://", "https://", "http://", "git@", "github.com")
_ENTRY_FIELDS = ("resources", "bases", "components", "crds", "configurations")
_PLUGIN_FIELDS = ("generators", "transformers", "validators")
_PATH_FIELDS = ("patches", "patchesJson6902", "replacements")
_GENERATOR_FIELDS = ("configMapGenerator", "secretGenerator")


class RenderError(FleettuiError):
    """The desired state cannot be built."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """A kustomization file as Flux hands it to kustomize."""

    path: str
    """Where it stands in the tree."""
    content: dict[str, object]
    is_generated: bool
    keeps_origins: bool
    """Whether the controller's objects carry origin annotations too."""


def kustomization_path(tree: FileTree, folder: str) -> str | None:
    """The kustomization file of a folder, or None."""
    for name in FILE_NAMES:
        path = f"{folder}/{name}" if folder else name
        if path in tree.files:
            return path
    return None


def manifest_paths(tree: FileTree, folder: str) -> Iterator[str]:
    """What a generated file lists: YAML files, and folders with a file of their own.

    Order is that of a depth-first walk in the order of the alphabet.
    """
    entries = [(path, False) for path in tree.files_in(folder)]
    entries += [(path, True) for path in tree.folders_in(folder)]
    for path, is_folder in sorted(entries):
        if not is_folder:
            if path.endswith((".yaml", ".yml")):
                yield path
        elif kustomization_path(tree, path):
            yield path
        else:
            yield from manifest_paths(tree, path)


def overlaid(tree: FileTree, folder: str, spec: Manifest) -> Overlay:
    """The kustomization file of a folder with a Flux Kustomization's spec laid over it.

    Raises:
        RenderError: a component that is remote or absolute.
        UnreadableError: the file is not YAML.
    """
    path = kustomization_path(tree, folder)
    if path:
        found = read_document(tree.files[path], name=path)
        content = dict(mapping_of(found))
    else:
        content = {}
        listed = [_relative(folder, entry) for entry in manifest_paths(tree, folder)]
        if listed:
            content["resources"] = listed
    content.setdefault("apiVersion", "kustomize.config.k8s.io/v1beta1")
    content.setdefault("kind", "Kustomization")
    for key, field_name in (
        ("targetNamespace", "namespace"),
        ("namePrefix", "namePrefix"),
        ("nameSuffix", "nameSuffix"),
    ):
        if isinstance(spec.get(key), str):
            content[field_name] = spec[key]
    _append(
        content, "patches", [dict(mapping_of(patch)) for patch in items_of(spec.get("patches"))]
    )
    _append(content, "components", list(_components(tree, folder, spec)))
    _merge_images(content, spec)
    keeps = ORIGINS in items_of(content.get("buildMetadata")) or bool(
        path and not items_of(content.get("resources"))
    )
    if items_of(spec.get("buildMetadata")):
        content["buildMetadata"] = items_of(spec.get("buildMetadata"))
        keeps = ORIGINS in items_of(spec.get("buildMetadata"))
    metadata = items_of(content.get("buildMetadata"))
    content["buildMetadata"] = metadata if ORIGINS in metadata else [*metadata, ORIGINS]
    default = f"{folder}/{FILE_NAMES[0]}" if folder else FILE_NAMES[0]
    return Overlay(path or default, content, path is None, keeps)


def _relative(folder: str, path: str) -> str:
    return "./" + (path[len(folder) + 1 :] if folder else path)


def _append(
    content: dict[str, object], key: str, more: list[object] | list[dict[str, object]]
) -> None:
    if more:
        content[key] = [*items_of(content.get(key)), *more]


def _components(tree: FileTree, folder: str, spec: Manifest) -> Iterator[object]:
    for component in items_of(spec.get("components")):
        path = text_of(component)
        if _is_remote(path) or path.startswith("/"):
            raise RenderError(f"component path {path!r} must be local and relative")
        target = joined(folder, path)
        missing = target is None or target not in tree.folders
        if not (missing and spec.get("ignoreMissingComponents") is True):
            yield path


def _merge_images(content: dict[str, object], spec: Manifest) -> None:
    images = [dict(mapping_of(image)) for image in items_of(content.get("images"))]
    for wanted in items_of(spec.get("images")):
        image = mapping_of(wanted)
        entry = next((known for known in images if known.get("name") == image.get("name")), None)
        if entry is None:
            images.append({key: image[key] for key in image})
            continue
        if image.get("newName"):
            entry["newName"] = image["newName"]
        if image.get("newTag") or image.get("digest"):
            for key in ("newTag", "digest"):
                entry.pop(key, None)
                if image.get(key):
                    entry[key] = image[key]
    if images:
        content["images"] = images


def _is_remote(path: str) -> bool:
    return path.lower().startswith(_REMOTE_PREFIXES) or "://" in path or "?ref=" in path


@dataclass(slots=True)
class Reach:
    """Files that a build reads."""

    tree: FileTree
    allow_remote: bool
    files: set[str] = field(default_factory=set)
    remote: list[str] = field(default_factory=list)
    """Remote bases that the build would fetch."""
    encrypted: list[str] = field(default_factory=list)
    """Encrypted files that generators read: the names they make are not known."""
    _folders: set[str] = field(default_factory=set)

    def add_overlay(self, folder: str, overlay: Overlay) -> None:
        """Adds all that a kustomization file reaches.

        Raises:
            RenderError: something it names is not there.
            RefusedError: something it names leads out of the tree, or is remote.
            UnreadableError: a kustomization file is not YAML.
        """
        self._folders.add(folder)
        self._add_content(folder, overlay.path, overlay.content)

    def _add_folder(self, folder: str, where: str) -> None:
        if folder in self._folders:
            return
        path = kustomization_path(self.tree, folder)
        if path is None:
            raise RenderError(f"{folder or '.'} has no kustomization.yaml", where=where)
        self._folders.add(folder)
        self.files.add(path)
        content = read_document(self.tree.files[path], name=path)
        self._add_content(folder, path, mapping_of(content))

    def _add_content(self, folder: str, where: str, content: Manifest) -> None:
        if content.get("helmCharts") or content.get("helmChartInflationGenerator"):
            raise RenderError(
                "helm charts inside a kustomization are not built",
                where=where,
                hint="the controller refuses them too",
            )
        for name in _ENTRY_FIELDS:
            for entry in items_of(content.get(name)):
                self._add_entry(folder, text_of(entry), where)
        for name in _PLUGIN_FIELDS:
            for entry in items_of(content.get(name)):
                self._add_plugin(folder, text_of(entry), where)
        for entry in items_of(content.get("patchesStrategicMerge")):
            if not _is_inline(text_of(entry)):
                self._add_file(folder, text_of(entry), where)
        self._add_paths(folder, content, where)

    def _add_paths(self, folder: str, content: Manifest, where: str) -> None:
        for name in _PATH_FIELDS:
            for entry in items_of(content.get(name)):
                path = text_of(nested(entry, "path"))
                if path:
                    self._add_file(folder, path, where)
        schema = text_of(nested(content, "openapi", "path"))
        if schema:
            self._add_file(folder, schema, where)
        for name in _GENERATOR_FIELDS:
            for entry in items_of(content.get(name)):
                self._add_generator(folder, mapping_of(entry), where)

    def _add_generator(self, folder: str, generator: Manifest, where: str) -> None:
        files = [text_of(item) for item in items_of(generator.get("files"))]
        sources = [item.partition("=")[2] if "=" in item else item for item in files]
        sources += [text_of(item) for item in items_of(generator.get("envs"))]
        if text_of(generator.get("env")):
            sources.append(text_of(generator.get("env")))
        for source in sources:
            path = self._add_file(folder, source, where)
            if path and b"sops" in self.tree.files[path] and b"ENC[" in self.tree.files[path]:
                self.encrypted.append(path)

    def _add_plugin(self, folder: str, entry: str, where: str) -> None:
        """A built-in generator or transformer: inline, in a file or in a folder."""
        if _is_inline(entry):
            text, name = entry, where
        else:
            target = self._target(folder, entry, where)
            if target is None or target in self.tree.folders:
                message = f"refused: {entry} configures plug-ins out of sight"
                raise RefusedError(message, where=where)
            if target not in self.tree.files:
                raise self._missing(entry, target, where)
            self.files.add(target)
            text, name = self.tree.files[target].decode(errors="replace"), target
        for document in read_documents(text, name=name):
            config = mapping_of(document.value)
            if "Helm" in text_of(config.get("kind")):
                raise RenderError("helm charts inside a kustomization are not built", where=name)
            self._add_generator(folder, config, where)
            self._add_paths(folder, config, where)
            for path in (config.get("path"), *items_of(config.get("paths"))):
                if text_of(path) and not _is_inline(text_of(path)):
                    self._add_file(folder, text_of(path), where)

    def _add_entry(self, folder: str, entry: str, where: str) -> None:
        target = self._target(folder, entry, where)
        if target is None:
            return
        if target in self.tree.files:
            self.files.add(target)
        elif target in self.tree.folders:
            self._add_folder(target, where)
        else:
            raise self._missing(entry, target, where)

    def _add_file(self, folder: str, path: str, where: str) -> str | None:
        target = self._target(folder, path, where)
        if target is None:
            return None
        if target not in self.tree.files:
            raise self._missing(path, target, where)
        self.files.add(target)
        return target

    def _missing(self, entry: str, target: str, where: str) -> RenderError:
        note = next((note for note in self.tree.notes if note.startswith(f"{target}:")), "")
        reason = f" ({note.partition(': ')[2]})" if note else ""
        return RenderError(f"{entry} does not exist{reason}", where=where)

    def _target(self, folder: str, path: str, where: str) -> str | None:
        """Path in the tree; None: remote and allowed."""
        target = joined(folder, path)
        if target is not None and (target in self.tree.files or target in self.tree.folders):
            return target
        if _is_remote(path):
            if not self.allow_remote:
                raise RefusedError(
                    f"remote base {path} is not fetched",
                    where=where,
                    hint="allow remote bases if you trust this repository",
                )
            self.remote.append(path)
            return None
        if target is None:
            raise RefusedError(f"refused: {path} leads out of the repository", where=where)
        return target


def _is_inline(entry: str) -> bool:
    return "\n" in entry or entry.lstrip().startswith("{")


def needs_tool(tree: FileTree, folder: str, spec: Manifest) -> bool:
    """Whether a build is more than reading YAML files one after the other."""
    overlay_fields = (
        "targetNamespace",
        "namePrefix",
        "nameSuffix",
        "patches",
        "patchesStrategicMerge",
        "patchesJson6902",
        "images",
        "components",
        "buildMetadata",
    )
    if kustomization_path(tree, folder) or any(spec.get(name) for name in overlay_fields):
        return True
    return any(path not in tree.files for path in manifest_paths(tree, folder))


def builds_nothing(content: Mapping[str, object]) -> bool:
    """Whether a kustomization file lists nothing to build."""
    lists = ("resources", "bases", "components", *_GENERATOR_FIELDS, *_PLUGIN_FIELDS)
    return not any(items_of(content.get(name)) for name in lists)
