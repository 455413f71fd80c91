"""Compares a HelmRelease with a cluster: its objects with helm, its values without.

Knows what an upgrade changes, deletes and leaves alone, what drift detection is told
to ignore, and what can be said without helm. Reads live objects only through the reader
it is given.

Source: helm-controller v1.6 (drift detection, ``status.history``, ``status.inventory``,
CRD policies); Helm 4 (``helm.sh/resource-policy``).
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from fleettui.desired.charts import helm_program
from fleettui.desired.compare import compare_exact
from fleettui.desired.desired_diff import (
    Comparing,
    DesiredDiff,
    DryRunApply,
    LiveReader,
    Tools,
    compared,
    finished,
    pruned,
    started,
)
from fleettui.desired.helm_release import (
    OWNER,
    RenderedRelease,
    Surroundings,
    crds_policy,
    deployed_version,
    find_chart,
    render_release,
)
from fleettui.desired.helm_values import Values, read_values
from fleettui.desired.hunks import Hunk
from fleettui.desired.ignore_rules import flux_rules
from fleettui.desired.masks import masked_hunks
from fleettui.desired.object_diff import DIFFERENT, Change, ObjectDiff
from fleettui.desired.objects import (
    Manifest,
    ObjectId,
    id_of,
    inventory_of,
    items_of,
    mapping_of,
    nested,
    text_of,
)
from fleettui.desired.render import Render
from fleettui.desired.sources import Wanted
from fleettui.errors import FleettuiError

HELM_MANAGERS = frozenset({"helm-controller", "helm"})
_KEEP = "helm.sh/resource-policy"
_HASH = re.compile(r"^[0-9a-f]{32,128}$")


async def diff_helm_release(
    release: Manifest,
    around: Surroundings,
    reader: LiveReader,
    tools: Tools,
    *,
    now: datetime,
    wanted: Wanted | None = None,
    dry_run_apply: DryRunApply | None = None,
    values_reader: LiveReader | None = None,
    deployed_values: Manifest | None = None,
) -> DesiredDiff:
    """What the next upgrade of a HelmRelease would do.

    Without helm, or with values that may not be read, only the values are compared:
    with the deployed ones if they are given, else by the digest that Flux records.

    Args:
        release: the live HelmRelease.
        around: its chart's source, and what it is told of the cluster.
        reader: reads the cluster that it installs into.
        tools: sources and builder of the run.
        now: when this is asked.
        wanted: revision of a chart in git, version of another; default: what the
            controller uses next.
        dry_run_apply: asks the server; None: read-only mode.
        values_reader: reads ``valuesFrom`` where ``reader`` reads another cluster.
        deployed_values: values of the deployed release, if the caller could read them.
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
        rows = _compare_values(release, values, deployed_values)
        if helm_program() is None or values.unread:
            return _values_only(result, values, rows, _version_notes(release, around.chart_source))
        found = await find_chart(release, around, tools, wanted)
        render = await render_release(release, found, around, values, tools)
        objects, notes = await _objects_and_notes(release, render, how, values)
        notes = [*_version_notes(release, around.chart_source), *notes]
        notes += _drift_notes(release, objects, rows)
        return await finished(result, found, objects, notes, blames=tools.blames)
    except FleettuiError as error:
        return replace(result, error=str(error), hint=error.hint)


async def _objects_and_notes(
    release: Manifest, render: RenderedRelease, how: Comparing, values: Values
) -> tuple[list[ObjectDiff], list[str]]:
    """Every object, and what was left out of them because a value is not known."""
    objects = await _compared(release, render, how)
    if not values.hidden:
        return objects, []
    hidden = f"not readable: {', '.join(values.hidden)}; values from there are not compared"
    return [_without_hashes(item) for item in objects], [hidden]


def _values_only(
    result: DesiredDiff, values: Values, rows: list[ObjectDiff], notes: list[str]
) -> DesiredDiff:
    why = "helm is not installed"
    if values.unread:
        why = f"{', '.join(values.unread)} is not readable"
        notes = [*notes, f"not readable: {', '.join(values.unread)}"]
    notes = [*notes, f"only the values were compared, not the objects: {why}"]
    return replace(result, objects=tuple(rows), notes=tuple(notes), is_partial=True)


