"""How GitOps objects point: at sources, at what they apply, at the clusters they target.

Source: Flux API types and the owner labels of its controllers; kustomize-controller
inventory ids; Argo CD resource tracking; Cluster API's kubeconfig Secret names.
"""

from collections.abc import Iterable, Mapping

from fleettui.kinds.pointers import (
    CLUSTER_GROUP,
    Pointing,
    list_of,
    mapping_of,
    referred,
    word,
)
from fleettui.kinds.record import Reference

SOURCE_GROUP = "source.toolkit.fluxcd.io"
MOST_APPLIED = 500
"""References kept of one inventory; the rest is left to the body of the object."""

_OWNERS = tuple(
    (f"{prefix}/name", f"{prefix}/namespace", group, kind)
    for prefix, group, kind in (
        ("kustomize.toolkit.fluxcd.io", "kustomize.toolkit.fluxcd.io", "Kustomization"),
        ("helm.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "HelmRelease"),
        ("resourceset.fluxcd.controlplane.io", "fluxcd.controlplane.io", "ResourceSet"),
        ("fluxcd.controlplane.io", "fluxcd.controlplane.io", "FluxInstance"),
    )
)
"""Labels with an owner's name and namespace, and what the owner is."""
_TRACKING = "argocd.argoproj.io/tracking-id"
MAKER_KEYS = frozenset({_TRACKING, *(name for name, _, _, _ in _OWNERS)})
"""Labels and annotations by which makers are found."""
_ARGO_NAMESPACE = "argocd"


def source_of(pointing: Pointing) -> Iterable[Reference]:
    """The sources that an object is made from, whichever way its kind writes them."""
    for path, value in zip(pointing.paths, pointing.values, strict=True):
        for item in list_of(value):
            if isinstance(item, Mapping) and item.get("kind"):
                fields = {"group": _source_group(word(item["kind"])), **item}
                found = referred(pointing, fields, evidence=path)
                if found is not None:
                    yield found


_OTHER_SOURCES = {
    "ArtifactGenerator": "source.extensions.fluxcd.io",
    "ResourceSetInputProvider": "fluxcd.controlplane.io",
}


def _source_group(kind: str) -> str:
    return _OTHER_SOURCES.get(kind, SOURCE_GROUP)


def chart_of(pointing: Pointing) -> Iterable[Reference]:
    """The HelmChart that helm-controller makes from a chart template.

    Source: helm-controller names it ``<namespace>-<name>`` in the source's namespace and
    repeats that in ``status.helmChart``.
    """
    reference, told, chart = pointing.values[:3]
    namespace, _, name = word(told).partition("/")
    evidence = pointing.paths[1]
    if not name:
        if not chart:
            return
        subject = pointing.subject
        namespace = word(mapping_of(reference).get("namespace")) or subject.namespace
        name = f"{subject.namespace}-{subject.name}"
        evidence = "name of a chart made from spec.chart"
    yield Reference(pointing.spec.relation, SOURCE_GROUP, "HelmChart", namespace, name, evidence)


def kubeconfig(pointing: Pointing) -> Iterable[Reference]:
    """Clusters whose kubeconfig Secret has the name that is used.

    A name that ends in ``-user-kubeconfig`` may mean either of two clusters; both are
    told, and the one that exists (or the Secret's label) decides.
    """
    secret = word(pointing.values[0])
    candidates: list[str] = []
    if secret.endswith("-kubeconfig"):
        candidates.append(secret.removesuffix("-kubeconfig"))
        if secret.endswith("-user-kubeconfig"):
            candidates.append(secret.removesuffix("-user-kubeconfig"))
    elif secret.endswith("-kubeconfig-user"):
        candidates.append(secret.removesuffix("-kubeconfig-user"))
    for name in candidates:
        if name:
            yield Reference(
                pointing.spec.relation,
                CLUSTER_GROUP,
                "Cluster",
                pointing.subject.namespace,
                name,
                f"name of Secret {secret} in {pointing.paths[0]}",
            )


REGISTERED_BY = "capi-to-argocd/cluster-secret-name"
_REGISTERED_PLACE = "capi-to-argocd/cluster-namespace"


def registered(pointing: Pointing) -> Iterable[Reference]:
    """The Cluster that an Argo CD cluster Secret was made for, by the labels of capi2argo."""
    labels = pointing.subject.labels
    secret, namespace = labels.get(REGISTERED_BY, ""), labels.get(_REGISTERED_PLACE, "")
    name = secret.removesuffix("-kubeconfig")
    if name and name != secret and namespace:
        yield Reference(
            pointing.spec.relation,
            CLUSTER_GROUP,
            "Cluster",
            namespace,
            name,
            f"label {REGISTERED_BY}",
        )


def created_by(pointing: Pointing) -> Iterable[Reference]:
    """The appliers that say, by label or annotation, that they made the object."""
    subject = pointing.subject
    labels = subject.labels
    found: list[Reference] = []
    for name_label, namespace_label, group, kind in _OWNERS:
        name = labels.get(name_label)
        if not name:
            continue
        namespace = labels.get(namespace_label)
        if namespace and (kind, name) != (subject.kind, subject.name):
            found.append(
                Reference(
                    pointing.spec.relation, group, kind, namespace, name, f"label {name_label}"
                )
            )
    if _TRACKING in subject.annotations:
        found.extend(argo_tracked(pointing))
    return found


def argo_tracked(pointing: Pointing) -> Iterable[Reference]:
    """The Application in the tracking annotation, if the annotation is about this object.

    Source: argo-cd util/argo/resource_tracking.go: ``app:group/kind:namespace/name``;
    an Application outside the control plane's namespace is ``namespace_name``. A copied
    annotation names another object and proves nothing.
    """
    subject = pointing.subject
    tracked = subject.annotations.get(_TRACKING, "").split(":")
    if len(tracked) != 3 or tracked[1] != f"{subject.group}/{subject.kind}":
        return
    if tracked[2] != f"{subject.namespace}/{subject.name}":
        return
    namespace, _, name = tracked[0].rpartition("_")
    yield Reference(
        pointing.spec.relation,
        "argoproj.io",
        "Application",
        namespace or _ARGO_NAMESPACE,
        name,
        f"annotation {_TRACKING}",
    )


def inventory_key(entry: str) -> tuple[str, str, str, str] | None:
    """Group, kind, namespace and name in an inventory id; None if it is none.

    Source: fluxcd/pkg/ssa object ids: ``namespace_name_group_kind``, ``__`` for ``:`` in
    names of roles.
    """
    namespace, first, rest = entry.partition("_")
    head, last, kind = rest.rpartition("_")
    name, middle, group = head.rpartition("_")
    if not (first and last and middle and name and kind):
        return None
    return group, kind, namespace, name.replace("__", ":")


def applied(pointing: Pointing) -> Iterable[Reference]:
    """Objects of this cluster that an applier has in its inventory, row kinds only."""
    entries, *remote = pointing.values
    if any(remote):
        return
    count = 0
    for item in list_of(entries):
        key = inventory_key(word(mapping_of(item).get("id")))
        if key is None or not pointing.subject.known(key[0], key[1]):
            continue
        count += 1
        if count > MOST_APPLIED:
            return
        yield Reference(pointing.spec.relation, *key, pointing.paths[0])


_HERE = frozenset({"https://kubernetes.default.svc", "in-cluster"})


def argo_applied(pointing: Pointing) -> Iterable[Reference]:
    """Objects of this cluster that an Application manages, row kinds only."""
    resources, where = pointing.values[0], mapping_of(pointing.values[1])
    if not _HERE & {word(where.get("server")).rstrip("/"), word(where.get("name"))}:
        return
    count = 0
    for item in list_of(resources):
        fields = mapping_of(item)
        group, kind, name = (word(fields.get(key)) for key in ("group", "kind", "name"))
        if not name or not pointing.subject.known(group, kind):
            continue
        count += 1
        if count > MOST_APPLIED:
            return
        namespace = word(fields.get("namespace"))
        yield Reference("applies", group, kind, namespace, name, pointing.paths[0])


def destination(pointing: Pointing) -> Iterable[Reference]:
    """Where an Application deploys to, unless that is the management cluster itself.

    The reference has no kind: its name is a cluster's name or server URL as Argo CD
    knows it, and the index finds out which Cluster that is.
    """
    for path, value in zip(pointing.paths, pointing.values, strict=True):
        name = word(value)
        if name and name.rstrip("/") not in _HERE:
            yield Reference(pointing.spec.relation, "", "", "", name, path)
            return
