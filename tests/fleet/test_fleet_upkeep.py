"""What is done when there is time, and before a context is closed."""

import asyncio
from collections.abc import Iterator

from fleettui.fleet.pacer import Pacer
from fleettui.fleet.upkeep import Upkeep
from fleettui.index import Index
from fleettui.kinds import load_table


class SavedLink:
    """A link that saves in many small steps."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def saving(self, index: Index) -> Iterator[None]:
        """One step between two yields."""
        while self.left:
            self.left -= 1
            yield


def _upkeep(link: SavedLink) -> Upkeep:
    table = load_table()
    links = {"east": link}
    return Upkeep(Index(table), Pacer(), table=table, links=lambda: links, now=lambda: 0)  # type: ignore[arg-type, return-value]  # only saving is asked of the link


async def test_upkeep_saves_a_context_before_it_is_closed() -> None:
    """A context opened again in the same run would be read from the server as if new."""
    link = SavedLink(steps=10_000)
    async with asyncio.timeout(20):
        await _upkeep(link).save_link("east", within_s=20)
    assert link.left == 0


async def test_upkeep_closing_a_context_does_not_wait_for_a_slow_disk() -> None:
    """Who switches contexts would watch the old one until everything is saved."""
    link = SavedLink(steps=10_000)
    await _upkeep(link).save_link("east", within_s=0)
    assert link.left == 10_000
    await _upkeep(link).save_link("west", within_s=20)
