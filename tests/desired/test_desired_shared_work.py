"""Work that many ask for is done once, and ended when nobody asks any more."""

import asyncio

import pytest

from fleettui.desired.shared_work import SharedWork


class _Job:
    """Work that ends when it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended = 0
        self.gate = asyncio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.ended += 1
            raise
        return "done"


async def _started(shared: SharedWork[str, str], job: _Job) -> "asyncio.Task[str]":
    task = asyncio.create_task(shared.get("key", job))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_shared_work_is_done_once_and_goes_on_while_one_waits() -> None:
    """A closed screen must not take the repository away from another one."""
    shared, job = SharedWork[str, str](), _Job()
    first, second = await _started(shared, job), await _started(shared, job)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert (job.begun, job.ended) == (1, 0)
    job.gate.set()
    assert await second == "done"
    assert await shared.get("key", job) == "done"
    assert job.begun == 1


async def test_shared_work_that_nobody_waits_for_is_ended_and_begins_anew() -> None:
    """Leaving must not leave a fetch of five minutes behind; coming back must try again."""
    shared, job = SharedWork[str, str](), _Job()
    only = await _started(shared, job)
    only.cancel()
    await asyncio.gather(only, return_exceptions=True)
    await asyncio.sleep(0)
    assert (job.begun, job.ended) == (1, 1)
    again = await _started(shared, job)
    job.gate.set()
    assert (await again, job.begun) == ("done", 2)


async def test_shared_work_that_fails_fails_for_all() -> None:
    """A missing credential must be told in every row, and asked for once."""
    shared: SharedWork[str, str] = SharedWork()
    begun = []

    async def fail() -> str:
        begun.append(1)
        raise ValueError("no credentials")

    answers = await asyncio.gather(
        *(shared.get("key", fail) for _ in range(3)), return_exceptions=True
    )
    assert [str(answer) for answer in answers] == ["no credentials"] * 3
    with pytest.raises(ValueError, match="no credentials"):
        await shared.get("key", fail)
    assert begun == [1]
