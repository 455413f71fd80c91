"""Who points at what is not there, kept until it comes.

Knows rows by the place and name they point at; refuses to know pointers. A spine points
at hundreds of thousands of templates and Secrets that nobody reads: one name each costs
a third of what a whole identity does.
"""

from fleettui.index.bags import Bag

Identity = tuple[str, str, str, str, str]
"""Context, group, kind, namespace and name; an ``ObjectRef`` is one, too."""


class Absent:
    """Rows by what they wait for; used as a mapping of identities to bags."""

    def __init__(self) -> None:
        """Start with nothing waited for."""
        self._places: dict[tuple[str, ...], dict[str, Bag]] = {}

    def __len__(self) -> int:
        """Return how many objects are waited for."""
        return sum(map(len, self._places.values()))

    def get(self, key: Identity) -> Bag:
        """Return who waits for it."""
        names = self._places.get(key[:4])
        return names.get(key[4]) if names is not None else None

    def __setitem__(self, key: Identity, bag: Bag) -> None:
        """Let these wait for it, instead of any others."""
        names = self._places.get(key[:4])
        if names is None:
            names = self._places[key[:4]] = {}
        names[key[4]] = bag

    def pop(self, key: Identity, default: Bag = None) -> Bag:
        """Return who waits for it, and let nobody wait any more."""
        place = key[:4]
        names = self._places.get(place)
        if names is None:
            return default
        bag = names.pop(key[4], default)
        if not names:
            del self._places[place]
        return bag
