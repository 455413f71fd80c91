"""Small controllers that react to what people do, through the store alone.

They speak the protocols that a client waits for (acknowledged requests, Paused, RollingOut) in
steps of fractions of a second, and leave alone what incidents hold.
"""

from fleettui.demo.controllers.hub import start
from fleettui.demo.controllers.kit import Pace

__all__ = ["Pace", "start"]
