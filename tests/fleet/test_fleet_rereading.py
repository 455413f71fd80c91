"""Waiting for an acknowledgement: by what the watch brings, and by looking now and then."""

import asyncio
from datetime import UTC, datetime, timedelta

from fleettui.actions.acknowledge import Answer, Notice
from fleettui.actions.plan import Target
from fleettui.errors import ConnectError
from fleettui.fleet.writing import GLANCE_S, POLL_S, SURE_S, RereadingObserver

TARGET = Target("prod", "g", "v1", "K", "ks", "ns", "a")


class World:
    """An object, its watch and a clock on which things happen at set times."""

    def __init__(self, *, version: str | None = "1") -> None:
        self.version = version
        self.is_done = False
        self.seconds = 0.0
        self.reads: list[float] = []
        self.plans: dict[float, str] = {}
        self.fails = 0

    async def body(self, ref):
        self.reads.append(self.seconds)
        if self.fails:
            self.fails -= 1
            raise ConnectError("does not answer")
        return {"done": self.is_done}

    def now(self) -> datetime:
        return datetime(2026, 8, 23, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, delay_s: float) -> None:
        self.seconds = round(self.seconds + delay_s, 3)
        for at in [moment for moment in self.plans if moment <= self.seconds]:
            self.version, self.is_done = self.plans.pop(at), True
        await asyncio.sleep(0)

    async def wait(self, timeout_s: float = 60) -> Answer | None:
        observer = RereadingObserver(self, self, version_of=lambda ref: self.version)
        return await observer.wait(TARGET, judge, timeout_s=timeout_s, cancel=asyncio.Event())


def judge(document):
    return Answer(Notice.ACKNOWLEDGED if document["done"] else Notice.WAITING)


async def test_rereading_news_of_the_watch_is_read_at_once():
    """A handshake that took three seconds must not be told after five."""
    world = World()
    world.plans[3.0] = "2"
    assert await world.wait() == Answer(Notice.ACKNOWLEDGED)
    assert len(world.reads) == 2, "one read before, one for the news"
    assert 3.0 <= world.reads[-1] <= 3.0 + 2 * GLANCE_S


async def test_rereading_without_a_watch_looks_every_two_seconds():
    """Kinds that nobody follows can be acted upon as well."""
    world = World(version=None)
    world.is_done = False
    answer = await world.wait(timeout_s=10)
    assert answer is None
    gaps = {later - earlier for earlier, later in zip(world.reads, world.reads[1:], strict=False)}
    assert gaps == {POLL_S}


async def test_rereading_silent_watch_is_not_trusted_for_ever():
    """A watch that died silently must not hide that the work is done."""
    world = World()
    world.plans[1.0] = "1"
    assert await world.wait() == Answer(Notice.ACKNOWLEDGED)
    assert world.reads[-1] <= SURE_S + 1


async def test_rereading_failed_read_says_nothing():
    """A hiccup of the network is no news of the object."""
    world = World(version=None)
    world.fails, world.is_done = 2, True
    assert await world.wait() == Answer(Notice.ACKNOWLEDGED)
    assert len(world.reads) == 3
