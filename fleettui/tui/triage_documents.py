"""Documents of triage: explanation with history and log, events of relatives, the overview.

Each adds to a document that knows the index alone what has to be fetched or was kept.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from fleettui.fleet.context import EventLine
from fleettui.fleet.last_words import LastWords, is_in_log_alone, last_words
from fleettui.fleet.related_events import related_events
from fleettui.index.causes import CauseBoard, explain
from fleettui.index.history import UNSEEN, History
from fleettui.kinds.record import ObjectRef
from fleettui.text import age_text, safe_text
from fleettui.tui.cause_board import STATE_SIGNS, root_cell
from fleettui.tui.cells import flat_text
from fleettui.tui.detail import event_lines
from fleettui.tui.documents import Manner
from fleettui.tui.explanations import Explanation
from fleettui.tui.lines import Line, Span, spans_line, text_line
from fleettui.tui.overview import Overview, spreads
from fleettui.tui.ports import FleetPort
from fleettui.tui.prose import paragraph
from fleettui.tui.theme import Tone
from fleettui.tui.triage_boards import flaps_text

AGAIN_S: Final = 10.0
"""Between two readings of Events that are being watched."""
DAY_S: Final = 86_400
SPARK_CELLS: Final = 48
MOMENTS_SHOWN: Final = 12
CAUSES_SHOWN: Final = 4
SPREAD_SHOWN: Final = 4
FIRST_CAUSES_S: Final = 10
"""How long an overview waits for causes of a fleet that was just opened."""
_RANKS: Final = "█▓▒░▁"
"""Health in a sparkline, worst first."""


class TriageExplanation:
    """Why an object is as it is, how it went before, and what only a log says."""

    manners: frozenset[str] = frozenset({"refresh"})

    def __init__(self, fleet: FleetPort, ref: ObjectRef, history: History) -> None:
        """Explain this object."""
        self.title = f"why {ref.kind}/{ref.name}"
        self._fleet = fleet
        self._ref = ref
        self._history = history
        self._plain = Explanation(fleet, ref)
        self._words: list[tuple[ObjectRef, LastWords]] = []

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Reads the controller's log where no object says why."""
        index = self._fleet.index
        row = index.get(self._ref)
        if row is None:
            return
        silent = [f for f in explain(index, row, self._fleet.now()) if is_in_log_alone(f)]
        self._words = [(f.root, await last_words(self._fleet, f.root)) for f in silent[:2]]

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the explanation, the log's words, the history."""
        lines = [*self._plain.lines(width=width, manner=manner)]
        for ref, words in self._words:
            lines += _log_lines(ref, words, width)
        return [*lines, *history_lines(self._history, self._ref, self._fleet.now())]


def _log_lines(ref: ObjectRef, words: LastWords, width: int) -> Iterator[Line]:
    yield text_line("WHAT THE LOG OF ITS CONTROLLER SAYS", Tone.TITLE)
    whose = "about it" if words.names_object else "not about it by name; the last errors of all"
    if words.lines:
        yield text_line(f"  {ref.kind} {ref.name}: {whose}", Tone.DIM)
    for line in words.lines:
        yield from paragraph(line, width, indent=2)
    if words.problem:
        yield text_line(f"  {words.problem}", Tone.DIM)
    yield text_line()


def history_lines(history: History, ref: ObjectRef, now: int) -> Iterator[Line]:
    """How the object's health went during a day, as a line and in words; nothing when unseen."""
    moments = history.of(ref)
    if not moments:
        return
    ranks = history.sparkline(ref, now, buckets=SPARK_CELLS, span_s=DAY_S)
    line = "".join(" " if rank == UNSEEN else _RANKS[rank] for rank in ranks)
    yield text_line("HISTORY, a day", Tone.TITLE)
    yield spans_line(Span(f"  {line}", Tone.ACCENT), Span(f"  {flaps_text(history, ref, now)}"))
    broke = history.broke_at(ref, now, window_s=DAY_S)
    if len(broke) > 1:
        reason = next((m.reason for m in moments if m.at == broke[-1]), "") or "failed"
        yield text_line(f"  went {reason} {len(broke)} times today", Tone.FAILED)
    for moment in reversed(moments[-MOMENTS_SHOWN:]):
        before = f"{moment.before} → " if moment.before else ""
        gap = "" if moment.observed else "  (seen after a gap)"
        yield spans_line(
            Span(f"  {age_text(now - moment.at):>6} ago  ", Tone.DIM),
            Span(f"{before}{moment.after}"),
            Span(f"  {moment.reason}", Tone.STRONG),
            Span(gap, Tone.DIM),
        )


