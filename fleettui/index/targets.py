"""Which cluster an applier deploys into, by the strongest evidence there is.

Knows the evidence of kubeconfig Secrets (label, owner, name), of ConfigMaps that stand in
for one, and of Argo CD destinations (server, registered Secret, name); refuses to guess:
what contradicts itself is no join, and what only a name speaks for says so. Source:
domain.md section 16.
"""

from dataclasses import dataclass
from typing import Final

from fleettui.index.addresses import address_form
from fleettui.index.cloud_names import cloud_form
from fleettui.index.directory import Directory
from fleettui.index.index import Edge, Index
from fleettui.index.rows import Row
from fleettui.kinds.spec import Role

CLUSTER_LABEL: Final = "cluster.x-k8s.io/cluster-name"
USER_SUFFIX: Final = "-user"
"""EKS and GKE write it behind the cluster's name in the label of the human kubeconfig."""
ARGO_LABEL: Final = "argocd.argoproj.io/secret-type"
ARGO_NAMESPACE: Final = "argocd"
"""Where Argo CD keeps its cluster Secrets when Applications live elsewhere, too."""
REGISTERED_PREFIX: Final = "cluster-"


@dataclass(frozen=True, slots=True)
class Join:
    """Two objects that belong together, or look so."""

    relation: str
    row: Row | None
    """The other end; None when the evidence does not decide."""
    evidence: tuple[str, ...]
    """What speaks for it."""
    against: tuple[str, ...] = ()
    """What speaks against it; with anything here there is no row."""
    doubt: str = ""
    """Why it is not verified, in words; empty for a join that rests on more than a name."""


