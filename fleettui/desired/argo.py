"""Renders an Argo CD Application: directory, kustomize or Helm, of one or more sources.

Knows how Argo CD tells the kinds of source apart, what it lays over them, and that it
marks objects as its own. Plug-ins and jsonnet are not rendered, with a clear line.
Knows nothing of what is in the cluster.

Source: Argo CD 3 Application API and repo-server (``GetAppSourceType``, kustomize and
helm parameters).
"""

import copy
import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fleettui.desired.argo_kustomize import edited, overlay_of
from fleettui.desired.build_cache import Built
from fleettui.desired.desired_diff import Tools
from fleettui.desired.files import FileTree, joined
from fleettui.desired.helm import Capabilities, Release, render_chart
from fleettui.desired.kustomization_file import RenderError, kustomization_path
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
from fleettui.desired.render import Rendered, normalise
from fleettui.desired.scopes import ScopeOf, is_cluster_wide
from fleettui.desired.sources import Found
from fleettui.manifests import read_document, read_documents


@dataclass(frozen=True, slots=True)
class AppSource:
    """One source of an Application with the files behind it."""

    spec: Manifest
    found: Found


def sources_of(application: Manifest) -> list[Manifest]:
    """Sources of an Application in order."""
    several = [mapping_of(item) for item in items_of(nested(application, "spec", "sources"))]
    single = mapping_of(nested(application, "spec", "source"))
    return several or ([single] if single else [])


def applied_revisions(application: Manifest) -> list[str]:
    """Revisions of the last sync, one for each source."""
    result = mapping_of(nested(application, "status", "operationState", "syncResult"))
    fallback = mapping_of(nested(application, "status", "sync"))
    for holder in (result, fallback):
        several = [text_of(item) for item in items_of(holder.get("revisions"))]
        if several:
            return several
        if text_of(holder.get("revision")):
            return [text_of(holder.get("revision"))]
    return []


async def render_source(
    application: Manifest,
    source: AppSource,
    references: Mapping[str, FileTree],
    tools: Tools,
    capabilities: Capabilities,
) -> list[Built]:
    """Objects of one source.

    Args:
        application: the live Application.
        source: its source and files.
        references: trees of sources that carry a ``ref``, by its name.
        tools: builder of the run.
        capabilities: what a chart sees of the cluster that it goes to.

    Raises:
        RenderError: a kind of source that is not rendered, or a failing build.
    """
    spec, tree = source.spec, source.found.tree
    if spec.get("plugin"):
        raise RenderError("config management plug-ins are not run", where=tree.label)
    folder = joined("", text_of(spec.get("path")) or ".")
    if folder is None or folder not in tree.folders:
        raise RenderError(f"path {spec.get('path')} does not exist", where=tree.label)
    if spec.get("helm") or f"{folder}/Chart.yaml".lstrip("/") in tree.files:
        whole = await tools.charts.with_dependencies(tree, folder)
        release, extra = _release(application, source, folder, references, capabilities)
        tree = replace(whole, files={**whole.files, **extra})
        return await render_chart(tree, folder, release, tools.builder.cache)
    if spec.get("kustomize") or kustomization_path(tree, folder):
        options = mapping_of(spec.get("kustomize"))
        tree = edited(tree, folder, options)
        build = await tools.builder.build(tree, folder or ".", overlay_of(options))
        return list(build.objects)
    return _read_directory(tree, folder, mapping_of(spec.get("directory")))


def _read_directory(tree: FileTree, folder: str, options: Manifest) -> list[Built]:
    recurse = options.get("recurse") is True
    include, exclude = text_of(options.get("include")), text_of(options.get("exclude"))
    paths: Iterable[str] = tree.files_below(folder) if recurse else tree.files_in(folder)
    built: list[Built] = []
    for path in sorted(paths):
        inner = path[len(folder) + 1 :] if folder else path
        if (include and not _matches(inner, include)) or (exclude and _matches(inner, exclude)):
            continue
        if path.endswith(".jsonnet"):
            raise RenderError("jsonnet is not rendered", where=path)
        if not path.endswith((".yaml", ".yml", ".json")):
            continue
        for document in read_documents(tree.files[path], name=path):
            where = f"{path}:{document.line}"
            value = checked_manifest(document.value, where=where)
            items = items_of(value["items"]) if is_list(value) else [value]
            built += [Built(checked_manifest(item, where=where), path) for item in items]
    return built


def _matches(path: str, pattern: str) -> bool:
    """Whether a path fits a glob, or one of ``{a,b}``."""
    if pattern.startswith("{") and pattern.endswith("}"):
        return any(fnmatch.fnmatchcase(path, part.strip()) for part in pattern[1:-1].split(","))
    return fnmatch.fnmatchcase(path, pattern)


