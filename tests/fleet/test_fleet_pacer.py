"""Long work in slices: one at a time, with real pauses, behind keys."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from fleettui.fleet.pacer import (
    KEY_REST_S,
    LONGEST_REST_S,
    SLICE_S,
    TYPING_SLICE_S,
    Pacer,
)


class Clockwork:
    """Time that only moves when told, and what is due in it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: list[tuple[float, Callable[[], None]]] = []
        self.delays: list[float] = []

    def call_later(self, delay_s: float, do: Callable[[], None]) -> None:
        self.delays.append(delay_s)
        self.due.append((self.now + delay_s, do))

    def step(self) -> bool:
        """Goes to the next thing that is due; whether there was one."""
        if not self.due:
            return False
        self.due.sort(key=lambda entry: entry[0])
        at, do = self.due.pop(0)
        self.now = max(self.now, at)
        do()
        return True


@pytest.fixture
def clockwork() -> Clockwork:
    """A clock that stands still."""
    return Clockwork()


@pytest.fixture
def pacer(clockwork: Clockwork) -> Pacer:
    """A pacer in that time."""
    return Pacer(call_later=clockwork.call_later, clock=lambda: clockwork.now)


def _work(clockwork: Clockwork, steps: int, seen: list[float]) -> Iterator[None]:
    for _ in range(steps):
        clockwork.now += SLICE_S / 2
        seen.append(clockwork.now)
        yield


def test_pacer_long_generator_sleeps_between_slices(clockwork: Clockwork, pacer: Pacer) -> None:
    """Without a sleep above zero the threads that read keys would starve."""
    seen: list[float] = []
    ended: list[bool] = []
    pacer.run("work", _work(clockwork, 40, seen), done=lambda: ended.append(True))
    while clockwork.step():
        pass
    assert len(seen) == 40
    assert ended == [True]
    assert len(clockwork.delays) >= 20
    assert min(clockwork.delays) > 0


def test_pacer_long_generators_take_turns(clockwork: Clockwork, pacer: Pacer) -> None:
    """Rows of a list that ended would wait until every cause of an outage has been found."""
    long: list[float] = []
    short: list[float] = []
    pacer.run("long", _work(clockwork, 100, long), done=lambda: None)
    pacer.run("short", _work(clockwork, 10, short), done=lambda: None)
    while clockwork.step():
        pass
    assert max(short) < long[30]


def test_pacer_key_puts_work_off(clockwork: Clockwork, pacer: Pacer) -> None:
    """What a key asks for would wait behind work in the background."""
    seen: list[float] = []
    pacer.run("work", _work(clockwork, 2, seen), done=lambda: None)
    clockwork.step()
    pressed_at = clockwork.now
    pacer.key_pressed()
    while clockwork.step():
        pass
    assert [at for at in seen if pressed_at < at < pressed_at + KEY_REST_S] == []


def test_pacer_keys_without_end_do_not_stop_work(clockwork: Clockwork, pacer: Pacer) -> None:
    """Holding an arrow key down would stop a first list for as long as it is held."""
    seen: list[float] = []
    pacer.run("work", _work(clockwork, 3, seen), done=lambda: None)
    begun_at = clockwork.now
    while not seen or len(seen) < 3:
        pacer.key_pressed()
        assert clockwork.step()
        assert clockwork.now < begun_at + 4 * LONGEST_REST_S


def test_pacer_failing_generator_is_dropped_and_told(clockwork: Clockwork, pacer: Pacer) -> None:
    """One broken job would be tried again for ever and hold up all others."""

    def broken() -> Iterator[None]:
        yield
        raise ValueError("broken")

    pacer.run("broken", broken(), done=lambda: None)
    with pytest.raises(ValueError, match="broken"):
        clockwork.step()
    assert not pacer.is_running("broken")


async def test_pacer_turns_are_one_at_a_time_and_fair() -> None:
    """Four lists at once would block a key four slices long."""
    pacer = Pacer()
    running = 0
    order: list[int] = []

    async def list_pages(number: int) -> None:
        nonlocal running
        for _ in range(3):
            await pacer.turn()
            running += 1
            assert running == 1
            order.append(number)
            running -= 1

    async with asyncio.timeout(60), asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(list_pages(number))
    assert order == [0, 1, 2, 3] * 3


async def test_pacer_turn_goes_to_the_lowest_rank() -> None:
    """Clusters would wait while pages of everything below them are read."""
    pacer = Pacer()
    order: list[str] = []

    async def read(name: str, rank: int) -> None:
        for _ in range(2):
            await pacer.turn(rank)
            order.append(name)

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        group.create_task(read("pools", 2))
        group.create_task(read("clusters", 1))
    assert order == ["clusters", "clusters", "pools", "pools"]


async def test_pacer_turn_of_a_cancelled_waiter_goes_to_the_next() -> None:
    """A closed context would keep the turn that another one waits for."""
    pacer = Pacer()
    first = asyncio.create_task(pacer.turn())
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(60):
        await pacer.turn()


def test_pacer_slices_are_shorter_while_somebody_types(clockwork: Clockwork, pacer: Pacer) -> None:
    """A key that comes in the middle of a slice waits for its end."""
    seen: list[float] = []

    def work() -> Iterator[None]:
        while True:
            clockwork.now += TYPING_SLICE_S / 4
            seen.append(clockwork.now)
            yield

    pacer.run("work", work(), done=lambda: None)
    clockwork.step()
    assert seen[-1] - seen[0] > TYPING_SLICE_S
    pacer.note_key()
    seen.clear()
    while not seen:
        clockwork.step()
    assert seen[-1] - seen[0] <= TYPING_SLICE_S
