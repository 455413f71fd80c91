"""Faults injected into answers, by path prefix and count.

Knows what a fault is and which request meets it; the HTTP layer acts it out.
Source: the failure matrix of the protocol notes.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fleettui.demo.apiserver.errors import bad_request


class Fault(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One fault; several fields may be combined."""

    path: str = "/"
    """Prefix of the request paths it hits."""
    resource: str = ""
    """Exact `plural.group` of the requests it hits, empty for all."""
    method: str = ""
    """Exact method, empty for all."""
    verb: str = ""
    """list, watch, get, …; empty for all."""
    count: int = 1
    """Requests it hits before it is gone; -1 for ever."""
    skip: int = 0
    """Matching requests that pass unharmed first."""
    status: int = 0
    """Answer with this status and a Status document."""
    reason: str = ""
    """The Status document's reason; by default that of the status, or none beside a message."""
    message: str = ""
    """The Status document's message, for what a real server would say."""
    retry_after_s: int | None = None
    html: bool = False
    """Answer as a proxy does: an HTML page of the status (502 by default)."""
    empty: bool = False
    """Answer the status with an empty body."""
    delay_s: float = 0.0
    """Wait before the answer begins."""
    cut_bytes: int | None = None
    """Reset the connection after so many body bytes."""
    eof_bytes: int | None = None
    """End a watch cleanly after so many body bytes."""
    freeze: bool = False
    """Send the headers and then nothing more, the connection stays up."""
    chunk_bytes: int = 0
    """Write in pieces of so many bytes."""
    drop_bookmarks: bool = False
    """This watch sends no bookmarks."""
    garbage: str = ""
    """A line that a watch sends first, as it stands."""
    compact: bool = False
    """At once: continue tokens and exact reads of the past answer 410. Does not wait."""
    expire_watches: bool = False
    """At once: watches resumed from the past answer 410. Does not wait."""
    close_watches: bool = False
    """At once: all open watches end. Does not wait."""

    @property
    def is_immediate(self) -> bool:
        """Whether it is acted out at once instead of waiting for a request."""
        return self.compact or self.expire_watches or self.close_watches

    def __post_init__(self) -> None:
        if self.status and not 100 <= self.status <= 599:
            raise ValueError("status is not an HTTP status")


_DECODER = msgspec.json.Decoder(list[Fault] | Fault)


class Faults:
    """The faults waiting for requests."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault wait."""
        self._waiting.append(fault)

    def add_json(self, body: bytes) -> list[Fault]:
        """Let the faults of a JSON document (one, or a list) wait.

        Raises:
            ApiError: 400 naming what is wrong with the document.
        """
        try:
            found = _DECODER.decode(body)
        except msgspec.DecodeError as exc:
            raise bad_request(f"no fault: {exc}") from exc
        faults = found if isinstance(found, list) else [found]
        self._waiting += [fault for fault in faults if not fault.is_immediate]
        return faults

    def clear(self) -> None:
        """Forget all faults."""
        self._waiting.clear()

    def waiting(self) -> list[dict[str, Any]]:
        """The faults still waiting, as plain documents."""
        return [msgspec.to_builtins(fault) for fault in self._waiting]

    def take(self, method: str, path: str, *, verb: str, resource: str = "") -> Fault | None:
        """The fault that this request meets, if any; counts it."""
        for fault in self._waiting:
            if not path.startswith(fault.path) or fault.method not in ("", method):
                continue
            if fault.verb not in ("", verb) or fault.resource not in ("", resource):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.count > 0:
                fault.count -= 1
                if fault.count == 0:
                    self._waiting.remove(fault)
            return fault
        return None
