"""When the cycle collector runs."""

from fleettui.fleet.collector import CALM_S, EVERY_S, FLOOD, YOUNG, Collector


class FakeHeap:
    """Counts what is asked of it."""

    def __init__(self) -> None:
        self.young = 0
        self.done: list[str] = []

    def get_count(self) -> tuple[int, int, int]:
        return self.young, 0, 0

    def freeze(self) -> None:
        self.done.append("freeze")

    def collect(self, generation: int = 2) -> int:
        self.done.append(f"collect {generation}")
        return 0


def test_collector_first_lists_are_set_aside_unvisited():
    """Looking at what a second of reading left behind holds up a key for tens of milliseconds."""
    heap = FakeHeap()
    collector = Collector(now=0.0, heap=heap)
    heap.young = FLOOD + 1
    collector.tick(1.0, is_reading=False, typed_s=1000.0)
    heap.young = YOUNG + 1
    collector.tick(2.0, is_reading=True, typed_s=0.0)
    assert heap.done == ["freeze", "freeze"]


def test_collector_under_changes_looks_at_young_objects_only_while_somebody_types():
    """Cycles must go before they are many, and no key may wait for old objects."""
    heap = FakeHeap()
    collector = Collector(now=0.0, heap=heap)
    heap.young = YOUNG + 1
    collector.tick(2 * EVERY_S, is_reading=False, typed_s=0.1)
    heap.young = YOUNG
    collector.tick(2 * EVERY_S + 1, is_reading=False, typed_s=0.1)
    assert heap.done == ["collect 0"]


def test_collector_when_nobody_types_collects_everything_now_and_then():
    """A program that runs for days must not grow by closed screens."""
    heap = FakeHeap()
    collector = Collector(now=0.0, heap=heap)
    for second in range(1, int(3 * EVERY_S)):
        collector.tick(float(second), is_reading=False, typed_s=CALM_S)
    assert heap.done == ["collect 2", "collect 2"]
