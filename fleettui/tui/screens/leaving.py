"""A screen that is left once, however fast keys arrive.

Keys that were typed before the screen has gone are still delivered to it;
Textual fails when a screen is dismissed a second time, or under another one.
"""

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen, Screen, ScreenResultType


class LeavableScreen(Screen[ScreenResultType]):
    """Gives its result once; every further attempt does nothing."""

    _is_left = False

    def dismiss(self, result: ScreenResultType | None = None) -> AwaitComplete:
        """Closes the screen if it is in front and still there."""
        if self._is_left or self.app.screen is not self:
            return AwaitComplete()
        self._is_left = True
        return super().dismiss(result)


class LeavableModal(LeavableScreen[ScreenResultType], ModalScreen[ScreenResultType]):
    """The same over another screen that stays visible."""
