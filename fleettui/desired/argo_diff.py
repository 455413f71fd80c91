"""Compares an Argo CD Application with a cluster: what its next sync would do.

Knows revisions of several sources, hooks, ignored differences and what would be
pruned. Reads live objects only through the reader it is given.

Source: Argo CD 3 Application API (``status.resources``, ``ignoreDifferences``, sync
options).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fleettui.desired.argo import (
    AppSource,
    applied_revisions,
    finished,
    hook_of,
    render_source,
    sources_of,
    without_tracking,
)
from fleettui.desired.build_cache import Built
from fleettui.desired.charts import below, chart_folder
from fleettui.desired.desired_diff import (
    Comparing,
    DesiredDiff,
    DryRunApply,
    LiveReader,
    Tools,
    compared,
    pruned,
    started,
)
from fleettui.desired.desired_diff import finished as finished_diff
from fleettui.desired.files import FileTree
from fleettui.desired.helm import Capabilities
from fleettui.desired.ignore_rules import argo_rules
from fleettui.desired.kustomization_file import RenderError
from fleettui.desired.object_diff import Change, ObjectDiff
from fleettui.desired.objects import (
    InventoryEntry,
    Manifest,
    ObjectId,
    items_of,
    mapping_of,
    nested,
    text_of,
)
from fleettui.desired.render import Render
from fleettui.desired.scopes import ScopeOf
from fleettui.desired.sources import Found, Want, Wanted
from fleettui.errors import FleettuiError

ARGO_MANAGERS = frozenset({"argocd-controller", "argocd-application-controller"})


@dataclass(frozen=True, slots=True)
class _Untracked:
    """A reader whose objects carry no mark of the application."""

    reader: LiveReader
    application: str

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Manifest | None:
        live = await self.reader.get(api_version, kind, namespace, name)
        return None if live is None else without_tracking(live, self.application)


async def diff_application(
    application: Manifest,
    reader: LiveReader,
    tools: Tools,
    *,
    now: datetime,
    wanted: Wanted | None = None,
    dry_run_apply: DryRunApply | None = None,
    scope_of: ScopeOf | None = None,
    capabilities: Capabilities | None = None,
) -> DesiredDiff:
    """What the next sync of an Application would do.

    Args:
        application: the live Application.
        reader: reads the cluster that it deploys to.
        tools: sources and builder of the run.
        now: when this is asked.
        wanted: revision, of all its git sources; default: their ``targetRevision``.
        dry_run_apply: asks the server; None: read-only mode.
        scope_of: discovery's answer on scopes.
        capabilities: what a chart sees of the cluster that it goes to.
    """
    wanted = wanted or Wanted(Want.LATEST)
    name = text_of(nested(application, "metadata", "name"))
    result = started("Application", application, now, wanted, dry_run=bool(dry_run_apply))
    untracked = _Untracked(reader, name)
    rules = argo_rules(nested(application, "spec", "ignoreDifferences"))
    how = Comparing(untracked, ARGO_MANAGERS, dry_run_apply, rules=rules)
    try:
        sources = await _found(application, tools, wanted)
        built = await _built(application, sources, tools, capabilities or Capabilities())
        hooks = [item for item in built if hook_of(item.document)]
        rendered = finished(
            (item for item in built if not hook_of(item.document)), application, scope_of
        )
        objects = await compared(Render(tuple(rendered)), how)
        objects += [_hook_row(item, application, scope_of) for item in hooks]
        objects += await _pruned(application, {item.id for item in objects}, untracked)
        return await finished_diff(
            result, sources[0].found, objects, _notes(application), blames=tools.blames
        )
    except FleettuiError as error:
        return replace(result, error=str(error), hint=error.hint)


def _notes(application: Manifest) -> list[str]:
    jq = any(
        nested(item, "jqPathExpressions") or nested(item, "managedFieldsManagers")
        for item in items_of(nested(application, "spec", "ignoreDifferences"))
    )
    return ["ignoreDifferences with jq or managers is not evaluated"] if jq else []


async def _found(application: Manifest, tools: Tools, wanted: Wanted) -> list[AppSource]:
    specs = sources_of(application)
    applied = applied_revisions(application)
    found: list[AppSource] = []
    for index, spec in enumerate(specs):
        url = text_of(spec.get("repoURL"))
        if spec.get("chart"):
            found.append(
                AppSource(spec, await _find_chart(url, spec, index, applied, tools, wanted))
            )
            continue
        found.append(AppSource(spec, await _find(url, spec, index, applied, tools, wanted)))
    if not found:
        raise RenderError("the Application has no source")
    return found


async def _find(
    url: str, spec: Manifest, index: int, applied: Sequence[str], tools: Tools, wanted: Wanted
) -> Found:
    reference = wanted.reference or text_of(spec.get("targetRevision")) or "HEAD"
    if wanted.want is Want.APPLIED and not wanted.reference:
        if index >= len(applied):
            raise RenderError("nothing was applied yet", where=url)
        reference = applied[index]
    return await tools.sources.find_commit(url, reference)


async def _find_chart(
    url: str, spec: Manifest, index: int, applied: Sequence[str], tools: Tools, wanted: Wanted
) -> Found:
    """A chart of a Helm repository; one in a registry has a URL without a scheme."""
    version = text_of(spec.get("targetRevision"))
    if wanted.want is Want.APPLIED and not wanted.reference and index < len(applied):
        version = applied[index]
    address = url if "://" in url else f"oci://{url}"
    tree = await tools.charts.pull(address, text_of(spec["chart"]), version)
    folder = chart_folder(tree, "")
    return Found(below(tree, folder), version)


async def _built(
    application: Manifest,
    sources: Sequence[AppSource],
    tools: Tools,
    capabilities: Capabilities,
) -> list[Built]:
    references: dict[str, FileTree] = {
        text_of(source.spec.get("ref")): source.found.tree
        for source in sources
        if source.spec.get("ref")
    }
    built: list[Built] = []
    for source in sources:
        only_values = source.spec.get("ref") and not source.spec.get("path")
        if not only_values:
            built += await render_source(application, source, references, tools, capabilities)
    return built


def _hook_row(item: Built, application: Manifest, scope_of: ScopeOf | None) -> ObjectDiff:
    rendered = finished([item], application, scope_of)[0]
    return ObjectDiff(
        rendered.id,
        rendered.api_version,
        Change.IGNORED,
        reason=hook_of(item.document),
        source=item.source,
    )


async def _pruned(
    application: Manifest, wanted: set[ObjectId], reader: LiveReader
) -> list[ObjectDiff]:
    """Resources of the last sync that git no longer has."""
    gone: list[InventoryEntry] = []
    for item in items_of(nested(application, "status", "resources")):
        entry = mapping_of(item)
        group, version = text_of(entry.get("group")), text_of(entry.get("version"))
        identity = ObjectId(
            group,
            text_of(entry.get("kind")),
            text_of(entry.get("namespace")),
            text_of(entry.get("name")),
        )
        if identity not in wanted and entry.get("hook") is not True:
            gone.append(InventoryEntry(identity, f"{group}/{version}" if group else version))
    automated = mapping_of(nested(application, "spec", "syncPolicy", "automated"))
    prunes = automated.get("prune") is True and automated.get("enabled") is not False
    off = "" if prunes else "pruning is not automatic: it stays until somebody prunes"

    def keeps(live: Manifest) -> str:
        options = mapping_of(nested(live, "metadata", "annotations"))
        if "Prune=false" in text_of(options.get("argocd.argoproj.io/sync-options")):
            return "argocd.argoproj.io/sync-options: Prune=false"
        return off

    return await pruned(gone, reader, keeps)
