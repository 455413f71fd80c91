"""Screens that ask one after another; what is typed between two of them waits for the next.

Between a key and its question objects and rights are read, which may take seconds.
A key that came meanwhile was meant for the question, never for the tree behind it;
only ``esc`` acts at once and gives the whole up. Knows screens; knows no plan.
"""

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from textual.app import ComposeResult
from textual.screen import Screen
from textual.worker import Worker

from fleettui.errors import FleettuiError
from fleettui.tui.lines import Span
from fleettui.tui.screens.leaving import LeavableModal
from fleettui.tui.theme import Tone
from fleettui.tui.widgets.bar import Bar

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp

SLOW_S = 0.4
"""How long nobody is told that something is being read."""

_Answer = TypeVar("_Answer")


class Stage(Protocol):
    """What a conversation asks of the app."""

    def run_worker(
        self, work: Coroutine[object, object, None], *, group: str, exclusive: bool
    ) -> Worker[None]:
        """Run something beside the loop of messages."""
        ...

    def push_screen(self, screen: Screen[Any], *, wait_for_dismiss: bool = False) -> object:
        """Put a screen in front."""
        ...

    def forget_keys(self) -> None:
        """Drop what was typed and not delivered."""
        ...

    def say_error(self, error: FleettuiError) -> None:
        """Show what went wrong."""
        ...


class _Patience(LeavableModal[None]):
    """One line at the bottom while something is being read."""

    CSS = "_Patience { align: left bottom; background: transparent; }"

    def __init__(self) -> None:
        super().__init__()
        self._bar = Bar()

    def compose(self) -> ComposeResult:
        """Yields the line."""
        yield self._bar

    def on_mount(self) -> None:
        """Says what goes on."""
        cast("FleetApp", self.app).apply_theme(self)
        self._bar.show(
            Span(" reading the objects and rights …", Tone.PROGRESS),
            right=[Span(" esc", Tone.KEY), Span(" gives up ", Tone.DIM)],
        )


class Conversation:
    """One at a time: a person is asked, something is read, they are asked again."""

    def __init__(self, app: Stage) -> None:
        """Converse on this app."""
        self._app = app
        self._worker: Worker[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._patience = _Patience()
        self.is_reading = False
        """Whether the next question is being prepared, so that keys wait for it."""

    def begin(self, work: Coroutine[object, object, None]) -> None:
        """Starts one conversation; what goes wrong in it is told."""

        async def told() -> None:
            self._read()
            try:
                await work
            except FleettuiError as error:
                self._app.forget_keys()
                self._app.say_error(error)
            finally:
                self._rest()

        self.is_reading = True  # from the very key on: the next one may be waiting already
        self._worker = self._app.run_worker(told(), group="act", exclusive=True)

    async def ask(self, screen: Screen[_Answer]) -> _Answer:
        """What a person answers on a screen."""
        self._rest()
        self.is_reading = True  # for one step more: the question is not in front yet
        answer = self._app.push_screen(screen, wait_for_dismiss=True)
        self.is_reading = False
        try:
            return await cast("asyncio.Future[_Answer]", answer)
        finally:
            self._read()

    def give_up(self) -> bool:
        """Ends it if something is being read; whether it was."""
        if not self.is_reading or self._worker is None:
            return False
        self._worker.cancel()
        self._app.forget_keys()
        self._rest()
        return True

    def _read(self) -> None:
        self._rest()
        self.is_reading = True
        self._timer = asyncio.get_running_loop().call_later(SLOW_S, self._ask_patience)

    def _ask_patience(self) -> None:
        self._patience = _Patience()
        self._app.push_screen(self._patience)

    def _rest(self) -> None:
        self.is_reading = False
        if self._timer is not None:
            self._timer.cancel()
        if self._patience.is_running:
            self._patience.dismiss()
