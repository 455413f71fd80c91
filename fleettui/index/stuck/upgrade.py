"""Which step of a cluster's upgrade does not come.

Knows the topology's own word, the hooks that hold it, versions of its parts and the steps
still planned. Source: Cluster API condition TopologyReconciled, annotations
``before-upgrade.hook.cluster.cluster.x-k8s.io``, ``topology.cluster.x-k8s.io/defer-upgrade``
and ``hold-upgrade-sequence``, status ``upgradePlan`` (domain.md section 8.7).
"""

from collections.abc import Iterator

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.stuck.story import Sentence, Story, condition_of, lasting, said, title_of
from fleettui.kinds.spec import Role

_BRAKES = (
    "before-upgrade.hook.cluster.cluster.x-k8s.io",
    "topology.cluster.x-k8s.io/defer-upgrade",
    "topology.cluster.x-k8s.io/hold-upgrade-sequence",
)
_PARTS = (Role.CONTROL_PLANE, Role.WORKERS, Role.MACHINE_POOL)


def tell_upgrade(index: Index, row: Row, now: int) -> Story | None:
    """The story of a topology that is not what its Cluster asks for."""
    if row.spec.role is not Role.CLUSTER or row.is_deleting:
        return None
    told = condition_of(row, "TopologyReconciled")
    if told is None or told.status != "False":
        return None
    sentences = [
        Sentence(
            f"Its topology is not what it asks for, since {lasting(now, told.since)}: {said(told)}",
            "condition TopologyReconciled",
            is_blocking=True,
        ),
        *_brakes(row),
        *_plan(row),
        *_versions(index, row),
    ]
    return Story("upgrade under way", tuple(sentences), tuple(_next_steps(row)))


def _brakes(row: Row) -> Iterator[Sentence]:
    for key, value in row.annotations:
        if key.startswith(_BRAKES):
            owner = f" ({value})" if value else ""
            yield Sentence(
                f"An annotation holds it back{owner}; whoever set it takes it away when it may go"
                " on.",
                f"annotation {key}",
                is_blocking=True,
            )


def _plan(row: Row) -> Iterator[Sentence]:
    plan = row.fact("upgrade_plan")
    if plan:
        yield Sentence(f"Versions still to come, one after another: {plan}.", "status.upgradePlan")


def _versions(index: Index, row: Row) -> Iterator[Sentence]:
    wanted = row.fact("wanted_version")
    if not wanted:
        return
    yield Sentence(f"It asks for {wanted}.", "spec.topology.version")
    for child in index.children(row):
        if child.spec.role not in _PARTS:
            continue
        has = child.fact("wanted_version") or child.version
        if has and has != wanted:
            yield Sentence(f"{title_of(child)} is still to be {has}.", f"{child.kind} spec")


def _next_steps(row: Row) -> Iterator[str]:
    yield f"fleettui why cluster/{row.namespace}/{row.name}"
    where = f"{row.name} -n {row.namespace}"
    yield f"kubectl get cluster {where} -o jsonpath='{{.metadata.annotations}}'"
