"""How the health of objects went, as far back as limits allow.

Knows transitions and what can be counted over them; refuses to know rows. Keeps
a ring per object within limits of number and age, and of objects in all.
Saved as msgpack; a history of another version is dropped, not converted.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Final, NamedTuple

import msgspec

from fleettui.index.changes import Transition
from fleettui.kinds.record import ObjectRef, Verdict

VERSION: Final = 1
UNSEEN: Final = -1
"""In sparklines: nothing is known about that time."""
DELETED: Final = "deleted"
_BROKEN: Final = frozenset({Verdict.FAILED.value, Verdict.STALLED.value})
_TRYING: Final = frozenset({Verdict.IN_PROGRESS.value, Verdict.UNKNOWN.value})


class Moment(NamedTuple):
    """One change of one object."""

    at: int
    """Unix seconds."""
    before: str
    """A verdict, empty for an object that was not known before."""
    after: str
    """A verdict, or ``deleted``."""
    observed: bool
    """Whether it was seen as it happened, rather than after a gap."""
    reason: str = ""
    """Raw text; unsafe to show without ``safe_text``."""


def _is_retry(ring: Sequence[Moment], moment: Moment) -> bool:
    """Whether a failure was only tried again, in vain: it never ended, so it is no new one.

    Flux tells a retry as progress (``ProgressingWithRetry``) between two equal failures.
    """
    if len(ring) < 2:
        return False
    failed, tried = ring[-2], ring[-1]
    return (
        failed.after in _BROKEN
        and tried.before in _BROKEN
        and tried.after in _TRYING
        and moment.before in _TRYING
        and (moment.after, moment.reason) == (failed.after, failed.reason)
    )


class _Saved(msgspec.Struct, frozen=True, array_like=True):
    version: int
    objects: list[tuple[ObjectRef, list[Moment]]]


class History:
    """Transitions of all objects, newest last."""

    def __init__(
        self, *, per_object: int = 64, objects: int = 20_000, max_age_s: int = 7 * 86400
    ) -> None:
        """Start empty.

        Args:
            per_object: transitions kept of one object.
            objects: objects kept; those that changed longest ago go first.
            max_age_s: transitions older than this go, seconds.
        """
        self._per_object = per_object
        self._objects = objects
        self._max_age_s = max_age_s
        self._rings: dict[ObjectRef, deque[Moment]] = {}

    def __len__(self) -> int:
        """Return the number of objects with a history."""
        return len(self._rings)

    def add(self, transitions: Iterable[Transition]) -> None:
        """Keep transitions, which must not be older than those kept; retries are one failure."""
        for transition in transitions:
            moment = Moment(
                transition.at,
                transition.before.value if transition.before is not None else "",
                transition.after.value if transition.after is not None else DELETED,
                transition.observed,
                transition.reason,
            )
            # Popped and put back, so that the order of the rings is that of their last change.
            ring = self._rings.pop(transition.ref, None)
            if ring is None:
                ring = deque(maxlen=self._per_object)
            if _is_retry(ring, moment):
                ring.pop()
            else:
                ring.append(moment)
            self._rings[transition.ref] = ring
            if len(self._rings) > self._objects:
                del self._rings[next(iter(self._rings))]

    def of(self, ref: ObjectRef) -> tuple[Moment, ...]:
        """Return the object's transitions, oldest first."""
        return tuple(self._rings.get(ref, ()))

    def moments(self) -> Iterator[tuple[ObjectRef, Moment]]:
        """Yield every transition kept, objects in order of their last change."""
        for ref, ring in self._rings.items():
            for moment in ring:
                yield ref, moment

    def prune(self, now: int) -> None:
        """Drop what is too old; stops at the first object that changed lately enough."""
        oldest = now - self._max_age_s
        for ref in list(self._rings):
            ring = self._rings[ref]
            if ring[-1].at >= oldest:
                return
            del self._rings[ref]

    def flaps(self, ref: ObjectRef, now: int, *, window_s: int = 3600) -> int:
        """Return how often the object broke within the window before ``now``."""
        return len(self.broke_at(ref, now, window_s=window_s))

    def broke_at(self, ref: ObjectRef, now: int, *, window_s: int) -> list[int]:
        """Return when the object broke within the window, oldest first, Unix seconds.

        One that was broken when it was first seen, as after a restart, did not break then.
        """
        return [
            moment.at
            for moment in self._rings.get(ref, ())
            if moment.before
            and moment.before not in _BROKEN
            and moment.after in _BROKEN
            and moment.at > now - window_s
        ]

    def flapping(self, now: int, *, window_s: int = 3600, least: int = 3) -> list[ObjectRef]:
        """Return the objects that broke at least so often within the window, most often first."""
        counts = {ref: self.flaps(ref, now, window_s=window_s) for ref in self._rings}
        found = [ref for ref, count in counts.items() if count >= least]
        return sorted(found, key=lambda ref: (-counts[ref], ref))

    def sparkline(self, ref: ObjectRef, now: int, *, buckets: int, span_s: int) -> list[int]:
        """Return the worst rank of each of so many stretches of the span before ``now``.

        0 is failed and 4 current (``Verdict.rank``), -1 is not known or deleted; oldest first.
        """
        moments = self._rings.get(ref, ())
        line = [UNSEEN] * buckets
        start = now - span_s
        spans = [
            (moment.at, after.at if after is not None else now, moment.after)
            for moment, after in zip_longest(moments, list(moments)[1:])
        ]
        if moments and moments[0].before:
            spans.insert(0, (start, moments[0].at, moments[0].before))
        for begin, end, word in spans:
            if word == DELETED or end < start:
                continue
            rank = Verdict(word).rank
            first = max(0, (begin - start) * buckets // span_s)
            last = min(buckets - 1, max(first, ((end - start) * buckets - 1) // span_s))
            for place in range(first, last + 1):
                line[place] = rank if line[place] == UNSEEN else min(line[place], rank)
        return line

    def breakages(self, now: int, *, buckets: int, span_s: int) -> list[int]:
        """Return how many objects broke in each of so many stretches before ``now``."""
        line = [0] * buckets
        start = now - span_s
        for ring in self._rings.values():
            for moment in ring:
                is_new = moment.after in _BROKEN and moment.before not in _BROKEN
                if is_new and start < moment.at <= now:
                    line[min(buckets - 1, (moment.at - start) * buckets // span_s)] += 1
        return line

    def to_bytes(self) -> bytes:
        """Return everything, to be saved."""
        objects = [(ref, list(ring)) for ref, ring in self._rings.items()]
        return msgspec.msgpack.encode(_Saved(VERSION, objects))

    def load(self, saved: bytes) -> bool:
        """Take over a saved history in place of this one; returns False for one of no use.

        What was saved is older than anything added since, so load before adding.
        """
        try:
            found = msgspec.msgpack.decode(saved, type=_Saved)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return False
        if found.version != VERSION:
            return False
        kept = found.objects[-self._objects :]
        self._rings = {
            ref: deque(moments, maxlen=self._per_object) for ref, moments in kept if moments
        }
        return True
