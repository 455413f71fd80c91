"""What controllers write all day: reconciliations, heartbeats, and now and then a flap.

Every write is one that real controllers make; health changes only by the rare flaps, which heal.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random

from fleettui.demo.apiserver.store import Store
from fleettui.demo.apiserver.table import Table
from fleettui.demo.controllers.kit import Document, Kit, Pace
from fleettui.demo.controllers.view import CORE, cluster_of, settle
from fleettui.demo.world.catalogue import resource_of
from fleettui.demo.world.conditions import fine, modern, modern_of, put

_TICK_S = 0.02
_FLAP_SHARE = 1 / 2000
_FLAP_S = 8.0

Touch = Callable[[Kit, Document], None]


def _reconciled(kit: Kit, own: Document) -> None:
    history = own.get("status", {}).get("history")
    if history and "totalReconciliations" in history[0]:
        history[0]["lastReconciled"] = kit.now()
        history[0]["totalReconciliations"] += 1


def _looked_at(kit: Kit, own: Document) -> None:
    own["status"]["reconciledAt"] = kit.now()


def _updated(kit: Kit, own: Document) -> None:
    if own["status"].get("nodeRef"):
        own["status"]["lastUpdated"] = kit.now()


def _scanned(kit: Kit, own: Document) -> None:
    own["status"].setdefault("lastScanResult", {})["scanTime"] = kit.now()


_TOUCHES: tuple[tuple[str, str, Touch], ...] = (
    (CORE, "Machine", _updated),
    ("kustomize.toolkit.fluxcd.io", "Kustomization", _reconciled),
    ("argoproj.io", "Application", _looked_at),
    ("image.toolkit.fluxcd.io", "ImageRepository", _scanned),
)


class Churn:
    """Writes to random objects of some stores at a fixed rate."""

    def __init__(
        self, stores: Sequence[Store], *, rate: float, seed: int, pace: Pace | None = None
    ) -> None:
        """`rate` is writes a second over all stores."""
        self._rate = rate
        self._random = Random(f"churn/{seed}")
        self._kits = [Kit(store, pace or Pace()) for store in stores]
        self._places: list[tuple[Kit, Table, Touch]] = []
        self._weights: list[int] = []
        for kit in self._kits:
            for group, kind, touch in _TOUCHES:
                table = kit.store.table(resource_of(group, kind))
                if table.keys:
                    self._places.append((kit, table, touch))
                    self._weights.append(len(table.keys))

    async def run(self) -> None:
        """Write until cancelled; falls behind rather than let requests wait."""
        loop = asyncio.get_running_loop()
        owed, last = 0.0, loop.time()
        flaps: set[asyncio.Task[None]] = set()
        while self._places:
            await asyncio.sleep(_TICK_S)
            now = loop.time()
            owed = min(owed + (now - last) * self._rate, self._rate)
            last = now
            while owed >= 1 and loop.time() < now + _TICK_S / 2:
                owed -= 1
                self.touch()
                if self._random.random() < _FLAP_SHARE:
                    task = asyncio.create_task(self.flap())
                    flaps.add(task)
                    task.add_done_callback(flaps.discard)

    def touch(self) -> None:
        """One write of the everyday kind."""
        kit, table, touch = self._random.choices(self._places, self._weights)[0]
        namespace, name = table.keys[self._random.randrange(len(table.keys))]
        document = kit.get(table.resource.group, table.resource.kind, namespace, name)
        if document is not None:
            kit.change_status(document, lambda own: touch(kit, own))

    async def flap(self) -> None:
        """One healthy worker loses its kubelet for some seconds and comes back."""
        kit = self._random.choice(self._kits)
        keys = kit.store.table(resource_of(CORE, "Machine")).keys
        namespace, name = keys[self._random.randrange(len(keys))]
        machine = kit.get(CORE, "Machine", namespace, name)
        if machine is None or machine["status"].get("phase") != "Running":
            return
        states = {item["type"]: item["status"] for item in machine["status"]["conditions"]}
        if states.get("Ready") != "True" or states.get("Paused") == "True":
            return
        text = "* Node.Ready: Kubelet stopped posting node status."
        self._tell(kit, machine, "False", "NodeNotHealthy", text)
        await kit.pace.wait(_FLAP_S)
        self._tell(kit, machine, "True", "NodeHealthy", "")

    def _tell(self, kit: Kit, machine: Document, status: str, reason: str, text: str) -> None:
        def edit(own: Document) -> None:
            where = {"at": kit.now(), "generation": own["metadata"].get("generation", 1)}
            condition = fine("NodeHealthy", **where)
            if status != "True":
                condition = modern("NodeHealthy", status, reason, text, **where)
            put(modern_of(own), condition)

        kit.change_status(machine, edit)
        settle(kit, *cluster_of(machine))
