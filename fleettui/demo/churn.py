"""Writes that keep watches busy without changing what a fleet means.

Source: what controllers do all day: they touch a status, and nothing follows from it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate
from random import Random
from typing import Any

from fleettui.demo.apiserver.errors import ApiError
from fleettui.demo.apiserver.store import Store
from fleettui.demo.apiserver.table import Table

HEARTBEAT = "demo.fleettui.dev/heartbeat"
"""The annotation that churn writes; no controller and no health rule reads it."""
_TICK_S = 0.02
_WORK_S = 0.008
"""Longest time that requests wait for churn."""
_TURN_S = 0.002
"""Time that requests get before churn that is behind goes on."""


class Churn:
    """Touches random custom resources of some stores at a fixed rate."""

    def __init__(self, stores: Sequence[Store], *, rate: float, seed: int) -> None:
        """`rate` is writes a second over all stores."""
        self._rate = rate
        self._random = Random(seed)
        self._places = [
            (store, table)
            for store in stores
            for table in store.types.tables.values()
            if table.resource.is_crd and table.keys
        ]
        self._weights = list(accumulate(len(table.keys) for _, table in self._places))

    async def run(self) -> None:
        """Write until cancelled; falls behind rather than let requests wait."""
        loop = asyncio.get_running_loop()
        owed = 0.0
        last = loop.time()
        while True:
            await asyncio.sleep(_TURN_S if owed >= 1 else _TICK_S)
            now = loop.time()
            owed = min(owed + (now - last) * self._rate, self._rate)
            last = now
            deadline = now + _WORK_S
            while owed >= 1 and loop.time() < deadline:
                owed -= 1
                self.touch()

    def touch(self) -> bool:
        """Touch one object; whether there was one that still exists."""
        if not self._places:
            return False
        store, table = self._random.choices(self._places, cum_weights=self._weights)[0]
        namespace, name = table.keys[self._random.randrange(len(table.keys))]
        return _beat(store, table, namespace, name)


def _beat(store: Store, table: Table, namespace: str, name: str) -> bool:
    stamp = _stamp(store.now())

    def edit(document: dict[str, Any]) -> None:
        metadata = document["metadata"]
        metadata["annotations"] = {**(metadata.get("annotations") or {}), HEARTBEAT: stamp}

    try:
        store.mutate(table.resource, namespace, name, edit, manager="demo-churn")
    except ApiError:
        # Deleted since it was seeded: there is nothing to touch.
        return False
    return True


def _stamp(now: datetime) -> str:
    return now.isoformat(timespec="microseconds")
