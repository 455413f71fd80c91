"""Compares a whole Flux Kustomization with a cluster: what the next sync would do.

Knows how to bring source, render and comparison together, what would be pruned, and
which commit is behind a difference. Reads live objects only through the reader it is
given. Knows nothing of contexts, screens or formats.

Source: ``flux diff kustomization``; kustomize-controller prune and garbage collection.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from fleettui.desired.build import Builder
from fleettui.desired.history import Commit
from fleettui.desired.masks import masked_object
from fleettui.desired.object_diff import DIFFERENT, FAILED, Change, ObjectDiff, diff_rendered
from fleettui.desired.objects import (
    OWNER_LABELS,
    InventoryEntry,
    Manifest,
    inventory_of,
    mapping_of,
    nested,
    switch_of,
    switch_text,
    text_of,
)
from fleettui.desired.render import Render, Rendered, render_kustomization
from fleettui.desired.sources import Found, Provenance, Sources, Wanted
from fleettui.desired.substitution import read_variables
from fleettui.errors import FleettuiError

FLUX_MANAGERS = frozenset({"kustomize-controller"})
_READS_AT_ONCE = 8
_ORDER = {change: index for index, change in enumerate(Change)}


class NoSuchKindError(FleettuiError):
    """A cluster does not serve a kind; readers raise it."""


class LiveReader(Protocol):
    """Reads objects of one cluster."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        """An object at an API version, with managedFields; None: it does not exist.

        Raises:
            NoSuchKindError: the kind is not served.
            FleettuiError: it may not or cannot be read.
        """


DryRunApply = Callable[[Manifest], Awaitable[Manifest]]
"""Server-side apply with dry run and force; the server's answer. Raises FleettuiError."""


class Mode(StrEnum):
    """How objects are compared."""

    READ_ONLY = "read-only"
    """Needs get only; worked out from managedFields."""
    DRY_RUN = "dry-run"
    """The server says what an apply would give; needs patch."""


@dataclass(frozen=True, slots=True)
class KustomizationDiff:
    """What the next sync of a Kustomization would do."""

    namespace: str
    name: str
    mode: Mode
    wanted: str
    """What was asked for: ``applied``, ``latest``, a branch, …"""
    compared_at: datetime
    revision: str = ""
    objects: tuple[ObjectDiff, ...] = ()
    """Deletions first, then conflicts, then what changes, then the rest."""
    notes: tuple[str, ...] = ()
    error: str = ""
    """Why there is nothing to compare, in one line; nothing is pruned then."""
    hint: str = ""
    is_suspended: bool = False
    provenance: Mapping[str, Provenance] | None = None
    """Files behind the differences."""

    @property
    def counts(self) -> Counter[Change]:
        """How many objects of each change."""
        return Counter(item.change for item in self.objects)

    @property
    def has_differences(self) -> bool:
        """Whether a sync would change something."""
        return any(item.change in DIFFERENT for item in self.objects)

    @property
    def has_errors(self) -> bool:
        """Whether something could not be compared, or a sync could not do it."""
        return bool(self.error) or any(item.change in FAILED for item in self.objects)


@dataclass(frozen=True, slots=True)
class Tools:
    """What a comparison works with; shared by all of a run."""

    sources: Sources
    builder: Builder
    strict: bool = True
    """The controllers treat unset variables as errors (default since Flux 2.9)."""


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
) -> KustomizationDiff:
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
    metadata = mapping_of(kustomization.get("metadata"))
    result = KustomizationDiff(
        text_of(metadata.get("namespace")),
        text_of(metadata.get("name")),
        Mode.READ_ONLY if dry_run_apply is None else Mode.DRY_RUN,
        str(wanted),
        now,
        is_suspended=nested(kustomization, "spec", "suspend") is True,
    )
    try:
        found, render = await render_source(
            kustomization, source, variables_reader or reader, tools, wanted
        )
    except FleettuiError as error:
        return replace(result, error=str(error), hint=error.hint)
    objects = await _compared(render, kustomization, reader, dry_run_apply)
    objects += await _pruned(kustomization, render, reader)
    objects.sort(key=lambda item: (_ORDER[item.change], item.id))
    provenance = await provenance_of(
        found, {item.source for item in objects if item.change in DIFFERENT | FAILED}
    )
    return replace(
        result,
        revision=found.revision,
        objects=tuple(objects),
        notes=(*found.tree.notes, *render.notes),
        provenance=provenance,
    )


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