class RelatedEvents:
    """Events of an object and its relatives, equal ones merged; read again while open."""

    manners: frozenset[str] = frozenset({"refresh"})

    def __init__(self, fleet: FleetPort, ref: ObjectRef) -> None:
        """List Events around this object."""
        self.title = f"events around {ref.kind}/{ref.name}"
        self._fleet = fleet
        self._ref = ref
        self._events: Sequence[EventLine] | None = None

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Asks again and again until the screen is left."""
        while True:
            self._events = await related_events(self._fleet, self._ref)
            changed()
            await asyncio.sleep(AGAIN_S)

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the Events, newest first."""
        if self._events is None:
            return []
        if not self._events:
            return [text_line("no Events about it or its relatives are kept", Tone.DIM)]
        return list(event_lines(self._events, now=self._fleet.now(), width=width))


class ControllerLog:
    """What the controller of an object that has no log itself says about it."""

    manners: frozenset[str] = frozenset({"refresh"})

    def __init__(self, fleet: FleetPort, ref: ObjectRef) -> None:
        """Look for this object."""
        self.title = f"controller's log about {ref.kind}/{ref.name}"
        self._fleet = fleet
        self._ref = ref
        self._words: LastWords | None = None

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Reads the end of the log of every Pod of the controller."""
        self._words = await last_words(self._fleet, self._ref)

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the error lines."""
        return [] if self._words is None else list(_log_lines(self._ref, self._words, width))


class TriageOverview:
    """The fleet in numbers, with the first causes and how fast each context answers."""

    title = "overview"
    manners: frozenset[str] = frozenset()

    def __init__(self, fleet: FleetPort, board: CauseBoard) -> None:
        """Count this fleet."""
        self._fleet = fleet
        self._board = board
        self._plain = Overview(fleet)

    async def fetch(self, changed: Callable[[], None]) -> None:
        """Waits a moment for the first causes, which are found in the background."""
        for _ in range(FIRST_CAUSES_S):
            if self._board.causes():
                break
            await asyncio.sleep(1)
        changed()

    def lines(self, *, width: int, manner: Manner) -> Sequence[Line]:
        """Return the numbers, then the first causes."""
        return [
            *self._plain.head(width),
            *self._latencies(),
            *self._causes(),
            *spreads(self._fleet.index, width, most=SPREAD_SHOWN),
        ]

    def _latencies(self) -> Iterator[Line]:
        known = [info for info in self._fleet.contexts() if info.round_trip_s >= 0]
        if known:
            words = ", ".join(
                f"{safe_text(info.name)} {info.round_trip_s * 1000:.0f} ms" for info in known
            )
            yield text_line(f"  answers in      {words}", Tone.DIM)

    def _causes(self) -> Iterator[Line]:
        causes = self._board.causes()
        if not causes:
            return
        more = f", {len(causes) - CAUSES_SHOWN} more" if len(causes) > CAUSES_SHOWN else ""
        yield text_line(f"  causes{more}", Tone.TITLE)
        for cause in causes[:CAUSES_SHOWN]:
            tone = STATE_SIGNS[cause.state][1]
            yield spans_line(
                Span("  "),
                *root_cell(self._fleet.index, cause.root, cause.state),
                Span(f"  {cause.reason or cause.condition}", tone),
                Span(f"  {flat_text(cause.message)}", Tone.DIM),
                target=cause.root,
            )
