"""Renders a HelmRelease: the objects its controller would apply.

Knows where a release's chart comes from and at which version, its name and namespace,
the policy for a chart's CRDs, Flux's post-renderers, and the labels that Helm and Flux
add. Knows nothing of what is in the cluster.

Source: helm-controller v1.6 (``release.Name``, ``action/crds.go``, ``postrender``);
Helm 4 release metadata.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fleettui.desired.build_cache import Build, Built
from fleettui.desired.charts import chart_folder
from fleettui.desired.desired_diff import Tools
from fleettui.desired.files import FileTree
from fleettui.desired.helm import Capabilities, Release, render_chart
from fleettui.desired.helm_values import Values
from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.objects import Manifest, id_of, items_of, mapping_of, nested, text_of
from fleettui.desired.render import Rendered, normalise
from fleettui.desired.scopes import ScopeOf, is_cluster_wide
from fleettui.desired.sources import Found, SourceError, Want, Wanted
from fleettui.errors import FleettuiError
from fleettui.manifests import dump_yaml

OWNER = "helm.toolkit.fluxcd.io"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a release is told about where it lives."""

    chart_source: Manifest
    """The live HelmChart, OCIRepository or GitRepository of its chart."""
    repository: Manifest = field(default_factory=dict)
    """The live HelmRepository behind a HelmChart; empty: there is none, or it is not known."""
    capabilities: Capabilities = field(default_factory=Capabilities)
    """What the chart sees of the cluster that it goes to."""
    scope_of: ScopeOf | None = None
    """Discovery's answer on scopes."""


@dataclass(frozen=True, slots=True)
class RenderedRelease:
    """Objects of a release."""

    objects: tuple[Rendered, ...]
    """What the release holds."""
    crds: tuple[Rendered, ...]
    """What lies in the chart's ``crds/``: installed beside the release."""


def deployed_version(release: Manifest) -> str:
    """Version of the chart that runs; empty before the first install."""
    history = items_of(nested(release, "status", "history"))
    return text_of(nested(history[0], "chartVersion")) if history else ""


def crds_policy(release: Manifest) -> str:
    """``Skip``, ``Create`` or ``CreateReplace``, for what the controller does next."""
    action, default = ("upgrade", "Skip") if deployed_version(release) else ("install", "Create")
    given = mapping_of(nested(release, "spec", action))
    if given.get("skipCRDs") is True:
        return "Skip"
    return text_of(given.get("crds")) or default


async def find_chart(
    release: Manifest, around: Surroundings, tools: Tools, wanted: Wanted
) -> Found:
    """Files of a release's chart.

    A folder of the person that stands for the repository wins; then the controller's own
    artifact; then the repository itself, read with the person's helm.

    Raises:
        SourceError: that version cannot be had.
        FleettuiError: one of the errors of git and charts.
    """
    source = around.chart_source
    kind = text_of(source.get("kind"))
    if kind == "GitRepository":
        # The release records the chart's version only; what is fetched is the nearest to it.
        applied = text_of(nested(source, "status", "artifact", "revision"))
        return await tools.sources.find(source, wanted, applied=applied)
    url, chart = _address(around)
    artifact = mapping_of(nested(source, "status", "artifact"))
    current = text_of(artifact.get("revision"))
    version = _version(release, source, wanted, current)
    is_current = version == current and not wanted.reference
    why: FleettuiError | None = None
    if is_current and not tools.charts.is_local(url):
        try:
            return await tools.sources.find(source, Wanted())
        except SourceError as error:
            if not url:
                raise
            why = error
    if not url:
        raise SourceError(
            f"only its current artifact {current} can be had, not {wanted}", where=kind
        )
    digest = text_of(artifact.get("digest")) if is_current and _is_as_packed(source) else ""
    try:
        tree = await tools.charts.pull(url, chart, version.partition("@")[0], digest=digest)
    except FleettuiError as error:
        if why is None:
            raise
        raise SourceError(f"{why}; {error}", hint=error.hint) from error
    note = () if digest else ("the chart came from its repository, without a digest to verify",)
    return Found(replace(tree, notes=(*tree.notes, *note)), version or "newest")


def _address(around: Surroundings) -> tuple[str, str]:
    """URL of the repository, and the chart's name in it; an empty URL: it is not known."""
    source = around.chart_source
    if text_of(source.get("kind")) == "OCIRepository":
        return text_of(nested(source, "spec", "url")), ""
    url = text_of(nested(around.repository, "spec", "url"))
    return url, text_of(nested(source, "spec", "chart"))


def _version(release: Manifest, source: Manifest, wanted: Wanted, current: str) -> str:
    if wanted.reference:
        return wanted.reference
    if wanted.want is Want.APPLIED:
        return deployed_version(release)
    if wanted.want is Want.LATEST:
        reference = mapping_of(nested(source, "spec", "ref"))
        asked = reference.get("semver") or reference.get("tag") or nested(source, "spec", "version")
        return text_of(asked) or current
    return current


def _is_as_packed(source: Manifest) -> bool:
    """Whether the controller's artifact is the very archive of the repository."""
    if text_of(source.get("kind")) == "OCIRepository":
        return text_of(nested(source, "spec", "layerSelector", "operation")) == "copy"
    return not nested(source, "spec", "valuesFiles")


