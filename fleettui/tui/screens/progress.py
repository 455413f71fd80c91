"""A plan being carried out: every step, how far it is, and how it ended.

Knows reports of steps; decides nothing. Leaving does not stop what runs: ``esc``
first asks to stop, and closes when everything has come to rest.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult

from fleettui.actions.bulk import pace_words
from fleettui.actions.plan import Plan
from fleettui.errors import FleettuiError
from fleettui.fleet.outcome import Outcome, Report, StepState
from fleettui.tui.boards import BoardRow, BoardSource
from fleettui.tui.layout import Column
from fleettui.tui.lines import Span, cell
from fleettui.tui.plan_text import STEP_SIGNS, plan_title, summary_spans
from fleettui.tui.screens.leaving import LeavableScreen
from fleettui.tui.theme import Tone
from fleettui.tui.widgets.bar import Bar
from fleettui.tui.widgets.line_pane import LinePane

if TYPE_CHECKING:
    from fleettui.tui.app import FleetApp

Execute = Callable[[Callable[[Report], None], asyncio.Event], Awaitable[Outcome]]
"""Carries the plan out, telling of steps, until the event is set."""
PAINT_S = 0.1
"""Longest time that news are kept back."""
_COLUMNS = (
    Column("state", "STATE", 12, 14, 0),
    Column("step", "STEP", 14, 40, 2),
    Column("target", "OBJECT", 24, 80, 1),
    Column("message", "SAYS", 16, 160, 3),
)


class ProgressScreen(LeavableScreen[Outcome | None]):
    """Carries a plan out and shows how it goes; gives the outcome."""

    def __init__(self, plan: Plan, execute: Execute, *, dry_run: bool) -> None:
        """Show this plan's steps; starts when it is on the screen."""
        super().__init__()
        self.plan = plan
        self._execute = execute
        self._dry_run = dry_run
        self._cancel = asyncio.Event()
        self._outcome: Outcome | None = None
        self._error: FleettuiError | None = None
        self._is_over = False
        self._is_due = False
        """Whether news are about to be shown."""
        self._reports = {step.id: Report(step.id, StepState.PENDING) for step in plan.steps}
        self._source = BoardSource(_COLUMNS)
        self._title_bar = Bar(id="title")
        self._titles = Bar(id="titles")
        self.pane = LinePane(self._source, id="progress")
        self._summary = Bar(id="summary")

    def compose(self) -> ComposeResult:
        """Yields title, steps and summary."""
        yield self._title_bar
        yield self._titles
        yield self.pane
        yield self._summary

    def on_mount(self) -> None:
        """Starts."""
        cast("FleetApp", self.app).apply_theme(self)
        self.set_focus(self.pane)
        self._show()
        self.run_worker(self._run(), name="execute plan")

    async def _run(self) -> None:
        try:
            self._outcome = await self._execute(self._news, self._cancel)
        except FleettuiError as error:
            self._error = error
        finally:
            self._is_over = True
        for report in self._outcome.reports if self._outcome else ():
            self._reports[report.step] = report
        self._show()

    def _news(self, report: Report) -> None:
        """Takes a report in; hundreds of them are shown together."""
        self._reports[report.step] = report
        if not self._is_due:
            self._is_due = True
            self.set_timer(PAINT_S, self._show)

    def _show(self) -> None:
        self._is_due = False
        rows = []
        for step in self.plan.steps:
            report = self._reports[step.id]
            glyph, tone = STEP_SIGNS[report.state]
            cells = (
                cell(f"{glyph} {report.state.value.replace('_', ' ')}", tone),
                cell(step.title),
                cell(str(step.patch.target), Tone.DIM),
                cell(report.message),
            )
            rows.append(BoardRow(step.id, cells, step.patch.ref))
        self._source.take(rows)
        self.pane.changed()
        note = "the server is only asked, nothing changes" if self._dry_run else ""
        self._title_bar.show(
            Span(f" {plan_title(self.plan)}", Tone.ACCENT), Span(f"  {note}", Tone.STALLED)
        )
        self._summary.show(*self._words(), right=[Span(" esc", Tone.KEY), self._esc_word()])

    def _esc_word(self) -> Span:
        return Span(" close " if self._is_over else " stop ", Tone.DIM)

    def _words(self) -> list[Span]:
        states = [report.state for report in self._reports.values()]
        if self._error is not None:
            return [Span(f" {self._error}", Tone.FAILED), Span(f"  {self._error.hint}", Tone.DIM)]
        spans = list(summary_spans(states))
        if self._outcome is not None and self._outcome.stopped_by:
            spans.append(Span(f"  stopped: {self._outcome.stopped_by}", Tone.STALLED))
        elif self._cancel.is_set() and not self._is_over:
            spans.append(Span("  stopping …", Tone.STALLED))
        elif not self._is_over:
            pace = pace_words(self.plan, states.count(StepState.PENDING))
            spans.append(Span(f"  {pace}", Tone.DIM))
        return spans

    def on_line_pane_resized(self, event: LinePane.Resized) -> None:
        """Puts the column titles over the columns."""
        from fleettui.tui.screens.board import title_line

        self._titles.show_cells(title_line(_COLUMNS), event.pane.slots)

    def on_key(self, event: events.Key) -> None:
        """Moves, stops, closes."""
        match event.key:
            case "escape" | "q" | "enter" if self._is_over:
                self.dismiss(self._outcome)
            case "escape":
                self._cancel.set()
                self._show()
            case "down" | "j":
                self.pane.move_by(1)
            case "up" | "k":
                self.pane.move_by(-1)
            case "pagedown" | "ctrl+f":
                self.pane.move_page(1)
            case "pageup" | "ctrl+b":
                self.pane.move_page(-1)
            case _:
                return
        event.stop()
        event.prevent_default()
