"""What must be set in the process before Textual is imported.

Knows the interpreter and one environment variable; imports nothing heavy.

Source: measurements of Textual 8.2: its update timer ticks at ``TEXTUAL_FPS``,
read once at import; a thread that works for long keeps the interpreter for a
whole switch interval; a full collection of 600,000 rows takes 0.2 s.
"""

import gc
import os
import sys

FRAMES_PER_S = "240"
"""Ticks of Textual's update timer: a key waits for at most one tick."""
SWITCH_INTERVAL_S = 0.0005
"""Longest time that one thread keeps the interpreter from the others."""


def prepare() -> None:
    """Sets collector, timer and thread policy; to be called before Textual is imported."""
    gc.disable()
    os.environ.setdefault("TEXTUAL_FPS", FRAMES_PER_S)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
