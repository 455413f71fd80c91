"""Boards of triage: what is paused, what runs the rest, what changed lately.

Long surveys are done by the fleet's pacer; a board shows what the last one found.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from fleettui.fleet.pausers import find_pausers
from fleettui.fleet.sparks import spark
from fleettui.index.controllers import Controller, surveying
from fleettui.index.history import History
from fleettui.index.index import Index
from fleettui.index.pauses import Pause, pauses
from fleettui.index.recent import Happening, looking_back
from fleettui.kinds.moments import rfc3339
from fleettui.kinds.record import ObjectRef
from fleettui.text import age_text
from fleettui.tui.boards import BoardRow
from fleettui.tui.cause_board import ref_cell
from fleettui.tui.cells import GLYPHS, count_text, flat_text
from fleettui.tui.layout import Column
from fleettui.tui.lines import Span, cell
from fleettui.tui.ports import FleetPort
from fleettui.tui.theme import VERDICT_TONES, Tone

LOOKING: Final = "looking …"
"""Instead of rows before the first survey is done: nothing is known yet, good or bad."""
SURVEY_S: Final = 5
"""Least seconds between two surveys of the same kind."""
CHANGES_S: Final = 30 * 60
CHANGES_SHOWN: Final = 2000
FLAPS_S: Final = 86_400


@dataclass(slots=True)
class Survey:
    """What a survey found last, done anew in the background when it is old."""

    fleet: FleetPort
    name: str
    work: Callable[[int], Generator[None, None, Any]]
    found: Any = None
    at: int = 0

    def latest(self) -> Any:
        """What was found last; None before the first survey is done."""
        now = self.fleet.now()
        if now - self.at >= SURVEY_S and not self.fleet.pacer.is_running(self.name):
            self.at = now
            self.fleet.pacer.run(self.name, self._steps(now), done=self.fleet.on_change)
        return self.found

    def _steps(self, now: int) -> Generator[None, None, None]:
        self.found = yield from self.work(now)


@dataclass(slots=True)
class PauseBoard:
    """Everything paused, suspended or frozen; what has been forgotten comes first."""

    fleet: FleetPort
    names: dict[ObjectRef, Pause] = field(default_factory=dict)
    """What was found out by fetching objects."""
    title: str = "paused"
    empty: str = "nothing is paused, suspended or frozen"
    columns: Sequence[Column] = (
        Column("object", "OBJECT", 26, 60, 0),
        Column("since", "SINCE", 7, 9, 1, is_right=True),
        Column("who", "WHO", 8, 24, 2),
        Column("below", "STOPS", 6, 7, 4, is_right=True),
        Column("until", "UNTIL", 8, 20, 6),
        Column("by", "PAUSED BY", 14, 44, 3),
        Column("context", "CONTEXT", 10, 30, 7),
        Column("why", "WHY", 12, 80, 5),
    )

    def rows(self) -> Sequence[BoardRow]:
        """Return what is paused now."""
        now = self.fleet.now()
        found = pauses(self.fleet.index, now)
        for pause in found:
            known = self.names.get(pause.ref)
            if known is not None:
                pause.who = pause.who or known.who
                pause.since = pause.since or known.since
        return [self._row(pause, now) for pause in found]

    def _row(self, pause: Pause, now: int) -> BoardRow:
        is_forgotten = pause.is_forgotten(now)
        tone = Tone.FAILED if pause.is_expired(now) else Tone.STALLED
        mark = "expired" if pause.is_expired(now) else rfc3339(pause.until) if pause.until else ""
        tone = tone if is_forgotten else Tone.DIM
        cells = (
            ref_cell(self.fleet.index, pause.ref),
            cell(age_text(now - pause.since) if pause.since else "?", tone),
            cell(pause.who),
            cell(count_text(pause.stops) if pause.stops else "", Tone.DIM),
            cell(mark, tone),
            cell(pause.word, Tone.PAUSED),
            cell(pause.ref.context, Tone.DIM),
            cell(flat_text(pause.why)),
        )
        return BoardRow(pause.ref, cells, pause.ref)

    async def ask_names(self, fleet: Any) -> None:
        """Fetches objects to find out who paused them, once each."""
        found = [p for p in pauses(fleet.index, fleet.now()) if p.ref not in self.names]
        await find_pausers(fleet, found)
        self.names |= {pause.ref: pause for pause in found}


@dataclass(slots=True)
class ControllerBoard:
    """What runs everything else; what is in trouble first."""

    fleet: FleetPort
    survey: Survey | None = None
    title: str = "controllers"
    columns: Sequence[Column] = (
        Column("object", "CONTROLLER", 26, 60, 0),
        Column("version", "VERSION", 8, 12, 2),
        Column("ready", "READY", 5, 6, 1, is_right=True),
        Column("restarts", "RESTARTS", 8, 8, 6, is_right=True),
        Column("lease", "LEASE", 6, 8, 4, is_right=True),
        Column("objects", "OBJECTS", 7, 8, 7, is_right=True),
        Column("lag", "LAG", 5, 7, 3, is_right=True),
        Column("leader", "LEADER", 14, 50, 9),
        Column("context", "CONTEXT", 10, 30, 8),
        Column("state", "STATE", 16, 90, 5),
    )

    @property
    def empty(self) -> str:
        """What to say while none is seen."""
        if self.survey is None or self.survey.found is None:
            return LOOKING
        return "no controllers are seen yet: their kinds are being read, or are not allowed"

    def rows(self) -> Sequence[BoardRow]:
        """Return controllers as they were a few seconds ago."""
        if self.survey is None:
            index = self.fleet.index
            self.survey = Survey(self.fleet, "controllers", lambda now: surveying(index, now))
        found: list[Controller] = self.survey.latest() or []
        now = self.fleet.now()
        return [_controller_row(controller, now) for controller in found]


def _controller_row(controller: Controller, now: int) -> BoardRow:
    tone = VERDICT_TONES[controller.verdict]
    lease = age_text(now - controller.renewed_at) if controller.renewed_at else ""
    name = (
        Span(f"{GLYPHS[controller.verdict]} ", tone),
        Span(f"{controller.ref.namespace}/", Tone.DIM),
        Span(controller.ref.name, Tone.STRONG),
    )
    cells = (
        name,
        cell(controller.version),
        cell(f"{controller.available}/{controller.desired}", tone),
        cell(str(controller.restarts or ""), Tone.DIM),
        cell(lease, Tone.DIM),
        cell(count_text(controller.objects), Tone.DIM),
        cell(count_text(controller.lag) if controller.lag else "", Tone.STALLED),
        cell(controller.leader, Tone.DIM),
        cell(controller.ref.context, Tone.DIM),
        cell(controller.trouble or controller.verdict.value, tone),
    )
    return BoardRow(controller.ref, cells, controller.ref)


@dataclass(slots=True)
class ChangeBoard:
    """What changed lately, newest first, with what broke again and again."""

    fleet: FleetPort
    history: History
    last_s: int = CHANGES_S
    survey: Survey | None = None
    columns: Sequence[Column] = (
        Column("ago", "AGO", 6, 7, 1, is_right=True),
        Column("object", "OBJECT", 26, 60, 0),
        Column("change", "CHANGE", 16, 44, 2),
        Column("flaps", "TODAY", 6, 24, 4),
        Column("context", "CONTEXT", 10, 30, 5),
        Column("why", "WHY", 16, 120, 3),
    )

    @property
    def title(self) -> str:
        """Changes, and of how long."""
        return f"changes of the last {age_text(self.last_s)}"

    @property
    def empty(self) -> str:
        """What to say while there is none."""
        if self.survey is None or self.survey.found is None:
            return LOOKING
        return "nothing changed in this time, :changes 4h looks further back"

    def rows(self) -> Sequence[BoardRow]:
        """Return changes as they were a few seconds ago."""
        if self.survey is None:
            self.survey = Survey(self.fleet, "changes", self._look)
        found: list[Happening] = self.survey.latest() or []
        now, index = self.fleet.now(), self.fleet.index
        return [
            self._row(index, number, happening, now)
            for number, happening in enumerate(found[:CHANGES_SHOWN])
        ]

    def _look(self, now: int) -> Generator[None, None, list[Happening]]:
        index = self.fleet.index
        return looking_back(index, now, last_s=self.last_s, seen=list(self.history.moments()))

    def _row(self, index: Index, number: int, happening: Happening, now: int) -> BoardRow:
        tone = Tone.FAILED if happening.is_bad else Tone.PLAIN
        before = f"{happening.before} → " if happening.before else ""
        follows = happening.follows
        after = (Span(f"after a new revision of {follows.name} ", Tone.ACCENT),) if follows else ()
        why = flat_text(f"{happening.reason} {happening.message}".strip())
        cells = (
            cell(age_text(now - happening.at), Tone.DIM),
            ref_cell(index, happening.ref),
            cell(f"{before}{happening.after}", tone),
            cell(flaps_text(self.history, happening.ref, now), Tone.STALLED),
            cell(happening.ref.context, Tone.DIM),
            (*after, Span(why)),
        )
        return BoardRow((number, happening.ref), cells, happening.ref)


def flaps_text(history: History, ref: ObjectRef, now: int) -> str:
    """How often an object broke within a day, and when; empty when not more than once."""
    today = history.broke_at(ref, now, window_s=FLAPS_S)
    if len(today) < 2:
        return ""
    counts = [0] * 12
    for at in today:
        counts[min(11, (at - (now - FLAPS_S)) * 12 // FLAPS_S)] += 1
    return f"×{len(today)} {spark(counts)}"
