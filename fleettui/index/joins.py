"""Which GitOps object belongs to which cluster, where no pointer says it outright.

Knows the joins through kubeconfig Secrets, Argo CD destinations, inventories and
owner labels, and when their evidence contradicts itself; refuses to guess: two
candidates, or evidence against, and there is no join. Labels and names can be
written by anyone who may write in the namespace, so every join tells its
evidence. Source: domain.md section 16.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from fleettui.index.bags import rows_of
from fleettui.index.index import Edge, Index
from fleettui.index.rows import Row
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

CLUSTER_LABEL: Final = "cluster.x-k8s.io/cluster-name"
USER_SUFFIX: Final = "-user"
"""EKS and GKE write it behind the cluster's name in the label of the human kubeconfig."""
ENDPOINT_FACTS: Final = ("endpoint", "control_plane_endpoint")
DEFAULT_PORTS: Final = {443, 6443}


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


@dataclass(slots=True)
class Names:
    """Clusters of one context by the names and addresses that others know them by."""

    by_form: dict[str, dict[Row, None]] = field(default_factory=dict)

    def put(self, row: Row, forms: Iterable[str]) -> None:
        """Keep a cluster under these forms."""
        for form in forms:
            self.by_form.setdefault(form, {})[row] = None

    def drop(self, row: Row, forms: Iterable[str]) -> None:
        """Forget a cluster."""
        for form in forms:
            same = self.by_form.get(form, {})
            same.pop(row, None)
            if not same:
                self.by_form.pop(form, None)


