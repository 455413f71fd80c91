"""Why something that is being deleted is still there.

Source: Kubernetes finalizers; Cluster API machine deletion (hooks, drain, volume
detach, infrastructure, bootstrap, node), api/core/v1beta2 condition Deleting.
"""

from collections.abc import Iterator

from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.index.stuck.story import Sentence, Story, ago, condition_of, lasting, said, title_of
from fleettui.kinds.spec import Role

_HOOKS = {
    "pre-drain.delete.hook.machine.cluster.x-k8s.io": "before the drain",
    "pre-terminate.delete.hook.machine.cluster.x-k8s.io": "before the machine is terminated",
}
_PARTS = frozenset({Role.INFRA_MACHINE, Role.BOOTSTRAP, Role.INFRA_POOL})


def tell_deletion(index: Index, row: Row, now: int) -> Story | None:
    """The story of a deletion that does not end."""
    if not row.is_deleting:
        return None
    sentences = [
        Sentence(
            f"{title_of(row)} was asked to go {ago(now, row.deleted_at)}.",
            "metadata.deletionTimestamp",
        ),
        *_stage(row),
        *_hooks(row),
        *_parts(index, row, now),
        *_finalizers(row),
    ]
    return Story("stuck in deletion", tuple(sentences), tuple(_steps(row)))


def _stage(row: Row) -> Iterator[Sentence]:
    told = condition_of(row, "Deleting", "DrainingSucceeded")
    if told is not None and (told.message or told.reason):
        yield Sentence(
            f"Its controller says: {said(told)}", f"condition {told.type}", is_blocking=True
        )
    started = row.fact("drain_started")
    if started:
        yield Sentence(f"The node's drain began at {started}.", "status.deletion")


def _hooks(row: Row) -> Iterator[Sentence]:
    for key, value in row.annotations:
        for prefix, when in _HOOKS.items():
            if key.startswith(prefix):
                hook = key.removeprefix(prefix).lstrip("/") or "(no name)"
                owner = f", owned by {value}" if value else ""
                yield Sentence(
                    f"The hook {hook} holds it {when}{owner}.",
                    f"annotation {key}",
                    is_blocking=True,
                )


def _parts(index: Index, row: Row, now: int) -> Iterator[Sentence]:
    left = [child for child in index.children(row) if not _is_aside(row, child)]
    for child in left:
        if child.is_deleting:
            held = f", held by {', '.join(child.finalizers)}" if child.finalizers else ""
            yield Sentence(
                f"{title_of(child)} is being deleted for {lasting(now, child.deleted_at)}{held}.",
                f"{child.kind} metadata.finalizers",
                is_blocking=bool(child.finalizers),
            )
    standing = [child for child in left if not child.is_deleting]
    if standing:
        names = ", ".join(title_of(child) for child in standing[:4])
        more = f" and {len(standing) - 4} more" if len(standing) > 4 else ""
        yield Sentence(f"Not asked to go yet: {names}{more}.", "owner references")


def _is_aside(row: Row, child: Row) -> bool:
    return child.spec.role in (Role.HEALTH_CHECK, Role.ADDON) and row.spec.role is Role.CLUSTER


def _finalizers(row: Row) -> Iterator[Sentence]:
    for finalizer in row.finalizers:
        domain = finalizer.partition("/")[0]
        yield Sentence(
            f"The finalizer {finalizer} must be removed by its controller ({domain}).",
            "metadata.finalizers",
            is_blocking=domain not in row.group and not domain.endswith(row.group),
        )


def _steps(row: Row) -> Iterator[str]:
    kind = f"{row.spec.plural}.{row.group}".rstrip(".")
    namespace = f" -n {row.namespace}" if row.namespace else ""
    yield f"kubectl get {kind} {row.name}{namespace} -o jsonpath='{{.metadata.finalizers}}'"
    yield f"kubectl events{namespace} --for {row.kind.lower()}/{row.name}"
    if row.spec.role in _PARTS:
        yield "look whether the controller that owns the finalizer runs: :controllers"
