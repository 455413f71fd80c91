"""Makes sockets whose death is noticed.

Knows TCP options of Linux and macOS; nothing else. Also keeps the four-minute idle
timers of load balancers from cutting quiet watches.

Source: tcp(7); RFC 5482 (user timeout).
"""

import socket
from collections.abc import Sequence
from typing import Any

IDLE_S = 30
INTERVAL_S = 10
PROBES = 3
USER_TIMEOUT_MS = 60_000


def keepalive_socket(address: Sequence[Any]) -> socket.socket:
    """A socket for an entry of ``getaddrinfo`` that fails within a minute of silence."""
    family, kind, protocol = address[:3]
    made = socket.socket(family=family, type=kind, proto=protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    idle_name = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"
    wanted = {
        idle_name: IDLE_S,
        "TCP_KEEPINTVL": INTERVAL_S,
        "TCP_KEEPCNT": PROBES,
        "TCP_USER_TIMEOUT": USER_TIMEOUT_MS,
    }
    for name, value in wanted.items():
        option = getattr(socket, name, None)
        if option is not None:
            made.setsockopt(socket.IPPROTO_TCP, option, value)
    return made
