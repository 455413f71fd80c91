"""Which appliers are joined, or not, by what one row says.

Knows the ways from evidence to the appliers that it may speak for: names, destinations,
kubeconfig Secrets by label, owner and name, ConfigMaps by what they stand for; refuses to
weigh it (``targets``). What it yields may be too much, never too little: whoever follows
changes asks for these again and leaves all others alone.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from fleettui.index.bags import rows_of
from fleettui.index.directory import Directory
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.targets import USER_SUFFIX
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import Role

SECRET_NAMES: Final = ("kubeconfig", "user-kubeconfig", "kubeconfig-user")
"""What stands behind a cluster's name in the names of its kubeconfig Secrets."""
ABOVE_CLOUDS: Final = frozenset(
    {Role.CONTROL_PLANE, Role.INFRA_CLUSTER, Role.CLOUD_CLUSTER, Role.CLOUD}
)
"""Roles on the way from a cluster down to what a cloud calls a cluster."""


class Evidence:
    """Finds appliers by what may speak for or against their joins."""

    def __init__(self, index: Index, directory: Directory) -> None:
        """Look in this index.

        Args:
            index: holds everything that points.
            directory: its rows by name and address; kept up by whoever owns it.
        """
        self._index = index
        self._directory = directory

    def appliers_of(self, cluster: Row) -> Iterator[Row]:
        """Yield appliers that what is known now may join with the cluster; may repeat some."""
        return self.decided_by(cluster, cluster.ref, self._directory.forms(cluster))

    def decided_by(self, row: Row, ref: ObjectRef, forms: Iterable[str]) -> Iterator[Row]:
        """Yield appliers whose targets what this row says may decide; may repeat some.

        Args:
            row: of one of the roles in ``FORMS``; may be gone.
            ref: what it is, or was.
            forms: what it is known by, or was before.
        """
        role = row.place.spec.role
        if role is Role.APPLIER:
            yield row
        elif role is Role.PLATFORM:
            yield from self._users_of(ref)
            for edge in self._index.edges(row, "registers"):
                if edge.target is not None:
                    known = self._directory.forms(edge.target)
                    yield from self._sent_to(edge.target.context, known)
        else:
            if role is Role.CLUSTER:
                yield from self.users_of(ref)
                yield from self._sent_to(ref.context, forms)
            yield from self.speaking(row, ref)
            yield from self._standing_in(ref.context, forms)

    def users_of(self, ref: ObjectRef) -> Iterator[Row]:
        """Yield appliers that point at an object, which need not be known."""
        for source in self._index.sources(ref):
            if source.place.spec.role is Role.APPLIER:
                yield source

    def _users_of(self, ref: ObjectRef) -> Iterator[Row]:
        """Do the same, also through a ConfigMap that was made of a Secret."""
        yield from self.users_of(ref)
        for source in self._index.sources(ref):
            if source.place.spec.role is Role.PLATFORM:
                yield from self.users_of(source.ref)

    def _sent_to(self, context: str, forms: Iterable[str]) -> Iterator[Row]:
        """Yield appliers with a destination of these forms."""
        for form in forms:
            yield from self._directory.named(Role.APPLIER, context, form)

    def _standing_in(self, context: str, forms: Iterable[str]) -> Iterator[Row]:
        """Yield appliers whose ConfigMap says one of these names or addresses."""
        for form in forms:
            for config in self._directory.named(Role.PLATFORM, context, form):
                yield from self.users_of(config.ref)

    def speaking(self, top: Row, ref: ObjectRef) -> Iterator[Row]:
        """Yield appliers that are joined by what stands in a home tree, or by its name."""
        for secret in self._secrets_of(top, ref):
            yield from self._users_of(secret.ref)
        if top.place.spec.role is Role.CLUSTER:
            for name in SECRET_NAMES:
                secret_ref = ObjectRef(
                    ref.context, "", "Secret", ref.namespace, f"{ref.name}-{name}"
                )
                yield from self.users_of(secret_ref)
        for row in _clouds_below(top):
            yield from self._standing_in(row.context, self._directory.forms(row))

    def _secrets_of(self, top: Row, ref: ObjectRef) -> Iterator[Row]:
        """Yield the Secrets that tell by label or owner that they are a cluster's."""
        refs = [ref]
        if top.place.spec.role is Role.CLUSTER:
            refs.append(ref._replace(name=ref.name + USER_SUFFIX))
            kids = rows_of(top.kids)
            refs += [kid.ref for kid in kids if kid.place.spec.role is Role.CONTROL_PLANE]
        for at in refs:
            for source in self._index.sources(at):
                if source.place.spec.role is Role.PLATFORM:
                    yield source


def _clouds_below(top: Row) -> Iterator[Row]:
    """Yield what a cloud may call a cluster, in the home tree of a row, itself included."""
    stack = [top]
    while stack:
        row = stack.pop()
        yield row
        stack += [kid for kid in rows_of(row.kids) if kid.place.spec.role in ABOVE_CLOUDS]
