"""Ways to group the roots of the fleet.

Knows which groups a root belongs under for each perspective; refuses to know
lines, expansion and sorting. Below a root all perspectives share the home tree.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from fleettui.errors import UsageError
from fleettui.index.bags import rows_of
from fleettui.index.coverage import KindKey
from fleettui.index.index import Index
from fleettui.index.rollup import VERDICTS
from fleettui.index.rows import Row
from fleettui.index.standing import RANK
from fleettui.index.upgrades import upgrade_of, version_of, version_rank
from fleettui.kinds.spec import Role
from fleettui.kinds.support import support_of


class Step(NamedTuple):
    """One group on the way from the top to a root."""

    key: str
    """Identity among its siblings."""
    label: str
    """Raw text; unsafe to show without ``safe_text``."""
    order: int = 0
    """Siblings stand by order, then by label."""
    is_open: bool = True
    """Whether the group is expanded at first."""


Path = tuple[Step, ...]
PathOf = Callable[[Index, Row], Path | None]


@dataclass(frozen=True, slots=True)
class Perspective:
    """A grouping of roots; flat ones show single rows instead of home trees."""

    name: str
    title: str
    path_of: PathOf
    """The groups above a row; None keeps the row out."""
    is_flat: bool = False
    kind: KindKey | None = None
    """Flat ones may be about one kind only."""
    links_everywhere: bool = False
    """Whether appliers show their clusters, too, not only clusters their appliers."""


GITOPS_ROLES: Final = frozenset({Role.SOURCE, Role.APPLIER, Role.IMAGE, Role.NOTIFICATION})
CLUSTER_ROLES: Final = frozenset({Role.CLUSTER, Role.CLOUD_CLUSTER})
"""Cluster-level rows; a cloud's own cluster object is a root where no Cluster has it."""
CLOUD_ROLES: Final = frozenset({Role.CLOUD_POOL, Role.CLOUD})
HIDDEN_ROLES: Final = frozenset({Role.PLATFORM})
"""Built-in objects that are read only because others point at them."""
PLATFORM_ROLES: Final = frozenset(
    {
        Role.INVENTORY,
        Role.CLASS,
        Role.TEMPLATE,
        Role.POLICY,
        Role.ADDON,
        Role.ADDRESS,
        Role.CONTROLLER,
        Role.HEALTH_CHECK,
    }
)


WAITING: Final = Step("waiting", "Still reading", 5, is_open=False)
"""Where rows are whose parents may not have been read yet; the last and folded, so that
nothing jumps while they leave for their places."""


def context_step(row: Row) -> Step:
    """Return the step of the row's context."""
    return Step(row.context, row.context)


def namespace_step(row: Row) -> Step:
    """Return the step of the row's namespace."""
    return Step(f"ns/{row.namespace}", row.namespace or "(cluster-scoped)")


def kind_step(row: Row, *, is_open: bool = False) -> Step:
    """Return the step of the row's kind."""
    return Step(f"kind/{row.group}/{row.kind}", row.kind, is_open=is_open)


def _cluster_path(index: Index, row: Row, *, namespaces: bool) -> Path | None:
    role = row.spec.role
    context = context_step(row)
    if role in CLUSTER_ROLES:
        return (context, namespace_step(row)) if namespaces else (context,)
    if role in GITOPS_ROLES:
        return (context, Step("gitops", "GitOps", 1))
    if role in CLOUD_ROLES:
        return (context, Step("cloud", "Cloud", 2))
    if role in HIDDEN_ROLES:
        return None
    if role in PLATFORM_ROLES:
        return (context, Step("platform", "Platform", 3), kind_step(row))
    if index.coverage.is_reading(row.context):
        return (context, WAITING)
    return (context, Step("loose", "Without a parent", 4), kind_step(row))


def by_cluster(*, namespaces: bool = True) -> Perspective:
    """Return the default: contexts, their clusters, and beside them GitOps, cloud, platform."""
    return Perspective(
        "cluster",
        "by cluster",
        lambda index, row: _cluster_path(index, row, namespaces=namespaces),
    )