async def render_release(
    release: Manifest, found: Found, around: Surroundings, values: Values, tools: Tools
) -> RenderedRelease:
    """Objects of a HelmRelease as helm-controller would apply them.

    Raises:
        RenderError: the chart does not render, or helm is not installed.
    """
    spec = mapping_of(release.get("spec"))
    metadata = mapping_of(release.get("metadata"))
    own, name = text_of(metadata.get("namespace")), text_of(metadata.get("name"))
    namespace = text_of(spec.get("targetNamespace")) or own
    prefix = f"{namespace}-" if spec.get("targetNamespace") else ""
    release_name = text_of(spec.get("releaseName")) or f"{prefix}{name}"
    in_git = text_of(around.chart_source.get("kind")) == "GitRepository"
    chart = text_of(nested(spec, "chart", "spec", "chart")) if in_git else ""
    folder = chart_folder(found.tree, chart)
    tree = await tools.charts.with_dependencies(found.tree, folder)
    is_upgrade = bool(deployed_version(release))
    action = mapping_of(spec.get("upgrade" if is_upgrade else "install"))
    told = Release(
        release_name,
        namespace,
        values.values,
        _values_files(spec, tree, folder, in_git=in_git),
        include_crds=True,
        capabilities=around.capabilities,
        is_upgrade=is_upgrade,
        checks_values=action.get("disableSchemaValidation") is not True,
    )
    keeps = not values.has_secrets
    built = await render_chart(tree, folder, told, tools.builder.cache, on_disk=keeps)
    crds = [item for item in built if _is_chart_crd(item, folder)]
    others = [item for item in built if item not in crds]
    rest = await _post_rendered(others, spec, tools, on_disk=keeps)
    origin = {f"{OWNER}/name": name, f"{OWNER}/namespace": own}
    marks = _marks(mapping_of(spec.get("commonMetadata")), told, origin)
    objects = [_finished(item, namespace, marks, around.scope_of) for item in rest]
    installed = [_finished(item, "", (origin, {}), around.scope_of) for item in crds]
    return RenderedRelease(
        tuple(sorted(objects, key=lambda item: item.id)),
        tuple(sorted(installed, key=lambda item: item.id)),
    )


def _marks(
    common: Manifest, release: Release, origin: Mapping[str, object]
) -> tuple[Mapping[str, object], Mapping[str, object]]:
    """Labels and annotations that helm and its controller add to every object."""
    labels = {
        "app.kubernetes.io/managed-by": "Helm",
        **mapping_of(common.get("labels")),
        **origin,
    }
    annotations = {
        "meta.helm.sh/release-name": release.name,
        "meta.helm.sh/release-namespace": release.namespace,
        **mapping_of(common.get("annotations")),
    }
    return labels, annotations


def _values_files(spec: Manifest, tree: FileTree, folder: str, *, in_git: bool) -> tuple[str, ...]:
    """Values files of the chart's source: paths in the repository, or in the chart.

    Raises:
        RenderError: one does not exist.
    """
    given = mapping_of(nested(spec, "chart", "spec"))
    found: list[str] = []
    for item in items_of(given.get("valuesFiles")):
        path = "/".join(part for part in text_of(item).split("/") if part not in ("", "."))
        place = path if in_git or not folder else f"{folder}/{path}"
        if place in tree.files:
            found.append(place)
        elif given.get("ignoreMissingValuesFiles") is not True:
            raise RenderError(f"values file {path} does not exist", where=tree.label)
    return tuple(found)


def _is_chart_crd(built: Built, folder: str) -> bool:
    inner = built.source.removeprefix(f"{folder}/") if folder else built.source
    return inner.startswith("crds/") or ("charts/" in inner and "/crds/" in inner)


async def _post_rendered(
    built: list[Built], spec: Manifest, tools: Tools, *, on_disk: bool
) -> list[Built]:
    if not built:
        return built
    for entry in items_of(spec.get("postRenderers")):
        kustomize = mapping_of(nested(entry, "kustomize"))
        if not kustomize:
            continue
        text = "---\n".join(dump_yaml(item.document) for item in built)
        tree = FileTree("a release", {"all.yaml": text.encode()})
        build: Build = await tools.builder.build(tree, ".", kustomize, on_disk=on_disk)
        sources = {id_of(item.document): item.source for item in built}
        built = [
            Built(item.document, sources.get(id_of(item.document), "")) for item in build.objects
        ]
    return built


def _finished(
    built: Built,
    namespace: str,
    marks: tuple[Mapping[str, object], Mapping[str, object]],
    scope_of: ScopeOf | None,
) -> Rendered:
    document = copy.deepcopy(built.document)
    metadata = dict(mapping_of(document.get("metadata")))
    version = text_of(document.get("apiVersion"))
    cluster_wide = is_cluster_wide(id_of(document), version, scope_of)
    if not metadata.get("namespace") and namespace and not cluster_wide:
        metadata["namespace"] = namespace
    for key, values in zip(("labels", "annotations"), marks, strict=True):
        if values:
            metadata[key] = {**mapping_of(metadata.get(key)), **values}
    document["metadata"] = metadata
    normalise(document)
    return Rendered(id_of(document), version, document, built.source)
