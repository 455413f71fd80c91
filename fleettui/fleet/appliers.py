"""Which GitOps object a row belongs to, and which source feeds it.

Knows the three kinds that can be compared with git: Flux Kustomizations and
HelmReleases, Argo CD Applications. What belongs to whom is told by the index's joins;
nothing is guessed.

Source: domain.md 13.3, 13.6, 14 and 16; helm-controller's names of generated HelmCharts.
"""

from collections.abc import Iterable

from fleettui.desired.objects import Manifest, mapping_of, nested, text_of
from fleettui.index import Index, Row
from fleettui.index.joins import Join, Joins
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

KUSTOMIZATION = ("kustomize.toolkit.fluxcd.io", "Kustomization")
HELM_RELEASE = ("helm.toolkit.fluxcd.io", "HelmRelease")
APPLICATION = ("argoproj.io", "Application")
COMPARABLE = (KUSTOMIZATION, HELM_RELEASE, APPLICATION)
"""What renders manifests that can be compared, as (group, kind)."""

_SOURCE_GROUP = "source.toolkit.fluxcd.io"
_OWN_SERVERS = frozenset({"", "https://kubernetes.default.svc", "https://kubernetes.default.svc/"})


def is_applier(row: Row) -> bool:
    """Whether a row is something that can be compared with git itself."""
    return (row.group, row.kind) in COMPARABLE


def all_appliers(index: Index, *, context: str = "", namespace: str = "") -> list[Row]:
    """Every row that can be compared, in the order of context, kind, namespace and name."""
    found = [
        row
        for key in COMPARABLE
        for row in index.rows(key)
        if (not context or row.context == context) and (not namespace or row.namespace == namespace)
    ]
    return sorted(found, key=lambda row: (row.context, row.kind, row.namespace, row.name))


def appliers_of(row: Row, index: Index) -> list[Row]:
    """The GitOps objects that a row belongs to; empty when nothing tells.

    For an applier itself; for a cluster who made it and who deploys into it; for a
    source who reads it; for anything else who made it, or made what it hangs below.
    """
    if is_applier(row):
        return [row]
    if row.spec.role is Role.SOURCE:
        readers = (edge.target for edge in index.reverse(row, "source"))
        return list(dict.fromkeys(row for row in readers if row is not None and is_applier(row)))
    joins = Joins(index)
    joins.refresh()
    if row.spec.role is Role.CLUSTER:
        return _comparable([*joins.creators(row), *joins.targeted_by(row)])
    place: Row | None = row
    while place is not None:
        found = _comparable(joins.creators(place))
        if found:
            return found
        place = place.parent
    return []


def _comparable(joins: Iterable[Join]) -> list[Row]:
    rows = (join.row for join in joins)
    return list(dict.fromkeys(row for row in rows if row is not None and is_applier(row)))


def source_ref(applier: Manifest, context: str) -> ObjectRef | None:
    """The source that feeds a Kustomization or HelmRelease; None if it names none.

    Args:
        applier: the whole object.
        context: where it lives.
    """
    own = text_of(nested(applier, "metadata", "namespace"))
    if text_of(applier.get("kind")) == "Kustomization":
        return _named(nested(applier, "spec", "sourceRef"), own, context)
    chart_ref = nested(applier, "spec", "chartRef")
    if chart_ref:
        return _named(chart_ref, own, context)
    source = _named(nested(applier, "spec", "chart", "spec", "sourceRef"), own, context)
    if source is None or source.kind == "GitRepository":
        return source
    namespace, _, name = text_of(nested(applier, "status", "helmChart")).rpartition("/")
    if not name:
        namespace = source.namespace
        name = f"{own}-{text_of(nested(applier, 'metadata', 'name'))}"
    return ObjectRef(context, _SOURCE_GROUP, "HelmChart", namespace, name)


def _named(reference: object, own: str, context: str) -> ObjectRef | None:
    found = mapping_of(reference)
    kind, name = text_of(found.get("kind")), text_of(found.get("name"))
    if not (kind and name):
        return None
    namespace = text_of(found.get("namespace")) or own
    return ObjectRef(context, _SOURCE_GROUP, kind, namespace, name)


def remote_target(applier: Manifest) -> str:
    """In words, the other cluster that an applier deploys into; empty for its own."""
    spec = mapping_of(applier.get("spec"))
    if text_of(applier.get("kind")) == "Application":
        target = mapping_of(spec.get("destination"))
        server, name = text_of(target.get("server")), text_of(target.get("name"))
        if server in _OWN_SERVERS and name in ("", "in-cluster"):
            return ""
        return name or server
    for key in ("secretRef", "configMapRef"):
        name = text_of(nested(spec, "kubeConfig", key, "name"))
        if name:
            return f"the cluster of {name}"
    return "another cluster" if spec.get("kubeConfig") else ""
