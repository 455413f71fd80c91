"""Few and fair requests: rates, places, ranks, and the watch over a link."""

import asyncio
from itertools import pairwise

from kube_model import run_quickly

from fleettui.kube.faults import ApiError, Fault
from fleettui.kube.limits import TokenBucket, Turnstile
from fleettui.kube.link import LinkMonitor, LinkState, Reach


def test_bucket_lets_a_burst_through_and_then_keeps_the_rate() -> None:
    """A fleet tool must not be the incident."""

    waits: list[float] = []

    async def ask() -> None:
        bucket = TokenBucket(rate_per_s=20, burst=40)
        loop = asyncio.get_running_loop()
        begun = loop.time()

        async def take() -> None:
            await bucket.take()
            waits.append(round(loop.time() - begun, 3))

        await asyncio.gather(*(take() for _ in range(60)))

    run_quickly(ask())
    assert waits[:40] == [0.0] * 40
    assert waits[59] == 1.0


def test_bucket_lets_the_lowest_rank_through_first() -> None:
    """A cluster that somebody opens would wait behind lists that nobody looks at."""

    order: list[int] = []

    async def ask() -> None:
        bucket = TokenBucket(rate_per_s=20, burst=1)
        await bucket.take()

        async def take(rank: int) -> None:
            await bucket.take(rank=rank)
            order.append(rank)

        tasks = [asyncio.create_task(take(rank)) for rank in (9, 5, 0, 5)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run_quickly(ask())
    assert order == [0, 5, 5]


async def test_turnstile_lets_the_lowest_rank_in_first() -> None:
    """What is on screen is listed before what is not."""
    turnstile = Turnstile(1)
    order: list[int] = []
    first_in = asyncio.Event()

    async def enter(rank: int) -> None:
        async with turnstile.hold(rank=rank):
            order.append(rank)
            first_in.set()
            await asyncio.sleep(0)

    async with turnstile.hold():
        tasks = [asyncio.create_task(enter(rank)) for rank in (3, 1, 2, 1)]
        await asyncio.sleep(0)
        tasks.append(asyncio.create_task(enter(0)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert order == [0, 1, 1, 2, 3]


async def test_turnstile_place_of_a_cancelled_waiter_is_not_lost() -> None:
    """Switching contexts in the middle of a list must not starve later lists."""
    turnstile = Turnstile(1)

    async def enter() -> None:
        async with turnstile.hold():
            await asyncio.sleep(0)

    async with turnstile.hold():
        waiting = asyncio.create_task(enter())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.sleep(0)
    passing = asyncio.create_task(enter())
    await asyncio.sleep(0)
    passing.cancel()
    async with asyncio.timeout(60), turnstile.hold():
        pass


class Link:
    """A server that answers as the test says."""

    def __init__(self) -> None:
        self.error: ApiError | None = None
        self.told: list[LinkState] = []
        self.woken = 0
        self.wall = 1000.0
        self.asked: list[float] = []
        self.monitor = LinkMonitor(
            self.probe,
            changed=self.told.append,
            woken=self.wake,
            wall=lambda: self.wall,
            chance=lambda: 0.0,
        )

    async def probe(self) -> None:
        """One question."""
        self.asked.append(asyncio.get_running_loop().time())
        if self.error is not None:
            raise self.error

    def wake(self) -> None:
        """The machine was asleep."""
        self.woken += 1


async def test_link_is_down_after_two_misses_and_told_once() -> None:
    """One lost packet is nothing; a dead server is told to all kinds together."""
    link = Link()
    await link.monitor.ask()
    link.error = ApiError("refused", fault=Fault.UNREACHABLE)
    await link.monitor.ask()
    assert link.monitor.state.reach is Reach.UP
    link.wall = 1030.0
    await link.monitor.ask()
    await link.monitor.ask()
    assert [state.reach for state in link.told] == [Reach.UP, Reach.DOWN]
    assert link.monitor.state.age_s(1040.0) == 40.0
    assert "refused" in link.monitor.state.error
    link.error = None
    await link.monitor.ask()
    assert link.told[-1].reach is Reach.UP


async def test_link_that_says_forbidden_is_alive() -> None:
    """Many people may not read /readyz; their server is up all the same."""
    link = Link()
    link.error = ApiError("no", fault=Fault.FORBIDDEN)
    await link.monitor.ask()
    assert link.monitor.state.reach is Reach.UP


def test_link_is_asked_again_at_once_in_a_hurry() -> None:
    """A person who presses retry must not wait for the interval."""

    async def main() -> None:
        link = Link()
        clock = asyncio.get_running_loop().time
        task = asyncio.create_task(link.monitor.run())
        while link.monitor.state.reach is not Reach.UP:
            await asyncio.sleep(0.01)
        link.wall, began = 1005.0, clock()
        link.monitor.hurry()
        while link.monitor.state.answered_at != 1005.0:
            await asyncio.sleep(0.01)
        assert clock() - began < 1
        task.cancel()

    run_quickly(main())


def test_link_notices_that_the_machine_was_asleep() -> None:
    """After a night in a bag every watch is dead, whatever its socket believes."""

    async def main() -> None:
        link = Link()
        task = asyncio.create_task(link.monitor.run())
        await asyncio.sleep(100)
        assert link.woken == 0
        link.wall += 8 * 3600
        await asyncio.sleep(40)
        assert link.woken == 1
        task.cancel()

    run_quickly(main())


def test_link_that_is_down_is_asked_ever_more_rarely_up_to_half_a_minute() -> None:
    """A server that restarts must be found soon, one that is gone must not be hammered."""

    async def main() -> None:
        link = Link()
        link.error = ApiError("refused", fault=Fault.UNREACHABLE)
        task = asyncio.create_task(link.monitor.run())
        await asyncio.sleep(200)
        pauses = [round(after - before, 1) for before, after in pairwise(link.asked)]
        assert pauses[:7] == [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
        assert set(pauses[7:]) == {30.0}
        task.cancel()

    run_quickly(main())


def test_link_to_a_frozen_server_is_down_within_half_a_minute() -> None:
    """A server that is stopped keeps its connections: its rows must not look live for long."""

    async def main() -> None:
        link = Link()

        async def unanswered() -> None:
            await asyncio.sleep(5.0)
            raise ApiError("no answer in 5 s", fault=Fault.UNREACHABLE)

        monitor = LinkMonitor(
            unanswered,
            changed=link.told.append,
            woken=link.wake,
            wall=lambda: link.wall,
            chance=lambda: 0.99,
        )
        monitor.state = LinkState(Reach.UP, answered_at=link.wall)
        task = asyncio.create_task(monitor.run())
        await asyncio.sleep(30)
        assert [state.reach for state in link.told] == [Reach.DOWN]
        assert monitor.heard_at == link.wall
        task.cancel()

    run_quickly(main())


async def test_link_whose_watches_still_speak_is_not_down() -> None:
    """A server that shuts down takes no question any more, and still tells what changes."""
    link = Link()
    arrived_at = 0.0

    async def refused() -> None:
        nonlocal arrived_at
        link.wall += 5.0
        arrived_at = link.wall - 1.0
        raise ApiError("refused", fault=Fault.UNREACHABLE)

    monitor = LinkMonitor(
        refused,
        changed=link.told.append,
        woken=link.wake,
        wall=lambda: link.wall,
        arrived_at=lambda: arrived_at,
    )
    for _ in range(3):
        await monitor.ask()
    assert monitor.state.reach is Reach.UP
    assert monitor.heard_at == link.wall


async def test_turnstile_while_what_goes_first_is_served_lets_few_others_in() -> None:
    """Clusters would share a slow link with three other kinds, and be read last."""
    turnstile, told = Turnstile(4, beside=1), []

    async def hold(name: str, level: int, end: asyncio.Event) -> None:
        async with turnstile.hold(rank=level, level=level):
            told.append(name)
            await end.wait()

    first, others = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(hold("clusters", 1, first))
        for name in ("planes", "pools", "checks"):
            group.create_task(hold(name, 2, others))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        held = list(told)
        first.set()
        others.set()
    assert held == ["clusters", "planes"]
    assert sorted(told) == ["checks", "clusters", "planes", "pools"]
