"""The fleet as a library: what front ends call."""

from typing import TYPE_CHECKING

from fleettui.deferred import deferred

if TYPE_CHECKING:
    from fleettui.fleet.context import ContextInfo, ContextState, EventLine, Link
    from fleettui.fleet.fleet import Fleet
    from fleettui.fleet.opening import Opening, open_fleet

__getattr__ = deferred(
    __name__,
    {
        "ContextInfo": "context",
        "ContextState": "context",
        "EventLine": "context",
        "Fleet": "fleet",
        "Link": "context",
        "Opening": "opening",
        "open_fleet": "opening",
    },
)

__all__ = [
    "ContextInfo",
    "ContextState",
    "EventLine",
    "Fleet",
    "Link",
    "Opening",
    "open_fleet",
]
