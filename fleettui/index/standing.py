"""The bits in which a row keeps its derived health and why.

Knows the layout alone.
"""

from typing import Final

from fleettui.kinds.record import Flag

PAUSED: Final = int(Flag.PAUSED)
"""The flag as a plain integer: flags of an enum are slow."""
RANK: Final = 7
"""Picks the rank of the derived health out of ``standing``."""
LOWER_BOUND: Final = 8
"""``since`` is when it was first seen so, not when it began."""
OVERDUE: Final = 16
"""In progress for longer than its kind's limit."""
STUCK: Final = 32
"""Terminating for longer than its kind's limit."""
FROM_BELOW: Final = 64
"""Health is that of a neighbour below, worse than its own."""
UNREAD: Final = 128
"""Would look current, but a part that decides has not been read."""
STICKY: Final = 256
"""A failure whose retry is under way: failed until a success is seen."""
NO_NODE: Final = 1024
"""With OVERDUE: it is the MachineHealthCheck's node start-up time-out that ran out."""
DELETING: Final = 2048
"""Deletion has been asked for."""
KEPT: Final = RANK | DELETING
"""What a new document does not change by itself."""
GONE: Final = 512
"""No longer in the index."""
