"""Which Kubernetes version a cluster runs, and how far its upgrade is.

Knows versions of a cluster-level row, its control plane and its workers; refuses to know
what may be upgraded to (``actions``). What runs counts, not what is asked for.
"""

import re
from collections.abc import Iterator
from typing import Final

from fleettui.index.bags import rows_of
from fleettui.index.rows import Row
from fleettui.kinds.spec import Role

_VERSION: Final = re.compile(r"v?(\d+(?:\.\d+)*)")
_PLACES: Final = 3
_PLACE: Final = 10_000
NO_RANK: Final = _PLACE**_PLACES
"""Rank of what is no version: behind all that are."""
_WORKERS: Final = frozenset({Role.WORKERS, Role.MACHINE_POOL, Role.CLOUD_POOL})


def version_of(row: Row) -> str:
    """Return the Kubernetes version of a cluster-level row: its own, else its control plane's."""
    if row.kubernetes_version:
        return row.kubernetes_version
    found = [plane.kubernetes_version for plane in _planes(row) if plane.kubernetes_version]
    return min(found, default="", key=numbers_of)


def shown_version(row: Row) -> str:
    """Return the version to show of any row: its own; a Cluster may have its control plane's.

    Managed control planes tell theirs only there: a Cluster without a topology has no field.
    """
    own = row.kubernetes_version
    return own if own or row.place.spec.role is not Role.CLUSTER else version_of(row)


def upgrade_of(row: Row) -> str:
    """Return how far an upgrade of a cluster-level row is, in words; empty when none is on."""
    version = version_of(row)
    running = numbers_of(version)
    if not running:
        return ""
    planes = list(_planes(row))
    wanted = next((text for at in (row, *planes) if (text := at.fact("wanted_version"))), "")
    target = numbers_of(wanted)
    if target and target[: len(running)] != running[: len(target)]:
        return f"upgrading to {wanted}"
    behind = [
        text
        for kid in rows_of(row.kids)
        if kid.spec.role in _WORKERS
        and (text := kid.kubernetes_version)
        and numbers_of(text) < running
        and numbers_of(text)[:1] == running[:1]
    ]
    return f"workers still at {min(behind, key=numbers_of)}" if behind else ""


def upgrade_words(row: Row) -> str:
    """Return the upgrade of a cluster-level row with the machines that have followed.

    Like ``upgrading to v1.34.1: control plane 1/3, workers 0/6 up to date``; empty when no
    upgrade is on. Machines are counted by who owns them, so none need have been read.
    """
    words = upgrade_of(row)
    if not words:
        return ""
    workers = [kid for kid in rows_of(row.kids) if kid.spec.role in _WORKERS]
    parts = [
        f"{title} {share}"
        for title, rows in (("control plane", list(_planes(row))), ("workers", workers))
        if (share := _share(rows))
    ]
    return f"{words}: {', '.join(parts)} up to date" if parts else words


def _share(rows: list[Row]) -> str:
    known = [c for row in rows if (c := row.replicas) is not None and c.desired >= 0]
    told = [c for c in known if c.up_to_date >= 0]
    if not told:
        return ""
    return f"{sum(c.up_to_date for c in told)}/{sum(c.desired for c in known)}"


def _planes(row: Row) -> Iterator[Row]:
    return (kid for kid in rows_of(row.kids) if kid.spec.role is Role.CONTROL_PLANE)


def numbers_of(version: str) -> tuple[int, ...]:
    """Return the numbers of a version in order, without its build; empty for none."""
    found = _VERSION.match(version)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def version_rank(version: str) -> int:
    """Return a number that orders versions: v1.9 before v1.10, and no version last."""
    numbers = numbers_of(version)
    if not numbers:
        return NO_RANK
    padded = (*numbers, 0, 0, 0)[:_PLACES]
    return sum(
        min(number, _PLACE - 1) * _PLACE ** (_PLACES - 1 - place)
        for place, number in enumerate(padded)
    )
