"""Which GitOps object belongs to which cluster, where no pointer says it outright.

Knows the joins through kubeconfig Secrets, Argo CD destinations, inventories and
owner labels, and when their evidence contradicts itself; refuses to guess: two
candidates, or evidence against, and there is no join. Labels and names can be
written by anyone who may write in the namespace, so every join tells its
evidence. Source: domain.md section 16.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final, NamedTuple

from fleettui.index.bags import rows_of
from fleettui.index.directory import FORMS, Directory
from fleettui.index.evidence import ABOVE_CLOUDS, Evidence
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.targets import CLUSTER_LABEL, Join, Targets
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

__all__ = ["BY_NAME", "CLUSTER_LABEL", "Join", "Joins"]

BY_NAME: Final = "targets_by_name"
"""Relation of links that nothing but a name speaks for, which anybody may have chosen."""


class Moved(NamedTuple):
    """What trees must show anew, of the rows whose links were asked for."""

    links: set[Row]
    """Rows whose links may be others now."""
    ends: set[Row]
    """Rows under which something is shown that changed."""


class Joins:
    """Joins of an index; follows it by itself."""

    def __init__(self, index: Index) -> None:
        """Join rows of this index."""
        self._index = index
        self._cursor = index.cursor()
        self._directory = Directory()
        self._targets = Targets(index, self._directory)
        self._evidence = Evidence(index, self._directory)
        self._links: dict[Row, list[tuple[str, Row]]] = {}
        self._linked: dict[Row, set[Row]] = {}
        """For each row, under which rows it is shown as a link."""

    def refresh(self) -> Moved:
        """Take over what changed since the last time; cheap when nothing did."""
        change = self._index.changes(self._cursor)
        if change.reset:
            self._start_over()
            return Moved(set(), set())
        touched: set[Row] = set()
        moved: set[Row] = set()
        for row, ref in change.removed.items():
            moved.add(row)
            moved |= self._linked.get(row, set())
            if row.place.spec.role in FORMS:
                self._follow(row, ref, moved)
        for row in (*change.dirty, *change.added):
            role = row.place.spec.role
            if role in FORMS:
                touched |= self._linked.get(row, set())
                self._follow(row, row.ref, moved)
        for root in change.structure if self._links else ():
            if root.place.spec.role in ABOVE_CLOUDS and not root.is_gone:
                # What lost its cluster, or waits for it: it speaks for none now.
                self._note(self._evidence.speaking(root, root.ref), moved)
        stale = {row for row in moved if self._links.get(row) is not None}
        for row in stale:
            self._unlink(row)
        for row in change.removed:
            self._linked.pop(row, None)
        return Moved({row for row in stale if not row.is_gone}, touched)

    def _unlink(self, row: Row) -> None:
        for _, other in self._links.pop(row):
            under = self._linked.get(other)
            if under is not None:
                under.discard(row)
                if not under:
                    del self._linked[other]

    def _start_over(self) -> None:
        self._directory.clear()
        self._links.clear()
        self._linked.clear()
        for spec in self._index.kinds():
            if spec.role in FORMS:
                for row in self._index.rows((spec.group, spec.kind)):
                    self._directory.take(row)

    # -- what a change may decide ---------------------------------------------------------
    def _follow(self, row: Row, ref: ObjectRef, moved: set[Row]) -> None:
        """Take over a row that came, changed or left; adds whose links may be others now."""
        directory = self._directory
        before = directory.forms(row)
        if row.is_gone:
            directory.drop(row)
        elif not directory.take(row):
            return
        if not self._links:
            return  # nobody has asked for any
        moved |= self._linked.get(row, set())
        moved.add(row)
        forms = dict.fromkeys((*before, *directory.forms(row)))
        self._note(self._evidence.decided_by(row, ref, forms), moved)
        role = row.place.spec.role
        if role is Role.APPLIER and not row.is_gone:
            moved.update(join.row for join in self.made_by(row) if join.row is not None)
        others = {Role.CLUSTER: "created_by", Role.PLATFORM: "registers"}.get(role)
        if others is not None:
            found = (edge.target for edge in self._index.edges(row, others))
            moved.update(other for other in found if other is not None)

    def _note(self, appliers: Iterable[Row], moved: set[Row]) -> None:
        """Add appliers whose targets may be others now, and what they are joined with."""
        for applier in dict.fromkeys(appliers):
            moved.add(applier)
            moved |= self._linked.get(applier, set())
            if not applier.is_gone:
                moved.update(join.row for join in self.targets(applier) if join.row is not None)

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
            for applier in dict.fromkeys(self._evidence.appliers_of(cluster))
            for join in self.targets(applier)
            if join.row is cluster
        ]

    def candidates_of(self, cluster: Row) -> list[Row]:
        """Return the appliers that may deploy into the cluster, whatever decides it."""
        appliers = dict.fromkeys(self._evidence.appliers_of(cluster))
        for config in self._index.rows(("", "ConfigMap"), context=cluster.context):
            if config.inbound is not None:
                appliers.update(dict.fromkeys(self._evidence.users_of(config.ref)))
        return list(appliers)

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


def _link_relation(join: Join) -> str:
    return BY_NAME if join.doubt and join.relation == "targets" else join.relation


def _has_inventory(applier: Row) -> bool:
    return any(shape.relation == "applies" for shape in applier.state.link_shapes)
