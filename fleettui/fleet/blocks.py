"""Memory of pages goes back to the system when a page is done with.

Knows one switch of the C library; refuses to know what is allocated.

Source: mallopt(3), M_MMAP_THRESHOLD: glibc raises the limit above which a block is mapped
by itself to the largest block ever freed. Pages of 3 MB then come from the heap, between
rows that stay: of 60 kinds read at once some 400 MB are never given back.
"""

import ctypes
from typing import Final

LARGE_BYTES: Final = 256 * 1024
"""Blocks from this size on are mapped by themselves; a page takes 0.2 ms longer by it."""
_M_MMAP_THRESHOLD: Final = -3


def map_large_blocks() -> bool:
    """Lets large blocks go back when they are freed; returns whether the C library can do so."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False  # another C library: it has its own ways
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES))
