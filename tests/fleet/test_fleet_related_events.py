"""Events of an object and its relatives as one story."""

from collections.abc import Sequence
from pathlib import Path

from truth import tell

from fleettui.errors import FleettuiError
from fleettui.fleet.context import EventLine
from fleettui.fleet.related_events import merged, related_events, relatives_of
from fleettui.index import Index
from fleettui.kinds import load_table
from fleettui.kinds.record import ObjectRef


def _line(at: int, name: str, message: str, count: int = 1) -> EventLine:
    return EventLine(at, "Warning", "Failed", message, count, "kubelet", "Pod", name)


def test_events_that_differ_in_numbers_alone_are_one_line() -> None:
    """Two hundred retries would push the one telling line off the screen."""
    lines = [_line(10, "a", "retry 1 failed"), _line(20, "a", "retry 2 failed", 3)]
    found = merged([*lines, _line(15, "b", "retry 1 failed")])
    assert [(line.at, line.name, line.count) for line in found] == [(20, "a", 4), (15, "b", 1)]
    assert found[0].message == "retry 2 failed"


class _Source:
    """Events of a machine alone; nothing else may be read."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.asked: list[ObjectRef] = []

    async def events(self, ref: ObjectRef) -> Sequence[EventLine]:
        self.asked.append(ref)
        if ref.kind == "MachineSet":
            raise FleettuiError("not allowed")
        return [_line(5, ref.name, "boom")] if ref.kind in ("Machine", "Cluster") else []


async def test_events_of_a_cluster_include_those_of_its_broken_machine(shared_folder: Path) -> None:
    """The reason is told by the machine; the person looks at the cluster."""
    told = tell(shared_folder / "recordings" / "capi" / "states" / "3-incidents")
    cluster = next(r.ref for r in told.index.rows() if (r.kind, r.name) == ("Cluster", "volumes"))
    source = _Source(told.index)
    found = await related_events(source, cluster)
    assert source.asked[0] == cluster
    assert any(line.name == "volumes-md-0-mpcrn-ddhtf" for line in found)
    assert len(source.asked) <= 24


def test_relatives_of_an_unknown_object_are_itself() -> None:
    """An object that just went must still show its last Events."""
    ref = ObjectRef("c", "", "Pod", "ns", "gone")
    assert relatives_of(Index(load_table()), ref) == [ref]