def _release(
    application: Manifest,
    source: AppSource,
    folder: str,
    references: Mapping[str, FileTree],
    capabilities: Capabilities,
) -> tuple[Release, dict[str, bytes]]:
    """What helm is told of a source, and values files that come from other sources."""
    options = mapping_of(source.spec.get("helm"))
    tree = source.found.tree
    files: list[str] = []
    extra: dict[str, bytes] = {}
    for item in items_of(options.get("valueFiles")):
        path = text_of(item)
        if path.startswith("$"):
            name, _, inner = path[1:].partition("/")
            other = references.get(name)
            if other is None or inner not in other.files:
                raise RenderError(f"values file {path} does not exist")
            path = f"fleettui-values-{len(files)}/{inner}"
            extra[path] = other.files[inner]
            files.append(path)
            continue
        target = joined(folder, path) if not path.startswith("/") else joined("", path[1:])
        if target is None or target not in tree.files:
            if options.get("ignoreMissingValueFiles") is True:
                continue
            raise RenderError(f"values file {path} does not exist", where=tree.label)
        files.append(target)
    values: dict[str, object] = {}
    if text_of(options.get("values")):
        values = dict(mapping_of(read_document(text_of(options["values"]), name="helm.values")))
    values.update(mapping_of(options.get("valuesObject")))
    _set_parameters(values, options)
    namespace = text_of(nested(application, "spec", "destination", "namespace"))
    name = text_of(options.get("releaseName")) or text_of(nested(application, "metadata", "name"))
    release = Release(
        name,
        namespace,
        values,
        tuple(files),
        include_crds=options.get("skipCrds") is not True,
        capabilities=capabilities,
        checks_values=options.get("skipSchemaValidation") is not True,
    )
    return release, extra


def _set_parameters(values: dict[str, object], options: Manifest) -> None:
    for item in items_of(options.get("parameters")):
        *parents, last = text_of(nested(item, "name")).replace("\\.", "\0").split(".")
        place = values
        for parent in parents:
            inner = place.setdefault(parent.replace("\0", "."), {})
            if not isinstance(inner, dict):
                raise RenderError(f"helm parameter {nested(item, 'name')} sets a field of a value")
            place = inner
        text = text_of(nested(item, "value"))
        forced = nested(item, "forceString") is True
        place[last.replace("\0", ".")] = text if forced else read_document(text, name="a parameter")


def finished(
    built: Iterable[Built], application: Manifest, scope_of: ScopeOf | None
) -> list[Rendered]:
    """Objects as Argo CD would apply them, with the default namespace.

    Argo's own tracking mark is left out: see ``without_tracking``.
    """
    namespace = text_of(nested(application, "spec", "destination", "namespace"))
    result: dict[object, Rendered] = {}
    for item in built:
        document = copy.deepcopy(item.document)
        version = text_of(document.get("apiVersion"))
        metadata = document.setdefault("metadata", {})
        if isinstance(metadata, dict):
            wide = is_cluster_wide(id_of(document), version, scope_of)
            if namespace and not metadata.get("namespace") and not wide:
                metadata["namespace"] = namespace
        normalise(document)
        identity = id_of(document)
        result[identity] = Rendered(identity, version, document, item.source)
    return sorted(result.values(), key=lambda item: item.id)


_TRACKING = "argocd.argoproj.io/tracking-id"
_INSTALLATION = "argocd.argoproj.io/installation-id"
_INSTANCE = "app.kubernetes.io/instance"


def without_tracking(live: Manifest, application: str) -> Manifest:
    """A live object without the marks by which Argo CD knows it as the application's."""
    metadata = dict(mapping_of(live.get("metadata")))
    annotations = dict(mapping_of(metadata.get("annotations")))
    labels = dict(mapping_of(metadata.get("labels")))
    for key in (_TRACKING, _INSTALLATION):
        annotations.pop(key, None)
    if labels.get(_INSTANCE) == application:
        labels.pop(_INSTANCE)
    for key, value in (("annotations", annotations), ("labels", labels)):
        if value:
            metadata[key] = value
        else:
            metadata.pop(key, None)
    return {**live, "metadata": metadata}


def hook_of(document: Manifest) -> str:
    """The annotation that makes an object a hook, not part of the state; empty if none."""
    annotations = mapping_of(nested(document, "metadata", "annotations"))
    for key in ("argocd.argoproj.io/hook", "helm.sh/hook"):
        if text_of(annotations.get(key)):
            return f"{key}: {annotations[key]}"
    return ""
