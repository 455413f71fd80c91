"""Learns how far and how wide a link is, chooses the encoding by it, and keeps warnings.

Knows round trips, rates and the server's clock; knows nothing of HTTP libraries.

Source: measurements: an API server compresses lists at 30-50 MB/s of JSON, so
below that rate of the link gzip wins and above it identity does; loopback and
machines next door take identity.
"""

import re
import time
from collections import deque
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fleettui.kube.calls import Purpose

NEAR_S = 0.003
"""Round trips below this belong to a machine next door."""

LOOPBACK_NEAR_S = 0.03
"""The same for this machine itself, whose answers take longer only when it is busy: beyond
this there is a tunnel behind the address."""

WIDE_BYTES_PER_S = 15e6
"""A link that gives less than this of plain JSON is better used compressed."""

ROUND_TRIPS = 16
"""Round trips that count: a laptop that went home is far from what was next door."""

TRY_PLAIN_AFTER = 16
"""Compressed lists after which a near link is tried without compression again."""

TELLING_BYTES = 200_000
"""Bytes of a list from which a rate can be told."""

SKEW_NOISE_S = 2.0
"""Date headers have whole seconds and travel: smaller differences mean nothing."""


MAX_WARNINGS = 50
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


class Warnings:
    """What an API server warns of, each text once."""

    def __init__(self) -> None:
        """Start without any."""
        self.texts: dict[str, None] = {}
        """In order of appearance; raw text, unsafe to show without ``safe_text``."""

    def note(self, header: str) -> None:
        """Takes the texts of a Warning header (RFC 7234 section 5.5, code 299)."""
        for text in _WARNING.findall(header):
            if len(self.texts) < MAX_WARNINGS:
                self.texts[text] = None


class LinkPace:
    """What has been measured of one link."""

    def __init__(self, *, is_loopback: bool) -> None:
        """Start with nothing measured."""
        self._is_loopback = is_loopback
        self._round_trips: deque[float] = deque(maxlen=ROUND_TRIPS)
        self._compressed = 0
        """Large lists that came compressed since the last that did not."""
        self.arrived_at = 0.0
        """When a byte of any successful answer last came, Unix seconds; 0 for never."""
        self.wire_bytes = 0
        """Bytes of list bodies that came over the wire."""
        self.decoded_bytes = 0
        self.plain_bytes_per_s = float("inf")
        """Rate of the last large uncompressed list."""
        self.skew_s = 0.0
        """Server's clock minus ours, seconds, as far as whole seconds tell."""

    @property
    def round_trip_s(self) -> float:
        """Shortest recent time from a request to its first byte; infinite: not known."""
        return min(self._round_trips, default=float("inf"))

    @property
    def is_near(self) -> bool:
        """Whether the server is on this machine or the one next door."""
        if self._is_loopback:
            is_measured = self.round_trip_s != float("inf")
            return not is_measured or self.round_trip_s < LOOPBACK_NEAR_S
        return self.round_trip_s < NEAR_S

    def encoding(self, purpose: Purpose) -> str:
        """What to offer the server: ``identity`` or ``gzip``."""
        if purpose in (Purpose.WATCH, Purpose.PROBE):
            return "identity"
        is_wide = self.is_near and (self._is_loopback or self.plain_bytes_per_s > WIDE_BYTES_PER_S)
        return "identity" if is_wide else "gzip"

    def note_arrival(self) -> None:
        """Takes note that a piece of an answer came; called for every one."""
        self.arrived_at = time.time()

    def note_round_trip(self, purpose: Purpose, seconds: float) -> None:
        """Learns from the time to the first byte of a request that costs little."""
        if purpose in (Purpose.SHORT, Purpose.PROBE):
            self._round_trips.append(seconds)

    def note_list(self, *, wire_bytes: int, decoded_bytes: int, seconds: float) -> None:
        """Learns from a list body that was read."""
        self.wire_bytes += wire_bytes
        self.decoded_bytes += decoded_bytes
        if decoded_bytes <= TELLING_BYTES or seconds <= 0:
            return
        if wire_bytes == decoded_bytes:
            self.plain_bytes_per_s = wire_bytes / seconds
            self._compressed = 0
            return
        self._compressed += 1
        if self._compressed >= TRY_PLAIN_AFTER:
            # What was narrow once may have been a server that was busy.
            self.plain_bytes_per_s = float("inf")
            self._compressed = 0

    def note_date(self, header: str) -> None:
        """Learns from a Date header; ignores what is no date."""
        try:
            moment = parsedate_to_datetime(header)
        except (ValueError, TypeError, IndexError):
            return
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        skew_s = (moment - datetime.now(UTC)).total_seconds()
        self.skew_s = skew_s if abs(skew_s) > SKEW_NOISE_S else 0.0
