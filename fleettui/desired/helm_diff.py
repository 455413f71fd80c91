"""Compares a HelmRelease with a cluster: its objects with helm, its values without.

Knows the chart behind a release, Flux's post-renderers and the labels that Helm and
Flux add. Reads live objects only through the reader it is given.

Source: helm-controller v1.6 (owner labels, drift detection, ``status.history``); Helm 4
release metadata.
"""

import copy
from dataclasses import replace
from datetime import datetime

from fleettui.desired.build import Build, Built
from fleettui.desired.compare import compare_exact
from fleettui.desired.desired_diff import (
    Comparing,
    DesiredDiff,
    DryRunApply,
    LiveReader,
    Tools,
    compared,
    finished,
    started,
)
from fleettui.desired.files import FileTree
from fleettui.desired.helm import Release, chart_folder, helm_program, render_chart
from fleettui.desired.helm_values import Values, read_values
from fleettui.desired.hunks import Hunk
from fleettui.desired.ignore_rules import flux_rules
from fleettui.desired.masks import masked_hunks
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.objects import (
    Manifest,
    ObjectId,
    id_of,
    items_of,
    mapping_of,
    nested,
    text_of,
)
from fleettui.desired.render import Render, Rendered, normalise
from fleettui.desired.scopes import ScopeOf, is_cluster_wide
from fleettui.desired.sources import Found, Wanted
from fleettui.errors import FleettuiError
from fleettui.manifests import dump_yaml

HELM_MANAGERS = frozenset({"helm-controller", "helm"})
_OWNER = "helm.toolkit.fluxcd.io"


async def diff_helm_release(
    release: Manifest,
    chart_source: Manifest,
    reader: LiveReader,
    tools: Tools,
    *,
    now: datetime,
    wanted: Wanted | None = None,
    dry_run_apply: DryRunApply | None = None,
    values_reader: LiveReader | None = None,
    deployed_values: Manifest | None = None,
    scope_of: ScopeOf | None = None,
) -> DesiredDiff:
    """What the next upgrade of a HelmRelease would do.

    Without helm, or with values that may not be read, only the values are compared:
    with the deployed ones if they are given, else by the digest that Flux records.

    Args:
        release: the live HelmRelease.
        chart_source: the live HelmChart, OCIRepository or GitRepository of its chart.
        reader: reads the cluster that it installs into.
        tools: sources and builder of the run.
        now: when this is asked.
        wanted: revision of a chart in git; default: what the controller uses next.
        dry_run_apply: asks the server; None: read-only mode.
        values_reader: reads ``valuesFrom`` where ``reader`` reads another cluster.
        deployed_values: values of the deployed release, if the caller could read them.
        scope_of: discovery's answer on scopes.
    """
    wanted = wanted or Wanted()
    result = started("HelmRelease", release, now, wanted, dry_run=dry_run_apply is not None)
    how = Comparing(
        reader,
        HELM_MANAGERS,
        dry_run_apply,
        rules=flux_rules(nested(release, "spec", "driftDetection", "ignore")),
    )
    try:
        values = await read_values(release, values_reader or reader)
        notes = _version_notes(release, chart_source)
        rows = _compare_values(release, values, deployed_values, notes)
        if helm_program() is None or values.unread:
            why = f"{', '.join(values.unread)} is not readable" if values.unread else "no helm"
            notes.append(f"only the values were compared, not the objects: {why}")
            return replace(result, objects=tuple(rows), notes=tuple(notes), is_partial=True)
        found = await tools.sources.find(chart_source, wanted)
        render = await render_release(release, found, chart_source, values, tools, scope_of)
        rows += await compared(render, how)
        return await finished(result, found, rows, [*notes, *render.notes], blames=tools.blames)
    except FleettuiError as error:
        return replace(result, error=str(error), hint=error.hint)


