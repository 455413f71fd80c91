"""References to kinds that the server does not serve, as causes."""

from typing import Any

from fleettui.index import Index
from fleettui.index.causes import CauseBoard, CauseState
from fleettui.index.coverage import Offer
from fleettui.kinds.record import Condition, Record, Reference

NOW = 1_700_000_000
_INFRA = "infrastructure.cluster.x-k8s.io"
_CORE = [("cluster.x-k8s.io", "Cluster"), (_INFRA, "Net")]


def _cluster(make: Any, relation: str = "infrastructure", group: str = _INFRA) -> Record:
    pointer = Reference(relation, group, "FooCluster", "ns", "c1", "spec.infrastructureRef")
    said = Condition("ScalingUp", "True", "ScalingUp", "KubeadmControlPlane c1-cp: waits", NOW)
    record: Record = make.record(
        "Cluster", "c1", "in_progress", created_at=NOW - 900, conditions=(said,)
    )
    return Record(
        **{name: getattr(record, name) for name in record.__struct_fields__}
        | {"references": (pointer,)}
    )


def _board(make: Any, cluster: Record, offer: Offer | None) -> CauseBoard:
    index = Index(make.table)
    board = CauseBoard(index)
    make.list(index, "Cluster", cluster)
    make.status(index, "Cluster", "live")
    if offer is not None:
        index.offer(make.context, offer)
    board.refresh(NOW)
    return board


def test_causes_of_a_cluster_of_an_unknown_kind_name_the_kind(make: Any) -> None:
    """A provider that was never installed says nothing: its clusters would just be slow."""
    (cause,) = _board(make, _cluster(make), Offer(frozenset(_CORE))).causes()
    assert cause.state is CauseState.FAILING
    assert (cause.root.kind, cause.condition) == ("Cluster", "spec.infrastructureRef")
    assert "serves no kind FooCluster" in cause.message
    assert _INFRA in cause.message


def test_causes_of_an_unknown_kind_need_to_know_what_is_served(make: Any) -> None:
    """While discovery has not answered, every provider's clusters would be red."""
    causes = _board(make, _cluster(make), None).causes()
    assert all(cause.state is not CauseState.FAILING for cause in causes)


def test_causes_of_an_unknown_kind_leave_silent_groups_alone(make: Any) -> None:
    """An aggregated server that is down would look like a provider that is not installed."""
    offer = Offer(frozenset(_CORE), groups=frozenset({"cluster.x-k8s.io"}))
    causes = _board(make, _cluster(make), offer).causes()
    assert all(cause.state is not CauseState.FAILING for cause in causes)


def test_causes_of_an_unknown_kind_leave_optional_pointers_alone(make: Any) -> None:
    """A pointer that an object lives without would be told as its end."""
    board = _board(make, _cluster(make, "credentials"), Offer(frozenset(_CORE)))
    assert all(cause.state is not CauseState.FAILING for cause in board.causes())


def test_causes_of_an_unknown_kind_end_when_it_is_installed(make: Any) -> None:
    """Whoever installs the provider would see the fleet stay red."""
    index = Index(make.table)
    board = CauseBoard(index)
    make.list(index, "Cluster", _cluster(make))
    index.offer(make.context, Offer(frozenset(_CORE)))
    board.refresh(NOW)
    assert any(cause.state is CauseState.FAILING for cause in board.causes())
    index.offer(make.context, Offer(frozenset({*_CORE, (_INFRA, "FooCluster")})))
    board.refresh(NOW + 11)
    assert all(cause.state is not CauseState.FAILING for cause in board.causes())
