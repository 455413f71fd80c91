"""The fleet in figures, per context and in all: what an overview or a report shows.

Knows the index and how contexts stand; counts and draws nothing else.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fleettui.fleet.context import ContextInfo
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.forms import context_form
from fleettui.index.causes import Cause, CauseState
from fleettui.index.index import Index
from fleettui.index.perspectives import provider_of
from fleettui.index.rows import Row
from fleettui.index.upgrades import version_of
from fleettui.kinds.record import Verdict
from fleettui.kinds.spec import Role
from fleettui.text import safe_text

OVERVIEW_SCHEMA: Final = "fleettui.overview/v1"
GROUPS: Final[Mapping[str, tuple[Role, ...]]] = {
    "clusters": (Role.CLUSTER, Role.CLOUD_CLUSTER),
    "control planes": (Role.CONTROL_PLANE,),
    "workers": (Role.WORKERS, Role.MACHINE_POOL, Role.CLOUD_POOL),
    "machines": (Role.MACHINE,),
    "sources": (Role.SOURCE,),
    "appliers": (Role.APPLIER,),
}
"""What is counted, with the roles that belong to it."""


@dataclass(slots=True)
class Figures:
    """Counts of one context, or of all."""

    name: str
    """The context; empty for all of them."""
    info: ContextInfo | None = None
    objects: int = 0
    paused: int = 0
    deleting: int = 0
    at_least: bool = False
    """Whether more objects exist than have been read."""
    health: dict[str, Counter[Verdict]] = field(default_factory=dict)
    """Group to counts by health."""
    versions: Counter[str] = field(default_factory=Counter)
    providers: Counter[str] = field(default_factory=Counter)
    causes: Counter[CauseState] = field(default_factory=Counter)


def overview(fleet: Fleet, causes: Sequence[Cause]) -> list[Figures]:
    """All contexts together first, then each by itself, in the order of opening."""
    index = fleet.index
    each = [_of_context(index, info, causes) for info in fleet.contexts()]
    whole = Figures("")
    for part in each:
        whole.objects += part.objects
        whole.paused += part.paused
        whole.deleting += part.deleting
        whole.at_least |= part.at_least
        whole.versions += part.versions
        whole.providers += part.providers
        for name, counts in part.health.items():
            whole.health.setdefault(name, Counter()).update(counts)
    whole.causes = Counter(cause.state for cause in causes)
    return [whole, *each]


def _of_context(index: Index, info: ContextInfo, causes: Sequence[Cause]) -> Figures:
    rollup = index.rollup_of(info.name)
    figures = Figures(
        info.name,
        info,
        objects=rollup.total,
        paused=rollup.paused,
        deleting=rollup.deleting,
        at_least=rollup.at_least or bool(info.missing),
    )
    for title, roles in GROUPS.items():
        counts: Counter[Verdict] = Counter()
        for row in _rows(index, info.name, roles):
            if row.spec.role is Role.CLOUD_CLUSTER and row.parent is not None:
                continue  # the cloud's half of a cluster that is counted itself
            counts[row.health] += 1
            if title == "clusters":
                _count_cluster(index, row, figures)
        if counts:
            figures.health[title] = counts
    for cause in causes:
        if any(ref.context == info.name for ref in cause.tops):
            figures.causes[cause.state] += 1
    return figures


def _count_cluster(index: Index, row: Row, figures: Figures) -> None:
    infra = [c.spec.provider for c in index.children(row) if c.spec.role is Role.INFRA_CLUSTER]
    version, provider = version_of(row), next(iter(infra), "") or provider_of(row)
    if version:
        figures.versions[version] += 1
    if provider:
        figures.providers[provider] += 1


def _rows(index: Index, context: str, roles: tuple[Role, ...]) -> Iterator[Row]:
    for spec in index.kinds(context):
        if spec.role in roles:
            yield from index.rows((spec.group, spec.kind), context=context)


def figures_form(figures: Figures, now: int) -> dict[str, Any]:
    """Counts as a document."""
    info = figures.info
    latency = info.round_trip_s if info is not None else -1.0
    return {
        "context": context_form(info, now) if info is not None else None,
        "latency_ms": round(latency * 1000, 1) if latency >= 0 else None,
        "objects": figures.objects,
        "at_least": figures.at_least,
        "paused": figures.paused,
        "deleting": figures.deleting,
        "health": {
            name.replace(" ", "_"): {v.value: counts[v] for v in Verdict}
            for name, counts in figures.health.items()
        },
        "versions": _spread(figures.versions),
        "providers": _spread(figures.providers),
        "causes": {state.value: figures.causes[state] for state in CauseState},
    }


def _spread(counts: Counter[str]) -> dict[str, int]:
    return {safe_text(name): count for name, count in counts.most_common()}


def overview_form(fleet: Fleet, found: Sequence[Figures]) -> dict[str, Any]:
    """The document of ``overview``; the first item is all contexts together."""
    now = fleet.now()
    return {
        "schema": OVERVIEW_SCHEMA,
        "all": figures_form(found[0], now),
        "contexts": [figures_form(figures, now) for figures in found[1:]],
    }
