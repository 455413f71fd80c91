"""A container whose children cover it.

Knows nothing of them. Textual paints containers line by line with styles and filters, in
every frame, though nothing of it can be seen; this one gives blank lines.
"""

from textual.containers import Vertical


class Room(Vertical):
    """Children one below the other, or beside each other as its styles say."""

    BLANK = True
