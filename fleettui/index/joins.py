"""Which GitOps object belongs to which cluster, where no pointer says it outright.

Knows the joins through kubeconfig Secrets, Argo CD destinations, inventories and
owner labels, and when their evidence contradicts itself; refuses to guess: two
candidates, or evidence against, and there is no join. Labels and names can be
written by anyone who may write in the namespace, so every join tells its
evidence. Source: domain.md section 16.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from fleettui.index.addresses import address_form, destinations_of, forms_of
from fleettui.index.bags import rows_of
from fleettui.index.cloud_names import cloud_form, cloud_forms_of
from fleettui.index.index import Edge, Index
from fleettui.index.rows import Row
from fleettui.index.shapes import LinkShape
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

CLUSTER_LABEL: Final = "cluster.x-k8s.io/cluster-name"
USER_SUFFIX: Final = "-user"
"""EKS and GKE write it behind the cluster's name in the label of the human kubeconfig."""


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
    """Rows of one context by names and addresses."""

    by_form: dict[str, dict[Row, None]] = field(default_factory=dict)

    def put(self, row: Row, forms: Iterable[str]) -> None:
        """Keep a row under these forms."""
        for form in forms:
            self.by_form.setdefault(form, {})[row] = None

    def drop(self, row: Row, forms: Iterable[str]) -> None:
        """Forget a row."""
        for form in forms:
            same = self.by_form.get(form, {})
            same.pop(row, None)
            if not same:
                self.by_form.pop(form, None)


class Known(NamedTuple):
    """What joins depend on of one row, to see whether it changed."""

    context: str
    forms: tuple[str, ...]
    shapes: tuple[LinkShape, ...]
    links: tuple[str | int, ...]


