"""The fleet as a library: what front ends call."""

from fleettui.fleet.context import ContextInfo, ContextState, EventLine, Link
from fleettui.fleet.fleet import Fleet
from fleettui.fleet.opening import Opening, open_fleet

__all__ = [
    "ContextInfo",
    "ContextState",
    "EventLine",
    "Fleet",
    "Link",
    "Opening",
    "open_fleet",
]
