"""What changed lately, for watches and pages: bounded by count and bytes, fanned out at once.

Knows tables and queues; refuses to know what a change means.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from fleettui.demo.apiserver.changes import Change, Subscription
from fleettui.demo.apiserver.resources import Resource
from fleettui.demo.apiserver.table import Table


class History:
    """The changes kept of all tables, and who wants to hear of new ones."""

    def __init__(
        self, tables: Mapping[tuple[str, str], Table], *, max_changes: int, max_bytes: int
    ) -> None:
        self._tables = tables
        self._order: deque[tuple[Table, int]] = deque()
        self._max_changes = max_changes
        self._max_bytes = max_bytes
        self._kept_bytes = 0
        self._everything: set[Subscription] = set()

    def publish(self, table: Table, change: Change, size_bytes: int) -> None:
        """Keep a change that the table has logged, and tell every subscriber."""
        self._order.append((table, size_bytes))
        self._kept_bytes += size_bytes
        while len(self._order) > self._max_changes or self._kept_bytes > self._max_bytes:
            oldest, size = self._order.popleft()
            self._kept_bytes -= size
            oldest.forget_oldest()
        for subscription in list(table.subscriptions):
            subscription.push(change)
        for subscription in list(self._everything):
            subscription.push(change)

    def subscribe(
        self, resources: Iterable[Resource] | None, *, is_watch: bool = False
    ) -> Subscription:
        """A queue of the changes of these resources (None: of all) from now on."""
        keys = None if resources is None else frozenset(r.key for r in resources)
        subscription = Subscription(keys, close=self._unsubscribe, is_watch=is_watch)
        if keys is None:
            self._everything.add(subscription)
        for key in keys or ():
            self._tables[key].subscriptions.add(subscription)
        return subscription

    def _unsubscribe(self, subscription: Subscription) -> None:
        self._everything.discard(subscription)
        for key in subscription.keys or ():
            table = self._tables.get(key)
            if table is not None:
                table.subscriptions.discard(subscription)


def end_watches(table: Table) -> None:
    """End the watches of this table; controllers read on."""
    for subscription in list(table.subscriptions):
        if subscription.is_watch:
            subscription.end()
