"""Makes sockets whose death is noticed, and sees that there can be enough of them.

Knows TCP options of Linux and macOS; nothing else. Also keeps the four-minute idle
timers of load balancers from cutting quiet watches.

Source: tcp(7); RFC 5482 (user timeout).
"""

import resource
import socket
from collections.abc import Sequence
from typing import Any

IDLE_S = 30
INTERVAL_S = 10
PROBES = 3
USER_TIMEOUT_MS = 60_000
SOCKET_LIMIT = 65_536
"""More is never needed, and some systems refuse more."""


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


def raise_socket_limit() -> int:
    """The number of files this process may open, after asking for as many as allowed.

    HTTP/1.1 has one connection a watch: forty kinds on ten clusters are 400 sockets.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(hard, SOCKET_LIMIT) if hard != resource.RLIM_INFINITY else SOCKET_LIMIT
    if soft >= wanted:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError):
        return soft  # macOS refuses some values; the old limit stays
    return wanted
