"""Kubernetes versions: reading, comparing, and which step is too far.

Source: Semantic Versioning 2.0; the Kubernetes version skew policy (one minor
at a time for control planes).
"""

import re
from typing import NamedTuple

_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?\Z")


class Version(NamedTuple):
    """The numbers of a version; a missing patch counts as 0."""

    major: int
    minor: int
    patch: int


def version_of(text: str) -> Version | None:
    """The version a text names, None when it is none."""
    match = _VERSION.match(text)
    if match is None:
        return None
    major, minor, patch = match.groups()
    return Version(int(major), int(minor), int(patch or 0))


def is_same_version(seen: str, wanted: str) -> bool:
    """Whether both name the same version; a missing patch or build matches any."""
    first, second = version_of(seen), version_of(wanted)
    if first is None or second is None:
        return False
    is_short = "." not in seen.partition(".")[2] or "." not in wanted.partition(".")[2]
    return first[:2] == second[:2] if is_short else first == second


def step_problem(current: str, wanted: str) -> str:
    """Why a control plane cannot go from one version to the other, empty when it can."""
    before, after = version_of(current), version_of(wanted)
    if after is None:
        return f"{wanted!r} is no version such as v1.33.2"
    if before is None:
        return ""
    if wanted.count(".") < current.count("."):
        return f"{wanted} names no patch version: say which, such as v{after.major}.{after.minor}.0"
    if after == before:
        return f"it is at {current} already"
    if after < before:
        return f"{wanted} is older than {current}; control planes cannot go back"
    if after.major != before.major or after.minor > before.minor + 1:
        return f"from {current} to {wanted} a minor version would be skipped"
    return ""
