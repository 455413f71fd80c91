"""Which GitOps object belongs to which cluster, where no pointer says it outright.

Knows the joins through kubeconfig Secrets, Argo CD destinations, inventories and
owner labels, and when their evidence contradicts itself; refuses to guess: two
candidates, or evidence against, and there is no join. Labels and names can be
written by anyone who may write in the namespace, so every join tells its
evidence. Source: domain.md section 16.
"""

from dataclasses import replace
from typing import Final, NamedTuple

from fleettui.index.addresses import destinations_of, forms_of
from fleettui.index.bags import rows_of
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.shapes import LinkShape
from fleettui.index.targets import CLUSTER_LABEL, USER_SUFFIX, Join, Names, Targets
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

__all__ = ["BY_NAME", "CLUSTER_LABEL", "Join", "Joins"]

BY_NAME: Final = "targets_by_name"
"""Relation of links that nothing but a name speaks for, which anybody may have chosen."""


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
        self._targets = Targets(index, self._names)
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
            return self._follow_pointed(row)
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

    def _follow_pointed(self, row: Row) -> set[Row]:
        """Take over a Secret or ConfigMap that decides joins; what it denies changes, too."""
        pointed = [edge.target for edge in self._index.edges(row, "registers")]
        found = {cluster for cluster in pointed if cluster is not None}
        for relation in ("kubeconfig_secret", "kubeconfig_config"):
            for edge in self._index.reverse(row, relation):
                if edge.target is not None:
                    found |= {edge.target, *self._linked.get(edge.target, ())}
                    found |= self._ends_of(edge.target)
        return found

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
        return self._targets.of(applier)

    def named_like(self, context: str, destination: str) -> list[Row]:
        """Return the clusters of a context that Argo CD may know by a name or server."""
        return self._targets.named_like(context, destination)

    def targeted_by(self, cluster: Row) -> list[Join]:
        """Return the appliers that deploy into the cluster."""
        return [
            replace(join, row=applier)
            for applier in self.candidates_of(cluster)
            for join in self.targets(applier)
            if join.row is cluster
        ]

    def candidates_of(self, cluster: Row) -> list[Row]:
        """Return the appliers that may deploy into the cluster, whatever decides it."""
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
        return list(appliers)

    def _secrets_of(self, cluster: Row) -> list[Row]:
        """Return the Secrets that tell by label or owner that they are the cluster's."""
        found = [row for row in rows_of(cluster.inbound) if row.place.spec.role is Role.PLATFORM]
        user = cluster.name + USER_SUFFIX
        if self._targets.cluster(cluster.context, cluster.namespace, user) is None:
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
                for edge in self._index.edges(source, "applies", to=row.name):
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
        found = {(_link_relation(join), join.row) for join in joins if join.row is not None}
        if len(found) < 2:
            return list(found)
        return sorted(found, key=lambda link: (not link[0].startswith("targets"), link[1].ref))


LINKED_ROLES: Final = frozenset({Role.CLUSTER, Role.APPLIER, Role.PLATFORM})
"""Roles of what joins are made of."""


def _link_relation(join: Join) -> str:
    return BY_NAME if join.doubt and join.relation == "targets" else join.relation


def _has_inventory(applier: Row) -> bool:
    return any(shape.relation == "applies" for shape in applier.state.link_shapes)
