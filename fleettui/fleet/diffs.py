"""Compares what a fleet runs with what git says, for any front end.

Composes sources, builds and live objects of many contexts for one run; the rules are
``desired``'s. A run fetches each repository once; a new look at the servers is a new
``Diffs``. Works with the right to get alone; a dry run needs writing and says so.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from fleettui.desired.build import Builder
from fleettui.desired.charts import ChartStore
from fleettui.desired.desired_diff import (
    DesiredDiff,
    DryRunApply,
    LiveReader,
    Mode,
    Tools,
    started,
    with_provenance,
)
from fleettui.desired.git import GitCache
from fleettui.desired.object_diff import Change
from fleettui.desired.objects import Manifest
from fleettui.desired.references import (
    ReferenceDiff,
    Target,
    compare_references,
    reads_repository,
)
from fleettui.desired.revisions import shown_url
from fleettui.desired.shared_work import SharedWork
from fleettui.desired.sources import ArchiveReader, Sources, Want, Wanted
from fleettui.errors import FleettuiError, UsageError
from fleettui.fleet.appliers import KUSTOMIZATION, remote_target, source_ref
from fleettui.fleet.artifacts import read_artifact
from fleettui.fleet.context import Link
from fleettui.fleet.diffs_of_kinds import KINDS, Asked, url_of
from fleettui.fleet.listing_reader import ListingReader
from fleettui.fleet.live_link import LiveLink
from fleettui.fleet.live_reader import KubeReader, reader_of
from fleettui.kinds.record import ObjectKey, ObjectRef

APPLIERS_AT_ONCE = 6
GIT_REPOSITORY = ("source.toolkit.fluxcd.io", "GitRepository")

Progress = Callable[[int, int, ObjectRef, DesiredDiff], None]
"""Told after each applier: how many are done, of how many, which, and its result."""


class FleetSide(Protocol):
    """What is needed of a fleet."""

    def now(self) -> int:
        """Unix seconds."""
        ...

    def link_of(self, ref: ObjectRef) -> Link:
        """The link that an object belongs to."""
        ...


@dataclass(frozen=True, slots=True)
class Question:
    """What is compared with what, and how."""

    wanted: Wanted | None = None
    """The revision; None: what the controller applies next."""
    mode: Mode = Mode.READ_ONLY


class _Elsewhere:
    """A reader for a cluster that is not open here."""

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        raise FleettuiError("it lives in another cluster")


class Diffs:
    """One run of comparisons over all contexts of a fleet."""

    def __init__(
        self,
        fleet: FleetSide,
        *,
        local: Mapping[str, Path],
        cache: Path,
        allow_remote: bool = False,
        strict: bool = True,
    ) -> None:
        """Touches nothing yet.

        Args:
            fleet: the open contexts.
            local: URL of a repository to the check-out that stands for it.
            cache: folder for bare copies of repositories and for builds.
            allow_remote: kustomize may fetch remote bases, as the person.
            strict: unset variables are errors, as in Flux since 2.9.
        """
        self._fleet = fleet
        self._git = GitCache(cache / "git", local=local)
        self._builder = Builder(cache / "builds", allow_remote=allow_remote)
        self._charts = ChartStore(cache / "charts", local=local)
        self._local = local
        self._strict = strict
        self._readers: dict[str, LiveReader] = {}
        self._tools: dict[str, Tools] = {}
        self._bodies: SharedWork[ObjectRef, Manifest] = SharedWork()

    @property
    def git(self) -> GitCache:
        """The repositories of this run."""
        return self._git

    # -- one applier ------------------------------------------------------------------

    async def diff(self, ref: ObjectRef, question: Question | None = None) -> DesiredDiff:
        """What the next sync of an applier would do, with the commits behind it.

        What cannot be done is in the result's ``error``; nothing is raised for it.
        """
        result = await self._compared(ref, question or Question())
        try:
            return (await with_provenance([result]))[0]
        except FleettuiError as error:
            return replace(result, notes=(*result.notes, f"no commits: {error}"))

    async def diff_all(
        self,
        refs: Iterable[ObjectRef],
        question: Question | None = None,
        *,
        progress: Progress | None = None,
        blames: bool = True,
    ) -> dict[ObjectRef, DesiredDiff]:
        """What the next syncs of many appliers would do, in the order asked for.

        Args:
            refs: appliers.
            question: the same for all.
            progress: told after each.
            blames: look up the commits behind the differences at the end.
        """
        chosen = list(dict.fromkeys(refs))
        gate = asyncio.Semaphore(APPLIERS_AT_ONCE)
        done = 0

        async def one(ref: ObjectRef) -> DesiredDiff:
            nonlocal done
            async with gate:
                result = await self._compared(ref, question or Question())
            done += 1
            if progress is not None:
                progress(done, len(chosen), ref, result)
            return result

        results = list(await _gathered([one(ref) for ref in chosen]))
        if blames:
            results = await self._blamed(results)
        return dict(zip(chosen, results, strict=True))

    async def _blamed(self, results: Sequence[DesiredDiff]) -> list[DesiredDiff]:
        try:
            return await with_provenance(results)
        except FleettuiError as error:
            note = f"no commits: {error}"
            return [replace(result, notes=(*result.notes, note)) for result in results]

    async def _compared(self, ref: ObjectRef, question: Question) -> DesiredDiff:
        now = datetime.fromtimestamp(self._fleet.now(), UTC)
        dry_run = question.mode is Mode.DRY_RUN
        empty: Manifest = {"metadata": {"namespace": ref.namespace, "name": ref.name}}
        wanted = question.wanted or Wanted()
        try:
            document = await self._body(ref)
            return await self._compare(ref, document, question, now)
        except FleettuiError as error:
            result = started(ref.kind, empty, now, wanted, dry_run=dry_run)
            return replace(result, error=str(error), hint=error.hint)

    async def _compare(
        self, ref: ObjectRef, document: Manifest, question: Question, now: datetime
    ) -> DesiredDiff:
        own = self._reader(ref)
        elsewhere = remote_target(document)
        kind = KINDS[ref.group, ref.kind]
        dry_run = None
        if question.mode is Mode.DRY_RUN and not elsewhere:
            dry_run = _dry_run_apply(own, kind.manager)
        asked = Asked(
            ref,
            document,
            own,
            _Elsewhere() if elsewhere else own,
            self._tools_of(ref),
            now,
            question.wanted,
            dry_run,
            self._body,
        )
        result = await kind.compare(asked)
        return _not_compared(result, elsewhere) if elsewhere else result

    # -- before the merge -------------------------------------------------------------

    async def compare_reference(
        self,
        refs: Iterable[ObjectRef],
        url: str,
        reference: str,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> ReferenceDiff:
        """What a branch would change in every Kustomization that reads a repository.

        Args:
            refs: Kustomizations of any contexts; those that read another source are left out.
            url: the repository; empty: the only one that they read.
            reference: branch, tag or commit.
            progress: told after each render: how many are done, of how many.

        Raises:
            UsageError: no URL, and they read none or several.
        """
        kustomizations = [ref for ref in refs if (ref.group, ref.kind) == KUSTOMIZATION]
        found = await self._targets(kustomizations)
        url = url or _only_url(found, reference)
        targets = [target for target in found if reads_repository(target.source, url)]
        tools = self._tools_of(kustomizations[0]) if kustomizations else self._tools_for(None, "")
        return await compare_references(
            targets,
            tools,
            before=Wanted(Want.CURRENT),
            after=Wanted(reference=reference),
            progress=progress,
        )

    async def reading(self, refs: Iterable[ObjectRef], urls: Iterable[str]) -> list[ObjectRef]:
        """Those Kustomizations among some appliers that read one of some repositories."""
        wanted = tuple(urls)
        kustomizations = [ref for ref in refs if (ref.group, ref.kind) == KUSTOMIZATION]
        keys = {
            target.key
            for target in await self._targets(kustomizations)
            if any(reads_repository(target.source, url) for url in wanted)
        }
        return [ref for ref in kustomizations if (ref.context, ref.namespace, ref.name) in keys]

    async def _targets(self, refs: Sequence[ObjectRef]) -> list[Target]:
        """Kustomizations with their sources; those whose source cannot be read are left out."""
        gate = asyncio.Semaphore(APPLIERS_AT_ONCE)

        async def one(ref: ObjectRef) -> Target | None:
            async with gate:
                try:
                    document = await self._body(ref)
                    source = await self._source(ref, document)
                except FleettuiError:
                    return None  # it cannot be told whether it reads the repository
            return Target(ref.context, document, source, self._reader(ref))

        return [target for target in await _gathered([one(ref) for ref in refs]) if target]

    # -- what a run keeps -------------------------------------------------------------

    async def _body(self, ref: ObjectRef) -> Manifest:
        return await self._bodies.get(ref, lambda: self._read(ref))

    async def _read(self, ref: ObjectRef) -> Manifest:
        reader = self._reader(ref)
        if not isinstance(reader, ListingReader):
            return await self._fleet.link_of(ref).body(ref)
        key = ObjectKey(ref.group, ref.kind, ref.namespace, ref.name)
        resource = await reader.context.resolve(key)
        found = await reader.get(resource.api_version, ref.kind, ref.namespace, ref.name)
        if found is None:
            raise FleettuiError("does not exist", where=f"{ref.kind} {ref.namespace}/{ref.name}")
        return found

    async def _source(self, ref: ObjectRef, document: Manifest) -> Manifest:
        source = source_ref(document, ref.context)
        if source is None:
            raise FleettuiError("it names no source", where=f"{ref.kind}/{ref.name}")
        return await self._body(source)

    def _reader(self, ref: ObjectRef) -> LiveReader:
        if ref.context not in self._readers:
            link = self._fleet.link_of(ref)
            context = link.context if isinstance(link, LiveLink) else None
            self._readers[ref.context] = ListingReader(context) if context else reader_of(link)
        return self._readers[ref.context]

    def _tools_of(self, ref: ObjectRef) -> Tools:
        if ref.context not in self._tools:
            link = self._fleet.link_of(ref)
            context = link.context if isinstance(link, LiveLink) else None
            archives: ArchiveReader | None = None
            if context is not None:
                kube = context

                async def archives(source: Manifest) -> bytes:
                    return await read_artifact(kube, source)

            self._tools[ref.context] = self._tools_for(archives, ref.context)
        return self._tools[ref.context]

    def _tools_for(self, archives: ArchiveReader | None, context: str) -> Tools:
        async def related(namespace: str, name: str) -> Manifest:
            return await self._body(ObjectRef(context, *GIT_REPOSITORY, namespace, name))

        sources = Sources(self._git, archives=archives, related=related, local=self._local)
        return Tools(sources, self._builder, strict=self._strict, blames=False, charts=self._charts)


def _dry_run_apply(reader: LiveReader, manager: str) -> DryRunApply:
    if not isinstance(reader, KubeReader):
        raise FleettuiError("a recording has no server to ask", hint="use --mode read-only")
    return reader.dry_run_apply(manager)


def _only_url(targets: Iterable[Target], reference: str) -> str:
    """The one repository that Kustomizations read.

    Raises:
        UsageError: there is none, or several.
    """
    known = sorted({url for target in targets if (url := url_of(target.source))})
    if len(known) == 1:
        return known[0]
    shown = ", ".join(shown_url(name) for name in known) or "none is read"
    raise UsageError(f"whose branch is {reference!r}?", hint=f"--repository URL, one of: {shown}")


def _not_compared(result: DesiredDiff, elsewhere: str) -> DesiredDiff:
    """A result whose objects were rendered and live where nothing was read."""
    kept = tuple(item for item in result.objects if item.change is not Change.ERROR)
    count = len(result.objects) - len(kept)
    note = f"{count} objects rendered, not compared: they live in {elsewhere}"
    notes = (*result.notes, note) if count else result.notes
    return replace(result, objects=kept, notes=notes, is_partial=True)


async def _gathered(work: Sequence[Any]) -> list[Any]:
    """Results of coroutines in order; all end when one fails or the caller is cancelled."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(item) for item in work]
    return [task.result() for task in tasks]