class Joins:
    """Joins of an index; follows it by itself."""

    def __init__(self, index: Index) -> None:
        """Join rows of this index."""
        self._index = index
        self._cursor = index.cursor()
        self._names: dict[str, Names] = {}
        self._forms: dict[Row, tuple[str, tuple[str, ...]]] = {}

    def refresh(self) -> None:
        """Take over what changed since the last time; cheap when nothing did."""
        change = self._index.changes(self._cursor)
        if change.reset:
            self._names.clear()
            self._forms.clear()
            for spec in self._index.kinds():
                if spec.role is Role.CLUSTER:
                    self._put(self._index.rows((spec.group, spec.kind)))
            return
        for row in change.removed:
            self._drop(row)
        self._put(row for row in change.added if row.spec.role is Role.CLUSTER)
        self._put(row for row in change.dirty if row.spec.role is Role.CLUSTER)

    def _put(self, rows: Iterable[Row]) -> None:
        for row in rows:
            forms = tuple(forms_of(row))
            known = self._forms.get(row)
            if known is not None and known[1] == forms:
                continue
            self._drop(row)
            self._forms[row] = (row.context, forms)
            self._names.setdefault(row.context, Names()).put(row, forms)

    def _drop(self, row: Row) -> None:
        known = self._forms.pop(row, None)
        if known is not None:
            self._names[known[0]].drop(row, known[1])

    # -- an applier and its cluster -------------------------------------------------------
    def targets(self, applier: Row) -> list[Join]:
        """Return the cluster that an applier deploys into, joined or with why not.

        Empty for one that acts on its own management cluster.
        """
        named = list(self._index.edges(applier, "targets"))
        secrets = list(self._index.edges(applier, "kubeconfig_secret"))
        if named or secrets:
            return [self._by_secret(named, secrets[0].target if secrets else None)]
        return [
            self._by_destination(applier.context, edge)
            for edge in self._index.edges(applier, "destination")
        ]

    def _by_secret(self, named: list[Edge], secret: Row | None) -> Join:
        by_name = {edge.target: edge.evidence for edge in named if edge.target is not None}
        told = self._told_by_secret(secret)
        for cluster, evidence in told.items():
            if by_name and cluster not in by_name:
                ours = ", ".join(row.name for row in by_name)
                return Join("targets", None, (evidence,), (f"the Secret's name says {ours}",))
        if len(told) == 1:
            ((cluster, evidence),) = told.items()
            found = (evidence, by_name[cluster]) if cluster in by_name else (evidence,)
            return Join("targets", cluster, found)
        if told:
            return Join("targets", None, tuple(told.values()), ("label and owner disagree",))
        if len(by_name) == 1:
            ((cluster, evidence),) = by_name.items()
            return Join("targets", cluster, (evidence,))
        evidence_of_all = tuple(edge.evidence for edge in named)
        why = "several clusters have such a Secret" if by_name else "no such Cluster"
        return Join("targets", None, evidence_of_all, (why,))

    def _told_by_secret(self, secret: Row | None) -> dict[Row, str]:
        """Return the clusters that a Secret's label and owner tell, with the evidence."""
        if secret is None:
            return {}
        told: dict[Row, str] = {}
        label = secret.label(CLUSTER_LABEL)
        if label:
            names = [label]
            if label.endswith(USER_SUFFIX):
                names.append(label.removesuffix(USER_SUFFIX))
            for name in names:
                cluster = self._cluster(secret.context, secret.namespace, name)
                if cluster is not None:
                    told[cluster] = f"label {CLUSTER_LABEL}={label} of Secret {secret.name}"
                    break
        for edge in self._index.edges(secret, "owner"):
            owner = edge.target
            if owner is not None and owner.spec.role in (Role.CONTROL_PLANE, Role.CLUSTER):
                root = owner.root
                if root.spec.role is Role.CLUSTER:
                    told.setdefault(root, f"{owner.kind} {owner.name} owns Secret {secret.name}")
        return told

    def _cluster(self, context: str, namespace: str, name: str) -> Row | None:
        names = self._names.get(context)
        if names is None:
            return None
        found = names.by_form.get(f"{namespace}/{name}", {})
        return next((row for row in found if row.name == name and row.namespace == namespace), None)

    def _by_destination(self, context: str, edge: Edge) -> Join:
        wanted = edge.key.name
        names = self._names.get(context)
        form = address_form(wanted) or wanted
        found = names.by_form.get(form, {}) if names is not None else {}
        evidence = (f"{edge.evidence} is {wanted}",)
        if len(found) == 1:
            return Join("targets", next(iter(found)), evidence)
        why = "several clusters answer to it" if found else "no Cluster answers to it"
        return Join("targets", None, evidence, (why,))

    def targeted_by(self, cluster: Row) -> list[Join]:
        """Return the appliers that deploy into the cluster."""
        appliers = dict.fromkeys(
            source for source in rows_of(cluster.inbound) if source.place.spec.role is Role.APPLIER
        )
        known = self._forms.get(cluster)
        for form in known[1] if known is not None else ():
            appliers.update(dict.fromkeys(self._sent_to(cluster.context, form)))
        for name in ("kubeconfig", "user-kubeconfig", "kubeconfig-user"):
            secret = ObjectRef(
                cluster.context, "", "Secret", cluster.namespace, f"{cluster.name}-{name}"
            )
            for edge in self._index.pointing_at(secret, "kubeconfig_secret"):
                if edge.target is not None:
                    appliers[edge.target] = None
        return [
            Join("targets", applier, join.evidence)
            for applier in appliers
            for join in self.targets(applier)
            if join.row is cluster
        ]

    def _sent_to(self, context: str, form: str) -> list[Row]:
        """Return the appliers whose destination is written in this form."""
        spellings = [form]
        if form.startswith("//"):
            host, _, port = form[2:].rpartition(":")
            spellings = [f"https://{host}:{port}", f"https://{host}:{port}/"]
            if int(port) in DEFAULT_PORTS:
                spellings += [f"https://{host}", f"https://{host}/"]
        found = []
        for spelling in spellings:
            ref = ObjectRef(context, "", "", "", spelling)
            edges = self._index.pointing_at(ref, "destination")
            found += [edge.target for edge in edges if edge.target is not None]
        return found

    # -- what was made by whom ------------------------------------------------------------
    def creators(self, row: Row) -> list[Join]:
        """Return who made the object: by inventory, or by labels that no inventory denies."""
        found: dict[Row, list[str]] = {}
        for source in rows_of(row.inbound):
            if source.place.spec.role is Role.APPLIER:
                for edge in self._index.edges(source, "applies"):
                    if edge.target is row:
                        found.setdefault(source, []).append(f"{edge.evidence} of {source.name}")
        denied: list[Join] = []
        for edge in self._index.edges(row, "created_by"):
            maker = edge.target
            if maker is None:
                why = (f"there is no {edge.key.kind} {edge.key.namespace}/{edge.key.name}",)
                denied.append(Join("created_by", None, (edge.evidence,), why))
            elif maker in found or not _has_inventory(maker):
                found.setdefault(maker, []).append(edge.evidence)
            else:
                why = (f"it is not in the inventory of {maker.kind} {maker.name}",)
                denied.append(Join("created_by", None, (edge.evidence,), why))
        joined = [Join("created_by", maker, tuple(why)) for maker, why in found.items()]
        return joined + denied

    def made_by(self, applier: Row) -> list[Join]:
        """Return the objects that an applier made, as far as they are rows."""
        made = {
            edge.target: edge.evidence
            for edge in self._index.edges(applier, "applies")
            if edge.target is not None
        }
        if not _has_inventory(applier):
            for edge in self._index.reverse(applier, "created_by"):
                if edge.target is not None:
                    made.setdefault(edge.target, edge.evidence)
        return [Join("applies", row, (evidence,)) for row, evidence in made.items()]

    # -- for trees ------------------------------------------------------------------------
    def links_of(self, row: Row, *, everywhere: bool) -> list[tuple[str, Row]]:
        """Return what trees show under a row beside its home children: relation and row."""
        role = row.place.spec.role
        if role is Role.CLUSTER:
            joins = [*self.targeted_by(row), *self.creators(row)]
        elif everywhere and role is Role.APPLIER:
            made = [join for join in self.made_by(row) if join.row and join.row.parent is None]
            joins = [*self.targets(row), *made]
        else:
            return []
        found = {(join.relation, join.row) for join in joins if join.row is not None}
        return sorted(found, key=lambda link: (link[0] != "targets", link[1].ref))


def _has_inventory(applier: Row) -> bool:
    return any(shape.relation == "applies" for shape in applier.state.link_shapes)


def forms_of(cluster: Row) -> list[str]:
    """Return the names and addresses that others may know the cluster by.

    Addresses are in the form of ``address_form``.
    """
    name, namespace = cluster.name, cluster.namespace
    forms = [name, f"{namespace}/{name}", f"{namespace}-{name}"]
    for fact in ENDPOINT_FACTS:
        form = address_form(cluster.fact(fact), is_address=True)
        if form:
            forms.append(form)
    return forms


def address_form(text: str, *, is_address: bool = False) -> str:
    """Return ``//host:port`` of a server's URL or address, empty if it is neither.

    Case and trailing slashes do not matter. EKS endpoints hold a whole URL where
    others hold a bare host; 443 stands in for a missing port.

    Args:
        is_address: take a bare ``host`` or ``host:port`` for an address, too.
    """
    if not text or ("://" not in text and not is_address):
        return ""
    # An EKS endpoint is written as URL and port: https://host:443.
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    return f"//{host}:{port or 443}" if host else ""
