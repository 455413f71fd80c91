"""Until when upstream supports what runs: Kubernetes minors, kinds and API versions.

Knows dates of the Kubernetes project, and what data entries say of deprecation; clouds
support longer at a price, which is not known here. Source: kubernetes.io/releases (end of
life is fourteen months after a minor's release); dates of minors to come as planned there.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from fleettui.kinds.spec import KindSpec

_MINOR: Final = re.compile(r"v?1\.(\d+)")
_ENDS: Final = {
    25: "2023-10-27",
    26: "2024-02-28",
    27: "2024-06-28",
    28: "2024-10-28",
    29: "2025-02-28",
    30: "2025-06-28",
    31: "2025-10-28",
    32: "2026-02-28",
    33: "2026-06-28",
    34: "2026-10-27",
    35: "2027-02-28",
    36: "2027-06-28",
    37: "2027-10-28",
}
"""Minor to the last day on which patches may come, UTC."""
SOON_S: Final = 60 * 86400
_DAY_S: Final = 86400


class SupportState(StrEnum):
    """Where a minor stands in its life."""

    SUPPORTED = "supported"
    ENDING = "ending"
    """Its last day is less than ``SOON_S`` away."""
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Support:
    """Upstream's support of one Kubernetes minor."""

    minor: int
    last_day: str
    """As ``YYYY-MM-DD``."""
    state: SupportState

    @property
    def words(self) -> str:
        """What a person should know; empty while there is nothing to do."""
        if self.state is SupportState.ENDED:
            return f"out of support since {self.last_day}"
        return f"support ends {self.last_day}" if self.state is SupportState.ENDING else ""


def minor_of(version: str) -> int | None:
    """The minor of a Kubernetes version such as ``v1.33.5`` or ``1.33``; None for others."""
    match = _MINOR.match(version)
    return int(match[1]) if match else None


def support_of(version: str, now: int) -> Support | None:
    """How upstream supports a Kubernetes version.

    Args:
        version: with or without its ``v``, patch and build; OpenShift's own (4.x) has none.
        now: Unix seconds.

    Returns:
        None for a version that is no Kubernetes version, or newer than what is known here.
    """
    minor = minor_of(version)
    if minor is None or minor > max(_ENDS):
        return None
    last_day = _ENDS.get(minor, _ENDS[min(_ENDS)])
    end = int(datetime.fromisoformat(last_day).replace(tzinfo=UTC).timestamp()) + _DAY_S
    if now >= end:
        state = SupportState.ENDED
    else:
        state = SupportState.ENDING if end - now < SOON_S else SupportState.SUPPORTED
    return Support(minor, last_day, state)


def deprecation_of(spec: KindSpec, version: str) -> str:
    """Why upstream deprecates the kind, or the API version it is read at; empty if not.

    Args:
        spec: entry of the kind.
        version: API version of the document, without its group.
    """
    return spec.deprecated or spec.deprecated_versions.get(version, "")
