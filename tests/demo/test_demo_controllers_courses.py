"""What goes on in the demo when it begins comes to an end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from scenes import Scene, condition

from fleettui.demo.apiserver.store import Store
from fleettui.demo.controllers import Pace, start
from fleettui.demo.controllers.courses import by_name
from fleettui.demo.world import World
from fleettui.demo.world.fleet import ENDING_COURSES, SHOWN, plan_fleet
from fleettui.demo.world.planting import Planting
from fleettui.demo.world.values import WorldFacts

CORE = "cluster.x-k8s.io"
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
KINDS = (
    (CORE, "Cluster"),
    (CORE, "MachineDeployment"),
    (CORE, "Machine"),
    ("helm.toolkit.fluxcd.io", "HelmRelease"),
)


async def test_courses_end_with_clusters_that_want_nothing() -> None:
    """A cluster that is being made would look stuck to whoever leaves the demo open."""
    fleet = plan_fleet(SHOWN, contexts=1, seed=5, is_busy=True)
    plans = [plan for plan in fleet if plan.course in ENDING_COURSES]
    world = World(WorldFacts(5, 0, NOW), plans, Planting())
    scene = Scene(world, Store(world))
    assert len(plans) == len(ENDING_COURSES)

    def restless() -> set[str]:
        found = {
            f"{document['kind']}/{document['metadata']['name']}"
            for plan in plans
            for document in scene.of_cluster(KINDS, plan)
            if not _is_at_rest(document, plan.version)
        }
        for plan in plans:
            kind = (f"infrastructure.{CORE}", "Metal3Remediation")
            found |= {own["metadata"]["name"] for own in scene.of_cluster([kind], plan)}
        return found

    assert restless()
    rests = {key: by_name(documents) for key, documents in world.at_rest().items()}
    tasks = start(scene.store, pace=Pace(0), courses=rests)
    await scene.until(restless, set())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _is_at_rest(document: dict[str, Any], version: str) -> bool:
    summary = "Available" if document["kind"] in ("Cluster", "MachineDeployment") else "Ready"
    if condition(document, summary)["status"] != "True":
        return False
    if document["kind"] == "Machine":
        seen = document["status"]["observedGeneration"] >= document["metadata"]["generation"]
        return bool(seen and document["spec"]["version"] == version)
    if document["kind"] == "MachineDeployment":
        status, wanted = document["status"], document["spec"]["replicas"]
        return bool(status["upToDateReplicas"] == status["replicas"] == wanted)
    return True
