"""Compares a Flux Kustomization with a cluster: what its next sync would do.

Knows how to bring source, variables, render and comparison together, and what would be
pruned. Reads live objects only through the reader it is given.

Source: ``flux diff kustomization``; kustomize-controller prune and garbage collection.
"""

from dataclasses import replace
from datetime import datetime

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
from fleettui.desired.ignore_rules import flux_rules
from fleettui.desired.object_diff import ObjectDiff
from fleettui.desired.objects import (
    OWNER_LABELS,
    Manifest,
    inventory_of,
    mapping_of,
    nested,
    switch_of,
    switch_text,
    text_of,
)
from fleettui.desired.render import Render, render_kustomization
from fleettui.desired.sources import Found, Wanted
from fleettui.desired.substitution import read_variables
from fleettui.errors import FleettuiError

FLUX_MANAGERS = frozenset({"kustomize-controller"})


async def diff_kustomization(
    kustomization: Manifest,
    source: Manifest,
    reader: LiveReader,
    tools: Tools,
    *,
    now: datetime,
    wanted: Wanted | None = None,
    dry_run_apply: DryRunApply | None = None,
    variables_reader: LiveReader | None = None,
) -> DesiredDiff:
    """What the next sync of a Kustomization would do.

    Args:
        kustomization: the live Flux Kustomization.
        source: the live object that its ``sourceRef`` names.
        reader: reads the cluster that it applies to.
        tools: sources and builder of the run.
        now: when this is asked.
        wanted: revision; default: what the controller applies next.
        dry_run_apply: asks the server; None: read-only mode.
        variables_reader: reads the cluster that the Kustomization lives in, where
            ``reader`` reads another one.
    """
    wanted = wanted or Wanted()
    result = started("Kustomization", kustomization, now, wanted, dry_run=bool(dry_run_apply))
    how = Comparing(
        reader,
        FLUX_MANAGERS,
        dry_run_apply,
        nested(kustomization, "spec", "force") is True,
        flux_rules(nested(kustomization, "spec", "ignore")),
    )
    try:
        found, render = await render_source(
            kustomization, source, variables_reader or reader, tools, wanted
        )
        objects = await compared(render, how)
        objects += await _pruned(kustomization, render, reader)
        return await finished(result, found, objects, render.notes, blames=tools.blames)
    except FleettuiError as error:
        return replace(result, error=str(error), hint=error.hint)


async def render_source(
    kustomization: Manifest,
    source: Manifest,
    reader: LiveReader | None,
    tools: Tools,
    wanted: Wanted,
) -> tuple[Found, Render]:
    """Files and objects of a Kustomization at a revision.

    Raises:
        FleettuiError: one of the errors of sources, builds and substitution.
    """
    applied = text_of(nested(kustomization, "status", "lastAppliedRevision"))
    found = await tools.sources.find(source, wanted, applied=applied)
    variables = await read_variables(kustomization, reader, strict=tools.strict)
    render = await render_kustomization(kustomization, found.tree, variables, tools.builder)
    return found, render


async def _pruned(kustomization: Manifest, render: Render, reader: LiveReader) -> list[ObjectDiff]:
    """What was applied once and is no longer in git, if the Kustomization prunes."""
    if nested(kustomization, "spec", "prune") is not True:
        return []
    if text_of(nested(kustomization, "spec", "deletionPolicy")) == "Orphan":
        return []
    wanted = {item.id for item in render.objects}
    gone = [entry for entry in inventory_of(kustomization) if entry.id not in wanted]
    metadata = mapping_of(kustomization.get("metadata"))
    ours = (text_of(metadata.get("name")), text_of(metadata.get("namespace")))
    return await pruned(gone, reader, lambda live: _kept_because(live, ours))


def _kept_because(live: Manifest, ours: tuple[str, str]) -> str:
    """Why garbage collection leaves an object alone; empty if it does not."""
    for switch in ("prune", "reconcile"):
        if switch_of(live, switch) == "disabled":
            return f"{switch_text(live, switch)} (in the cluster)"
    labels = mapping_of(nested(live, "metadata", "labels"))
    owner = tuple(text_of(labels.get(key)) for key in OWNER_LABELS)
    if any(owner) and owner != ours:
        return f"owned by Kustomization {owner[1]}/{owner[0]}"
    return ""
