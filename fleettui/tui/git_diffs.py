"""Comparing with git as the app knows it: keys and words, loaded when first asked for.

Knows when git, YAML and comparing are imported: not before somebody wants them.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from fleettui.config import Settings, cache_folder
from fleettui.fleet import Fleet
from fleettui.fleet.refs import one_row
from fleettui.kinds.record import ObjectRef
from fleettui.tui.dispatch import Handler

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp
    from fleettui.tui.diffing import Diffing, DiffsPort

MakeDiffs = Callable[[], "DiffsPort"]
"""Makes a run of comparisons, which looks at git anew."""


def diffs_of(fleet: Fleet, settings: Settings) -> MakeDiffs:
    """What makes runs over a fleet, with the check-outs and the cache of the settings."""

    def make() -> "DiffsPort":
        from fleettui.fleet.diffs import Diffs

        return Diffs(fleet, local=settings.local_sources, cache=cache_folder())

    return make


class GitDiffs:
    """What the app does with comparisons."""

    def __init__(self, app: "FleetApp", make: MakeDiffs) -> None:
        """Compare through what ``make`` gives."""
        self._app = app
        self._make = make
        self._diffing: Diffing | None = None

    @property
    def diffing(self) -> "Diffing":
        """What compares; imported now."""
        if self._diffing is None:
            from fleettui.tui.diffing import Diffing

            self._diffing = Diffing(self._app, self._make)
        return self._diffing

    def handlers(self, ref: Callable[[], ObjectRef | None]) -> dict[str, Handler]:
        """What keys do to the object at hand."""
        return {"diff": lambda: self.diffing.show(ref())}

    def open(self, argument: str) -> None:
        """Opens the drift of the fleet, of the object that is named, or of a branch.

        Raises:
            UsageError: nothing is called so, or several things are.
        """
        fleet = cast(Fleet, self._app.fleet)  # what is looked up is all of the port
        if argument.startswith("--ref"):
            self.diffing.show_branch(argument)
        elif argument.startswith("--"):
            from fleettui.tui.diffing_words import parse_question

            name, question = parse_question(argument)
            self.diffing.show(one_row(fleet, name).ref, question)
        elif argument:
            self.diffing.show(one_row(fleet, argument).ref)
        else:
            self.diffing.show_board()

    async def close(self) -> None:
        """Ends comparisons that are under way."""
        if self._diffing is not None:
            await self._diffing.close()
