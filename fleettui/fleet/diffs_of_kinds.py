"""How each kind of GitOps object is compared: what it needs beside itself.

Knows which other objects a Kustomization, a HelmRelease or an Application needs to be
compared, and the field manager that each applies as. Bringing those objects is the
run's (``diffs``), the rules are ``desired``'s.

Source: domain.md 13.3, 13.6 and 14.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fleettui.desired.argo_diff import diff_application
from fleettui.desired.desired_diff import DesiredDiff, DryRunApply, LiveReader, Tools
from fleettui.desired.helm import Capabilities
from fleettui.desired.helm_diff import diff_helm_release
from fleettui.desired.helm_release import Surroundings
from fleettui.desired.kustomization_diff import diff_kustomization
from fleettui.desired.objects import (
    Manifest,
    api_version_of,
    group_of,
    id_of,
    mapping_of,
    nested,
    text_of,
)
from fleettui.desired.scopes import ScopeOf
from fleettui.desired.sources import Wanted
from fleettui.errors import FleettuiError
from fleettui.fleet.appliers import APPLICATION, HELM_RELEASE, KUSTOMIZATION, source_ref
from fleettui.fleet.live_reader import KubeReader
from fleettui.kinds.record import ObjectRef


@dataclass(frozen=True, slots=True)
class Asked:
    """One applier that is to be compared, and what it is compared with."""

    ref: ObjectRef
    document: Manifest
    own: LiveReader
    """Reads the cluster that it lives in."""
    target: LiveReader
    """Reads the cluster that it deploys into."""
    tools: Tools
    now: datetime
    wanted: Wanted | None
    dry_run_apply: DryRunApply | None
    body: Callable[[ObjectRef], Awaitable[Manifest]]
    """Reads another object of the run."""

    @property
    def scope_of(self) -> ScopeOf | None:
        """What discovery says of scopes, if there is a server."""
        return self.own.scope_of if isinstance(self.own, KubeReader) else None

    async def source(self) -> Manifest:
        """The object that its files come from.

        Raises:
            FleettuiError: it names none, or it cannot be read.
        """
        source = source_ref(self.document, self.ref.context)
        if source is None:
            raise FleettuiError("it names no source", where=f"{self.ref.kind}/{self.ref.name}")
        return await self.body(source)


async def _kustomization(asked: Asked) -> DesiredDiff:
    return await diff_kustomization(
        asked.document,
        await asked.source(),
        asked.target,
        asked.tools,
        now=asked.now,
        wanted=asked.wanted,
        dry_run_apply=asked.dry_run_apply,
        variables_reader=asked.own,
    )


async def _helm_release(asked: Asked) -> DesiredDiff:
    source = await asked.source()
    around = Surroundings(
        source,
        await _repository(asked, source),
        await _capabilities(asked.target) or Capabilities(),
        asked.scope_of,
    )
    return await diff_helm_release(
        asked.document,
        around,
        asked.target,
        asked.tools,
        now=asked.now,
        wanted=asked.wanted,
        dry_run_apply=asked.dry_run_apply,
        values_reader=asked.own,
    )


async def _repository(asked: Asked, chart: Manifest) -> Manifest:
    """The HelmRepository behind a HelmChart; empty: there is none, or it cannot be read."""
    named = mapping_of(nested(chart, "spec", "sourceRef"))
    if text_of(chart.get("kind")) != "HelmChart" or named.get("kind") != "HelmRepository":
        return {}
    group, namespace = group_of(api_version_of(chart)), id_of(chart).namespace
    name = text_of(named.get("name"))
    try:
        return await asked.body(
            ObjectRef(asked.ref.context, group, "HelmRepository", namespace, name)
        )
    except FleettuiError:
        return {}  # the artifact of the chart may still be had


async def _capabilities(reader: LiveReader) -> Capabilities | None:
    """What charts see of a cluster; None: helm guesses, as it does without a cluster."""
    if not isinstance(reader, KubeReader):
        return None
    try:
        return await reader.capabilities()
    except FleettuiError:
        return None  # it may be reached and still not tell


async def _application(asked: Asked) -> DesiredDiff:
    return await diff_application(
        asked.document,
        asked.target,
        asked.tools,
        now=asked.now,
        wanted=asked.wanted,
        dry_run_apply=asked.dry_run_apply,
        scope_of=asked.scope_of,
        capabilities=await _capabilities(asked.target),
    )


@dataclass(frozen=True, slots=True)
class Compared:
    """How a kind is compared."""

    compare: Callable[[Asked], Awaitable[DesiredDiff]]
    manager: str
    """The field manager that a dry run applies as."""


KINDS: Mapping[tuple[str, str], Compared] = {
    KUSTOMIZATION: Compared(_kustomization, "kustomize-controller"),
    HELM_RELEASE: Compared(_helm_release, "helm-controller"),
    APPLICATION: Compared(_application, "argocd-controller"),
}
"""What can be compared, by (group, kind)."""


def url_of(source: Manifest) -> str:
    """The repository of a git source; empty for any other."""
    spec = source.get("spec")
    is_git = source.get("kind") == "GitRepository" and isinstance(spec, Mapping)
    return text_of(spec.get("url")) if is_git and isinstance(spec, Mapping) else ""
