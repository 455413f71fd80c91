"""From rows back to the records they were made of, for shards of a warm start.

Knows what a row keeps; knows no file. What the index derived (health from below,
time-outs) is derived again when the records come back.
"""

import heapq
from collections.abc import Generator, Sequence
from typing import Final

import msgspec

from fleettui.index.rollup import total_of, unpack
from fleettui.index.rows import Row
from fleettui.index.standing import RANK, STICKY
from fleettui.kinds.record import Flag, Record
from fleettui.kinds.spec import Role
from fleettui.recorded.shards import Head, HeadLine

HEAD_LINES = 200
"""Roots kept for the first frame: more than any screen shows."""
PIECE: Final = 256
_HEAD_ROLES = frozenset({Role.CLUSTER, Role.CLOUD_CLUSTER})


def records_of(row: Row) -> list[Record]:
    """The records that make the row again: one, or two for a failure that is being retried.

    Controllers that report progress at each retry leave no failure in the document: what
    told of it comes first, under a resourceVersion of before, and the document after it.
    """
    record = record_of(row)
    blamed = row.blamed
    if blamed is None or not row.standing & STICKY:
        return [record]
    failure = msgspec.structs.replace(
        record,
        resource_version="0",
        verdict=blamed.verdict,
        condition=blamed.condition,
        reason=blamed.reason,
        message=blamed.message,
        since=row.broken_since,
        flags=blamed.flags & ~Flag.STALE_GENERATION,
    )
    return [failure, record]


def record_of(row: Row) -> Record:
    """The record that a row was made of; costs some 20 µs."""
    state = row.state
    return Record(
        group=row.group,
        version=state.version,
        kind=row.kind,
        namespace=row.namespace,
        name=row.name,
        uid=row.uid,
        resource_version=row.resource_version,
        generation=row.generation,
        observed_generation=row.observed_generation,
        created_at=row.created_at,
        deleted_at=row.deleted_at,
        verdict=state.verdict,
        condition=state.condition,
        reason=state.reason,
        message=state.message,
        since=row.told_since,
        flags=state.flags,
        paused_by=state.paused_by,
        owners=row.owners,
        references=row.references,
        conditions=row.conditions,
        replicas=state.replicas,
        cluster=row.cluster,
        kubernetes_version=state.kubernetes_version,
        labels=row.labels,
        annotations=row.annotations,
        finalizers=state.finalizers,
        facts=row.facts,
    )


def heading(roots: Sequence[Row], taken_at: int) -> Generator[None, None, Head]:
    """Returns what a first frame needs: the clusters, worst first, with what is below them.

    Yields between two pieces.

    Args:
        roots: roots of one context.
        taken_at: Unix seconds.
    """
    worst: list[Row] = []
    total = 0
    for first in range(0, len(roots), PIECE):
        found = roots[first : first + PIECE]
        clusters = [row for row in found if row.spec.role in _HEAD_ROLES and not row.is_gone]
        total += len(clusters)
        worst = heapq.nsmallest(HEAD_LINES, worst + clusters, key=_worst_first)
        yield
    return Head(taken_at, total, tuple(map(_head_line, worst)))


def _worst_first(row: Row) -> tuple[int, str, str]:
    return (row.standing & RANK, row.namespace, row.name)


def _head_line(row: Row) -> HeadLine:
    faults = unpack(row.counts).faults
    total = total_of(row.counts)
    counts = f"{faults} of {total}" if faults else str(total)
    return HeadLine(row.kind, row.namespace, row.name, row.health.value, counts, row.reason)