async def _compared(release: Manifest, render: RenderedRelease, how: Comparing) -> list[ObjectDiff]:
    """The objects of a release, the CRDs beside it, and what an upgrade would delete."""
    rows = await compared(Render(render.objects), how)
    rows = [_left_alone(item) for item in rows]
    policy = crds_policy(release)
    if policy == "Skip":
        rows += [
            ObjectDiff(
                item.id,
                item.api_version,
                Change.IGNORED,
                reason="crds: Skip (of the release)",
                source=item.source,
            )
            for item in render.crds
        ]
    else:
        found = await compared(Render(render.crds), how)
        rows += found if policy == "CreateReplace" else [_only_created(item) for item in found]
    known = {item.id for item in (*render.objects, *render.crds)}
    gone = [entry for entry in inventory_of(release) if entry.id not in known]
    metadata = mapping_of(release.get("metadata"))
    ours = (text_of(metadata.get("name")), text_of(metadata.get("namespace")))
    return rows + await pruned(gone, how.reader, lambda live: _kept_because(live, ours))


def _only_created(item: ObjectDiff) -> ObjectDiff:
    if item.change not in DIFFERENT or item.change is Change.CREATED:
        return item
    return replace(item, change=Change.IGNORED, reason="crds: Create (of the release)")


def _left_alone(item: ObjectDiff) -> ObjectDiff:
    """An object that drift detection is told to leave alone, by its own annotation."""
    for document in (item.desired, item.live):
        metadata = mapping_of((document or {}).get("metadata"))
        for where in ("annotations", "labels"):
            key = f"{OWNER}/driftDetection"
            if text_of(mapping_of(metadata.get(where)).get(key)).lower() == "disabled":
                return replace(item, change=Change.IGNORED, reason=f"{key}: disabled")
    return item


def _kept_because(live: Manifest, ours: tuple[str, str]) -> str:
    """Why an upgrade leaves an object that the chart no longer has; empty if it does not."""
    metadata = mapping_of(live.get("metadata"))
    if text_of(mapping_of(metadata.get("annotations")).get(_KEEP)).lower() == "keep":
        return f"{_KEEP}: keep"
    labels = mapping_of(metadata.get("labels"))
    owner = tuple(text_of(labels.get(f"{OWNER}/{key}")) for key in ("name", "namespace"))
    if any(owner) and owner != ours:
        return f"owned by HelmRelease {owner[1]}/{owner[0]}"
    if live.get("kind") == "CustomResourceDefinition":
        return "a chart's CRDs are never deleted"
    return ""


def _without_hashes(item: ObjectDiff) -> ObjectDiff:
    """An object without differences of hashes: what goes into them is not all known."""
    kept = tuple(
        hunk
        for hunk in item.hunks
        if not (_HASH.match(str(hunk.before)) and _HASH.match(str(hunk.after)))
    )
    if len(kept) == len(item.hunks) or item.change is not Change.CHANGED:
        return item
    if kept:
        return replace(item, hunks=kept)
    return replace(item, hunks=(), change=Change.UNCHANGED, live=None, desired=None)


def _version_notes(release: Manifest, chart_source: Manifest) -> list[str]:
    deployed = deployed_version(release)
    if text_of(chart_source.get("kind")) != "HelmChart" or not deployed:
        return []
    current = text_of(nested(chart_source, "status", "artifact", "revision"))
    return (
        [f"chart {deployed} is deployed, {current} is next"]
        if current not in ("", deployed)
        else []
    )


def _drift_notes(
    release: Manifest, objects: Iterable[ObjectDiff], rows: Iterable[ObjectDiff]
) -> list[str]:
    """When the controller would act on what was found."""
    notes = [f"{item.id}: {item.reason}" for item in rows]
    mode = text_of(nested(release, "spec", "driftDetection", "mode")) or "disabled"
    if mode != "enabled" and not notes and any(item.change in DIFFERENT for item in objects):
        notes.append(f"driftDetection is {mode}: what differs stays until the next upgrade")
    return notes


def _compare_values(
    release: Manifest, values: Values, deployed: Manifest | None
) -> list[ObjectDiff]:
    """A row for the release itself if its values are not those deployed."""
    if not values.is_complete:
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
