"""The named ways in which one object points at another.

Knows where documents of every family write their pointers, each with the evidence a
person can check. Says only what one document tells: whether a target exists, and
which of several candidates it is, is the index's business. Source: Cluster API
contracts; Flux, Argo CD, ASO and Terraform API types; the labels their controllers write.
"""

from collections.abc import Iterable, Mapping

from fleettui.kinds.gitops import (
    MAKER_KEYS,
    REGISTERED_BY,
    applied,
    argo_applied,
    chart_of,
    created_by,
    destination,
    kubeconfig,
    registered,
    source_of,
)
from fleettui.kinds.pointers import (
    CLUSTER_GROUP,
    Pointing,
    Relation,
    list_of,
    mapping_of,
    object_references,
    referred,
    word,
)
from fleettui.kinds.record import Reference

OWNER = "owner"
"""Not a relation of this table: the controller among ``Record.owners``, else the first."""

CLUSTER_LABEL = "cluster.x-k8s.io/cluster-name"
_BY_LABEL = f"label {CLUSTER_LABEL}"
_BY_FIELD = "field naming the cluster"


def _cluster(pointing: Pointing) -> Iterable[Reference]:
    """The Cluster named by the cluster-name label or a field of the specification."""
    subject = pointing.subject
    if not subject.cluster:
        return ()
    labelled = subject.labels.get(CLUSTER_LABEL) == subject.cluster
    return (
        Reference(
            pointing.spec.relation,
            CLUSTER_GROUP,
            "Cluster",
            subject.namespace,
            subject.cluster,
            _BY_LABEL if labelled else _BY_FIELD,
        ),
    )


def _class(pointing: Pointing) -> Iterable[Reference]:
    """The ClusterClass of a topology: ``classRef`` or the older ``class``."""
    reference, name, namespace = pointing.values[:3]
    if not (isinstance(reference, Mapping) and reference.get("name")):
        if not name:
            return
        reference = {"name": name, "namespace": namespace}
        evidence = pointing.paths[1]
    else:
        evidence = pointing.paths[0]
    found = referred(pointing, {**reference, "kind": "ClusterClass"}, evidence=evidence)
    if found is not None:
        yield found


_CLONED_NAME = "cluster.x-k8s.io/cloned-from-name"
_CLONED_KIND = "cluster.x-k8s.io/cloned-from-groupkind"


def _cloned_from(pointing: Pointing) -> Iterable[Reference]:
    """The template an object was made of, by the annotations of its maker."""
    annotations = pointing.subject.annotations
    name, group_kind = annotations.get(_CLONED_NAME), annotations.get(_CLONED_KIND)
    if name and group_kind:
        kind, _, group = group_kind.partition(".")
        yield Reference(
            pointing.spec.relation,
            group,
            kind,
            pointing.subject.namespace,
            name,
            f"annotation {_CLONED_NAME}",
        )


def _annotated(pointing: Pointing) -> Iterable[Reference]:
    """An object named ``namespace/name`` by an annotation, as Metal3 names its hosts.

    What follows a colon is a key inside the object.
    """
    value = pointing.subject.annotations.get(pointing.option("annotation"), "")
    namespace, slash, name = value.partition(":")[0].partition("/")
    if slash and name:
        yield Reference(
            pointing.spec.relation,
            pointing.option("group"),
            pointing.option("kind"),
            namespace,
            name,
            f"annotation {pointing.option('annotation')}",
        )


def _owned_resources(pointing: Pointing) -> Iterable[Reference]:
    """Objects that an AzureASOManaged object makes: manifests it holds, resources it lists."""
    seen: set[tuple[str, str, str]] = set()
    for path, value in zip(pointing.paths, pointing.values, strict=True):
        for item in list_of(value):
            fields = mapping_of(item)
            resource = mapping_of(fields.get("resource"))
            if not resource:
                name = mapping_of(fields.get("metadata")).get("name")
                resource = {**fields, "name": name}
            found = referred(pointing, resource, evidence=path)
            if found is not None and found[1:3] + found[4:5] not in seen:
                seen.add((found.group, found.kind, found.name))
                yield found


def _bindings(pointing: Pointing) -> Iterable[Reference]:
    """ClusterResourceSets that a binding has applied or should apply."""
    for item in list_of(pointing.values[0]):
        name = word(mapping_of(item).get("clusterResourceSetName"))
        found = referred(pointing, name, evidence=pointing.paths[0])
        if found is not None:
            yield found


