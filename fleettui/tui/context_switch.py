"""Opening and closing contexts while the program runs.

Knows contexts by name and how a person says which; knows no connection.
"""

from typing import TYPE_CHECKING

from fleettui.errors import FleettuiError
from fleettui.tui.choices import context_choices
from fleettui.tui.screens.picker import Picked, Picker

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp


class ContextSwitch:
    """Changes which contexts are open."""

    def __init__(self, app: "FleetApp") -> None:
        """Change the contexts of this program's fleet."""
        self._app = app

    def choose(self) -> None:
        """Lets a person choose a context."""
        choices = list(context_choices(self._app.fleet))
        picker = Picker("context", choices, hint="space open or close beside the others")
        self._app.push_screen(picker, self._take)

    def _take(self, picked: Picked | None) -> None:
        if picked is None:
            return
        is_open = picked.key in {info.name for info in self._app.fleet.contexts()}
        sign = ("-" if is_open else "+") if picked.is_added else ""
        self.switch(f"{sign}{picked.key}")

    def switch(self, words: str) -> None:
        """Shows one context; ``+NAME`` opens it beside the others, ``-NAME`` closes it."""
        self._app.show_tree()
        self._app.run_worker(self._switch(words), group="contexts", exclusive=True)

    async def _switch(self, words: str) -> None:
        fleet = self._app.fleet
        name = words[1:] if words[0] in "+-" else words
        try:
            if words.startswith("-"):
                await fleet.close_context(name)
                return
            await fleet.open_context(name)
            if words != name:
                return
            for info in fleet.contexts():
                if info.name != name:
                    await fleet.close_context(info.name)
        except FleettuiError as error:
            self._app.say_error(error)
