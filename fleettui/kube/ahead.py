"""Pages of one list, the next one asked for while this one is read.

Knows one request in flight; knows neither states nor what pages mean.
"""

import asyncio
from dataclasses import dataclass

from fleettui.kube.reflection import ReadPage
from fleettui.kube.source import PageBody, Slice, Source


@dataclass(slots=True)
class _Ahead:
    """The next page, on its way."""

    token: str
    task: asyncio.Task[PageBody]


class PagesAhead:
    """Reads pages, and one ahead."""

    def __init__(self, source: Source) -> None:
        """Ask nothing yet."""
        self._source = source
        self._ahead: _Ahead | None = None

    async def read(self, part: Slice, request: ReadPage) -> PageBody:
        """The page asked for, which may have been on its way.

        Raises:
            ApiError: no success, or no list.
        """
        ahead = self._ahead
        if ahead is not None and ahead.token == request.token:
            self._ahead = None
            return await ahead.task
        self.drop()
        return await self._source.read_page(part, limit=request.limit, token=request.token)

    def look_ahead(self, part: Slice, request: ReadPage) -> None:
        """Asks for a page that will be read next."""
        coroutine = self._source.read_page(part, limit=request.limit, token=request.token)
        self._ahead = _Ahead(request.token, asyncio.ensure_future(coroutine))

    def drop(self) -> None:
        """Gives the page on its way up."""
        if self._ahead is not None:
            self._ahead.task.cancel()
            self._ahead.task.add_done_callback(_retrieve)
            self._ahead = None


def _retrieve(task: asyncio.Task[PageBody]) -> None:
    """Takes a dropped page's error, so that nobody complains of it."""
    if not task.cancelled():
        task.exception()