def _events_of(pointing: Pointing) -> Iterable[Reference]:
    """Objects that an Alert or Receiver listens to, wildcards left out."""
    for item in list_of(pointing.values[0]):
        fields = mapping_of(item)
        kind = word(fields.get("kind"))
        if fields.get("name") == "*" or kind not in _FLUX_GROUPS:
            continue
        named = {"group": _FLUX_GROUPS[kind], **fields}
        found = referred(pointing, named, evidence=pointing.paths[0])
        if found is not None:
            yield found


_SOURCES = "source.toolkit.fluxcd.io"
_IMAGES = "image.toolkit.fluxcd.io"
_FLUX_GROUPS = {
    "GitRepository": _SOURCES,
    "OCIRepository": _SOURCES,
    "Bucket": _SOURCES,
    "HelmRepository": _SOURCES,
    "HelmChart": _SOURCES,
    "ExternalArtifact": _SOURCES,
    "Kustomization": "kustomize.toolkit.fluxcd.io",
    "HelmRelease": "helm.toolkit.fluxcd.io",
    "ImageRepository": _IMAGES,
    "ImagePolicy": _IMAGES,
    "ImageUpdateAutomation": _IMAGES,
}

RELATIONS: Mapping[str, Relation] = {
    "cluster": Relation(_cluster),
    "infrastructure": Relation(object_references, ("spec.infrastructureRef",)),
    "control_plane": Relation(object_references, ("spec.controlPlaneRef",)),
    "bootstrap": Relation(object_references, ("spec.bootstrap.configRef",)),
    "template": Relation(object_references),
    "class": Relation(
        _class, ("spec.topology.classRef", "spec.topology.class", "spec.topology.classNamespace")
    ),
    "cloned_from": Relation(_cloned_from, keys=frozenset({_CLONED_NAME})),
    "data_secret": Relation(object_references),
    "credentials": Relation(object_references),
    "remediation": Relation(
        object_references, ("spec.remediation.templateRef", "spec.remediationTemplate")
    ),
    "node_host": Relation(_annotated),
    "converted_from": Relation(_annotated),
    "registers": Relation(registered, keys=frozenset({REGISTERED_BY})),
    "outputs": Relation(object_references, ("spec.writeOutputsToSecret",)),
    "reads_from": Relation(object_references),
    "pool": Relation(object_references, ("spec.poolRef",)),
    "claim": Relation(object_references, ("spec.claimRef",)),
    "consumer": Relation(object_references, ("spec.consumerRef",)),
    "address": Relation(object_references, ("status.addressRef",)),
    "resources": Relation(object_references, ("spec.resources",)),
    "resource_sets": Relation(_bindings, ("spec.bindings",)),
    "matching_clusters": Relation(object_references, ("status.matchingClusters",)),
    "manages": Relation(_owned_resources, ("status.resources", "spec.resources")),
    "cloud_owner": Relation(object_references, ("spec.owner",)),
    "source": Relation(source_of, ("spec.sourceRef",)),
    "includes": Relation(object_references),
    "chart": Relation(
        chart_of, ("spec.chart.spec.sourceRef", "status.helmChart", "spec.chart.spec.chart")
    ),
    "depends_on": Relation(object_references, ("spec.dependsOn",)),
    "targets": Relation(kubeconfig, ("spec.kubeConfig.secretRef.name",)),
    "kubeconfig_secret": Relation(object_references, ("spec.kubeConfig.secretRef",)),
    "kubeconfig_config": Relation(object_references, ("spec.kubeConfig.configMapRef",)),
    "created_by": Relation(created_by, keys=MAKER_KEYS),
    "applies": Relation(applied, ("status.inventory.entries", "spec.kubeConfig")),
    "argo_applies": Relation(argo_applied, ("status.resources", "spec.destination")),
    "destination": Relation(destination, ("spec.destination.name", "spec.destination.server")),
    "project": Relation(object_references, ("spec.project",)),
    "provider": Relation(object_references, ("spec.providerRef",)),
    "image": Relation(object_references, ("spec.imageRepositoryRef",)),
    "listens_to": Relation(_events_of, ("spec.eventSources",)),
    "mounts": Relation(object_references),
}
"""Relation name to the function that finds it."""
