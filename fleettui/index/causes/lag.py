"""Controllers that run, as far as anybody can see, and act on nothing.

Knows which rows wait for their controller and since when, and when anything was last
heard of each kind. One object that is not looked at has a trouble of its own; several of
a kind, with no sign of life since, have a controller that hangs: its Pods are ready and
its Lease is renewed, because the lease has a thread of its own.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Final

from fleettui.index.causes.explain import Finding
from fleettui.index.causes.fingerprint import fingerprint
from fleettui.index.causes.neglect import latest_word
from fleettui.index.causes.signal import CauseState, Signal
from fleettui.index.causes.suspects import top_of
from fleettui.index.controllers import (
    PATIENCE_S,
    controller_for,
    is_pending,
    requested_at,
    trouble_of,
)
from fleettui.index.index import Index
from fleettui.index.rows import Row
from fleettui.kinds.record import Flag, ObjectRef
from fleettui.kinds.spec import KindSpec

FEWEST: Final = 3
"""Waiting objects of a kind that are no coincidence."""
MOST_TOPS: Final = 500
_OWED: Final = int(Flag.STALE_GENERATION | Flag.ABSENT_STATUS)
_STALE: Final = int(Flag.STALE_GENERATION)
_CRD: Final = ("apiextensions.k8s.io", "CustomResourceDefinition")

Kind = tuple[str, str, str]
"""Context, group, kind."""


class Lag:
    """What waits for its controller, kept by what changed."""

    def __init__(self, index: Index) -> None:
        """Nothing waits before ``note``."""
        self._index = index
        self._behind: dict[Kind, dict[Row, int]] = {}
        """Rows to since when they wait, Unix seconds; 0: since nobody knows when."""
        self._heard: dict[Kind, int] = {}
        """When anything was last said of any object of a kind."""

    def note(self, row: Row, now: int, *, is_new: bool) -> None:
        """Takes in a row that was seen or changed.

        Args:
            row: not gone.
            now: Unix seconds.
            is_new: seen for the first time, so that its past is not known.
        """
        spec = row.spec
        kind = (row.context, spec.group, spec.kind)
        waiting = self._behind.get(kind)
        if row.is_deleting or (not row.state.flags & _OWED and not is_pending(row)):
            if waiting is not None and waiting.pop(row, None) is not None:
                self._heard[kind] = now
            elif row.told_since > self._heard.get(kind, 0):
                self._heard[kind] = row.told_since
            return
        if waiting is None:
            waiting = self._behind[kind] = {}
        if row not in waiting:
            waiting[row] = _owed_since(row, now, is_new=is_new)

    def forget(self, row: Row) -> None:
        """Lets a row go that is no more."""
        waiting = self._behind.get((row.context, row.spec.group, row.spec.kind))
        if waiting is not None:
            waiting.pop(row, None)

    def findings(self, now: int) -> Iterator[Finding]:
        """One finding for each affected top of every controller that acts on nothing."""
        for kind, waiting in self._behind.items():
            late = {
                row: since
                for row, since in waiting.items()
                if not row.is_gone
                and not row.is_paused
                and now - (since or latest_word(row)) > PATIENCE_S
            }
            if len(late) >= FEWEST and self._is_hanging(kind, late):
                yield from self._told(kind, late, now)

    def _is_hanging(self, kind: Kind, late: dict[Row, int]) -> bool:
        known = [since for since in late.values() if since]
        if len(known) >= FEWEST:
            return self._heard.get(kind, 0) <= min(known)
        every = self._index.rows((kind[1], kind[2]), context=kind[0])
        return sum(1 for _ in islice(every, 2 * len(late) + 1)) <= 2 * len(late)

    def _told(self, kind: Kind, late: dict[Row, int], now: int) -> Iterator[Finding]:
        context, group, name = kind
        spec = next(iter(late)).spec
        controller = controller_for(self._index, context, spec)
        if controller is not None and trouble_of(self._index, controller, now):
            return  # that it does not run is told already, and why
        root = controller.ref if controller is not None else _kind_ref(context, spec)
        signal = _signal(late, controller, name)
        by_top: dict[Row, list[ObjectRef]] = {}
        for row in late:
            by_top.setdefault(top_of(row), []).append(row.ref)
        key = fingerprint("failing", root.kind, signal.condition, signal.reason, f"{group}/{name}")
        for top, rows in islice(by_top.items(), MOST_TOPS):
            yield Finding(
                top.ref, root, root.kind, signal, (top.ref, root), tuple(rows), key, layer=0
            )


def _owed_since(row: Row, now: int, *, is_new: bool) -> int:
    if row.state.flags & Flag.ABSENT_STATUS:
        return row.created_at or now
    if row.state.flags & _STALE:
        return 0 if is_new and row.generation > 1 else now
    return requested_at(row)


def _kind_ref(context: str, spec: KindSpec) -> ObjectRef:
    return ObjectRef(context, *_CRD, "", f"{spec.plural}.{spec.group}")


def _signal(late: dict[Row, int], controller: Row | None, kind: str) -> Signal:
    untouched = sum(1 for row in late if row.state.flags & Flag.ABSENT_STATUS)
    stale = sum(1 for row in late if row.state.flags & _STALE)
    counts = (
        (untouched, "never looked at"),
        (stale, "with a specification not looked at"),
        (len(late) - untouched - stale, "with a request not acknowledged"),
    )
    words = ", ".join(f"{count} {what}" for count, what in counts if count)
    who = (
        f"controller {controller.name} runs, but acts on no {kind}"
        if controller is not None
        else f"nobody acts on any {kind}"
    )
    known = [since for since in late.values() if since]
    return Signal(
        CauseState.FAILING,
        weight=82,
        condition="status.observedGeneration" if stale else "status",
        reason="ActsOnNothing",
        message=f"{who}: {words}",
        since=min(known, default=0),
        is_hard=True,
    )
