"""From a key to what it does, by the one table of keys.

Knows the map of keys and which places are in front; knows no widget. A key
without a handler in the place at hand is not taken.
"""

from collections.abc import Callable, Mapping, Sequence

from fleettui.tui.keymap import KeyEntry, Keymap, Place

Handler = Callable[[], object]


class Dispatcher:
    """What keys do on one screen."""

    def __init__(
        self, keymap: Keymap, places: Callable[[], Sequence[Place]], handlers: Mapping[str, Handler]
    ) -> None:
        """Take the handlers by id of their entry.

        Args:
            keymap: keys of this run.
            places: places in front, most specific first, asked for at each key.
            handlers: what entries do here.
        """
        self._keymap = keymap
        self.places = places
        self.handlers = handlers

    def press(self, key: str) -> bool:
        """Do what a key asks for; returns whether it was taken."""
        for place in self.places():
            entry = self._keymap.find(key, (place,))
            if entry is not None and entry.id in self.handlers:
                self.handlers[entry.id]()
                return True
        return False

    def hints(self) -> list[KeyEntry]:
        """Return entries of the footer that work here."""
        return [e for e in self._keymap.hints(self.places()) if e.id in self.handlers]