def by_source() -> Perspective:
    """Return GitOps objects only: sources with what applies them."""

    def path(index: Index, row: Row) -> Path | None:
        if row.spec.role not in GITOPS_ROLES:
            return None
        return (context_step(row), namespace_step(row))

    return Perspective("source", "by GitOps source", path, links_everywhere=True)


def by_version(now: int = 0) -> Perspective:
    """Return clusters by infrastructure provider and Kubernetes version.

    Clusters on their way to another version, or whose workers have not followed, stand in
    groups of their own below the version that runs.

    Args:
        now: Unix seconds, to mark versions out of support; 0 leaves the marks out.
    """

    def path(index: Index, row: Row) -> Path | None:
        if row.spec.role not in CLUSTER_ROLES:
            return None
        provider = provider_of(row) or "(no provider)"
        version = version_of(row)
        support = support_of(version, now) if now else None
        mark = f"  {support.words}" if support is not None and support.words else ""
        steps = (
            Step(f"provider/{provider}", provider),
            Step(f"version/{version}", (version or "(no version)") + mark, version_rank(version)),
        )
        upgrade = upgrade_of(row)
        return (*steps, Step(f"upgrade/{upgrade}", upgrade, 1)) if upgrade else steps

    return Perspective("version", "by provider and version", path)


def by_label(name: str) -> Perspective:
    """Return clusters by the value of one label; those without it come last."""

    def path(index: Index, row: Row) -> Path | None:
        if row.spec.role not in CLUSTER_ROLES:
            return None
        value = row.label(name)
        if value is None:
            return (Step("none", f"(no {name})", 1),)
        return (Step(f"label/{value}", f"{name}={value}"),)

    return Perspective("label", f"by label {name}", path)


def by_namespace() -> Perspective:
    """Return every root by context and namespace."""
    return Perspective(
        "namespace", "by namespace", lambda index, row: (context_step(row), namespace_step(row))
    )


def by_kind(kind: KindKey | None = None) -> Perspective:
    """Return single rows by context and kind, of one (group, kind) when given."""
    return Perspective(
        "kind",
        "flat by kind",
        lambda index, row: (context_step(row), kind_step(row, is_open=kind is not None)),
        is_flat=True,
        kind=kind,
    )


def by_fault() -> Perspective:
    """Return every failed or stalled row by kind and reason."""

    def path(index: Index, row: Row) -> Path | None:
        rank = row.standing & RANK
        if rank > 1 or row.culprit is not None:
            return None
        label = f"{row.kind}: {row.reason or VERDICTS[rank].value}"
        return (Step(label, label),)

    return Perspective("faults", "faults by reason", path, is_flat=True)


def provider_of(row: Row) -> str:
    """Return the infrastructure family of a cluster-level row, empty if nothing tells it."""
    found = {child.spec.role: child.spec.provider for child in rows_of(row.kids)}
    for role in (Role.INFRA_CLUSTER, Role.CONTROL_PLANE):
        if found.get(role):
            return found[role]
    return row.spec.provider


def named_perspective(text: str, *, now: int, kind: KindKey | None = None) -> Perspective:
    """Return the perspective that a person means by ``cluster``, ``label:KEY`` and the like.

    Args:
        text: one of ``PERSPECTIVES``, ``label:KEY`` or ``label KEY``.
        now: Unix seconds.
        kind: for ``kind``, the only (group, kind) shown.

    Raises:
        UsageError: there is none of this name.
    """
    word, _, argument = text.strip().replace(" ", ":", 1).partition(":")
    if word == "label" and argument:
        return by_label(argument.strip())
    if word == "kind":
        return by_kind(kind)
    make = PERSPECTIVES.get(word)
    if make is None or argument:
        raise UsageError(
            f"there is no grouping {text!r}",
            hint=f"one of {', '.join((*PERSPECTIVES, 'kind', 'label:KEY', 'dependencies'))}",
        )
    return make(now)


PERSPECTIVES: Final[dict[str, Callable[[int], Perspective]]] = {
    "cluster": lambda now: by_cluster(),
    "source": lambda now: by_source(),
    "version": by_version,
    "namespace": lambda now: by_namespace(),
    "fault": lambda now: by_fault(),
}
"""Groupings by name, made for a moment."""