def _version_notes(release: Manifest, chart_source: Manifest) -> list[str]:
    history = items_of(nested(release, "status", "history"))
    deployed = text_of(nested(history[0], "chartVersion")) if history else ""
    if text_of(chart_source.get("kind")) != "HelmChart" or not deployed:
        return []
    current = text_of(nested(chart_source, "status", "artifact", "revision"))
    return (
        [f"chart {deployed} is deployed, {current} is next"]
        if current not in ("", deployed)
        else []
    )


def _compare_values(
    release: Manifest, values: Values, deployed: Manifest | None, notes: list[str]
) -> list[ObjectDiff]:
    """A row for the release itself if its values are not those deployed."""
    if values.unread:
        notes.append(f"not readable: {', '.join(values.unread)}")
        return []
    identity = id_of(release)
    version = text_of(release.get("apiVersion"))
    if deployed is not None:
        found = compare_exact({"values": deployed}, {"values": values.values})
        hunks = tuple(hunk for hunk in found.hunks if hunk.path[0] == "values")
        return (
            [_values_row(identity, version, hunks, "values of the deployed release")]
            if hunks
            else []
        )
    history = items_of(nested(release, "status", "history"))
    recorded = text_of(nested(history[0], "configDigest")) if history else ""
    if recorded and recorded != values.digest:
        reason = "its values are not those of the deployed release (config digest)"
        return [_values_row(identity, version, (), reason)]
    return []


def _values_row(
    identity: ObjectId, version: str, hunks: tuple[Hunk, ...], reason: str
) -> ObjectDiff:
    masked = masked_hunks(hunks, kind=identity.kind, group=identity.group)
    return ObjectDiff(identity, version, Change.CHANGED, masked, reason)


async def render_release(
    release: Manifest,
    found: Found,
    chart_source: Manifest,
    values: Values,
    tools: Tools,
    scope_of: ScopeOf | None,
) -> Render:
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
    in_git = text_of(chart_source.get("kind")) == "GitRepository"
    path = text_of(nested(spec, "chart", "spec", "chart")) if in_git else ""
    folder = chart_folder(found.tree, path)
    files = tuple(text_of(item) for item in items_of(nested(spec, "chart", "spec", "valuesFiles")))
    built = await render_chart(
        found.tree, folder, Release(release_name, namespace, values.values, files)
    )
    built = await _post_rendered(built, spec, tools)
    labels = {
        "app.kubernetes.io/managed-by": "Helm",
        f"{_OWNER}/name": name,
        f"{_OWNER}/namespace": own,
    }
    annotations = {
        "meta.helm.sh/release-name": release_name,
        "meta.helm.sh/release-namespace": namespace,
    }
    objects = [_finished(item, namespace, labels, annotations, scope_of) for item in built]
    return Render(tuple(sorted(objects, key=lambda item: item.id)))


async def _post_rendered(built: list[Built], spec: Manifest, tools: Tools) -> list[Built]:
    for entry in items_of(spec.get("postRenderers")):
        kustomize = mapping_of(nested(entry, "kustomize"))
        if not kustomize:
            continue
        text = "---\n".join(dump_yaml(item.document) for item in built)
        tree = FileTree("a release", {"all.yaml": text.encode()})
        build: Build = await tools.builder.build(tree, ".", kustomize)
        sources = {id_of(item.document): item.source for item in built}
        built = [
            Built(item.document, sources.get(id_of(item.document), "")) for item in build.objects
        ]
    return built


def _finished(
    built: Built,
    namespace: str,
    labels: Manifest,
    annotations: Manifest,
    scope_of: ScopeOf | None,
) -> Rendered:
    document = copy.deepcopy(built.document)
    metadata = dict(mapping_of(document.get("metadata")))
    version = text_of(document.get("apiVersion"))
    cluster_wide = is_cluster_wide(id_of(document), version, scope_of)
    if not metadata.get("namespace") and not cluster_wide:
        metadata["namespace"] = namespace
    metadata["labels"] = {**mapping_of(metadata.get("labels")), **labels}
    metadata["annotations"] = {**mapping_of(metadata.get("annotations")), **annotations}
    document["metadata"] = metadata
    normalise(document)
    return Rendered(id_of(document), version, document, built.source)
