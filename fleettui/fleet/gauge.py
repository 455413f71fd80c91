"""Finds out how much the leaves of one context are, and what reading them would cost.

Asks for one small page of each kind; knows the rate at which the spine came.
Decides nothing (``depth`` has the budgets).
"""

import asyncio
from collections.abc import Iterable

from fleettui.errors import FleettuiError
from fleettui.fleet.depth import Cost, cost_of
from fleettui.fleet.scopes import MEASURING, KindKey
from fleettui.kinds.record import ObjectKey
from fleettui.kinds.spec import KindSpec
from fleettui.kube.context import KubeContext
from fleettui.kube.source import Slice

SAMPLE_OBJECTS = 3
"""Objects read of a kind to learn how large they are."""
NEAR_BYTES_PER_S = 40e6
"""JSON per second assumed of a server on this machine when the spine was too small to tell."""
FAR_BYTES_PER_S = 4e6
"""The same of any other: a link of 20 Mbit/s with compressed lists gives some 20 MB/s."""
TELLING_BYTES = 4_000_000
"""JSON from which the spine tells the rate."""
USUAL_WIRE_SHARE = 0.15


class Gauge:
    """Sizes and rates of one context."""

    def __init__(self, context: KubeContext) -> None:
        """Nothing is asked yet."""
        self._context = context
        self.sizes: dict[KindKey, tuple[int, int]] = {}
        """Objects and mean bytes of JSON, by kind."""
        self.is_measured = False
        self._rate = 0.0

    def note_spine(self, *, decoded_bytes: int, seconds: float) -> None:
        """Learns how fast the spine came, server, link and reading together."""
        if decoded_bytes >= TELLING_BYTES and seconds > 0:
            self._rate = decoded_bytes / seconds

    async def measure(self, specs: Iterable[KindSpec], *, namespace: str) -> None:
        """Asks how many objects of each kind there are; kinds that do not answer are left out."""
        await asyncio.gather(*(self._measure(spec, namespace) for spec in specs))
        self.is_measured = True

    async def _measure(self, spec: KindSpec, namespace: str) -> None:
        key = ObjectKey(spec.group, spec.kind, "", "")
        try:
            resource = await self._context.resolve(key)
            part = Slice(
                resource, namespace=namespace if resource.namespaced else "", rank=MEASURING
            )
            body = await self._context.client.read_page(part, limit=SAMPLE_OBJECTS, token="")
        except FleettuiError:
            return  # a kind that may not be read costs nothing
        items = len(body.page.documents)
        remaining = body.page.metadata.remaining_item_count or 0
        mean = body.decoded_bytes // max(items, 1)
        self.sizes[spec.group, spec.kind] = (items + remaining, mean)

    def cost(self, kinds: Iterable[KindKey]) -> Cost:
        """What reading these kinds as a whole costs."""
        pace = self._context.transport.pace
        is_near = pace.is_near
        rate = self._rate or (NEAR_BYTES_PER_S if is_near else FAR_BYTES_PER_S)
        share = pace.wire_bytes / pace.decoded_bytes if pace.decoded_bytes else USUAL_WIRE_SHARE
        sizes = {key: self.sizes[key] for key in kinds if key in self.sizes}
        return cost_of(sizes, json_bytes_per_s=rate, wire_share=share, is_near=is_near)