async def provenance_of(found: Found, paths: set[str]) -> dict[str, Provenance]:
    """Who last touched some files of a revision; without commits where git cannot tell."""
    known = {path for path in paths if path}
    commits: dict[str, Commit] = {}
    if known and found.repository is not None and found.sha:
        commits = await found.repository.last_commits(found.sha, sorted(known))
    return {path: Provenance(path, found.url_of(path), commits.get(path)) for path in known}


async def _compared(
    render: Render,
    kustomization: Manifest,
    reader: LiveReader,
    dry_run_apply: DryRunApply | None,
) -> list[ObjectDiff]:
    gate = asyncio.Semaphore(_READS_AT_ONCE)
    force = nested(kustomization, "spec", "force") is True

    async def compare(rendered: Rendered) -> ObjectDiff:
        async with gate:
            try:
                return await diff_object(rendered, reader, force=force, dry_run_apply=dry_run_apply)
            except FleettuiError as error:
                return _failed(rendered, Change.ERROR, error)

    return list(await asyncio.gather(*(compare(item) for item in render.objects)))


async def diff_object(
    rendered: Rendered,
    reader: LiveReader,
    *,
    managers: frozenset[str] = FLUX_MANAGERS,
    force: bool = False,
    dry_run_apply: DryRunApply | None = None,
) -> ObjectDiff:
    """What a sync would do to one object.

    Raises:
        FleettuiError: the live object cannot be read.
    """
    identity = rendered.id
    try:
        live = await reader.get(
            rendered.api_version, identity.kind, identity.namespace, identity.name
        )
    except NoSuchKindError as error:
        return _failed(rendered, Change.REFUSED, error)
    answer: Manifest | None = None
    first = diff_rendered(rendered, live, managers=managers, force=force)
    if dry_run_apply is not None and first.change is not Change.IGNORED:
        try:
            answer = await dry_run_apply(rendered.document)
        except FleettuiError as error:
            immutable = "immutable" in str(error)
            if immutable and first.change is Change.RECREATED:
                return first
            change = Change.IMMUTABLE if immutable else Change.REFUSED
            return replace(first, change=change, reason=str(error))
    if answer is None or live is None:
        return first
    return diff_rendered(rendered, live, managers=managers, force=force, answer=answer)


def _failed(rendered: Rendered, change: Change, error: FleettuiError) -> ObjectDiff:
    return ObjectDiff(
        rendered.id,
        rendered.api_version,
        change,
        reason=str(error),
        source=rendered.source,
        desired=masked_object(rendered.document, {}),
    )


async def _pruned(kustomization: Manifest, render: Render, reader: LiveReader) -> list[ObjectDiff]:
    """What was applied once and is no longer in git, if the Kustomization prunes."""
    if nested(kustomization, "spec", "prune") is not True:
        return []
    if text_of(nested(kustomization, "spec", "deletionPolicy")) == "Orphan":
        return []
    wanted = {item.id for item in render.objects}
    gate = asyncio.Semaphore(_READS_AT_ONCE)

    async def judge(entry: InventoryEntry) -> ObjectDiff | None:
        async with gate:
            identity = entry.id
            try:
                live = await reader.get(
                    entry.api_version, identity.kind, identity.namespace, identity.name
                )
            except NoSuchKindError:
                return None
            except FleettuiError as error:
                return ObjectDiff(identity, entry.api_version, Change.ERROR, reason=str(error))
        return None if live is None else _judged(entry, live, kustomization)

    gone = [entry for entry in inventory_of(kustomization) if entry.id not in wanted]
    found = await asyncio.gather(*(judge(entry) for entry in gone))
    return [item for item in found if item is not None]


def _judged(entry: InventoryEntry, live: Manifest, kustomization: Manifest) -> ObjectDiff:
    reason = ""
    for switch in ("prune", "reconcile"):
        if switch_of(live, switch) == "disabled":
            reason = f"{switch_text(live, switch)} (in the cluster)"
    labels = mapping_of(nested(live, "metadata", "labels"))
    owner = tuple(text_of(labels.get(key)) for key in OWNER_LABELS)
    metadata = mapping_of(kustomization.get("metadata"))
    if any(owner) and owner != (metadata.get("name"), metadata.get("namespace")):
        reason = reason or f"owned by Kustomization {owner[1]}/{owner[0]}"
    change = Change.IGNORED if reason else Change.PRUNED
    return ObjectDiff(
        entry.id, entry.api_version, change, reason=reason, live=masked_object(live, {})
    )
