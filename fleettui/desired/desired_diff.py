"""Compares everything one GitOps object renders with a cluster.

Knows how live objects are read, what is read at once, and how results are put together
for a Kustomization, a HelmRelease or an Application alike. Reads live objects only
through the reader it is given. Knows nothing of contexts, screens or formats.

Source: ``flux diff kustomization``; kustomize-controller garbage collection.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from fleettui.desired.build import Builder
from fleettui.desired.charts import ChartStore
from fleettui.desired.history import Commit
from fleettui.desired.ignore_rules import IgnoreRule, without_ignored_hunks
from fleettui.desired.masks import masked_object
from fleettui.desired.object_diff import DIFFERENT, FAILED, Change, ObjectDiff, diff_rendered
from fleettui.desired.objects import InventoryEntry, Manifest, mapping_of, nested, text_of
from fleettui.desired.render import Render, Rendered
from fleettui.desired.sources import Found, Provenance, Sources, Wanted
from fleettui.errors import FleettuiError

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
class DesiredDiff:
    """What the next sync of a Kustomization, HelmRelease or Application would do."""

    kind: str
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
    is_partial: bool = False
    """Some objects were not compared: no difference found says nothing about them."""
    is_suspended: bool = False
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    """Files behind the differences, by path."""
    found: Found | None = field(default=None, repr=False)
    """The files that were rendered."""

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
    blames: bool = True
    """Look up the commits behind differences at once; for many, see ``with_provenance``."""
    charts: ChartStore = field(default_factory=ChartStore)


@dataclass(frozen=True, slots=True)
class Comparing:
    """How the objects of one GitOps object are compared."""

    reader: LiveReader
    managers: frozenset[str]
    dry_run_apply: DryRunApply | None = None
    force: bool = False
    """Objects with immutable conflicts are recreated."""
    rules: tuple[IgnoreRule, ...] = ()
    """Fields that are left alone."""


async def compared(render: Render, how: Comparing) -> list[ObjectDiff]:
    """Every object of a render against the cluster; what cannot be read is an error in its row."""
    gate = asyncio.Semaphore(_READS_AT_ONCE)

    async def compare(rendered: Rendered) -> ObjectDiff:
        async with gate:
            try:
                return await diff_object(rendered, how)
            except FleettuiError as error:
                return _failed(rendered, Change.ERROR, error)

    return list(await asyncio.gather(*(compare(item) for item in render.objects)))


async def diff_object(rendered: Rendered, how: Comparing) -> ObjectDiff:
    """What a sync would do to one object.

    Raises:
        FleettuiError: the live object cannot be read.
    """
    identity = rendered.id
    try:
        live = await how.reader.get(
            rendered.api_version, identity.kind, identity.namespace, identity.name
        )
    except NoSuchKindError as error:
        return _failed(rendered, Change.REFUSED, error)
    first = diff_rendered(rendered, live, managers=how.managers, force=how.force)
    # A Secret's contents never leave this program, not even to be compared by its server.
    is_secret = (identity.group, identity.kind) == ("", "Secret")
    if how.dry_run_apply is None or first.change is Change.IGNORED or is_secret:
        return without_ignored_hunks(first, how.rules)
    try:
        answer = await how.dry_run_apply(rendered.document)
    except FleettuiError as error:
        is_immutable = "immutable" in str(error)
        if is_immutable and first.change is Change.RECREATED:
            return first
        change = Change.IMMUTABLE if is_immutable else Change.REFUSED
        return replace(first, change=change, reason=str(error))
    if live is None:
        return first
    if _version_of(answer) not in ("", _version_of(live)):
        reason = "it changed meanwhile, or its server does not know dry runs"
        return replace(first, change=Change.ERROR, reason=reason)
    found = diff_rendered(rendered, live, managers=how.managers, force=how.force, answer=answer)
    return without_ignored_hunks(found, how.rules)


def _version_of(document: Manifest) -> str:
    """The resourceVersion, which a dry run leaves as it is."""
    return text_of(mapping_of(document.get("metadata")).get("resourceVersion"))


def _failed(rendered: Rendered, change: Change, error: FleettuiError) -> ObjectDiff:
    return ObjectDiff(
        rendered.id,
        rendered.api_version,
        change,
        reason=str(error),
        source=rendered.source,
        desired=masked_object(rendered.document, {}),
    )


async def pruned(
    gone: Iterable[InventoryEntry],
    reader: LiveReader,
    keeps: Callable[[Manifest], str],
) -> list[ObjectDiff]:
    """What would be deleted of the objects that git no longer has.

    Args:
        gone: objects that were applied once and are not rendered any more.
        reader: reads the cluster.
        keeps: why a live object is left alone; empty if it is deleted.
    """
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
        if live is None:
            return None
        reason = keeps(live)
        change = Change.IGNORED if reason else Change.PRUNED
        shown = masked_object(live, {})
        return ObjectDiff(identity, entry.api_version, change, reason=reason, live=shown)

    found = await asyncio.gather(*(judge(entry) for entry in gone))
    return [item for item in found if item is not None]


def started(
    kind: str, document: Manifest, now: datetime, wanted: Wanted, *, dry_run: bool
) -> DesiredDiff:
    """A result of a GitOps object that nothing is known of yet."""
    metadata = mapping_of(document.get("metadata"))
    return DesiredDiff(
        kind,
        text_of(metadata.get("namespace")),
        text_of(metadata.get("name")),
        Mode.DRY_RUN if dry_run else Mode.READ_ONLY,
        str(wanted),
        now,
        is_suspended=nested(document, "spec", "suspend") is True,
    )


async def finished(
    result: DesiredDiff,
    found: Found,
    objects: Iterable[ObjectDiff],
    notes: Iterable[str] = (),
    *,
    blames: bool = True,
) -> DesiredDiff:
    """A result with its objects in order and, if asked, the commits behind the differences.

    Raises:
        GitError: the history cannot be read.
    """
    ordered = sorted(objects, key=lambda item: (_ORDER[item.change], item.id))
    whole = replace(
        result,
        revision=found.revision,
        objects=tuple(ordered),
        notes=(*found.tree.notes, *notes),
        found=found,
    )
    return (await with_provenance([whole]))[0] if blames else whole


async def with_provenance(diffs: Iterable[DesiredDiff]) -> list[DesiredDiff]:
    """Results with the commits behind their differences; one walk for each revision.

    Raises:
        GitError: a history cannot be read.
    """
    chosen = list(diffs)
    wanted: dict[tuple[int, str], tuple[Found, set[str]]] = {}
    for diff in chosen:
        if diff.found is not None:
            key = (id(diff.found.repository), diff.found.sha)
            wanted.setdefault(key, (diff.found, set()))[1].update(_blamed(diff))
    known: dict[tuple[int, str], dict[str, Provenance]] = {}
    for key, (found, paths) in wanted.items():
        known[key] = await _provenance_of(found, paths)
    result: list[DesiredDiff] = []
    for diff in chosen:
        if diff.found is None:
            result.append(diff)
            continue
        behind = known[id(diff.found.repository), diff.found.sha]
        result.append(replace(diff, provenance={path: behind[path] for path in _blamed(diff)}))
    return result


def _blamed(diff: DesiredDiff) -> set[str]:
    return {
        item.source for item in diff.objects if item.source and item.change in DIFFERENT | FAILED
    }


async def _provenance_of(found: Found, paths: set[str]) -> dict[str, Provenance]:
    """Who last touched some files of a revision; without commits where git cannot tell."""
    commits: dict[str, Commit] = {}
    if paths and found.repository is not None and found.sha:
        commits = await found.repository.last_commits(found.sha, sorted(paths))
    return {path: Provenance(path, found.url_of(path), commits.get(path)) for path in paths}
