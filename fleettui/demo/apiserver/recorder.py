"""What was asked of a server: a bounded log of requests and running totals."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

_HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Content-Type",
    "User-Agent",
    "If-None-Match",
    "Impersonate-User",
)
_BODY_BYTES = 16 * 1024


@dataclass(slots=True)
class Recorded:
    """One request and what became of it."""

    at: float
    """Unix time, seconds."""
    method: str
    path: str
    query: str
    headers: dict[str, str]
    user: str = ""
    verb: str = ""
    """RBAC verb (get, list, watch, create, …); empty for paths that are no resource."""
    resource: str = ""
    """`plural.group[/subresource]`."""
    namespace: str = ""
    name: str = ""
    status: int = 0
    """0 while the answer has not begun."""
    bytes_sent: int = 0
    """Body bytes on the wire (after compression)."""
    scanned: int = 0
    """Objects the server read from its store for it."""
    returned: int = 0
    duration_ms: float = 0.0
    is_open: bool = True
    body: str = ""
    """Begin of the body of a write."""
    fault: str = ""
    """The injected fault it met, empty without one."""


@dataclass(slots=True)
class Recorder:
    """The last requests of one server and the totals of all."""

    kept: int = 20_000
    requests: deque[Recorded] = field(default_factory=deque)
    total: int = 0
    bytes_sent: int = 0
    scanned: int = 0
    verbs: Counter[str] = field(default_factory=Counter)
    by_resource: dict[str, Counter[str]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    watches_open: int = 0

    def begin(
        self, at: float, method: str, *, path: str, query: str, headers: Mapping[str, str]
    ) -> Recorded:
        """Note a request that has just come in."""
        wanted = {name: headers[name] for name in _HEADERS if name in headers}
        recorded = Recorded(at, method, path, query, wanted)
        self.requests.append(recorded)
        while len(self.requests) > self.kept:
            self.requests.popleft()
        self.total += 1
        return recorded

    def routed(self, recorded: Recorded, verb: str, resource: str) -> None:
        """Note what a request turned out to be about."""
        recorded.verb, recorded.resource = verb, resource
        self.verbs[verb] += 1
        self.by_resource.setdefault(resource, Counter())[verb] += 1
        if verb == "watch":
            self.watches_open += 1

    def end(self, recorded: Recorded, duration_ms: float) -> None:
        """Note that a request is over."""
        recorded.is_open = False
        recorded.duration_ms = round(duration_ms, 3)
        self.bytes_sent += recorded.bytes_sent
        self.scanned += recorded.scanned
        self.statuses[recorded.status] += 1
        if recorded.verb == "watch":
            self.watches_open -= 1

    def keep_body(self, recorded: Recorded, body: bytes) -> None:
        """Note the begin of a write's body."""
        recorded.body = body[:_BODY_BYTES].decode("utf-8", "replace")

    def log(self) -> list[dict[str, Any]]:
        """All requests kept, oldest first."""
        return [asdict(recorded) for recorded in self.requests]

    def stats(self) -> dict[str, Any]:
        """The totals; those of requests still open are not in bytes and scanned."""
        return {
            "requests": self.total,
            "bytes_sent": self.bytes_sent,
            "scanned": self.scanned,
            "verbs": dict(self.verbs),
            "resources": {key: dict(counts) for key, counts in self.by_resource.items()},
            "statuses": {str(code): count for code, count in self.statuses.items()},
            "watches_open": self.watches_open,
        }

    def clear(self) -> None:
        """Forget everything but the watches that are open."""
        self.requests.clear()
        self.total = self.bytes_sent = self.scanned = 0
        self.verbs.clear()
        self.by_resource.clear()
        self.statuses.clear()
