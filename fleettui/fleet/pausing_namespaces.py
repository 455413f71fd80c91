"""Reads the namespace whose annotation pauses what is in it, when somebody asks about that.

Namespaces are not listed: a tenant may not, and few kinds obey one. Source: domain.md
section 12 (reconcile policy of Azure Service Operator).
"""

import contextlib
from typing import Protocol

from fleettui.errors import FleettuiError
from fleettui.index import Row
from fleettui.kinds.record import ObjectRef
from fleettui.kinds.spec import KindSpec


class Kinds(Protocol):
    """What tells what kinds mean."""

    def spec_for(self, group: str, kind: str) -> KindSpec | None:
        """The entry of a kind."""
        ...


class RowReader(Protocol):
    """What reads single objects into an index."""

    @property
    def table(self) -> Kinds:
        """The kinds that are understood."""
        ...

    async def read_row(self, ref: ObjectRef) -> None:
        """Fetch an object and make it a row."""
        ...

    def settle(self) -> None:
        """Take over what came."""
        ...


async def read_pausing_namespace(fleet: RowReader, row: Row) -> None:
    """Reads the row's namespace if its kind obeys a pause that stands there.

    One that may not be read is as good as one without a pause: the row's own say stands.
    """
    space = fleet.table.spec_for("", "Namespace")
    if space is None or not row.namespace:
        return
    if not set(space.pause_annotations) & set(row.spec.pause_annotations):
        return
    with contextlib.suppress(FleettuiError):
        await fleet.read_row(ObjectRef(row.context, "", "Namespace", "", row.namespace))
        fleet.settle()
