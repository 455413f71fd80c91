"""Handlers that many screens share: moving in a pane.

Knows panes and ids of keys; knows no screen.
"""

from collections.abc import Callable

from fleettui.tui.dispatch import Handler
from fleettui.tui.widgets.line_pane import LinePane


def pane_handlers(pane: Callable[[], LinePane]) -> dict[str, Handler]:
    """What the moving keys do to the pane in front."""
    return {
        "down": lambda: pane().move_by(1),
        "up": lambda: pane().move_by(-1),
        "page_down": lambda: pane().move_page(1),
        "page_up": lambda: pane().move_page(-1),
        "top": lambda: pane().move_top(),
        "bottom": lambda: pane().move_bottom(),
    }