class Joins:
    """Joins of an index; follows it by itself."""

    def __init__(self, index: Index) -> None:
        """Join rows of this index."""
        self._index = index
        self._cursor = index.cursor()
        self._names: dict[str, Names] = {}
        self._known: dict[Row, Known] = {}
        self._sent: dict[str, Names] = {}
        """Appliers of each context by the name or address of their destination."""
        self._links: dict[Row, list[tuple[str, Row]]] = {}
        self._linked: dict[Row, set[Row]] = {}
        """For each row, under which rows it is shown as a link."""

    def refresh(self) -> set[Row]:
        """Take over what changed since the last time; cheap when nothing did.

        Returns:
            rows of the index whose links, or what stands there, may be others now.
        """
        change = self._index.changes(self._cursor)
        if change.reset:
            self._start_over()
            return set()
        touched: set[Row] = set()
        stale: set[Row] = set()
        for row in change.removed:
            stale |= self._linked.pop(row, set())
            stale.add(row)
            self._drop(row)
        for row in change.dirty | change.added:
            if row.place.spec.role in LINKED_ROLES:
                touched |= self._linked.get(row, set())
                stale |= self._follow(row)
        if any(row.place.spec.role is Role.CLUSTER for row in (*change.added, *change.removed)):
            # Names may be ambiguous now, or no longer.
            stale |= set(self._links)
        for row in stale:
            for _, other in self._links.pop(row, ()):
                self._linked.get(other, set()).discard(row)
        return {row for row in touched | stale if not row.is_gone}

    def _start_over(self) -> None:
        for table in (self._names, self._known, self._links, self._linked, self._sent):
            table.clear()
        for spec in self._index.kinds():
            if spec.role in (Role.CLUSTER, Role.APPLIER):
                for row in self._index.rows((spec.group, spec.kind)):
                    self._follow(row)

    def _follow(self, row: Row) -> set[Row]:
        """Take over a row that came or changed; returns whose links that may change."""
        role = row.place.spec.role
        if role is Role.PLATFORM:
            edges = [
                edge
                for relation in ("kubeconfig_secret", "kubeconfig_config")
                for edge in self._index.reverse(row, relation)
            ]
            users = [edge.target for edge in edges if edge.target is not None]
            return {cluster for user in users for cluster in self._ends_of(user)}
        forms = tuple(forms_of(row)) if role is Role.CLUSTER else tuple(destinations_of(row))
        known = self._known.get(row)
        now = Known(row.context, forms, row.state.link_shapes, row.links)
        if known == now:
            return set()
        self._drop(row)
        self._known[row] = now
        if role is Role.CLUSTER:
            self._names.setdefault(row.context, Names()).put(row, forms)
            return {row}
        self._sent.setdefault(row.context, Names()).put(row, forms)
        return {row, *self._linked.get(row, ()), *self._ends_of(row)}

    def _ends_of(self, applier: Row) -> set[Row]:
        joins = [*self.targets(applier), *self.made_by(applier)]
        return {join.row for join in joins if join.row is not None}

    def _drop(self, row: Row) -> None:
        known = self._known.pop(row, None)
        for tables in (self._names, self._sent):
            if known is not None and known.context in tables:
                tables[known.context].drop(row, known.forms)

    # -- an applier and its cluster -------------------------------------------------------
    def targets(self, applier: Row) -> list[Join]:
        """Return the cluster that an applier deploys into, joined or with why not.

        Empty for one that acts on its own management cluster.
        """
        named = list(self._index.edges(applier, "targets"))
        secrets = list(self._index.edges(applier, "kubeconfig_secret"))
        if named or secrets:
            return [self._by_secret(named, secrets[0].target if secrets else None)]
        configs = list(self._index.edges(applier, "kubeconfig_config"))
        if configs:
            return [self._by_config(configs[0])]
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
            for spec in self._index.kinds(config.context):
                if spec.role in (Role.CONTROL_PLANE, Role.CLOUD_CLUSTER):
                    for row in self._index.rows((spec.group, spec.kind), context=config.context):
                        if form in cloud_forms_of(row):
                            found[row.root] = None
        elif form := address_form(address, is_address=True):
            names = self._names.get(config.context, Names())
            found.update(names.by_form.get(form, {}))
        if len(found) == 1:
            return Join("targets", next(iter(found)), (evidence,))
        why = ("several clusters answer to it" if found else "no Cluster answers to it",)
        return Join("targets", None, (evidence,), why)

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
        known = self._known.get(cluster)
        sent = self._sent.get(cluster.context)
        if known is not None and sent is not None and sent.by_form:
            for form in known.forms:
                appliers.update(sent.by_form.get(form, {}))
        for name in ("kubeconfig", "user-kubeconfig", "kubeconfig-user"):
            secret = ObjectRef(
                cluster.context, "", "Secret", cluster.namespace, f"{cluster.name}-{name}"
            )
            for edge in self._index.pointing_at(secret, "kubeconfig_secret"):
                if edge.target is not None:
                    appliers[edge.target] = None
        configs = self._index.rows(("", "ConfigMap"), context=cluster.context)
        for relation, rows in (
            ("kubeconfig_secret", self._secrets_of(cluster)),
            ("kubeconfig_config", configs),
        ):
            users = (edge.target for row in rows for edge in self._index.reverse(row, relation))
            appliers.update((user, None) for user in users if user is not None)
        return [
            Join("targets", applier, join.evidence)
            for applier in appliers
            for join in self.targets(applier)
            if join.row is cluster
        ]

    def _secrets_of(self, cluster: Row) -> list[Row]:
        """Return the Secrets that tell by label or owner that they are the cluster's."""
        found = [row for row in rows_of(cluster.inbound) if row.place.spec.role is Role.PLATFORM]
        user = cluster.name + USER_SUFFIX
        if self._cluster(cluster.context, cluster.namespace, user) is None:
            labelled = self._index.pointing_at(cluster.ref._replace(name=user), "cluster")
            found += [edge.target for edge in labelled if edge.target is not None]
        for kid in rows_of(cluster.kids):
            if kid.place.spec.role is Role.CONTROL_PLANE:
                found += [
                    row for row in rows_of(kid.inbound) if row.place.spec.role is Role.PLATFORM
                ]
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
        """Return what trees show under a row beside its home children: relation and row.

        Args:
            row: a cluster, or anything else.
            everywhere: show the clusters of appliers, too.
        """
        role = row.place.spec.role
        if role is not Role.CLUSTER and not (everywhere and role is Role.APPLIER):
            return []
        links = self._links.get(row)
        if links is None:
            links = self._links[row] = self._find_links(row)
            for _, other in links:
                self._linked.setdefault(other, set()).add(row)
        return links

    def _find_links(self, row: Row) -> list[tuple[str, Row]]:
        if row.place.spec.role is Role.CLUSTER:
            joins = [*self.targeted_by(row), *self.creators(row)]
        else:
            made = [join for join in self.made_by(row) if join.row and join.row.parent is None]
            joins = [*self.targets(row), *made]
        found = {(join.relation, join.row) for join in joins if join.row is not None}
        if len(found) < 2:
            return list(found)
        return sorted(found, key=lambda link: (link[0] != "targets", link[1].ref))


LINKED_ROLES: Final = frozenset({Role.CLUSTER, Role.APPLIER, Role.PLATFORM})
"""Roles of what joins are made of."""


def _has_inventory(applier: Row) -> bool:
    return any(shape.relation == "applies" for shape in applier.state.link_shapes)