class Targets:
    """Finds the clusters of appliers."""

    def __init__(self, index: Index, directory: Directory) -> None:
        """Look in this index.

        Args:
            index: holds appliers, clusters and whatever Secrets were read.
            directory: its rows by name and address; kept up by whoever owns it.
        """
        self._index = index
        self._directory = directory

    def of(self, applier: Row) -> list[Join]:
        """Return the cluster that an applier deploys into, joined or with why not.

        Empty for one that acts on its own management cluster.
        """
        named = list(self._index.edges(applier, "targets"))
        secrets = list(self._index.edges(applier, "kubeconfig_secret"))
        if named or secrets:
            return [self._by_secret(named, secrets[0] if secrets else None)]
        configs = list(self._index.edges(applier, "kubeconfig_config"))
        if configs:
            return [self._by_config(configs[0])]
        return [
            self._by_destination(applier, edge)
            for edge in self._index.edges(applier, "destination")
        ]

    def named_like(self, context: str, destination: str) -> list[Row]:
        """Return the clusters of a context that Argo CD may know by a name or server."""
        form = address_form(destination) or destination
        return list(self._directory.named(Role.CLUSTER, context, form))

    def cluster(self, context: str, namespace: str, name: str) -> Row | None:
        """Return a Cluster by its name; far cheaper than asking the index for every kind."""
        found = self.named_like(context, f"{namespace}/{name}")
        return next((row for row in found if row.name == name and row.namespace == namespace), None)

    # -- kubeconfig Secrets ---------------------------------------------------------------
    def _by_secret(self, named: list[Edge], pointer: Edge | None) -> Join:
        by_name = {edge.target: edge.evidence for edge in named if edge.target is not None}
        secret = pointer.target if pointer is not None else None
        told, denied = self._told_by_secret(secret)
        for cluster, evidence in told.items():
            if by_name and cluster not in by_name:
                ours = ", ".join(row.name for row in by_name)
                return Join("targets", None, (evidence,), (f"the Secret's name says {ours}",))
        if denied:
            evidence_of_all = (*by_name.values(), *told.values()) or (denied[0],)
            return Join("targets", None, evidence_of_all, denied)
        if len(told) == 1:
            ((cluster, evidence),) = told.items()
            both = (evidence, by_name[cluster]) if cluster in by_name else (evidence,)
            return Join("targets", cluster, both)
        if told:
            return Join("targets", None, tuple(told.values()), ("label and owner disagree",))
        if pointer is not None and secret is None and self._are_all_secrets_known(pointer):
            there_is_none = f"there is no Secret {pointer.key.namespace}/{pointer.key.name}"
            found = tuple(edge.evidence for edge in named) or (pointer.evidence,)
            return Join("targets", None, found, (there_is_none,))
        if len(by_name) == 1:
            ((cluster, evidence),) = by_name.items()
            return Join("targets", cluster, (evidence,), doubt=_doubt(pointer))
        told_names = tuple(edge.evidence for edge in named)
        if not told_names and pointer is not None:
            told_names = (f"{pointer.evidence} is {pointer.key.name}",)
            why = "the Secret has not been read" if secret is None else "the Secret names nobody"
            return Join("targets", None, told_names, (why,))
        why = "several clusters have such a Secret" if by_name else "no such Cluster"
        return Join("targets", None, told_names, (why,))

    def _are_all_secrets_known(self, pointer: Edge) -> bool:
        """Whether a Secret that is no row is not there; a recording may hold one namespace's."""
        ref, index = pointer.key, self._index
        key = (ref.group, ref.kind)
        if not index.coverage.is_known(ref.context, *key, namespace=ref.namespace):
            return False
        some = index.rows(key, context=ref.context, namespace=ref.namespace)
        return next(some, None) is not None

    def _told_by_secret(self, secret: Row | None) -> tuple[dict[Row, str], tuple[str, ...]]:
        """Return the clusters that a Secret's label and owner tell, and what leads nowhere."""
        if secret is None:
            return {}, ()
        told: dict[Row, str] = {}
        denied: tuple[str, ...] = ()
        label = secret.label(CLUSTER_LABEL)
        if label:
            words = f"label {CLUSTER_LABEL}={label} of Secret {secret.name}"
            names = [label]
            if label.endswith(USER_SUFFIX):
                names.append(label.removesuffix(USER_SUFFIX))
            for name in names:
                cluster = self.cluster(secret.context, secret.namespace, name)
                if cluster is not None:
                    told[cluster] = words
                    break
            else:
                denied = (f"{words} names no Cluster of this namespace",)
        for edge in self._index.edges(secret, "owner"):
            owner = edge.target
            if owner is not None and owner.spec.role in (Role.CONTROL_PLANE, Role.CLUSTER):
                root = owner.root
                if root.spec.role is Role.CLUSTER:
                    told.setdefault(root, f"{owner.kind} {owner.name} owns Secret {secret.name}")
        return told, denied

    # -- ConfigMaps that stand in for one -------------------------------------------------
    def _by_config(self, edge: Edge) -> Join:
        """Join through a ConfigMap that says which cluster of a cloud, or which address."""
        config = edge.target
        if config is None:
            why = (f"ConfigMap {edge.key.name} has not been read",)
            return Join("targets", None, (edge.evidence,), why)
        cloud, address = config.fact("cluster"), config.fact("address")
        evidence = f"ConfigMap {config.name} says {cloud or address or 'nothing'}"
        found: dict[Row, None] = {}
        if form := cloud_form(cloud):
            found.update((row.root, None) for row in self._directory.clouds(config.context, form))
        elif form := address_form(address, is_address=True):
            found.update(dict.fromkeys(self._directory.named(Role.CLUSTER, config.context, form)))
        if len(found) == 1:
            return Join("targets", next(iter(found)), (evidence,))
        if not found:
            for source in self._index.edges(config, "converted_from"):
                told, _ = self._told_by_secret(source.target)
                if len(told) == 1:
                    ((cluster, words),) = told.items()
                    return Join("targets", cluster, (f"{source.evidence}: {words}",))
        why = ("several clusters answer to it" if found else "no Cluster answers to it",)
        return Join("targets", None, (evidence,), why)

    # -- Argo CD --------------------------------------------------------------------------
    def _by_destination(self, applier: Row, edge: Edge) -> Join:
        wanted = edge.key.name
        found = self.named_like(applier.context, wanted)
        evidence = f"{edge.evidence} is {wanted}"
        if address_form(wanted):
            if len(found) == 1:
                words = f"{found[0].kind} {found[0].namespace}/{found[0].name} has that endpoint"
                return Join("targets", found[0], (evidence, words))
        elif found:
            return self._by_registration(applier, wanted, found, evidence)
        why = "several clusters answer to it" if found else "no Cluster answers to it"
        return Join("targets", None, (evidence,), (why,))

    def _by_registration(self, applier: Row, wanted: str, found: list[Row], evidence: str) -> Join:
        """Decide between clusters of a name by Argo CD's Secrets: who made them labelled them."""
        registered = {
            cluster: words
            for cluster in found
            if (words := self._registration(applier, wanted, cluster))
        }
        if len(registered) == 1:
            ((cluster, words),) = registered.items()
            return Join("targets", cluster, (evidence, words))
        if len(found) == 1 and not registered:
            doubt = "by name only, unverified: Argo CD may call any cluster so"
            return Join("targets", found[0], (evidence,), doubt=doubt)
        why = "several clusters answer to it"
        return Join("targets", None, (evidence, *registered.values()), (why,))

    def _registration(self, applier: Row, wanted: str, cluster: Row) -> str:
        """Return the words of an Argo CD cluster Secret that was made for a cluster, if any.

        Where the Secret is named after what Argo CD calls the cluster, that name counts.
        """
        for edge in self._index.reverse(cluster, "registers"):
            secret = edge.target
            if secret is None or secret.label(ARGO_LABEL) != "cluster":
                continue
            if secret.namespace not in (applier.namespace, ARGO_NAMESPACE):
                continue
            named = secret.name.startswith(REGISTERED_PREFIX)
            if not named or secret.name == registered_name(wanted):
                return f"{edge.evidence} of Secret {secret.namespace}/{secret.name}"
        return ""


def registered_name(wanted: str) -> str:
    """Return what the Secret is called that registers a cluster with Argo CD as ``wanted``.

    Source: capi2argo-cluster-operator, names of the Secrets that it makes.
    """
    return REGISTERED_PREFIX + wanted


def _doubt(pointer: Edge | None) -> str:
    if pointer is None:
        return "by name only, unverified"
    if pointer.target is None:
        return f"by name only, unverified: Secret {pointer.key.name} has not been read"
    return f"by name only: Secret {pointer.key.name} has neither a cluster's label nor its owner"
