"""Moments as documents write them and as records keep them.

Source: RFC 3339; metav1.Time (whole seconds) and metav1.MicroTime.
"""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=65_536)
def parsed_seconds(text: str) -> int:
    """Whole Unix seconds of an RFC 3339 text, remembered; 0 if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp())


def unix_seconds(text: object) -> int:
    """Whole Unix seconds of an RFC 3339 text; 0 if it is none."""
    return parsed_seconds(text) if isinstance(text, str) else 0


def rfc3339(seconds: int) -> str:
    """``2026-11-25T03:00:00Z``; empty for 0 (not known) and for moments no calendar has."""
    if not seconds:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return ""
